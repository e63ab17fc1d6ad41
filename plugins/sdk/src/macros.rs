//! The lines that make a plugin of a function or an `impl`. Elsewhere than on wasm they do nothing.

/// Makes a parser plugin of a function
/// `for<'a> fn(&'a [u8], u8, &mut Descriptor<'a>) -> Result<(), Error>`, which is given a job
/// document, the number of the file wanted, 0 for the first, and an empty descriptor to fill.
///
/// `input` is the longest document in bytes, 1024 if not given: it is the device's RAM.
///
/// ```
/// use coreota_plugin::{Descriptor, Error, Failure};
/// fn parse(_: &[u8], _: u8, _: &mut Descriptor<'_>) -> Result<(), Error> {
///     Err(Error::NotMine(Failure::NoSuchKey))
/// }
/// coreota_plugin::parser!(parse, input = 2048);
/// ```
#[macro_export]
macro_rules! parser {
    ($parse:path) => {
        $crate::parser!($parse, input = 1024);
    };
    ($parse:path, input = $input:expr) => {
        // Checked wherever it is built.
        const _: ($crate::Parse, usize) = ($parse, $input);

        #[cfg(target_family = "wasm")]
        const _: () = {
            static PLUGIN: $crate::Parsing<{ $input }> = $crate::Parsing::new();
            $crate::exports!(PLUGIN, $crate::Parsing<{ $input }>);

            #[unsafe(no_mangle)]
            extern "C" fn ota_parse(len: u32, index: u32) -> i32 {
                // SAFETY: only the host calls this, never while another call is under way.
                unsafe { PLUGIN.parse(len, index, $parse) }
            }
        };
    };
}

/// Makes a block protocol plugin of a type that implements [`Blocks`](crate::Blocks).
///
/// `input` is the longest message in bytes, its topic included and 20 bytes more, 1400 if not given:
/// it holds a block. `scratch` is the longest message written, with its topic, 400 if not given.
#[macro_export]
macro_rules! blocks {
    ($blocks:ty) => {
        $crate::blocks!($blocks, input = 1400, scratch = 400);
    };
    ($blocks:ty, input = $input:expr, scratch = $scratch:expr) => {
        $crate::protocol!($crate::Blocking<$blocks>, $input, $scratch);
    };
}

/// Makes a job protocol plugin of a type that implements [`Jobs`](crate::Jobs).
///
/// `input` is the longest message in bytes, its topic included and 20 bytes more, 1400 if not given.
/// `scratch` is the longest message written, with its topic, 400 if not given.
#[macro_export]
macro_rules! jobs {
    ($jobs:ty) => {
        $crate::jobs!($jobs, input = 1400, scratch = 400);
    };
    ($jobs:ty, input = $input:expr, scratch = $scratch:expr) => {
        $crate::protocol!($crate::Jobbing<$jobs>, $input, $scratch);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! protocol {
    ($protocol:ty, $input:expr, $scratch:expr) => {
        // Checked wherever it is built.
        const _: ($crate::abi::Kind, usize, usize) =
            (<$protocol as $crate::Protocols>::KIND, $input, $scratch);

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Plugin = $crate::Talking<$protocol, { $input }, { $scratch }>;
            static PLUGIN: Plugin = Plugin::new();
            $crate::exports!(PLUGIN, Plugin);

            #[unsafe(no_mangle)]
            extern "C" fn ota_event(event: u32, len: u32) -> i32 {
                // SAFETY: only the host calls this, never while another call is under way.
                unsafe { PLUGIN.event(event, len) }
            }
        };
    };
}

/// What plugins of every kind export.
#[doc(hidden)]
#[macro_export]
macro_rules! exports {
    ($plugin:ident, $of:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn ota_abi() -> i32 {
            <$of as $crate::Plugin>::WORD
        }

        #[unsafe(no_mangle)]
        extern "C" fn ota_io() -> i32 {
            // SAFETY: only the host calls this, never while another call is under way.
            unsafe { $crate::Plugin::io(&$plugin) }
        }

        // In tests the standard library has one.
        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            ::core::arch::wasm32::unreachable()
        }
    };
}
