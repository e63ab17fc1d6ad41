coreota::orchestrator!("ui/plugin-of-jobs.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
