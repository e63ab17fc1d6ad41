coreota::orchestrator!("ui/flash-geometry.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
