coreota::orchestrator!("ui/two-job-sources.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
