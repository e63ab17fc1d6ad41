coreota::orchestrator!("ui/partition-unaligned.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
