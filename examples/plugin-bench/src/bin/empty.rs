//! Nothing but the board, the plugin and its document: what the others weigh is compared with this.
#![no_std]
#![no_main]

use plugin_bench::{Counter, DOCUMENT, PLUGIN, succeed, tell};

plugin_bench::panics!();

#[cortex_m_rt::entry]
fn main() -> ! {
    let counter = Counter::new();
    core::hint::black_box((PLUGIN, DOCUMENT));
    let (_, nothing) = counter.count(|| ());
    tell("nothing", nothing as usize);
    succeed()
}
