//! What the signed file of a plugin says of itself, and which keys its signatures are by.

use std::path::Path;

use coreota::error::Failure;
use coreota::image::PluginFile;
use coreota::plugin::Content;
use coreota::verify::Hash;
use coreota_plugin_abi::VERSION;
use serde_json::json;

use super::image::Signature;
use crate::board::spelt;
use crate::keys::PublicKey;
use crate::out::Out;
use crate::plugin::word_of;
use crate::store::hex;

/// Shows it, and tells what no device would accept, by what is known here.
pub(super) fn show(
    path: &Path,
    file: &[u8],
    plugin: &PluginFile<'_>,
    known: &[PublicKey],
    out: &Out,
) -> Result<(), Failure> {
    let facts = &plugin.facts;
    let kind = word_of(facts);
    let signatures: Vec<Signature> = plugin
        .signatures()
        .map(|it| Signature::of(it.algorithm, it.key_id, &plugin.signed, it.value, known))
        .collect();
    let judged = if !plugin.whole {
        Err(Failure::Digest)
    } else if signatures.iter().any(|signature| signature.holds == Some(false)) {
        Err(Failure::Signature)
    } else if facts.content == Content::Plugin && facts.abi != u16::from(VERSION) {
        Err(Failure::PluginAbi)
    } else {
        Ok(())
    };
    let digest = hex(&Hash::of(file));
    let mut lines = vec![
        format!("{}  plugin, {} bytes, sha256 {digest}", path.display(), file.len()),
        format!("  name       {} ({kind})", plugin.name),
        format!("  version    {}", spelt(facts.version)),
        format!("  board      {}", plugin.board.map_or("any".into(), |name| format!("{name:?}"))),
    ];
    match facts.content {
        Content::Table => lines.push(format!("  table      {} bytes", facts.len)),
        _ => lines.extend([
            format!(
                "  needs      an arena of {} bytes, {} of memory in it, {} of fuel a call",
                facts.arena, facts.memory, facts.fuel
            ),
            format!("  module     {} bytes, for ABI version {}", facts.len, facts.abi),
        ]),
    }
    lines.extend(signatures.iter().map(|signature| format!("  signature  {}", signature.told())));
    lines.extend(judged.err().map(|why| format!("  wrong      {}", why.text())));
    let fields = json!({
        "name": plugin.name, "kind": kind, "version": spelt(facts.version), "board": plugin.board,
        "size": file.len(), "sha256": digest, "arena": facts.arena, "memory": facts.memory,
        "fuel": facts.fuel, "abi": facts.abi, "module": facts.len, "signatures": signatures,
        "wrong": judged.err().map(Failure::text),
    });
    out.event("plugin", &fields, lines.join("\n"));
    judged
}
