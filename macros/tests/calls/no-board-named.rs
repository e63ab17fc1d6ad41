coreota::orchestrator!("calls/two-boards.toml");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
