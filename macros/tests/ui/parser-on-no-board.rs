coreota::orchestrator!("ui/parser-on-no-board.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
