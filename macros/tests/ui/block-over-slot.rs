coreota::orchestrator!("ui/block-over-slot.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
