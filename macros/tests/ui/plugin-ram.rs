coreota::orchestrator!("ui/plugin-ram.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
