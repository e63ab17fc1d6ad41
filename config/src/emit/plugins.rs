//! The plugins of a board: where each lives, and what it may take.

use super::{doc, included};
use crate::keys::{Plugin, Role};
use crate::model::{self, Device, Model};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::path::Path;

/// A type for each module that the board hosts; nothing where it hosts none.
pub(super) fn slots(model: &Model, device: &Device) -> TokenStream {
    let numbered = device.plugins.iter().enumerate();
    let slots = numbered.map(|(index, plugin)| declaration(model, device, index, plugin));
    let stack = (device.memory.plugin_stack > 0).then(|| {
        let docs = doc("The stack that plugins run on, one at a time.".into());
        let len = Literal::u32_unsuffixed(device.memory.plugin_stack);
        quote! {
            #docs
            pub static PLUGIN_STACK: ::coreota_plugins::Stack<#len> = ::coreota_plugins::Stack::new();
        }
    });
    stack.into_iter().chain(slots).chain(trust(model, device)).collect()
}

fn declaration(
    model: &Model,
    device: &Device,
    index: usize,
    plugin: &model::Plugin,
) -> TokenStream {
    let Some(limits) = plugin.declared.module() else { return TokenStream::new() };
    let (name, marker) = (&plugin.declared.name().0, marker(index));
    let docs =
        doc(format!("Where the plugin `{name}` lives ({}).", model.origin(&plugin.declared)));
    let module = match &plugin.module {
        None => quote!(None),
        Some(module) => {
            let folder = Path::new(&model.path).parent().unwrap_or(Path::new(""));
            let bytes = included(&folder.join(&module.file));
            quote!(Some(#bytes))
        }
    };
    let numbers =
        [limits.fuel.value.0, limits.memory.value.0, limits.stack.value.0, limits.table.value.0];
    let [fuel, memory, values, table] = numbers.map(Literal::u32_unsuffixed);
    let arena = Literal::u32_unsuffixed(limits.arena.value.0);
    let largest = limits.slot.value.map_or(0, |slot| slot.0);
    let largest = largest.max(plugin.module.as_ref().map_or(0, |module| module.len));
    let largest = Literal::u32_unsuffixed(largest);
    let slot = match device.slot(name) {
        Some(slot) => {
            let slot = Literal::usize_unsuffixed(slot);
            quote!(Some(#slot))
        }
        None => quote!(None),
    };
    quote! {
        #docs
        pub struct #marker;
        impl ::coreota_plugins::Hosted for #marker {
            const HOME: ::coreota_plugins::Home = ::coreota_plugins::Home {
                name: #name,
                slot: #slot,
                module: #module,
                limits: ::coreota_plugins::Limits {
                    fuel: #fuel, module: #largest, memory: #memory, table: #table, values: #values,
                    ..::coreota_plugins::Limits::DEFAULT
                },
                arena: || {
                    static ARENA: ::coreota_plugins::Arena<#arena> = ::coreota_plugins::Arena::new();
                    ARENA.handle()
                },
                stack: || PLUGIN_STACK.handle(),
            };
        }
    }
}

/// The type that hosts the plugin, and how it is made.
pub(super) fn host(device: &Device, name: &str) -> (TokenStream, TokenStream) {
    let Some((index, plugin)) = device.plugin(name) else { return Default::default() };
    let marker = marker(index);
    match &plugin.declared.value {
        Plugin::StoredTable(_) => {
            let host = quote!(parser::table::StoredTable);
            let slot = Literal::usize_unsuffixed(device.slot(name).unwrap_or_default());
            let value = quote!(#host::new(#slot, #name));
            (host, value)
        }
        Plugin::ParserModule(_) => {
            let host = quote!(::coreota_plugins::PluginParser);
            let value = quote!(#host::new(<#marker as ::coreota_plugins::Hosted>::HOME));
            (host, value)
        }
        Plugin::ProtocolModule(_) => (quote!(::coreota_plugins::PluginBlocks<#marker>), quote!()),
        Plugin::JobsModule(_) => (quote!(::coreota_plugins::PluginJobs<#marker>), quote!()),
    }
}

/// Who may sign plugins, and what must hold of one; nothing where none come over the air.
fn trust(model: &Model, device: &Device) -> Option<TokenStream> {
    device.layout.plugins?;
    let keys: Vec<TokenStream> = super::parts::keys(device, Role::Plugin).collect();
    let len = Literal::usize_unsuffixed(keys.len());
    let trusted = device.keys.iter().filter(|key| key.roles.contains(&Role::Plugin));
    let trusted: Vec<String> = trusted.map(|key| model.origin(&key.id)).collect();
    let keys_docs = doc(format!("The keys that may sign plugins ({}).", trusted.join(", ")));
    let required = device.verify.require.0.iter().flatten();
    let required = required.map(|at| super::parts::algorithm(at.value));
    Some(quote! {
        #keys_docs
        pub static PLUGIN_KEYS: [verify::Key; #len] = [#(#keys),*];
        /// What must hold of a plugin; its store asks for a newer version.
        pub static PLUGIN_RULES: verify::Rules = verify::Rules {
            require: &[#(#required),*], keys: &PLUGIN_KEYS, board: BOARD, board_required: false,
            running: VERSION, older_allowed: true, counter: 0,
        };
    })
}

/// The verifier, and how it is made.
pub(super) fn verifier(
    device: &Device,
    images: TokenStream,
    algorithms: &TokenStream,
) -> (TokenStream, TokenStream) {
    match device.layout.plugins {
        None => (images, quote!(verify::Native::new())),
        Some(_) => {
            let format = quote!(verify::formats::Trailer<verify::formats::OfPlugin>);
            let plugins = quote!(verify::Native<#format, #algorithms>);
            let new = quote!(verify::Native::new());
            (
                quote!(verify::ByContent<#images, #plugins>),
                quote!(verify::ByContent::new(#new, #new, &PLUGIN_RULES)),
            )
        }
    }
}

/// Where plugins from over the air are kept: docs, type and value.
pub(super) fn store(model: &Model, device: &Device) -> (TokenStream, TokenStream, TokenStream) {
    let Some(cells) = device.layout.plugins else {
        let none = quote!(plugin::NoPlugins);
        return (TokenStream::new(), none.clone(), none);
    };
    let docs = doc(model.origin(&device.partitions.plugins));
    let names: Vec<&str> =
        device.over_the_air().map(|plugin| plugin.declared.name().0.as_str()).collect();
    let slots = Literal::usize_unsuffixed(names.len());
    let numbers = [cells.region.start, cells.region.len, cells.cell];
    let [start, len, cell] = numbers.map(Literal::u32_unsuffixed);
    let [write, erase] =
        [device.flash.write.value.0, device.flash.erase.value.0].map(Literal::u32_unsuffixed);
    let value = quote! {
        plugin::Stored::new(&[#(#names),*], plugin::store::Spec {
            region: Region::new(#start, #len), cell: #cell, write: #write, erase: #erase,
        })
    };
    (docs, quote!(plugin::Stored<#slots>), value)
}

/// The name of the type of that plugin.
fn marker(index: usize) -> Ident {
    format_ident!("PluginHome{index}")
}
