coreota::orchestrator!("ui/erase-not-power-of-two.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
