coreota::orchestrator!("ui/key-for-no-plugin.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
