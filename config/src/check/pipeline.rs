//! The pipeline: job source, parsers, transport.

use super::plugin::Taken;
use crate::diagnostic::{At, Errors, did_you_mean};
use crate::keys::{
    Board, Bootloader, Encoding, FromCargo, JobSource, MqttStream, Parser, Root, Table,
};
use crate::values::{Literal, Name, Pointer, Sourced, size, spelt_time};

/// What an MQTT message of AWS IoT carries at most.
const MESSAGE: u32 = 128 * 1024;
/// Parsers that a chain of the runtime holds.
const CHAIN: usize = 6;
/// Steps of a JSON pointer that the `table` parser takes.
const NESTING: usize = 8;
/// The largest block that fits a JSON message: base64 takes 4 bytes for 3, the rest is keys.
const JSON_BLOCK: u32 = 96 * 1024 - 512;

/// A version that is written out must be one.
pub(super) fn version(
    version: &At<Sourced<FromCargo, Literal>>,
    errors: &mut Errors,
) -> Option<()> {
    let Sourced::Literal(text) = &version.value else {
        return Some(());
    };
    let (triple, build) = text.0.split_once('+').unwrap_or((&text.0, "0"));
    let parts: Vec<&str> = triple.split('.').collect();
    let whole = match parts.as_slice() {
        [major, minor, revision] => {
            major.parse::<u8>().is_ok()
                && minor.parse::<u8>().is_ok()
                && revision.parse::<u16>().is_ok()
                && build.parse::<u32>().is_ok()
        }
        _ => false,
    };
    if !whole {
        let right = "write major.minor.revision, as \"1.4.0\" or \"1.4.0+7\": at most 255.255.65535+4294967295";
        errors.add(version.span.clone(), format!("`{}` is not a version", text.0), right);
        return None;
    }
    Some(())
}

/// The job source of a board: its own or the pipeline's; one, for now.
pub(super) fn job_source(root: &Root, board: &Board, errors: &mut Errors) -> Option<At<JobSource>> {
    let sources = board.job_source.0.as_ref()?.as_ref().or(root.job_source.0.as_ref())?;
    if let [_, second, ..] = sources.as_slice() {
        let right = "keep one `[[job-source]]`";
        errors.add(second.span.clone(), "a device has one job source", right);
    }
    sources.first().cloned()
}

/// Every parser must have a document that the ones before it leave to it, and a board that has it.
pub(super) fn parsers_reached(root: &Root, errors: &mut Errors) {
    let parsers = root.parser.0.as_deref().unwrap_or_default();
    for (index, parser) in parsers.iter().enumerate() {
        let name = parser.called();
        let before = parsers.iter().take(index);
        if before.clone().any(|other| other.called() == name) {
            let right = "remove it, or give it another name";
            errors.add(parser.span.clone(), format!("there is a parser `{name}` already"), right);
        } else if let Some(other) =
            before.clone().find(|other| takes_all_of(&other.value, &parser.value))
        {
            let wrong = format!(
                "the parser `{name}` is never reached: `{}` takes every document it knows",
                other.called()
            );
            errors.add(parser.span.clone(), wrong, "put it first, or remove it");
        } else if !some_board_has(root, parsers, name) {
            let wrong = format!("the parser `{name}` is never reached: no board has it");
            errors.add(parser.span.clone(), wrong, "add it to a board's `parsers`, or remove it");
        }
        if let Parser::Table(table) = &parser.value {
            pointers_in_reach(table, errors);
            blocks_are_found(table, parser, errors);
        }
    }
}

/// A `table` knows a document by its size and by where the blocks are: any one of the two ways.
fn takes_all_of(first: &Parser, second: &Parser) -> bool {
    let (Parser::Table(first), Parser::Table(second)) = (first, second) else {
        return false;
    };
    let covers =
        |first: &Option<Pointer>, second: &Option<Pointer>| second.is_none() || first == second;
    first.size.value == second.size.value
        && covers(&first.stream, &second.stream)
        && covers(&first.url, &second.url)
}

fn some_board_has(root: &Root, parsers: &[At<Parser>], name: &str) -> bool {
    let Some(boards) = &root.board.0 else { return true };
    // A name that is misspelt may be meant for any parser.
    let meant = |listed: &Name| {
        listed.0 == name || !parsers.iter().any(|parser| parser.called() == listed.0)
    };
    // So may a list that could not be read, and boards that could not.
    let may = |board: &Board| match &board.parsers.0 {
        Some(Some(names)) => names.iter().any(|listed| meant(&listed.value)),
        Some(None) | None => true,
    };
    boards.0.is_empty() || boards.0.iter().any(|(_, board)| may(board))
}

/// The pointers of a table must lead no deeper than the runtime follows them.
fn pointers_in_reach(table: &Table, errors: &mut Errors) {
    let required = [
        Some(&table.size),
        table.sha256.as_ref().map(|digest| &digest.path),
        table.signature.as_ref().map(|signed| &signed.path),
    ];
    let required = required.into_iter().flatten().map(|at| (&at.value, &at.span));
    let Table { stream, url, file_id, version, board, protocol, .. } = table;
    let optional = [stream, url, file_id, version, board, protocol];
    let optional = optional.into_iter().filter_map(|at| Some((at.value.as_ref()?, &at.span)));
    for (pointer, span) in required.chain(optional) {
        if pointer.0.matches('/').count() > NESTING {
            let wrong = format!("`{}` leads too deep into a document", pointer.0);
            errors.add(span.clone(), wrong, format!("at most {NESTING} steps"));
        }
    }
}

