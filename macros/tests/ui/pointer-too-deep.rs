coreota::orchestrator!("ui/pointer-too-deep.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
