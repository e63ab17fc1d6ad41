coreota::orchestrator!("ui/journal-too-small.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
