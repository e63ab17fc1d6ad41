coreota::orchestrator!("ui/plugin-of-other-kind.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
