coreota::orchestrator!("ui/plugins-without-partition.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
