//! The RAM a pipeline needs, against the board's budget.
//!
//! buffer + state + receive + arenas + plugin stack, where *buffer* holds a block or a report being written, and *receive* is the link's buffer for the largest message:
//! a block in base64 and 512 bytes around it in JSON, a block and 512 bytes in CBOR, and no less than a
//! job takes. The 512 bytes are
//! the topic (two names of 128 characters and 40 fixed ones), the packet's header, and the other keys.

use super::pipeline::json_message;
use crate::diagnostic::{At, Errors};
use crate::keys::{Board, Encoding, MqttStream};
use crate::model::{Memory, Plugin};
use crate::values::size;

/// What a report is written in while no block is in the buffer: topic 256, payload 384.
const DRAFT: u32 = 640;
/// The answer that carries a job: its document with a pre-signed URL of 2 KiB, and the execution around it.
const JOB: u32 = 3072;
/// The update machine, the job protocol, the journal's picture, parsers and verifier; measured on
/// the sample, on a machine of 64 bits, and rounded up.
const STATE: u32 = 2048;
/// What loading a module takes of stack: all plugins run on one, one at a time.
const PLUGIN_STACK: u32 = 16 * 1024;

pub(super) fn needed(
    name: &At<String>,
    board: &Board,
    stream: &MqttStream,
    plugins: &[Plugin],
    errors: &mut Errors,
) -> Memory {
    let block = stream.block_size.value.0;
    let buffer = block.max(DRAFT);
    let receive = match stream.encoding.value {
        Encoding::Cbor => block + 512,
        Encoding::Json => json_message(block),
    };
    let receive = receive.max(JOB);
    let modules = plugins.iter().filter_map(|plugin| plugin.declared.module());
    let arenas: Vec<u32> = modules.map(|module| module.arena.value.0).collect();
    let plugin_stack = if arenas.is_empty() { 0 } else { PLUGIN_STACK };
    let arenas = arenas.into_iter().fold(0, u32::saturating_add);
    let memory = Memory { buffer, state: STATE, receive, arenas, plugin_stack };
    let budget = board
        .budget
        .0
        .as_ref()
        .and_then(Option::as_ref)
        .and_then(|budget| budget.ram.value.map(|ram| At::new(ram, budget.ram.span.clone())));
    if let Some(ram) = budget.filter(|ram| ram.value.0 < memory.total()) {
        let parts: Vec<String> =
            memory.parts().map(|(what, len)| format!("{what} {}", size(len))).collect();
        let wrong = format!(
            "board `{}` needs about {} of RAM: {}",
            name.value,
            size(memory.total()),
            parts.join(" + ")
        );
        let smaller = match arenas {
            0 => "make `block-size` smaller",
            _ => "make `block-size` or an `arena` smaller, or take fewer plugins: `plugins = […]`",
        };
        errors.add(ram.span, wrong, format!("{} are budgeted: {smaller}", size(ram.value.0)));
    }
    memory
}
