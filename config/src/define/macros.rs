//! The macros that define keys; how they are written is told in [`define`](super).

/// Defines tables; see the module.
macro_rules! table {
    ($($(#[doc = $doc:literal])+ pub struct $name:ident {
        $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty $(= $default:tt)?,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $key_doc])+ pub $key: $crate::diagnostic::At<$type>,)*
        }

        impl $name {
            pub(crate) fn keys() -> $crate::define::TableShape {
                $crate::define::TableShape {
                    doc: concat!($($doc, "\n"),+),
                    keys: vec![$($crate::define::Key {
                        name: $crate::define::kebab(stringify!($key)),
                        doc: concat!($($key_doc, "\n"),+),
                        shape: <$type as $crate::define::Value>::shape(),
                        default: $crate::define::default!($($default)?),
                        required: $crate::define::default!($($default)?).is_none()
                            && <$type as $crate::define::Value>::absent().is_none(),
                    }),*],
                }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Table(Self::keys())
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                let known = [$($crate::define::kebab(stringify!($key))),*];
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                #[allow(unused_variables, reason = "a table may have no keys but its kind")]
                let table = $crate::define::Reader::open::<Self>(node, &known, errors)?;
                $(let $key = table.key::<$type>(
                    &$crate::define::kebab(stringify!($key)), $crate::define::default!($($default)?), errors);)*
                Some(Self { $($key: $key?),* })
            }
        }
    )+};
}

/// The default of a key in TOML, which writes literals as Rust does.
macro_rules! default {
    () => {
        None::<&'static str>
    };
    ($default:tt) => {
        Some(stringify!($default))
    };
}

/// Defines words to choose from: an enum whose variants are written as given.
macro_rules! choice {
    ($($(#[doc = $doc:literal])+ pub enum $name:ident {
        $($(#[doc = $word_doc:literal])+ $variant:ident = $word:literal,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $word_doc])+ $variant),* }

        impl $name {
            /// As the file writes it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Choice(vec![$(($word, concat!($($word_doc, "\n"),+))),*])
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                match &node.data {
                    $($crate::tree::Data::Text(word) if word == $word => Some(Self::$variant),)*
                    $crate::tree::Data::Text(word) => {
                        let right = $crate::diagnostic::did_you_mean(word, &[$($word),*], "");
                        errors.add(node.span.clone(), format!("unknown word `{word}`"), right);
                        None
                    }
                    _ => $crate::define::wrong_form(node, errors),
                }
            }
        }
    )+};
}

/// Defines tables of several kinds: an enum of `table!`s, told apart by the key `kind`.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ pub enum $name:ident as $what:literal {
        $($word:literal => $variant:ident,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a file has a handful of them")]
        pub enum $name { $(#[doc = concat!("`kind = \"", $word, "\"`")] $variant($variant)),* }

        impl $name {
            /// As the file writes its `kind`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $word),* }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Kinds(vec![$(($word, $variant::keys())),*])
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                let (kind, span, rest) = $crate::define::kind::<Self>(node, errors)?;
                match kind.as_str() {
                    $($word => Some(Self::$variant(
                        <$variant as $crate::define::Value>::read(&rest, errors)?)),)*
                    _ => {
                        let right = $crate::diagnostic::did_you_mean(&kind, &[$($word),*], "");
                        errors.add(span, format!(concat!("unknown ", $what, " `{}`"), kind), right);
                        None
                    }
                }
            }
        }
    )+};
}
pub(crate) use {choice, default, kinds, table};
