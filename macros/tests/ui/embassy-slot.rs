coreota::orchestrator!("ui/embassy-slot.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
