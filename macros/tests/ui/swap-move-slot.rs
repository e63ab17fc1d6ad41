coreota::orchestrator!("ui/swap-move-slot.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
