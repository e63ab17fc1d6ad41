coreota::orchestrator!("ui/block-not-power-of-two.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
