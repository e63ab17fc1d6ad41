coreota::orchestrator!("ui/unknown-transport.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
