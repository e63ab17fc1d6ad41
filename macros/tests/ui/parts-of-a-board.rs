coreota::orchestrator!("ui/parts-of-a-board.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
