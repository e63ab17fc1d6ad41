coreota::orchestrator!("ui/plugins-over-partition.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
