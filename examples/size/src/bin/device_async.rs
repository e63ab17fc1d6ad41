//! The device path of `device_plain` as an executor runs it: awaited.
#![cfg_attr(target_os = "none", no_std, no_main)]

size_image::entry!(size_image::device::run_async::<size_image::device::Any>);
