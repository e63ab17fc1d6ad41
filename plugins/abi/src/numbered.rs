//! Enums whose numbers are part of the ABI: never renumbered, listed for the C header.

macro_rules! numbered {
    (
        $(#[$doc:meta])*
        pub enum $name:ident: $int:ident, $prefix:literal {
            $($(#[doc = $text:literal])* $number:literal $variant:ident $c:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr($int)]
        pub enum $name { $($(#[doc = $text])* $variant = $number,)* }

        impl $name {
            /// Every one, in the order of their numbers: `(name in C, number, words)`.
            pub const ALL: &'static [(&'static str, $name, &'static str)] = &[
                $((concat!($prefix, "_", $c), $name::$variant, concat!($($text),*)),)*
            ];

            /// The number that stands for it.
            pub const fn number(self) -> $int {
                self as $int
            }

            /// The one of that number, where there is one.
            pub const fn from_number(number: $int) -> Option<Self> {
                match number { $($number => Some($name::$variant),)* _ => None }
            }
        }
    };
}

pub(crate) use numbered;
