//! Nothing but the board: what the others weigh is compared with this.
#![no_std]
#![no_main]

use plugin_bench::{Counter, succeed, tell};

plugin_bench::panics!(());

#[cortex_m_rt::entry]
fn main() -> ! {
    let counter = Counter::new();
    let (_, nothing) = counter.count(|| ());
    tell("nothing", nothing as usize);
    succeed()
}
