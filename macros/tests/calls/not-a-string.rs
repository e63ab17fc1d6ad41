coreota::orchestrator!(calls/two-boards.toml);

fn main() {}
