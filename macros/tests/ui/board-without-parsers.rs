coreota::orchestrator!("ui/board-without-parsers.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
