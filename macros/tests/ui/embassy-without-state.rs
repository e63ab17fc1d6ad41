coreota::orchestrator!("ui/embassy-without-state.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
