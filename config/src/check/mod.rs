//! What keys mean together. Every rule that crosses two keys, or a key and a file, is here.
//!
//! - `pipeline`: parsers that are never reached, blocks and messages, retries
//! - `layout`: partitions, the journal
//! - `slot`: what each bootloader asks of the slots
//! - `plugin`: who uses a plugin, and who can host it
//! - `trust`: key files
//! - `memory`: RAM against the budget
//! - `link`: addresses that programs are linked for
//!
//! A rule that needs a value which could not be read is left out: its error has been told.

mod layout;
mod link;
mod memory;
mod pipeline;
mod plugin;
mod slot;
mod trust;

use crate::Document;
use crate::define::Value;
use crate::diagnostic::{At, Errors, Report, Span};
use crate::keys::{Board, Policy, Role, Root, Transport, Verify};
use crate::model::{self, Device, Model};
use crate::tree::Node;
use plugin::Taken;

/// Checks a file and works out what it means.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn check(document: &Document) -> Result<Model, Report> {
    let mut errors = document.errors.clone();
    // What TOML itself refuses leaves a tree that says little.
    let model = if errors.is_empty() { model(document, &mut errors) } else { None };
    match model {
        Some(model) if errors.is_empty() => Ok(model),
        _ => Err(errors.report(&document.path, &document.text)),
    }
}

fn model(document: &Document, errors: &mut Errors) -> Option<Model> {
    let root = Root::read(&document.tree, errors)?;
    let plugins = plugin::declared(document, &root, errors);
    pipeline::parsers_reached(&root, errors);
    let version =
        root.product.0.as_ref().and_then(|product| pipeline::version(&product.version, errors));
    let declared = &root.board.0.as_ref()?.0;
    let read = plugins.as_deref();
    let device = |(name, board): &(_, _)| device(document, &root, read, name, board, errors);
    let boards: Vec<Option<Device>> = declared.iter().map(device).collect();
    let boards: Vec<Device> = boards.into_iter().collect::<Option<_>>()?;
    // A key or a plugin may be for what could not be read.
    if errors.is_empty() {
        trust::keys_used(&root, &boards, errors);
        plugin::used_by_some(read.unwrap_or_default(), &boards, errors);
    }
    version?;
    Some(Model {
        path: document.path.clone(),
        text: document.text.clone(),
        product: root.product.value.0?,
        boards,
    })
}

/// One board with the pipeline laid out for it. Errors of the parts do not hide each other.
fn device(
    document: &Document,
    root: &Root,
    plugins: Option<&[model::Plugin]>,
    name: &At<String>,
    board: &Board,
    errors: &mut Errors,
) -> Option<Device> {
    let whole = |key: &str| document.tree.get(key).map(|entry| (entry.span.clone(), &entry.node));
    let transport: Option<At<Transport>> =
        overlaid(whole("transport"), board.transport.0.as_ref(), errors);
    let verify: Option<At<Verify>> = overlaid(whole("verify"), board.verify.0.as_ref(), errors);
    let policy: Option<At<Policy>> = match (whole("policy"), &board.policy.0) {
        (None, None) => {
            root.policy.0.clone().map(|policy| At::new(policy, root.policy.span.clone()))
        }
        (base, over) => overlaid(base, over.as_ref(), errors),
    };
    let plugin_transport = transport.as_ref().map(|transport| transport.plugin.value.clone());
    let stream = transport.map(|transport| transport.mqtt_stream.clone());
    stream.iter().for_each(|stream| pipeline::messages(stream, errors));
    board.bootloader.0.iter().for_each(|boot| pipeline::bootloader_type(boot, errors));
    let jobs = pipeline::job_source(root, board, errors);
    let taken = plugins.and_then(|plugins| Taken::of(plugins, board, errors));
    let parsers =
        taken.as_ref().and_then(|taken| pipeline::of_board(root, (name, board), taken, errors));
    let plugins = match (&taken, &jobs, &parsers, plugin_transport) {
        (Some(taken), Some(jobs), Some(parsers), Some(transport)) => {
            let transport = taken.transport(transport, errors);
            taken.used((name, board), jobs, parsers, transport.as_ref(), errors)
        }
        _ => None,
    };
    let over_the_air = plugins.iter().flatten().any(|plugin| plugin.declared.slot().is_some());
    let needs: &[Role] = if over_the_air { &[Role::Image, Role::Plugin] } else { &[Role::Image] };
    let keys = verify.as_ref().and_then(|verify| trust::keys(document, verify, needs, errors));
    let layout = layout::layout(name, board, stream.as_ref(), plugins.as_deref(), errors);
    let memory = match (&stream, &plugins) {
        (Some(stream), Some(plugins)) => Some(memory::needed(name, board, stream, plugins, errors)),
        _ => None,
    };
    let link = link::link(name, board, layout.as_ref(), errors);
    Some(Device {
        name: name.clone(),
        target: board.target.0.as_ref()?.0.clone(),
        budget: board.budget.0.clone()?,
        jobs: jobs?,
        parsers: parsers?,
        stream: stream?,
        plugins: plugins?,
        policy: policy?,
        verify: verify?,
        keys: keys?,
        flash: board.flash.0.clone()?,
        partitions: At::new(board.partitions.0.clone()?, board.partitions.span.clone()),
        tls: board.tls.0?,
        bootloader: At::new(board.bootloader.0.clone()?, board.bootloader.span.clone()),
        layout: layout?,
        memory: memory?,
        link: link?,
        firmware: (board.firmware.0.clone()?)
            .map(|folder| At::new(folder.0, board.firmware.span.clone())),
        emulator: (board.emulator.0.clone()?)
            .map(|command| At::new(command.0, board.emulator.span.clone())),
    })
}

/// A table of the pipeline as a board has it. Where it is whole, its errors are the pipeline's own
/// and told once.
fn overlaid<V: Value>(
    base: Option<(Span, &Node)>,
    over: Option<&Node>,
    errors: &mut Errors,
) -> Option<At<V>> {
    let (span, node) = match (base, over) {
        (Some((span, base)), Some(over)) => (span, base.overlaid(over)),
        (Some((span, base)), None) => (span, base.clone()),
        (None, over) => (over?.span.clone(), over?.clone()),
    };
    V::read(&node, errors).map(|value| At::new(value, span))
}
