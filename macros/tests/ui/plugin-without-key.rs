coreota::orchestrator!("ui/plugin-without-key.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
