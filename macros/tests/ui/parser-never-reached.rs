coreota::orchestrator!("ui/parser-never-reached.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
