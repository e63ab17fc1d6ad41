//! What happens on a device, as lines for its console, without the formatting machinery.
//!
//! A line is a phase in ten columns, then words. [`Hooks`](crate::Hooks) that print these are understood by
//! `cargo ota run --json`, and so by `cargo ota demo`.

use crate::{
    boot::How, descriptor::Descriptor, error::Failure, job::Status, version::Version, wire::Writer,
};

/// What a bootloader did, before it enters the image.
pub fn loaded(line: &mut Writer<'_>, how: How) {
    line.text("bootloader ");
    line.text(match how {
        How::Unchanged => "starts the image",
        How::Trial => "swapped the slots and starts the new image on trial",
        How::Permanent => "swapped the slots and starts the new image to stay",
        How::Reverted => "swapped the slots back and starts the image of before",
        How::Refused => "refused the new image and starts that of before",
    });
}

/// Which image runs, on which board.
pub fn booted(line: &mut Writer<'_>, running: Version, board: &str) {
    line.text("boot      v");
    version(line, running);
    line.text(" runs on ");
    line.text(board);
}

/// A job that was accepted; `block` is the bytes of a block.
pub fn accepted(line: &mut Writer<'_>, job: &str, descriptor: &Descriptor<'_>, block: usize) {
    let block = u32::try_from(block).unwrap_or(u32::MAX).max(1);
    of_job(line, "notify    ", job);
    line.number(descriptor.size);
    line.text(" bytes in ");
    line.number(descriptor.size.div_ceil(block));
    line.text(" blocks; accepted");
}

/// How far a job is.
pub fn status(line: &mut Writer<'_>, job: &str, status: &Status<'_>) {
    match *status {
        Status::Started => {
            of_job(line, "notify    ", job);
            line.text("IN_PROGRESS");
        }
        Status::Receiving { received, total } => {
            line.text("download  ");
            line.number(received);
            line.text("/");
            line.number(total);
            line.text(" blocks");
        }
        Status::Staged { .. } => {
            line.text("verify    whole, authentic, newer, for this board: staged");
        }
        Status::Testing { .. } => {
            line.text("install   provider reached: it can be updated again");
        }
        Status::Succeeded { running, from } => {
            of_job(line, "install   ", job);
            line.text("SUCCEEDED, v");
            version(line, from);
            line.text(" -> v");
            version(line, running);
        }
        Status::Done { note } => {
            of_job(line, "install   ", job);
            line.text("SUCCEEDED, ");
            line.text(note);
        }
        Status::Failed { why, note } => {
            of_job(line, "install   ", job);
            line.text("FAILED, ");
            failure(line, why, note);
        }
        Status::Rejected { why, note } => {
            of_job(line, "notify    ", job);
            line.text("REJECTED, ");
            failure(line, why, note);
        }
    }
}

/// How the self-test of an image on trial ended.
pub fn tested(line: &mut Writer<'_>, passed: bool) {
    line.text(match passed {
        true => "install   self-test passed",
        false => "install   self-test failed",
    });
}

/// That the device resets into its bootloader.
pub fn reset(line: &mut Writer<'_>) {
    line.text("install   reset");
}

/// What failed and is tried again.
pub fn trouble(line: &mut Writer<'_>, what: Failure) {
    line.text("boot      ");
    failure(line, what, "");
    line.text("; trying again");
}

/// Why there is no TLS connection to the broker, or none any more.
#[cfg(feature = "tls")]
pub fn untrusted(line: &mut Writer<'_>, why: crate::link::tls::Trouble) {
    line.text("link      TLS: ");
    line.text(why.text());
}

fn of_job(line: &mut Writer<'_>, phase: &str, job: &str) {
    line.text(phase);
    line.text(job);
    line.text(": ");
}

fn failure(line: &mut Writer<'_>, why: Failure, note: &str) {
    line.text(why.text());
    if !note.is_empty() {
        line.text(": ");
        line.text(note);
    }
    line.text(" (0x");
    line.hex(why.code().into(), 4);
    line.text(")");
}

/// `1.4.0`, or `1.4.0+17`.
fn version(line: &mut Writer<'_>, version: Version) {
    line.number(version.major.into());
    line.text(".");
    line.number(version.minor.into());
    line.text(".");
    line.number(version.revision.into());
    if version.build > 0 {
        line.text("+");
        line.number(version.build);
    }
}
