coreota::orchestrator!("ui/bootloader-type.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
