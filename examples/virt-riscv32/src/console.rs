//! The console: lines of text out of the UART, a 16550.

use crate::register::Block::Uart;
use crate::time;
use coreota::wire::Writer;

const TRANSMIT: u32 = 0;
const FIFO_CONTROL: u32 = 2;
const LINE_STATUS: u32 = 5;
const FIFO_ON: u8 = 1 << 0;
/// The transmit FIFO is empty.
const EMPTY: u8 = 1 << 5;
const FIFO: usize = 16;
const LINE_MAX: usize = 192;

pub(crate) fn start() {
    Uart.write_byte(FIFO_CONTROL, FIFO_ON);
}

/// Writes a line; what does not fit in 192 bytes is left out altogether.
pub fn line(write: impl FnOnce(&mut Writer<'_>)) {
    let mut buffer = [0; LINE_MAX];
    let mut line = Writer::new(&mut buffer);
    write(&mut line);
    line.text("\r\n");
    let bytes = line.finish().unwrap_or(b"(a long line)\r\n");
    for burst in bytes.chunks(FIFO) {
        while Uart.read_byte(LINE_STATUS) & EMPTY == 0 {
            time::sleep_ms(1);
        }
        burst.iter().for_each(|byte| Uart.write_byte(TRANSMIT, *byte));
    }
}
