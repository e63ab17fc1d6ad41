coreota::orchestrator!("ui/too-many-parsers.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
