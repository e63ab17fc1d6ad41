coreota::orchestrator!("ui/plugins-overlap.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
