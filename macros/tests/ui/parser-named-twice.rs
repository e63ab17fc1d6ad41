coreota::orchestrator!("ui/parser-named-twice.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
