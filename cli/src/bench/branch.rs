//! Where an instruction goes to: the direct calls and jumps of Thumb and of RV32 code.

use super::elf::Image;

/// An instruction: its length, and where it goes to other than to the next.
pub(super) struct Step {
    pub(super) len: u64,
    pub(super) target: Option<u64>,
    /// It comes back.
    pub(super) call: bool,
}

/// Reads the instructions of a function, one after the other.
pub(super) struct Reader<'i> {
    image: &'i Image,
    /// RV32: a register that holds an address, for the jump behind it.
    far: Option<(u32, u64)>,
}

impl<'i> Reader<'i> {
    pub(super) fn of(image: &'i Image) -> Self {
        Reader { image, far: None }
    }

    /// The instruction at that address; `None` outside of the code.
    pub(super) fn step(&mut self, at: u64) -> Option<Step> {
        let half = |address: u64| {
            let at = usize::try_from(address.checked_sub(self.image.base)?).ok()?;
            let pair = self.image.text.get(at..at + 2)?;
            Some(u32::from(u16::from_le_bytes([pair[0], pair[1]])))
        };
        let (first, second) = (half(at)?, half(at + 2).unwrap_or(0));
        Some(match self.image.riscv {
            true => self.riscv(at, first, second),
            false => thumb(at, first, second),
        })
    }

    /// The RISC-V manual, volume I: 2.5 (JAL, JALR), 2.4 (AUIPC), 16.4 (C.J, C.JAL).
    fn riscv(&mut self, at: u64, first: u32, second: u32) -> Step {
        let far = self.far.take();
        if first & 3 != 3 {
            let (jal, jump) = (first & 0xe003 == 0x2001, first & 0xe003 == 0xa001);
            let target = (jal || jump).then(|| to(at, short_offset(first)));
            return Step { len: 2, target, call: jal };
        }
        let word = second << 16 | first;
        let (opcode, rd, rs1) = (word & 0x7f, word >> 7 & 31, word >> 15 & 31);
        let target = match opcode {
            0x6f => Some(to(at, long_offset(word))),
            0x17 => {
                self.far = Some((rd, to(at, (word & 0xffff_f000) as i32)));
                None
            }
            0x67 => far.filter(|far| far.0 == rs1).map(|far| to(far.1, word as i32 >> 20)),
            _ => None,
        };
        Step { len: 4, target, call: rd != 0 }
    }
}

/// Addresses have 32 bits, and wrap.
fn to(at: u64, offset: i32) -> u64 {
    (at as u32).wrapping_add_signed(offset).into()
}

/// Of C.J and C.JAL: bits 11, 4, 9:8, 10, 6, 7, 3:1, 5 from bit 12 down to 2.
fn short_offset(half: u32) -> i32 {
    let places = [
        (12, 11),
        (11, 4),
        (10, 9),
        (9, 8),
        (8, 10),
        (7, 6),
        (6, 7),
        (5, 3),
        (4, 2),
        (3, 1),
        (2, 5),
    ];
    let bits = places.iter().fold(0, |all, (from, to)| all | (half >> from & 1) << to);
    (bits << 20) as i32 >> 20
}

/// Of JAL: bits 20, 10:1, 11, 19:12 from bit 31 down to 12.
fn long_offset(word: u32) -> i32 {
    let bits = (word >> 31) << 20
        | (word >> 21 & 0x3ff) << 1
        | (word >> 20 & 1) << 11
        | (word >> 12 & 0xff) << 12;
    (bits << 11) as i32 >> 11
}

/// `BL` and `B.W` (ARMv7-M ARM, A7.7.18 T1 and A7.7.12 T4).
fn thumb(at: u64, first: u32, second: u32) -> Step {
    if first >> 11 < 0b11101 {
        return Step { len: 2, target: None, call: false };
    }
    let is_branch = first >> 11 == 0b11110 && second & 0x9000 == 0x9000;
    let bit = |half: u32, index: u32| half >> index & 1;
    let sign = bit(first, 10);
    let (i1, i2) = (1 ^ bit(second, 13) ^ sign, 1 ^ bit(second, 11) ^ sign);
    let (high, low) = (first & 0x3ff, second & 0x7ff);
    let offset = sign << 24 | i1 << 23 | i2 << 22 | high << 12 | low << 1;
    let offset = (offset << 7) as i32 >> 7;
    Step { len: 4, target: is_branch.then(|| to(at + 4, offset)), call: second & 0x4000 != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As any assembler writes them.
    #[test]
    fn branches_go_where_the_manual_of_arm_says() {
        let target = |first, second| thumb(0x1000, first, second).target;
        // bl +4 and bl -4.
        assert_eq!(target(0xf000, 0xf802), Some(0x1008));
        assert_eq!(target(0xf7ff, 0xfffc), Some(0xffc));
        // b.w forward; movw r0, #0 is no branch.
        assert_eq!(target(0xf000, 0xb800), Some(0x1004));
        assert_eq!(target(0xf240, 0x0000), None);
    }

    #[test]
    fn jumps_go_where_the_manual_of_riscv_says() {
        let image = Image { riscv: true, ..Image::default() };
        let mut reader = Reader::of(&image);
        let mut step = |at, word: u32| {
            let step = reader.riscv(at, word & 0xffff, word >> 16);
            (step.len, step.target, step.call)
        };
        // c.jal +4, c.j -2, c.j +2046, c.nop.
        assert_eq!(step(0x1000, 0x2011), (2, Some(0x1004), true));
        assert_eq!(step(0x1000, 0xbffd), (2, Some(0xffe), false));
        assert_eq!(step(0x1000, 0xaffd), (2, Some(0x17fe), false));
        assert_eq!(step(0x1000, 0x0001), (2, None, false));
        // jal ra, +0x800 and jal zero, -4.
        assert_eq!(step(0x1000, 0x0010_00ef), (4, Some(0x1800), true));
        assert_eq!(step(0x1000, 0xffdf_f06f), (4, Some(0xffc), false));
        // auipc ra, 1; jalr ra, -16(ra): a far call. jalr without its auipc goes nowhere we know.
        assert_eq!(step(0x1000, 0x0000_1097), (4, None, true));
        assert_eq!(step(0x1004, 0xff00_80e7), (4, Some(0x1ff0), true));
        assert_eq!(step(0x1008, 0xff00_80e7), (4, None, true));
    }
}
