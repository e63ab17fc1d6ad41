coreota::orchestrator!("ui/parser-without-blocks.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