/// A parser must learn where the blocks are, from a transport that there is.
fn blocks_are_found(table: &Table, parser: &At<Parser>, errors: &mut Errors) {
    if table.stream.is_none() {
        let wrong = match table.url.is_some() {
            true => "a `url` is no use to the transport `mqtt-stream`",
            false => "the parser does not say where the blocks are",
        };
        let right = "add `stream`: the pointer to the name of the stream";
        errors.add(parser.span.clone(), wrong, right);
    }
}

/// The parsers of a board: those it names, or all but those whose plugin it does not take.
pub(super) fn of_board(
    root: &Root,
    (name, board): (&At<String>, &Board),
    plugins: &Taken<'_>,
    errors: &mut Errors,
) -> Option<Vec<At<Parser>>> {
    let all = root.parser.0.as_ref()?;
    let hosted = |parser: &Parser| match parser {
        Parser::PluginParser(parser) => !plugins.leaves_out(&parser.plugin.0),
        _ => true,
    };
    let chosen: Vec<At<Parser>> = match board.parsers.0.as_ref()? {
        None => all.iter().filter(|parser| hosted(parser)).cloned().collect(),
        Some(names) => {
            let named: Vec<Option<_>> = names.iter().map(|name| named(all, name, errors)).collect();
            once(names, |name| &name.0, errors);
            for (name, parser) in names.iter().zip(&named) {
                if parser.as_ref().is_some_and(|parser| !hosted(parser)) {
                    let wrong = format!("the board does not take the plugin `{}`", name.0);
                    errors.add(
                        name.span.clone(),
                        wrong,
                        "add it to `plugins`, or remove the parser",
                    );
                }
            }
            named.into_iter().collect::<Option<_>>()?
        }
    };
    if chosen.is_empty() {
        let wrong = format!("board `{}` has no parser left: it would know no job", name.value);
        errors.add(
            board.plugins.span.clone(),
            wrong,
            "take a plugin that one of `[[parser]]` names",
        );
    }
    if let Some(one_too_many) = chosen.get(CHAIN) {
        let right = format!("at most {CHAIN}: name those it needs in the board's `parsers`");
        errors.add(one_too_many.span.clone(), "the board has too many parsers", right);
    }
    Some(chosen)
}

/// Every name of a list is there once.
pub(super) fn once<N: PartialEq>(names: &[At<N>], text: impl Fn(&N) -> &str, errors: &mut Errors) {
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|before| before.value == name.value) {
            let wrong = format!("`{}` is named twice", text(&name.value));
            errors.add(name.span.clone(), wrong, "name it once");
        }
    }
}

fn named(all: &[At<Parser>], name: &At<Name>, errors: &mut Errors) -> Option<At<Parser>> {
    let found = all.iter().find(|parser| parser.called() == name.value.0);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|parser| parser.called()).collect();
        let right = did_you_mean(&name.value.0, &known, "declare it: `[[parser]]`");
        errors.add(name.span.clone(), format!("unknown parser `{}`", name.value.0), right);
    }
    found.cloned()
}

/// Blocks that fit erase units and messages, waits that grow.
pub(super) fn messages(stream: &MqttStream, errors: &mut Errors) {
    let block = &stream.block_size;
    if !block.value.0.is_power_of_two() {
        let right =
            format!("a power of two, such as {}", size(block.value.0.next_power_of_two() / 2));
        errors.add(
            block.span.clone(),
            format!("blocks of {} do not fit erase units", size(block.value.0)),
            right,
        );
    }
    if stream.encoding.value == Encoding::Json && block.value.0 > JSON_BLOCK {
        let wrong = format!(
            "a block of {} takes {} in JSON, more than the {} of an MQTT message",
            size(block.value.0),
            size(json_message(block.value.0)),
            size(MESSAGE)
        );
        errors.add(block.span.clone(), wrong, "at most \"64 KiB\", or `encoding = \"cbor\"`");
    }
    let retry = &stream.retry;
    if retry.after.value.0 > retry.at_most.value.0 {
        let wrong = format!(
            "the first wait, {}, is longer than the longest",
            spelt_time(retry.after.value.0)
        );
        let right = format!("at most {}", spelt_time(retry.at_most.value.0));
        errors.add(retry.after.span.clone(), wrong, right);
    }
}

/// The type of a bootloader of one's own must be written as a path in Rust is.
pub(super) fn bootloader_type(bootloader: &Bootloader, errors: &mut Errors) {
    let Bootloader::Custom(custom) = bootloader else { return };
    let path = &custom.r#type;
    if syn::parse_str::<syn::Path>(&path.0).is_err() {
        let wrong = format!("`{}` is not a path to a type", path.0);
        errors.add(path.span.clone(), wrong, "such as \"crate::boot::Ours\"");
    }
}

/// Bytes of the largest message with a block in it: the block as it is written, the other keys, and
/// the topic with its thing and stream names (128 characters each at most).
pub(super) fn json_message(block: u32) -> u32 {
    block.div_ceil(3) * 4 + 512
}
