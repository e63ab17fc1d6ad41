coreota::orchestrator!("ui/too-many-keys.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
