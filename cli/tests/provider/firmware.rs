//! The whole story on each emulated board: its own bootloader, its own firmware, mosquitto. It needs
//! the board's emulator and a way to build for its target, and says how to get what is missing.

use std::path::Path;
use std::process::Command;

use coreota::error::Failure;

use crate::board::{Board, build, ended, publish, sign, top};
use crate::folder;
use crate::world::World;

const THING: &str = "lamp-1";
/// What an update may take of the stack, in bytes; the deepest is the signature.
const STACK: u32 = 13 * 1024;

/// What is different from board to board.
struct Kind {
    board: &'static str,
    format: &'static str,
    /// The power goes in this flash operation, when some of the download has been reported.
    cut_after: u32,
    /// What must be left of the stack, in bytes, where it is deepest.
    spare: u32,
}

/// Where RAM is plenty.
const SPARE: u32 = 8 * 1024;

/// Five flash operations a block: four pages and a mark.
#[test]
fn a_cortex_m3_updates_itself_with_embassy_boot() {
    let board = "emcraft-sf2";
    updates_itself(&Kind { board, format: "trailer", cut_after: 420, spare: SPARE });
}

#[test]
fn a_cortex_m3_updates_itself_with_the_formats_of_mcuboot() {
    let board = "emcraft-sf2-mcuboot";
    updates_itself(&Kind { board, format: "mcuboot", cut_after: 420, spare: SPARE });
}

/// Two flash operations a block: its code runs in the flash, and so does its bootloader.
#[test]
fn a_riscv_updates_itself_while_it_runs_in_the_flash() {
    let board = "virt-riscv32";
    updates_itself(&Kind { board, format: "trailer", cut_after: 230, spare: SPARE });
}

/// 129 flash operations a block, of words inside the chip: over a serial line, in 16 KiB of RAM.
#[test]
fn a_cortex_m0_updates_itself_over_a_serial_line() {
    let (board, format, cut_after) = ("microbit", "trailer", 10_000);
    updates_itself(&Kind { board, format, cut_after, spare: 512 });
}

fn updates_itself(kind: &Kind) {
    let &Kind { board: name, format, cut_after, spare } = kind;
    let mut world = World::on_mosquitto();
    let v1 = build(&world, name, "v1", &["--version", "1.0.0"]);
    let v2 = build(&world, name, "v2", &["--version", "2.0.0"]);
    let bad = ["--version", "3.0.0", "--features", "fails-self-test"];
    let v3 = build(&world, name, "v3", &bad);
    folder::is_whole(&world, &v1, name);
    if format == "mcuboot" {
        let mut imgtool = Command::new("imgtool");
        imgtool.args(["verify", "-k", &top("examples/keys/demo.pub.pem")]);
        let said = imgtool.arg(v2.join("update.img")).output().expect("`pip install imgtool`");
        assert!(said.status.success(), "{said:?}");
    }

    let mut board = Board::boot(&world, name, "v1", THING, &[]);
    board.until(&format!("boot      v1.0.0 runs on {name}"));
    refuses_what_is_not_for_it(&world, &v2, name, format, &mut board);

    // The power goes in the middle of the download, then the broker.
    drop(board);
    publish(&world, "good", THING, &v2.join("update.img").display().to_string());
    let boot = |more: &[&str]| Board::boot(&world, name, "v1", THING, more);
    let before = boot(&["--cut-after", &cut_after.to_string(), "--tear", "bits"]).cut();
    let reported: Vec<u32> =
        before.iter().filter(|line| line.contains("download  ")).map(received).collect();
    let [first, .., reached] = reported[..] else { panic!("{before:#?}") };
    assert!(first < reached, "what begins anew could not be told from what goes on: {reported:?}");
    let mut board = boot(&[]);
    let (line, _) = board.until("download  ");
    assert!(received(&line) > reached, "it began anew: {line}");
    world.restart_mosquitto();
    board.until("verify    whole, authentic, newer, for this board: staged");
    has_stack_left(&mut board, spare);
    board.until("bootloader swapped the slots and starts the new image on trial");
    board.until("boot      v2.0.0 runs");
    board.until("good: SUCCEEDED, v1.0.0 -> v2.0.0");
    assert_eq!(ended(&world, "good", THING).0, "SUCCEEDED");

    // It stays after a power cycle.
    drop(board);
    let mut board = Board::boot(&world, name, "v1", THING, &[]);
    let (_, before) = board.until("boot      v2.0.0 runs");
    assert!(before.iter().any(|line| line.contains("bootloader starts the image")), "{before:?}");

    publish(&world, "bad", THING, &v3.join("update.img").display().to_string());
    board.until("boot      v3.0.0 runs");
    board.until("install   self-test failed");
    board.until("bootloader swapped the slots back and starts the image of before");
    board.until("boot      v2.0.0 runs");
    failed(&world, "bad", Failure::SelfTest);
}

