coreota::orchestrator!("ui/blocks-over-stream.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
