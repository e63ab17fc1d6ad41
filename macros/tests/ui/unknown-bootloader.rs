coreota::orchestrator!("ui/unknown-bootloader.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
