coreota::orchestrator!("ui/plugin-without-use.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
