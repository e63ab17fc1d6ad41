//! The UART: the serial line to the bridge, at 115200 baud, and lines of text on it.
//!
//! It keeps six bytes that nobody took; more are lost. So the bridge speaks only when it is asked,
//! and what is lost all the same is asked for again.

use crate::register::Block::Uart;
use crate::time;
use coreota::link::serial::{Line, frame};
use coreota::wire::Writer;

const START_RECEIVER: u16 = 0x000;
const START_TRANSMITTER: u16 = 0x008;
const RECEIVED: u16 = 0x108;
const TRANSMITTED: u16 = 0x11c;
const ENABLE_INTERRUPT: u16 = 0x304;
const ENABLE: u16 = 0x500;
const PIN_TRANSMIT: u16 = 0x50c;
const PIN_RECEIVE: u16 = 0x514;
const RECEIVE: u16 = 0x518;
const TRANSMIT: u16 = 0x51c;
const RATE: u16 = 0x524;

const ENABLED: u32 = 4;
const BAUD_115200: u32 = 0x01d7_e000;
const ON_BOTH: u32 = 1 << 2 | 1 << 7;
/// Pins of the micro:bit that its USB interface is on.
const PIN_24: u32 = 24;
const PIN_25: u32 = 25;

/// A millisecond is eleven bytes long.
const BYTE_MS: u32 = 1;
const LINE_MAX: usize = 160;

pub(crate) fn start() {
    Uart.write(PIN_TRANSMIT, PIN_24);
    Uart.write(PIN_RECEIVE, PIN_25);
    Uart.write(RATE, BAUD_115200);
    Uart.write(ENABLE, ENABLED);
    Uart.write(ENABLE_INTERRUPT, ON_BOTH);
    // The bootloader may have left them.
    Uart.write(TRANSMITTED, 0);
    Uart.write(RECEIVED, 0);
    Uart.write(START_TRANSMITTER, 1);
    Uart.write(START_RECEIVER, 1);
    send(frame::END);
}

fn send(byte: u8) {
    Uart.write(TRANSMIT, byte.into());
    while Uart.read(TRANSMITTED) == 0 {
        time::sleep(BYTE_MS);
    }
    // What stays set would end every sleep.
    Uart.write(TRANSMITTED, 0);
}

fn take() -> Option<u8> {
    if Uart.read(RECEIVED) == 0 {
        return None;
    }
    // In this order: the next byte sets it again.
    Uart.write(RECEIVED, 0);
    Some(Uart.read(RECEIVE) as u8)
}

/// Throws away what came that nobody asked for: it too would end every sleep.
pub(crate) fn ignore() {
    while take().is_some() {}
}

/// The line to the bridge.
pub struct Serial;

impl Line for Serial {
    async fn send(&mut self, byte: u8) {
        send(byte);
    }

    async fn receive(&mut self, within_ms: u32) -> Option<u8> {
        let began = time::now_ms();
        loop {
            let byte = take();
            let over = time::now_ms().wrapping_sub(began);
            if byte.is_some() || over >= within_ms {
                return byte;
            }
            time::sleep(within_ms - over);
        }
    }
}

/// Writes a line of text, which the bridge tells from messages; what does not fit in 160 bytes is
/// left out altogether.
pub fn line(write: impl FnOnce(&mut Writer<'_>)) {
    let mut buffer = [0; LINE_MAX];
    let mut line = Writer::new(&mut buffer);
    write(&mut line);
    line.text("\r\n");
    line.finish().unwrap_or(b"(a long line)\r\n").iter().for_each(|byte| send(*byte));
}
