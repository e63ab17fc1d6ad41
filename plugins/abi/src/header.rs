//! Writes `coreota_plugin.h`, the same page in C.
//!
//! ```text
//! cargo run -p coreota-plugin-abi --example header > plugins/abi/coreota_plugin.h
//! ```

use core::fmt::{Result, Write};

use crate::{
    Algorithm, Answer, Ask, Coding, Content, Event, Failure, Field, Hear, Kind, MAGIC, RECORDS_MAX,
    Report, Tag, VERSION,
};

const TOP: &str = "\
/* What a coreota plugin and its host say to each other, in C. docs/plugin-abi.md says the rest.
 * Generated from the crate coreota-plugin-abi; do not edit.
 *
 *     cargo run -p coreota-plugin-abi --example header > plugins/abi/coreota_plugin.h
 */
#ifndef COREOTA_PLUGIN_H
#define COREOTA_PLUGIN_H

#include <stdint.h>

";

const TYPES: &str = "
/* Where the plugin wants its input and puts its records; does not change. */
typedef struct {
    uint32_t in, in_cap;   /* address and length of the input buffer, in bytes */
    uint32_t out, out_cap; /* address of the records and how many fit */
} ota_io_block;

/* One record of an answer; what a tag does not use is 0. */
typedef struct {
    uint16_t tag, x;
    uint32_t a, b, c;
} ota_record;

/* What stands in the input buffer at an event; then a_len bytes of a, then b_len bytes of b. */
typedef struct {
    uint32_t a_len, b_len, x, y, z;
} ota_input;

/* The results that refuse: why is an OTA_FAILURE. */
#define OTA_NOT_MINE(why) (-(OTA_VERDICT_NOT_MINE << 16 | (why)))
#define OTA_MALFORMED(why) (-(OTA_VERDICT_MALFORMED << 16 | (why)))

/* What ota_abi returns. */
#define OTA_ABI(kind) ((int32_t)((uint32_t)OTA_MAGIC << 16 | (uint32_t)(kind) << 8 | OTA_VERSION))

/* Before a function that the host calls. */
#define OTA_EXPORT(name) __attribute__((export_name(#name))) name

#endif
";

/// Writes the header.
///
/// # Errors
/// Those of `to`.
pub fn write(to: &mut impl Write) -> Result {
    to.write_str(TOP)?;
    define(to, "VERSION", VERSION.into(), "version of the ABI")?;
    define(to, "MAGIC", MAGIC.into(), "high half of what ota_abi returns: \"OT\"")?;
    define(to, "RECORDS_MAX", RECORDS_MAX, "most records of one answer")?;
    define(to, "ESCAPED", Field::<()>::ESCAPED.into(), "with a CODING: undo JSON escapes first")?;
    define(to, "VERDICT_NOT_MINE", Answer::NOT_MINE as u32, "see OTA_NOT_MINE")?;
    define(to, "VERDICT_MALFORMED", Answer::MALFORMED as u32, "see OTA_MALFORMED")?;
    macro_rules! all {
        ($($title:literal $of:ident)*) => { $(
            write!(to, "\n/* {} */\n", $title)?;
            for (name, one, words) in $of::ALL {
                define(to, name, u32::from(one.number()), words.trim())?;
            }
        )* };
    }
    all! {
        "What a plugin is." Kind
        "What a record says. Field: a, b are address and length, x a CODING. Number: in a." Tag
        "How a field's bytes stand for its value; may have OTA_ESCAPED added." Coding
        "Kinds of signature." Algorithm
        "What a file is." Content
        "What a protocol hears." Event
        "What to ask the provider." Ask
        "What a report says." Report
        "What a message means to a job protocol." Hear
        "Why something is refused." Failure
    }
    to.write_str(TYPES)
}

fn define(to: &mut impl Write, name: &str, number: u32, words: &str) -> Result {
    writeln!(to, "#define OTA_{name:<24} 0x{number:04x} /* {words} */")
}
