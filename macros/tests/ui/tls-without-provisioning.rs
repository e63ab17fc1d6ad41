coreota::orchestrator!("ui/tls-without-provisioning.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
