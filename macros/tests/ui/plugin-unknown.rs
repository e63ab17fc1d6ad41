coreota::orchestrator!("ui/plugin-unknown.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
