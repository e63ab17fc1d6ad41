//! Rebuilds the modules that stand beside the sources of the samples, and says what they are:
//!
//! ```text
//! cargo run -p coreota-plugin-pack --example samples
//! ```

use std::fs;
use std::process::ExitCode;

use coreota_plugin_pack::{Tools, build, check, samples, toolchain};

fn main() -> ExitCode {
    let tools = Tools::find();
    let mut toolchains = String::new();
    for sample in samples() {
        let built = build(&sample.folder, &tools).and_then(|module| Ok((check(&module)?, module)));
        let (facts, module) = match built {
            Ok(built) => built,
            Err(why) => {
                eprintln!("{}: {why}", sample.name);
                return ExitCode::FAILURE;
            }
        };
        if let Err(why) = fs::write(&sample.module, module) {
            eprintln!("{}: {why}", sample.module.display());
            return ExitCode::FAILURE;
        }
        println!(
            "{:14} {:5} bytes, {:5} of memory, {:3} functions",
            sample.name, facts.size, facts.memory, facts.functions
        );
        toolchains += &format!("{}: {}\n", sample.name, toolchain(&sample.folder, &tools));
    }
    match fs::write(coreota_plugin_pack::samples_folder().join("TOOLCHAIN"), toolchains) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("TOOLCHAIN: {why}");
            ExitCode::FAILURE
        }
    }
}
