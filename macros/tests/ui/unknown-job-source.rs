coreota::orchestrator!("ui/unknown-job-source.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
