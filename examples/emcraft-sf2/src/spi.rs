//! The SPI controller as the flash wants it: 8 bits a frame, the chip selected for a whole command.

use crate::register::Block::Spi as Registers;

const CONTROL: u16 = 0x00;
const FRAME_SIZE: u16 = 0x04;
const STATUS: u16 = 0x08;
const RECEIVE: u16 = 0x10;
const TRANSMIT: u16 = 0x14;

const ENABLE: u32 = 1 << 0;
const MASTER: u32 = 1 << 1;
/// The chip stays selected until the counted frames are over.
const SELECT_THROUGHOUT: u32 = 1 << 26;
/// A FIFO of 32 frames instead of 4.
const DEEP: u32 = 1 << 29;
const COUNT_SHIFT: u32 = 8;
const RECEIVE_EMPTY: u32 = 1 << 6;

/// Frames in flight: no more than the receive FIFO holds.
const BURST: usize = 32;

/// The most bytes of one command, with its answer.
pub const COMMAND_MAX: usize = 0xffff;

/// `SPI_0`.
pub struct Spi(());

impl Spi {
    pub(crate) fn new() -> Self {
        Spi(())
    }

    /// One command: sends `command`, then `data`, then receives `answer`. In all at most
    /// [`COMMAND_MAX`] bytes.
    pub fn transfer(&mut self, command: &[u8], data: &[u8], answer: &mut [u8]) {
        let count = command.len() + data.len() + answer.len();
        debug_assert!(count <= COMMAND_MAX);
        Registers.write(CONTROL, 0);
        Registers.write(FRAME_SIZE, 8);
        let control = ENABLE | MASTER | SELECT_THROUGHOUT | DEEP;
        Registers.write(CONTROL, control | (count as u32) << COUNT_SHIFT);
        for burst in command.chunks(BURST).chain(data.chunks(BURST)) {
            burst.iter().for_each(|byte| Registers.write(TRANSMIT, u32::from(*byte)));
            burst.iter().for_each(|_| _ = receive());
        }
        for burst in answer.chunks_mut(BURST) {
            burst.iter().for_each(|_| Registers.write(TRANSMIT, 0));
            burst.iter_mut().for_each(|byte| *byte = receive());
        }
    }
}

/// The next frame. It is on its way: a frame takes less than a microsecond, no time to sleep.
fn receive() -> u8 {
    while Registers.read(STATUS) & RECEIVE_EMPTY != 0 {}
    Registers.read(RECEIVE) as u8
}
