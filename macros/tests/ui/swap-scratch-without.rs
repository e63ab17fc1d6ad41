coreota::orchestrator!("ui/swap-scratch-without.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
