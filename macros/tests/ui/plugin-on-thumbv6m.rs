coreota::orchestrator!("ui/plugin-on-thumbv6m.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
