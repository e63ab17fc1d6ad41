coreota::orchestrator!("ui/unknown-parser-of-board.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
