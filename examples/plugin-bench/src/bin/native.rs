//! The same parser, from the same source, as part of the firmware.
#![no_std]
#![no_main]

use coreota::parser::{Parse, Parser};
use plugin_bench::{Counter, DOCUMENT, fail, succeed, tell};

plugin_bench::panics!();

#[cortex_m_rt::entry]
fn main() -> ! {
    let counter = Counter::new();
    let mut parser = coreota_plugin::native::Parser::new("acme-jobs", acme_jobs::parse);
    let document = core::hint::black_box(DOCUMENT);
    let (found, instructions) =
        counter.count(|| matches!(parser.parse(document, 1), Parse::Descriptor(_)));
    if !found {
        fail("not a descriptor");
    }
    tell("parse", instructions as usize);
    succeed()
}
