coreota::orchestrator!("ui/plugin-on-riscv32imc.toml", board = "b");

fn main() {
    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;
}
