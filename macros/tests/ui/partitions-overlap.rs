coreota::orchestrator!("ui/partitions-overlap.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
