coreota::orchestrator!("ui/unknown-mode.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
