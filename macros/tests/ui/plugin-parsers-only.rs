coreota::orchestrator!("ui/plugin-parsers-only.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
