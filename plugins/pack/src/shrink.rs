//! A linker's module made small: only what the host calls is exported, nothing but code and data is
//! left, and the memory is as long as it has to be.
//!
//! Linkers count memory in pages of 64 KiB. The proposal "custom page sizes", which device
//! interpreters know, counts in bytes. Some linkers can ask for that themselves (`--page-size=1`);
//! rewriting the memory's declaration does it for all of them, in any language.

use coreota_plugin_abi as abi;
use wasm_encoder::{
    ExportKind, ExportSection, GlobalSection, MemorySection, MemoryType, Module, RawSection,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, Validator};

use crate::{Error, facts::features};

/// Where the linker says that the memory in use ends: a global it exports when asked to by
/// `--export=__heap_base`.
const END: &str = "__heap_base";

/// Makes a module small.
///
/// # Errors
/// [`Error::Malformed`] where it is no valid module, [`Error::Refused`] where it does not say how
/// much memory it uses, or grows it.
pub fn shrink(wasm: &[u8]) -> Result<Vec<u8>, Error> {
    Validator::new_with_features(features()).validate_all(wasm)?;
    let uses = Uses::read(wasm)?;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::CustomSection(_) => continue,
            Payload::MemorySection(section) => {
                let mut memories = MemorySection::new();
                for memory in section.clone() {
                    memories.memory(uses.memory(&memory?)?);
                }
                module.section(&memories);
            }
            Payload::TableSection(_) if !uses.table => continue,
            Payload::GlobalSection(section) => {
                let mut globals = GlobalSection::new();
                for global in section.clone().into_iter().take(uses.globals as usize) {
                    let global = global?;
                    let kind = global.ty.try_into().map_err(|_| unknown("global"))?;
                    let value = global.init_expr.try_into().map_err(|_| unknown("global"))?;
                    globals.global(kind, &value);
                }
                if !globals.is_empty() {
                    module.section(&globals);
                }
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section.clone() {
                    let export = export?;
                    let kind = match export.kind {
                        ExternalKind::Func if is_ours(export.name) => ExportKind::Func,
                        ExternalKind::Memory if export.name == abi::MEMORY => ExportKind::Memory,
                        _ => continue,
                    };
                    exports.export(export.name, kind, export.index);
                }
                module.section(&exports);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let place =
                        usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                    let data = place.and_then(|(from, to)| wasm.get(from..to));
                    let data = data.ok_or_else(|| unknown("section"))?;
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    let small = module.finish();
    // What is wrong here is wrong with this file.
    Validator::new_with_features(features()).validate_all(&small)?;
    Ok(small)
}

fn is_ours(name: &str) -> bool {
    [abi::ABI, abi::IO, abi::PARSE, abi::EVENT].contains(&name)
}

fn unknown(what: &str) -> Error {
    Error::Malformed(format!("a {what} of a kind that plugins have no use for"))
}

/// What the code uses.
#[derive(Default)]
struct Uses {
    /// Where the memory in use ends.
    end: Option<u64>,
    /// How many globals, from the first.
    globals: u32,
    table: bool,
    grows: bool,
}

impl Uses {
    fn read(wasm: &[u8]) -> Result<Self, Error> {
        let mut uses = Uses::default();
        let mut values = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::GlobalSection(section) => {
                    for global in section {
                        let mut value = global?.init_expr.get_operators_reader();
                        values.push(match value.read()? {
                            Operator::I32Const { value } => u64::try_from(value).ok(),
                            _ => None,
                        });
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == END && export.kind == ExternalKind::Global {
                            uses.end = values.get(export.index as usize).copied().flatten();
                        }
                    }
                }
                Payload::ElementSection(_) => uses.table = true,
                Payload::CodeSectionEntry(body) => {
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        uses.operator(&operators.read()?);
                    }
                }
                _ => {}
            }
        }
        Ok(uses)
    }

    fn operator(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                self.globals = self.globals.max(global_index + 1);
            }
            Operator::CallIndirect { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableSize { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => self.table = true,
            Operator::MemoryGrow { .. }
            | Operator::MemorySize { .. }
            | Operator::TableGrow { .. } => self.grows = true,
            _ => {}
        }
    }

    /// The memory counted in bytes.
    fn memory(&self, memory: &wasmparser::MemoryType) -> Result<MemoryType, Error> {
        let bytes = match (memory.page_size_log2, self.end) {
            _ if self.grows => {
                return Err(Error::Refused(
                    "it grows or measures its memory; a plugin has what it starts with".into(),
                ));
            }
            // So already.
            (Some(0), _) => memory.initial,
            (_, Some(end)) => end,
            (_, None) => {
                return Err(Error::Refused(format!(
                    "it does not say how much memory it uses; link it with `--export={END}`"
                )));
            }
        };
        Ok(MemoryType {
            minimum: bytes,
            maximum: Some(bytes),
            memory64: false,
            shared: false,
            page_size_log2: Some(0),
        })
    }
}
