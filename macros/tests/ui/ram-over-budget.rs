coreota::orchestrator!("ui/ram-over-budget.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
