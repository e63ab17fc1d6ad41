coreota::orchestrator!("ui/plugins-of-a-board.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
