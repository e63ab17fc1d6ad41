coreota::orchestrator!("ui/plugins-partition-without-use.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
