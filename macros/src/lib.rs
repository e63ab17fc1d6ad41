//! `orchestrator!`: the update pipeline that `ota.toml` declares, as code.
//!
//! A rim around `coreota-config`, which reads, checks and emits; here are only the call and its
//! environment. Use it through `coreota::orchestrator!`. And `#[also_blocking]`, which the device half
//! is written with.

mod also_blocking;

use proc_macro::TokenStream;
use std::path::Path;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

/// `"ota.toml"` or `"ota.toml", board = "tiny"`
struct Call {
    file: String,
    board: Option<String>,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let file = input.parse::<LitStr>()?.value();
        if input.parse::<Option<Token![,]>>()?.is_none() || input.is_empty() {
            return Ok(Self { file, board: None });
        }
        let key: Ident = input.parse()?;
        if key != "board" {
            return Err(syn::Error::new(key.span(), "the only other argument is `board = \"…\"`"));
        }
        input.parse::<Token![=]>()?;
        let board = Some(input.parse::<LitStr>()?.value());
        Ok(Self { file, board })
    }
}

/// Declares `mod ota` for the board that is built: the one named by `board = "…"`, or by the environment
/// variable `COREOTA_BOARD`, or the only one in the file. The path starts at the crate's `Cargo.toml`.
///
/// What is wrong with the file becomes compile errors, all of them, with their places in it.
/// An edit of the file, or of a key it names, builds the crate again.
#[proc_macro]
pub fn orchestrator(input: TokenStream) -> TokenStream {
    let call = syn::parse_macro_input!(input as Call);
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let board = call.board.or_else(|| std::env::var(coreota_config::emit::BOARD).ok());
    coreota_config::expand(Path::new(&folder), &call.file, board.as_deref()).into()
}

/// Adds to each `async` function of a function, `impl` or `trait` the same one without: `f_blocking`, which
/// calls the twins of what `f` awaits. The compiler makes state machines of `async` functions, also where
/// nothing waits; of twins it makes functions.
#[proc_macro_attribute]
pub fn also_blocking(_: TokenStream, item: TokenStream) -> TokenStream {
    also_blocking::expand(item.into()).into()
}
