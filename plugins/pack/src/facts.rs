//! What a module is, read without running it, and whether a device takes it.

use coreota_plugin_abi as abi;
use wasmparser::{ExternalKind, Operator, Parser, Payload, Validator, WasmFeatures};

use crate::Error;

/// What is in a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Length of the module, in bytes.
    pub size: usize,
    /// What it imports, as `module.name`; a plugin imports nothing.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<Export>,
    /// Its linear memory at the start, in bytes.
    pub memory: u64,
    /// Its linear memory at most, in bytes; `None` where it does not say.
    pub memory_max: Option<u64>,
    /// How many functions it has.
    pub functions: u32,
    /// Bytes of their code.
    pub code: u64,
    /// Whether it would run code while it is loaded.
    pub start: bool,
    /// Whether it asks for more memory or table while it runs.
    pub grows: bool,
    /// What kind of plugin it says to be, where that is a constant, as compilers make it.
    pub kind: Option<abi::Kind>,
}

/// One export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is: `func`, `memory`, `table`, `global`.
    pub what: &'static str,
}

/// Reads what is in a module, which need not be a plugin.
///
/// # Errors
/// [`Error::Malformed`] where it is no valid module.
pub fn inspect(wasm: &[u8]) -> Result<Facts, Error> {
    Validator::new_with_features(features()).validate_all(wasm)?;
    let mut facts = Facts { size: wasm.len(), ..Facts::default() };
    let mut abi_at = None;
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if matches!(import.ty, wasmparser::TypeRef::Func(_)) {
                        functions += 1;
                    }
                    facts.imports.push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let page = 1u64 << memory.page_size_log2.unwrap_or(16);
                    facts.memory = facts.memory.saturating_add(memory.initial.saturating_mul(page));
                    facts.memory_max = memory.maximum.map(|most| most.saturating_mul(page));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let what = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => "func",
                        ExternalKind::Memory => "memory",
                        ExternalKind::Table => "table",
                        ExternalKind::Global => "global",
                        ExternalKind::Tag => "tag",
                    };
                    if what == "func" && export.name == abi::ABI {
                        abi_at = Some(export.index);
                    }
                    facts.exports.push(Export { name: export.name.to_owned(), what });
                }
            }
            Payload::StartSection { .. } => facts.start = true,
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                facts.code += range.end - range.start;
                let mut operators = body.get_operators_reader()?;
                let mut first = None;
                while !operators.eof() {
                    let operator = operators.read()?;
                    facts.grows |= matches!(
                        operator,
                        Operator::MemoryGrow { .. } | Operator::TableGrow { .. }
                    );
                    first = first.or(Some(operator));
                }
                if let (true, Some(Operator::I32Const { value })) =
                    (abi_at == Some(functions), first)
                {
                    facts.kind = abi::Kind::from_word(value).ok();
                }
                functions += 1;
                facts.functions += 1;
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// Reads what is in a plugin.
///
/// # Errors
/// [`Error::Malformed`] where it is no valid module, [`Error::Refused`] where no device would take it.
pub fn check(wasm: &[u8]) -> Result<Facts, Error> {
    let facts = inspect(wasm)?;
    let refuse = |why: String| Err(Error::Refused(why));
    if let Some(import) = facts.imports.first() {
        return refuse(format!("it imports {import}; a plugin imports nothing"));
    }
    if facts.start {
        return refuse(
            "it has a start function; remove whatever runs before the host calls".into(),
        );
    }
    if facts.grows {
        return refuse("it grows its memory or table; a plugin has what it starts with".into());
    }
    if !facts.exports(abi::MEMORY, "memory") {
        return refuse(format!("it does not export its memory as `{}`", abi::MEMORY));
    }
    let exports = [abi::PARSE, abi::EVENT].map(|name| facts.exports(name, "func"));
    let needed = match (facts.kind, exports) {
        (Some(kind), _) => kind.export(),
        (None, [false, false]) => {
            return refuse(format!("it exports neither `{}` nor `{}`", abi::PARSE, abi::EVENT));
        }
        (None, [true, _]) => abi::PARSE,
        (None, _) => abi::EVENT,
    };
    match [abi::ABI, abi::IO, needed].into_iter().find(|name| !facts.exports(name, "func")) {
        Some(name) => refuse(format!("it does not export a function `{name}`")),
        None => Ok(facts),
    }
}

impl Facts {
    /// Whether there is an export of that name that is such a thing.
    pub fn exports(&self, name: &str, what: &str) -> bool {
        self.exports.iter().any(|export| export.name == name && export.what == what)
    }
}

/// What a device's interpreter knows: no floating point, no threads.
pub(crate) fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::CALL_INDIRECT_OVERLONG
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::GC_TYPES
}
