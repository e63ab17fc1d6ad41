//! The parts of a pipeline, as the runtime's types and constants.

use super::{doc, plugins};
use crate::diagnostic::At;
use crate::keys::*;
use crate::model::{Device, Model};
use crate::values::{Region, Sourced};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

/// Everything but the names: sizes, layout, policy, keys, the pipeline and its orchestrator.
pub(super) fn declarations(model: &Model, device: &Device) -> TokenStream {
    let said = |what: &str, at: String| doc(format!("{what} ({at})."));
    let block_doc = said("Bytes of a block", model.origin(&device.stream.block_size));
    let receive_doc =
        doc("Bytes of the largest message that the link must be able to receive.".into());
    let thing_is = "The thing this device is, where it is not told at run time";
    let thing_doc = said(thing_is, model.origin(&device.jobs));
    let trusted: Vec<String> = device.keys.iter().map(|key| model.origin(&key.id)).collect();
    let keys_doc = said("The keys that are trusted", trusted.join(", "));
    let pipeline_doc = said("The parts of the pipeline", model.origin(&device.name));
    let orchestrator_doc =
        doc("The pipeline over your flash `F`, link `L`, clock `C` and hooks `H`.".into());

    let flash_doc = said("Bytes of the flash", model.origin(&device.flash.size));
    let flash = plain(device.flash.size.value.0);
    let partitions = partitions(model, device);
    let block = plain(device.stream.block_size.value.0);
    let buffer = plain(device.memory.buffer);
    let receive = plain(device.memory.receive);
    let thing = thing(&device.jobs);
    let keys: Vec<TokenStream> = keys(device, Role::Image).collect();
    let keys_len = plain(keys.len() as u32);
    let slots = plugins::slots(model, device);
    let items = pipeline(model, device);
    quote! {
        #flash_doc
        pub const FLASH_SIZE: u32 = #flash;
        #partitions
        #block_doc
        pub const BLOCK_SIZE: usize = #block;
        #receive_doc
        pub const RECEIVE_SIZE: usize = #receive;
        #thing_doc
        pub const THING: Option<&str> = #thing;
        #keys_doc
        pub static KEYS: [verify::Key; #keys_len] = [#(#keys),*];
        #slots
        #pipeline_doc
        pub struct Pipeline;
        impl ::coreota::Pipeline for Pipeline { #items }
        #orchestrator_doc
        pub type Orchestrator<F, L, C, H> =
            ::coreota::Orchestrator<Pipeline, F, L, C, H, #buffer>;
    }
}

/// The partitions that a bootloader has to agree on.
fn partitions(model: &Model, device: &Device) -> TokenStream {
    let (parts, layout) = (&device.partitions, &device.layout);
    let all = [
        (
            "PRIMARY",
            "The slot of the running image",
            Some(layout.primary),
            model.origin(&parts.primary),
        ),
        (
            "SECONDARY",
            "The slot of the new image",
            Some(layout.secondary),
            model.origin(&parts.secondary),
        ),
        (
            "STATE",
            "Where the bootloader notes its progress",
            layout.state,
            model.origin(&parts.state),
        ),
        (
            "SCRATCH",
            "What the bootloader swaps through",
            parts.scratch.value,
            model.origin(&parts.scratch),
        ),
        (
            "PROVISIONING",
            "What the device was told when it was made",
            layout.provisioning,
            model.origin(&parts.provisioning),
        ),
        ("STARTS", "Where starts are counted", layout.starts, model.origin(&parts.starts)),
        (
            "RUN",
            "The addresses that the bootloader copies the image to",
            device.link.and_then(|link| link.run),
            model.origin(&device.name),
        ),
    ];
    let address = device.flash.base_address.value.map(|address| {
        let doc =
            doc(format!("Where the flash is ({}).", model.origin(&device.flash.base_address)));
        let address = plain(address.0);
        quote!(#doc pub const FLASH_ADDRESS: u32 = #address;)
    });
    let declared = all.into_iter().filter_map(|(name, what, part, origin)| {
        let (name, part) = (format_ident!("{name}"), region(part?));
        let doc = doc(format!("{what} ({origin})."));
        Some(quote!(#doc pub const #name: Region = #part;))
    });
    address.into_iter().chain(declared).chain(mcuboot(model, device)).collect()
}

/// What MCUboot is built with, for a bootloader that keeps its formats.
fn mcuboot(model: &Model, device: &Device) -> Option<TokenStream> {
    let Bootloader::Mcuboot(mcuboot) = &device.bootloader.value else { return None };
    let said = |what: &str| doc(format!("{what} ({}).", model.origin(&device.bootloader)));
    let (mode_doc, mode) = (said("How images are brought in"), mode(mcuboot));
    let sectors_doc = said("The erase units of a slot that the bootloader has status for");
    let sectors = plain(mcuboot.max_sectors.value.0);
    Some(quote! {
        #mode_doc
        pub const MODE: boot::mcuboot::Mode = #mode;
        #sectors_doc
        pub const SECTORS: u32 = #sectors;
    })
}

fn mode(mcuboot: &Mcuboot) -> TokenStream {
    let mode = match mcuboot.mode.value {
        Mode::SwapOffset => format_ident!("SwapOffset"),
        Mode::SwapMove => format_ident!("SwapMove"),
        Mode::SwapScratch => format_ident!("SwapScratch"),
        Mode::OverwriteOnly => format_ident!("OverwriteOnly"),
    };
    quote!(boot::mcuboot::Mode::#mode)
}

/// A number without a type behind it.
fn plain(value: u32) -> Literal {
    Literal::u32_unsuffixed(value)
}

fn thing(jobs: &JobSource) -> TokenStream {
    match &jobs.thing().value {
        Sourced::From(_) => quote!(None),
        Sourced::Literal(thing) => {
            let thing = &thing.0;
            quote!(Some(#thing))
        }
    }
}

/// The keys that may sign such files.
pub(super) fn keys(device: &Device, role: Role) -> impl Iterator<Item = TokenStream> {
    device.keys.iter().filter(move |key| key.roles.contains(&role)).map(key)
}

fn key(key: &crate::model::Key) -> TokenStream {
    let (id, algorithm) = (&key.id.value, algorithm(key.algorithm));
    let bytes = Literal::byte_string(&key.bytes);
    quote!(verify::Key { id: #id, algorithm: #algorithm, bytes: #bytes })
}

pub(super) fn algorithm(algorithm: Algorithm) -> TokenStream {
    let variant = algorithm_type(algorithm);
    quote!(descriptor::Algorithm::#variant)
}

/// The type that verifies it, named as its variant.
fn algorithm_type(algorithm: Algorithm) -> proc_macro2::Ident {
    match algorithm {
        Algorithm::EcdsaP256 => format_ident!("EcdsaP256"),
        Algorithm::Ed25519 => format_ident!("Ed25519"),
    }
}

/// A doc line that names where a value is declared, and nothing else.
fn origin<T>(model: &Model, at: &At<T>) -> TokenStream {
    doc(model.origin(at))
}

/// The items of `impl Pipeline`.
fn pipeline(model: &Model, device: &Device) -> TokenStream {
    let jobs_doc = origin(model, &device.jobs);
    let jobs = match &device.jobs.value {
        JobSource::AwsIotJobs(_) => quote!(job::aws_iot::AwsIotJobs),
        JobSource::PluginJobs(jobs) => plugins::host(device, &jobs.plugin.0).0,
    };
    let parsers: Vec<String> = device.parsers.iter().map(|parser| model.origin(parser)).collect();
    let parsers_doc = doc(parsers.join(", "));
    let parser_types = device.parsers.iter().map(|parser| parser_type(device, parser));
    let parser_values = device.parsers.iter().map(|parser| parser_value(device, parser));
    let transport_doc = origin(model, &device.stream);
    let encoding = match device.stream.encoding.value {
        Encoding::Cbor => format_ident!("Cbor"),
        Encoding::Json => format_ident!("Json"),
    };
    let stream = quote!(transport::mqtt_stream::MqttStream<transport::mqtt_stream::#encoding>);
    let transport = match device.block_plugin() {
        None => stream,
        Some((_, plugin)) => {
            let (blocks, _) = plugins::host(device, &plugin.declared.name().0);
            quote!(transport::Either<#stream, #blocks>)
        }
    };
    let verify_doc = origin(model, &device.verify);
    let required: Vec<Algorithm> =
        device.verify.require.0.iter().flatten().map(|at| at.value).collect();
    let format = format(&device.bootloader);
    let algorithms = required.iter().map(|required| algorithm_type(*required));
    let algorithms = quote!((#(verify::#algorithms,)*));
    let images = quote!(verify::Native<verify::formats::#format, #algorithms>);
    let (verifier, verifier_value) = plugins::verifier(device, images, &algorithms);
    let (plugins_doc, plugins, plugins_value) = plugins::store(model, device);
    let boot_doc = origin(model, &device.bootloader);
    let (boot, boot_value) = boot(device);
    let layout_doc = origin(model, &device.partitions);
    let layout = layout(device);
    let (policy_doc, policy) = (origin(model, &device.policy), policy(device));
    let (retry_doc, retry) = (origin(model, &device.stream.retry), retry(&device.stream.retry));
    let rules = rules(model, device, &required);
    let (window_doc, window) =
        (origin(model, &device.stream.window), plain(device.stream.window.value.0));
    quote! {
        #jobs_doc
        type Jobs = #jobs;
        #parsers_doc
        type Parsers = (#(#parser_types,)*);
        #transport_doc
        type Transport = #transport;
        #verify_doc
        type Verifier = #verifier;
        #boot_doc
        type Boot = #boot;
        #layout_doc
        const LAYOUT: Layout = #layout;
        #policy_doc
        const POLICY: Policy = #policy;
        #retry_doc
        const RETRY: Retry = #retry;
        #verify_doc
        const RULES: verify::Rules = #rules;
        #window_doc
        const WINDOW: u32 = #window;
        const BLOCK: u32 = BLOCK_SIZE as u32;
        fn parsers() -> Self::Parsers { (#(#parser_values,)*) }
        fn verifier() -> Self::Verifier { #verifier_value }
        fn boot() -> Self::Boot { #boot_value }
        #plugins_doc
        type Plugins = #plugins;
        fn plugins() -> Self::Plugins { #plugins_value }
    }
}

fn parser_type(device: &Device, parser: &Parser) -> TokenStream {
    match parser {
        Parser::AfrOta(_) => quote!(parser::afr_ota::AfrOta),
        Parser::Table(_) => quote!(parser::table::Table),
        Parser::PluginParser(parser) => plugins::host(device, &parser.plugin.0).0,
    }
}

fn parser_value(device: &Device, parser: &Parser) -> TokenStream {
    match parser {
        Parser::AfrOta(afr) => {
            let sha1 = match afr.sha1.value {
                Sha1::Refuse => format_ident!("Refuse"),
                Sha1::Accept => format_ident!("Accept"),
            };
            quote!(parser::afr_ota::AfrOta::new(parser::afr_ota::Sha1::#sha1))
        }
        Parser::Table(table) => table_value(table),
        Parser::PluginParser(parser) => plugins::host(device, &parser.plugin.0).1,
    }
}

/// A table of pointers; what the file leaves out is as in the empty one.
fn table_value(table: &Table) -> TokenStream {
    let (name, size) = (&table.name.0, &table.size.0);
    let pointers = [
        ("stream", &table.stream),
        ("url", &table.url),
        ("file", &table.file_id),
        ("version", &table.version),
        ("board", &table.board),
        ("protocol", &table.protocol),
    ];
    let pointers = pointers.into_iter().filter_map(|(field, pointer)| {
        let (field, path) = (format_ident!("{field}"), &pointer.value.as_ref()?.0);
        Some(quote!(#field: Some(#path),))
    });
    let sha256 = table.sha256.value.as_ref().map(|digest| {
        let (path, coding) = (&digest.path.0, coding(digest.encoding.value));
        quote!(sha256: Some(parser::table::Coded { path: #path, coding: #coding }),)
    });
    let signature = table.signature.value.as_ref().map(|signed| {
        let (path, coding) = (&signed.path.0, coding(signed.encoding.value));
        let algorithm = algorithm(signed.algorithm.value);
        quote!(signature: Some(parser::table::Signed {
            path: #path, coding: #coding, algorithm: #algorithm,
        }),)
    });
    quote!(parser::table::Table::new(const { &parser::table::TableSpec {
        name: #name, size: #size, #(#pointers)* #sha256 #signature
        ..parser::table::TableSpec::EMPTY
    } }))
}

fn coding(coding: Coding) -> TokenStream {
    let coding = match coding {
        Coding::Hex => format_ident!("Hex"),
        Coding::Base64 => format_ident!("Base64"),
    };
    quote!(field::Coding::#coding)
}

/// How the bootloader wants an image to carry what is signed.
fn format(bootloader: &Bootloader) -> proc_macro2::Ident {
    let image = match bootloader {
        Bootloader::Mcuboot(_) => Image::Mcuboot,
        Bootloader::EmbassyBoot(_) => Image::Trailer,
        Bootloader::Custom(custom) => custom.image.value,
    };
    match image {
        Image::Mcuboot => format_ident!("Mcuboot"),
        Image::Trailer => format_ident!("Trailer"),
    }
}

/// The bootloader adapter: its type, and how it is made.
fn boot(device: &Device) -> (TokenStream, TokenStream) {
    match &device.bootloader.value {
        Bootloader::Mcuboot(_) => {
            let boot = quote!(boot::mcuboot::Mcuboot);
            let value = quote!(#boot::new(PRIMARY, SECONDARY, MODE));
            (boot, value)
        }
        Bootloader::EmbassyBoot(_) => {
            let boot = quote!(boot::embassy::EmbassyBoot);
            let value = quote!(#boot::new(STATE));
            (boot, value)
        }
        Bootloader::Custom(custom) => {
            let path: Option<TokenStream> = custom.r#type.value.0.parse().ok();
            (quote!(#path), quote!(::core::default::Default::default()))
        }
    }
}

fn region(region: Region) -> TokenStream {
    let (start, len) = (plain(region.start), plain(region.len));
    quote!(Region::new(#start, #len))
}

fn layout(device: &Device) -> TokenStream {
    let (slot, journal) = (region(device.layout.slot), region(device.layout.journal));
    let (write, erase) = (plain(device.flash.write.value.0), plain(device.flash.erase.value.0));
    let capacity = plain(device.layout.image.len);
    let rewrite = device.flash.rewrite.value;
    quote!(Layout {
        base: PRIMARY, slot: #slot, capacity: #capacity, journal: #journal, write: #write, erase: #erase, rewrite: #rewrite,
    })
}

fn policy(device: &Device) -> TokenStream {
    let policy = &device.policy;
    let accept = match policy.accept.value {
        Accept::Always => format_ident!("Always"),
        Accept::Ask => format_ident!("Ask"),
    };
    let poll = plain(device.jobs.poll());
    let confirm = plain(policy.confirm_within.value.0);
    let every = plain(device.report_every());
    let attempts = plain(policy.attempts.value.0);
    quote!(Policy {
        accept: Accept::#accept, poll_ms: #poll, confirm_within_ms: #confirm,
        report_every: #every, attempts: #attempts,
    })
}

fn retry(retry: &Retry) -> TokenStream {
    let (after, at_most) = (plain(retry.after.value.0), plain(retry.at_most.value.0));
    let jitter = plain(retry.jitter.value.0.into());
    let attempts = plain(retry.attempts.value.0);
    quote!(Retry {
        after_ms: #after, at_most_ms: #at_most, jitter_percent: #jitter, attempts: #attempts,
    })
}

fn rules(model: &Model, device: &Device, required: &[Algorithm]) -> TokenStream {
    let require = required.iter().map(|required| algorithm(*required));
    let board_required = device.verify.board.value == BoardRule::Require;
    let older_allowed = device.verify.older.value == Older::Allow;
    let counter = plain(model.product.security_counter.value.0);
    quote!(verify::Rules {
        require: &[#(#require),*], keys: &KEYS, board: BOARD, board_required: #board_required,
        running: VERSION, older_allowed: #older_allowed, counter: #counter,
    })
}
