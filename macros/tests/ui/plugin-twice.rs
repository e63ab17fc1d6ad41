coreota::orchestrator!("ui/plugin-twice.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
