//! Trace points: `defmt` where that feature is on, else `log`, else nothing at all.
//!
//! Both features may be on, as with `--all-features`; `defmt` wins.

/// Says what happens, to whoever reads a log of the device.
macro_rules! info {
    ($text:literal $(, $value:expr)* $(,)?) => {{
        #[cfg(feature = "defmt")]
        defmt::info!($text $(, $value)*);
        #[cfg(all(feature = "log", not(feature = "defmt")))]
        log::info!($text $(, $value)*);
        #[cfg(not(any(feature = "defmt", feature = "log")))]
        { $(let _ = &$value;)* }
    }};
}

pub(crate) use info;
