coreota::orchestrator!("ui/swap-offset-slot.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
