coreota::orchestrator!("ui/key-other-algorithm.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
