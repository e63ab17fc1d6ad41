//! Nothing: what an image weighs before it does anything.
#![cfg_attr(target_os = "none", no_std, no_main)]

fn start() {
    core::hint::black_box(size_image::board::bytes());
}

size_image::entry!(start);
