//! The orchestrator of a board, as declarations: constants, types, one struct and its choice of parts.
//! No control flow is made here: that is hand-written, in the runtime. Every item names its origin.

mod parts;
mod plugins;

use crate::Document;
use crate::model::{Device, Model};
use crate::values::Sourced;
use proc_macro2::TokenStream;
use quote::quote;
use std::path::{Path, PathBuf};

/// The environment variable that names the board where the call does not.
pub const BOARD: &str = "COREOTA_BOARD";

/// The environment variable that names the version, before the crate's own.
pub const VERSION: &str = "COREOTA_VERSION";

/// What `orchestrator!` becomes: `file` is as the call names it, from `folder`, where its crate is.
/// Where the file cannot be used it is the errors, and stand-ins for the generated names.
pub fn expand(folder: &Path, file: &str, board: Option<&str>) -> TokenStream {
    let expanded = crate::load(&folder.join(file), file)
        .and_then(|document| crate::check(&document))
        .and_then(|model| model.choose(board).map(|device| emit(&model, device)));
    let watched = quote!(
        const _: Option<&str> = option_env!(#BOARD);
    );
    match expanded {
        Ok(declarations) => quote!(#watched #declarations),
        Err(report) => {
            let told = report.to_string();
            let tracked = folder.join(file).is_file().then(|| track(&[file.into()]));
            let stand_in = stand_in();
            quote!(compile_error!(#told); #tracked #watched #stand_in)
        }
    }
}

/// The declarations for one board, in a module `ota`.
pub fn emit(model: &Model, device: &Device) -> TokenStream {
    let module = doc(format!(
        "The update pipeline of `{}` on board `{}` ({}).",
        model.product.name.0,
        device.name.value,
        model.origin(&device.name)
    ));
    let tracked = track(&files(model, device));
    let identity = identity(model, device);
    let declarations = parts::declarations(model, device);
    quote! {
        #module
        pub mod ota {
            use ::coreota::*;
            #tracked
            #identity
            #declarations
        }
    }
}

/// Declarations as a file to read.
///
/// # Errors
/// They are not Rust, which is an error of this crate.
#[cfg(feature = "host")]
pub fn format(declarations: TokenStream) -> Result<String, String> {
    let file = syn::parse2(declarations).map_err(|error| error.to_string())?;
    Ok(prettyplease::unparse(&file))
}

/// Every file the declarations were made from, as the call would name it.
fn files(model: &Model, device: &Device) -> Vec<PathBuf> {
    let file = Path::new(&model.path);
    let folder = file.parent().unwrap_or(Path::new(""));
    let keys = device.keys.iter().map(|key| folder.join(&key.file));
    std::iter::once(file.to_owned()).chain(keys).collect()
}

/// The bytes of a file that the call names, as the compiler reads them.
fn included(path: &Path) -> TokenStream {
    let text = path.to_string_lossy();
    match path.is_absolute() {
        true => quote!(include_bytes!(#text)),
        false => {
            let text = format!("/{text}");
            quote!(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), #text)))
        }
    }
}

/// Reading a file at compile time is how rustc learns to build again when it changes.
fn track(files: &[PathBuf]) -> TokenStream {
    let read = files.iter().map(|file| included(file));
    let len = proc_macro2::Literal::usize_unsuffixed(files.len());
    quote!(const _: [&[u8]; #len] = [#(#read),*];)
}

fn stand_in() -> Option<TokenStream> {
    let key = |_: &Path| Ok(include_bytes!("stub/key.pub.pem").to_vec());
    let text = include_str!("stub/ota.toml").to_owned();
    let document = Document::new("ota.toml", Path::new(""), text).reading(key);
    let model = crate::check(&document).ok()?;
    let device = model.boards.first()?;
    let (identity, declarations) = (identity(&model, device), parts::declarations(&model, device));
    let told = doc("Stand-ins: the file has errors.".into());
    Some(quote!(#told pub mod ota { use ::coreota::*; #identity #declarations }))
}

/// A doc line.
fn doc(text: String) -> TokenStream {
    let text = format!(" {text}");
    quote!(#[doc = #text])
}

/// What the firmware is.
fn identity(model: &Model, device: &Device) -> TokenStream {
    let product = &model.product;
    let (name, board) = (&product.name.0, &device.name.value);
    let version = match &product.version.value {
        Sourced::Literal(literal) => {
            let literal = &literal.0;
            quote!(None, #literal)
        }
        Sourced::From(_) => quote!(option_env!(#VERSION), env!("CARGO_PKG_VERSION")),
    };
    let docs = [
        format!("The product ({}).", model.origin(&product.name)),
        format!("The board ({}).", model.origin(&device.name)),
        format!("The version that runs ({}).", model.origin(&product.version)),
    ];
    let [product_doc, board_doc, version_doc] = docs.map(doc);
    quote! {
        #product_doc
        pub const PRODUCT: &str = #name;
        #board_doc
        pub const BOARD: &str = #board;
        #version_doc
        pub const VERSION: Version = Version::of_build(#version);
    }
}
