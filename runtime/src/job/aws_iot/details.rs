//! What a report says beside the status: the `statusDetails` that fleet tools read.
//!
//! | status | details |
//! |---|---|
//! | receiving | `{"receive":"64/159"}` |
//! | staged | `{"self_test":"ready","updatedBy":"0x01030002"}` |
//! | testing | `{"self_test":"active","updatedBy":"0x01030002"}` |
//! | succeeded | `{"reason":"accepted v1.4.0","updatedBy":"v1.3.2"}` |
//! | done | `{"reason":"plugins: acme 1.2.0, site none"}` |
//! | failed, rejected | `{"reason":"rejected: 0x00000302 a signature does not hold"}` |
//!
//! `updatedBy` is the version that ran before, as `major << 24 | minor << 16 | revision` while the
//! update goes on. The number of a [`Failure`] follows `rejected:`; then it is said in words, and
//! behind a colon come the words of whoever reported it.

use crate::{error::Failure, job::Status, version::Version, wire::Writer};

/// Most bytes of a note that are passed on.
const NOTE_MAX: usize = 160;

/// Writes `,"statusDetails":{…}`, or nothing where there is nothing to say.
pub(super) fn write(status: &Status<'_>, to: &mut Writer<'_>) {
    if matches!(status, Status::Started) {
        return;
    }
    to.text(",\"statusDetails\":{\"");
    match *status {
        Status::Started => {}
        Status::Receiving { received, total } => {
            to.text("receive\":\"");
            to.number(received);
            to.text("/");
            to.number(total);
        }
        Status::Staged { running } => self_test("ready", running, to),
        Status::Testing { from } => self_test("active", from, to),
        Status::Succeeded { running, from } => {
            to.text("reason\":\"accepted ");
            version(running, to);
            to.text("\",\"updatedBy\":\"");
            version(from, to);
        }
        Status::Done { note } => {
            to.text("reason\":\"plugins: ");
            to.text(note.get(..NOTE_MAX).unwrap_or(note));
        }
        Status::Failed { why, note } | Status::Rejected { why, note } => reason(why, note, to),
    }
    to.text("\"}");
}

fn self_test(state: &str, from: Version, to: &mut Writer<'_>) {
    to.text("self_test\":\"");
    to.text(state);
    to.text("\",\"updatedBy\":\"0x");
    let [high, low] = from.revision.to_be_bytes();
    to.hex(u32::from_be_bytes([from.major, from.minor, high, low]), 8);
}

/// `v1.4.0`, `v1.4.0+17`
fn version(version: Version, to: &mut Writer<'_>) {
    to.text("v");
    to.number(version.major.into());
    to.text(".");
    to.number(version.minor.into());
    to.text(".");
    to.number(version.revision.into());
    if version.build != 0 {
        to.text("+");
        to.number(version.build);
    }
}

fn reason(why: Failure, note: &str, to: &mut Writer<'_>) {
    to.text("reason\":\"rejected: 0x");
    to.hex(why.code().into(), 8);
    to.text(" ");
    to.text(why.text());
    if !note.is_empty() {
        to.text(": ");
    }
    for byte in note.bytes().take(NOTE_MAX) {
        // A note is ASCII without quotes; were it not, the report must still be JSON.
        let literal = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        to.put(&[if literal { byte } else { b'?' }]);
    }
}
