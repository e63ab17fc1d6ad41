coreota::orchestrator!("ui/unknown-algorithm.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
