//! The console: lines of text out of `MMUART_0`, a 16550 with registers four bytes apart.

use crate::register::Block::Uart;
use coreota::wire::Writer;

const TRANSMIT: u16 = 0x00;
const LINE_STATUS: u16 = 0x14;
/// The transmit FIFO is empty.
const EMPTY: u32 = 1 << 5;
const FIFO: usize = 16;
const LINE_MAX: usize = 192;

/// Writes a line; what does not fit in 192 bytes is left out altogether.
pub fn line(write: impl FnOnce(&mut Writer<'_>)) {
    let mut buffer = [0; LINE_MAX];
    let mut line = Writer::new(&mut buffer);
    write(&mut line);
    line.text("\r\n");
    let bytes = line.finish().unwrap_or(b"(a long line)\r\n");
    for burst in bytes.chunks(FIFO) {
        while Uart.read(LINE_STATUS) & EMPTY == 0 {
            cortex_m::asm::wfi();
        }
        burst.iter().for_each(|byte| Uart.write(TRANSMIT, u32::from(*byte)));
    }
}
