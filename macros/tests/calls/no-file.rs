coreota::orchestrator!("calls/none.toml");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
