//! The operations of an emulated SPI flash in the order in which the firmware asked for them.
//!
//! QEMU's model of SPI flash (`m25p80`) is never busy and writes back later, from what it holds by then:
//! on a loaded machine pages arrive at a block device before the erase that they followed, and in
//! any order. Its trace events are written as each byte is programmed. What they tell is done to a [`Chip`]
//! here, which is then what a flash would be at that moment; that is where a cut is exact.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use crate::{Chip, Held};

/// Each command, each erase, each byte programmed; and each that asks for a 1 where there is a 0.
const EVENTS: [&str; 4] = [
    "m25p80_command_decoded",
    "m25p80_flash_erase",
    "m25p80_page_program",
    "m25p80_programming_zero_to_one",
];

/// Whether the command boots a board whose flash writes back later.
pub fn writes_back_later(command: &Command) -> bool {
    command.get_args().any(|word| word.to_string_lossy().contains("if=mtd"))
}

/// Asks the emulator for the events that [`follow`] reads from its standard error.
pub fn traced(command: &mut Command) {
    for event in EVENTS {
        command.args(["-trace", event]);
    }
}

/// Does to `chip` what is told of it, until the emulator ends or the chip has lost its power.
pub fn follow(told: impl Read + Send + 'static, chip: Chip) -> Held {
    let held = Held::new(chip);
    let ours = held.clone();
    std::thread::spawn(move || {
        let mut told = BufReader::new(told);
        let mut operation = Program::default();
        let mut line = Vec::new();
        // What is told after the power went never happened; it is not read, and the emulator waits.
        while ours.chip().powered() {
            line.clear();
            match told.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => operation.hear(&String::from_utf8_lossy(&line), &ours),
            }
        }
    });
    held
}

/// The bytes of one program command, so far.
#[derive(Default)]
struct Program {
    at: u64,
    data: Vec<u8>,
}

impl Program {
    fn hear(&mut self, line: &str, held: &Held) {
        if let Some((at, byte)) = byte(line) {
            if self.data.is_empty() {
                self.at = at;
            }
            // Behind the end of a page the address begins anew at its start.
            if at != self.at + self.data.len() as u64 {
                self.end(held);
                self.at = at;
            }
            self.data.push(byte);
            return;
        }
        if line.contains("m25p80_command_decoded") {
            self.end(held);
        } else if let Some((at, len)) = erase(line) {
            // Outside of the chip there is nothing to erase.
            held.change(|chip| chip.write(at, &vec![0xff; len])).unwrap_or_default();
        }
    }

    /// A command has all its bytes.
    fn end(&mut self, held: &Held) {
        let data = std::mem::take(&mut self.data);
        held.change(|chip| chip.program(self.at, &data)).unwrap_or_default();
    }
}

/// `m25p80_page_program [0x…] page program cur_addr=0x10 data=0xff`
fn byte(line: &str) -> Option<(u64, u8)> {
    let (_, told) = line.split_once("m25p80_page_program")?;
    let (_, told) = told.split_once("cur_addr=0x")?;
    let (at, data) = told.split_once(" data=0x")?;
    Some((u64::from_str_radix(at, 16).ok()?, u8::from_str_radix(data.trim_end(), 16).ok()?))
}

/// `m25p80_flash_erase [0x…] offset = 0x10000, len = 65536`
fn erase(line: &str) -> Option<(u64, usize)> {
    let (_, told) = line.split_once("m25p80_flash_erase")?;
    let (_, told) = told.split_once("offset = 0x")?;
    let (at, len) = told.split_once(", len = ")?;
    Some((u64::from_str_radix(at, 16).ok()?, len.trim_end().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Cut, Tear};
    use std::time::Duration;

    const TOLD: &str = "\
m25p80_command_decoded [0x5] new command:0x6
m25p80_command_decoded [0x5] new command:0xd8
m25p80_flash_erase [0x5] offset = 0x10, len = 16
m25p80_command_decoded [0x5] new command:0x2
m25p80_page_program [0x5] page program cur_addr=0x12 data=0x0f
m25p80_page_program [0x5] page program cur_addr=0x13 data=0xf0
m25p80_command_decoded [0x5] new command:0x5
m25p80_command_decoded [0x5] new command:0x2
m25p80_page_program [0x5] page program cur_addr=0x14 data=0x0
m25p80_command_decoded [0x5] new command:0x2
m25p80_programming_zero_to_one [0x5] programming zero to one! addr=0x12  0xf -> 0x1f
m25p80_page_program [0x5] page program cur_addr=0x12 data=0x1e
m25p80_command_decoded [0x5] new command:0x5
";

    fn written() -> Chip {
        let mut chip = Chip::holding(vec![0; 64], 16);
        chip.record();
        chip
    }

    /// Until no more is told.
    fn followed(chip: Chip) -> Held {
        let held = follow(TOLD.as_bytes(), chip);
        // The thread lets go of its own when it ends.
        while held.is_shared() {
            std::thread::sleep(Duration::from_millis(1));
        }
        held
    }

    #[test]
    fn every_command_is_one_operation_in_the_order_of_the_firmware() {
        let held = followed(written());
        let change = |at: u64, data: &[u8]| Change { at, data: data.to_vec() };
        let expected = [
            change(16, &[0xff; 16]),
            change(18, &[0x0f, 0xf0]),
            change(20, &[0]),
            change(18, &[0x0e]),
        ];
        assert_eq!(held.chip().recorded(), expected, "bits go from 1 to 0 only");
        assert_eq!(held.chip().operations().violations, 1);
    }

    #[test]
    fn nothing_behind_a_cut_is_done() {
        let mut chip = written();
        chip.arm(Cut { after: 1, tear: Tear::Half, seed: 0 });
        let held = followed(chip);
        assert!(held.wait_for_cut(Duration::ZERO));
        assert_eq!(held.chip().bytes()[16..21], [0xff, 0xff, 0x0f, 0xff, 0xff]);
    }
}
