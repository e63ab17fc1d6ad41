coreota::orchestrator!("ui/starts-odd.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
