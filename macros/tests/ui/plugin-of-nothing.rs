coreota::orchestrator!("ui/plugin-of-nothing.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
