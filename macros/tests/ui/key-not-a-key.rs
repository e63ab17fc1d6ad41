coreota::orchestrator!("ui/key-not-a-key.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
