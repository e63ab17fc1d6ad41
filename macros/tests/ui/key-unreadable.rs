coreota::orchestrator!("ui/key-unreadable.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
