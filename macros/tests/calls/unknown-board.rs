coreota::orchestrator!("calls/two-boards.toml", board = "be");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
