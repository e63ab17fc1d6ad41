coreota::orchestrator!();

fn main() {}
