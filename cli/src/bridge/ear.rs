//! Listening on a line: requests, and the console between them.

use std::io::Result;

use coreota::link::serial::frame::{Decoder, Got, Request};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Said;

/// A longer request is noise: no device has as much to say.
const LONGEST: usize = 8 * 1024;
/// A longer line of text is told in parts.
const LINE_MAX: usize = 512;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) request: Request,
    pub(super) number: u8,
    pub(super) body: Vec<u8>,
}

pub(super) struct Ear<R> {
    reader: R,
    decoder: Decoder<Vec<u8>>,
    /// What was read, and how much of it was heard.
    chunk: [u8; 256],
    filled: usize,
    heard: usize,
    text: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Ear<R> {
    pub(super) fn new(reader: R) -> Self {
        let decoder = Decoder::new(vec![0; LONGEST]);
        Ear { reader, decoder, chunk: [0; 256], filled: 0, heard: 0, text: Vec::new() }
    }

    /// The next request; `None` where the line ends. Dropped before it is done, it has lost nothing.
    pub(super) async fn hear(&mut self, say: &mut impl FnMut(Said<'_>)) -> Result<Option<Heard>> {
        loop {
            while let Some(byte) = self.chunk[..self.filled].get(self.heard) {
                self.heard += 1;
                match self.decoder.push(*byte) {
                    Got::Nothing => {}
                    Got::Text(character) => self.write(character, say),
                    Got::Frame => {
                        let frame = self.decoder.frame();
                        let request =
                            frame.and_then(|frame| Some((Request::of(frame.kind)?, frame)));
                        if let Some((request, frame)) = request {
                            let (number, body) = (frame.number, frame.body.to_vec());
                            return Ok(Some(Heard { request, number, body }));
                        }
                    }
                }
            }
            (self.filled, self.heard) = (0, 0);
            self.filled = self.reader.read(&mut self.chunk).await?;
            if self.filled == 0 {
                return Ok(None);
            }
        }
    }

    fn write(&mut self, character: u8, say: &mut impl FnMut(Said<'_>)) {
        if matches!(character, b' '..=b'~' | b'\t') {
            self.text.push(character);
        }
        if character == b'\n' || self.text.len() >= LINE_MAX {
            say(Said::Console(&String::from_utf8_lossy(&self.text)));
            self.text.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coreota::link::serial::frame::encode;

    fn hear(bytes: &[u8]) -> (Vec<Heard>, Vec<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (mut requests, mut lines) = (Vec::new(), Vec::new());
        let mut ear = Ear::new(bytes);
        let mut say = |said: Said<'_>| {
            if let Said::Console(line) = said {
                lines.push(line.to_owned());
            }
        };
        while let Some(heard) = runtime.block_on(ear.hear(&mut say)).expect("no error") {
            requests.push(heard);
        }
        (requests, lines)
    }

    #[test]
    fn text_requests_and_noise_are_told_apart() {
        let topic: &[u8] = b"\xc0\xdb\x00a topic";
        let frame: Vec<u8> = encode(Request::Subscribe as u8, 7, &[topic]).collect();
        let mut damaged = frame.clone();
        damaged[5] ^= 4;
        let half = &frame[..6];
        let line = [b"boot\r\nhalf a ", &frame[..], b"line\n", &damaged, half, &frame].concat();
        let (requests, lines) = hear(&line);
        let request = || Heard { request: Request::Subscribe, number: 7, body: topic.to_vec() };
        assert_eq!(requests, [request(), request()]);
        assert_eq!(lines, ["boot", "half a line"]);
    }

    #[test]
    fn what_is_longer_than_any_request_is_passed_over() {
        let long = vec![1; LONGEST + 1];
        let frame = |body: &[u8]| encode(Request::Publish as u8, 1, &[body]).collect::<Vec<u8>>();
        let (requests, _) = hear(&[frame(&long), frame(b"short")].concat());
        assert_eq!(requests.iter().map(|heard| heard.body.len()).collect::<Vec<_>>(), [5]);
    }
}
