coreota::orchestrator!("ui/slot-holds-nothing.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
