coreota::orchestrator!("ui/unknown-parser.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
