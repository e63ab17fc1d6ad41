coreota::orchestrator!("ui/slot-beyond-max-sectors.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