/// How many blocks `download  64/216 blocks` tells.
pub(crate) fn received(line: &String) -> u32 {
    let number = line.split("download  ").nth(1).and_then(|rest| rest.split('/').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// None of these ever runs, and the provider hears why.
fn refuses_what_is_not_for_it(
    world: &World,
    built: &Path,
    name: &str,
    format: &str,
    board: &mut Board,
) {
    world.events(&["keygen", "stranger"]);
    let key = top("examples/keys/demo-only.key.pem");
    let new = ["--version", "2.0.0"];
    let ours = ["--board", name, "--key", &key];
    let strangers = ["--board", name, "--key", "stranger.pem"];
    let other_board = ["--board", "sim-embassy", "--key", &key];
    let image = |file: &str, how: &[&[&str]]| sign(world, built, file, format, &how.concat());
    let tampered = image("tampered.img", &[&new, &ours]);
    let path = world.dir.join(&tampered);
    let mut bytes = std::fs::read(&path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let refused = [
        ("tampered", tampered, Failure::Digest),
        ("strangers", image("strangers.img", &[&new, &strangers]), Failure::NoTrustedKey),
        ("other-board", image("other.img", &[&new, &other_board]), Failure::SignedOtherBoard),
        ("older", image("older.img", &[&["--version", "0.9.0"], &ours]), Failure::SignedNotNewer),
    ];
    for (job, image, why) in refused {
        publish(world, job, THING, &image);
        let (_, before) = board.until(&format!("{job}: FAILED"));
        assert!(!before.iter().any(|line| line.contains("bootloader")), "{before:?}");
        failed(world, job, why);
    }

    // One that no slot has room for is not even begun.
    std::fs::write(world.dir.join("huge.img"), vec![0; 2 << 20]).expect("writable");
    publish(world, "huge", THING, "huge.img");
    let (_, before) = board.until("huge: REJECTED");
    assert!(!before.iter().any(|line| line.contains("download")), "{before:?}");
    over(world, "huge", "REJECTED", Failure::TooLarge);
}

/// `memory    stack 8328 of 29048 bytes at most, …`: what was ever written to, of what there is.
pub(crate) fn has_stack_left(board: &mut Board, spare: u32) {
    let (line, _) = board.until("memory    stack ");
    let mut numbers = line.split(' ').filter_map(|word| word.parse::<u32>().ok());
    let (used, room) = (numbers.next().expect("used"), numbers.next().expect("of"));
    assert!(used > 1024 && used + spare <= room, "{line}");
    assert!(used <= STACK, "{line}");
}

fn failed(world: &World, job: &str, why: Failure) {
    over(world, job, "FAILED", why);
}

fn over(world: &World, job: &str, how: &str, why: Failure) {
    let (status, reason) = ended(world, job, THING);
    assert_eq!(status, how, "{job}: {reason}");
    assert!(reason.contains(&format!("0x{:08x}", why.code())), "{job}: {reason}");
}
