//! The plugins of a board: where each lives, and what it may take.

use super::{doc, included};
use crate::keys::Plugin;
use crate::model::{self, Device, Model};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::path::Path;

/// A type for each module that the board hosts; nothing where it hosts none.
pub(super) fn slots(model: &Model, device: &Device) -> TokenStream {
    let numbered = device.plugins.iter().enumerate();
    let slots = numbered.map(|(slot, plugin)| declaration(model, slot, plugin));
    let stack = (device.memory.plugin_stack > 0).then(|| {
        let docs = doc("The stack that plugins run on, one at a time.".into());
        let len = Literal::u32_unsuffixed(device.memory.plugin_stack);
        quote! {
            #docs
            pub static PLUGIN_STACK: ::coreota_plugins::Stack<#len> = ::coreota_plugins::Stack::new();
        }
    });
    stack.into_iter().chain(slots).collect()
}

fn declaration(model: &Model, slot: usize, plugin: &model::Plugin) -> TokenStream {
    let Some(limits) = plugin.declared.module() else { return TokenStream::new() };
    let (name, marker) = (&plugin.declared.name().0, marker(slot));
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
    let slot = Literal::usize_unsuffixed(slot);
    let largest = limits.slot.value.map_or(0, |slot| slot.0);
    let largest = largest.max(plugin.module.as_ref().map_or(0, |module| module.len));
    let largest = Literal::u32_unsuffixed(largest);
    let slot = match plugin.declared.slot() {
        Some(_) => quote!(Some(#slot)),
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
    let Some((slot, plugin)) = device.plugin(name) else { return Default::default() };
    let (slot, marker) = (Literal::usize_unsuffixed(slot), marker(slot));
    match &plugin.declared.value {
        Plugin::StoredTable(_) => {
            let host = quote!(parser::table::StoredTable);
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

/// The name of the type of that slot.
fn marker(slot: usize) -> Ident {
    format_ident!("PluginHome{slot}")
}
