coreota::orchestrator!("calls/two-boards.toml", bord = "b");

fn main() {}
