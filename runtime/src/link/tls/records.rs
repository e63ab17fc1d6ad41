//! The two halves of a TCP connection as the one stream that `embedded-tls` wants, and a look at each
//! record's header on the way.
//!
//! What TLS 1.3 does not allow ends the connection here, before the library sees it: records that are not
//! encrypted when all must be (RFC 8446, 5.1), and encrypted ones with nothing in them (5.4).

use core::cell::RefCell;
use embedded_io_async::{Error, ErrorKind, ErrorType, Read, Write};

/// Types of records (RFC 8446, 5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// What an encrypted record is longer than: its tag, and the byte of its real type.
const TAG: u16 = 16;

/// A receiving half that is looked at.
pub(super) struct Watched<R> {
    reader: R,
    header: [u8; 5],
    /// Bytes of the header that have come.
    have: usize,
    /// Bytes of the record that are still to come.
    left: usize,
    /// The server's hello has come: from here on everything is encrypted.
    greeted: bool,
}

impl<R> Watched<R> {
    pub(super) fn new(reader: R) -> Self {
        Watched { reader, header: [0; 5], have: 0, left: 0, greeted: false }
    }

    /// Whether these bytes may go on.
    fn may_pass(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            if self.left > 0 {
                let body = self.left.min(rest.len());
                self.left -= body;
                rest = rest.get(body..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.header.get_mut(self.have) {
                *place = *first;
            }
            self.have += 1;
            rest = behind;
            if self.have == self.header.len() {
                self.have = 0;
                let [kind, _, _, high, low] = self.header;
                let len = u16::from_be_bytes([high, low]);
                self.left = len.into();
                if !self.may_come(kind, len) {
                    return false;
                }
            }
        }
        true
    }

    fn may_come(&mut self, kind: u8, len: u16) -> bool {
        match kind {
            HANDSHAKE => !core::mem::replace(&mut self.greeted, true),
            ALERT => !self.greeted,
            // For old boxes on the way; says nothing.
            CHANGE_CIPHER_SPEC => len == 1,
            APPLICATION_DATA => self.greeted && len > TAG + 1,
            _ => false,
        }
    }
}

/// Both halves, to be held twice: by who reads and by who writes.
pub(super) struct Duplex<'d, R, W> {
    pub(super) reader: &'d RefCell<Watched<R>>,
    pub(super) writer: &'d RefCell<W>,
}

impl<R, W> Clone for Duplex<'_, R, W> {
    fn clone(&self) -> Self {
        Duplex { reader: self.reader, writer: self.writer }
    }
}

impl<R, W> ErrorType for Duplex<'_, R, W> {
    type Error = ErrorKind;
}

// Of the two that hold it one reads and the other writes: nobody comes for a half that is lent.
#[allow(clippy::await_holding_refcell_ref)]
impl<R: Read, W> Read for Duplex<'_, R, W> {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ErrorKind> {
        let mut watched = self.reader.try_borrow_mut().map_err(|_| ErrorKind::Other)?;
        let some = watched.reader.read(bytes).await.map_err(|error| error.kind())?;
        let came = bytes.get(..some).unwrap_or_default();
        if watched.may_pass(came) { Ok(some) } else { Err(ErrorKind::InvalidData) }
    }
}

#[allow(clippy::await_holding_refcell_ref)]
impl<R, W: Write> Write for Duplex<'_, R, W> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let mut writer = self.writer.try_borrow_mut().map_err(|_| ErrorKind::Other)?;
        writer.write(bytes).await.map_err(|error| error.kind())
    }

    /// TCP sends on by itself; to wait until all of it is acknowledged would only cost time.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the records, each of that type and length, pass.
    fn pass(records: &[(u8, u16)], piece: usize) -> usize {
        let mut watched = Watched::new(());
        let whole = |(kind, len): &(u8, u16)| {
            let [high, low] = len.to_be_bytes();
            let mut record = alloc::vec![*kind, 3, 3, high, low];
            record.resize(5 + usize::from(*len), 0x16);
            record
        };
        records
            .iter()
            .map(whole)
            .take_while(|record| record.chunks(piece).all(|bytes| watched.may_pass(bytes)))
            .count()
    }

    #[test]
    fn a_handshake_passes_and_nothing_in_the_clear_behind_it() {
        let hello = [(HANDSHAKE, 90), (CHANGE_CIPHER_SPEC, 1), (APPLICATION_DATA, 700)];
        for piece in [1, 2, 5, 6, 1000] {
            assert_eq!(pass(&hello, piece), 3);
            for (kind, len) in [
                (HANDSHAKE, 36),
                (ALERT, 2),
                (APPLICATION_DATA, 0),
                (APPLICATION_DATA, 16),
                (APPLICATION_DATA, 17),
                (CHANGE_CIPHER_SPEC, 0),
                (24, 30),
                (0, 1),
            ] {
                let behind = [hello.as_slice(), &[(kind, len)]].concat();
                assert_eq!(pass(&behind, piece), 3, "{kind} {len}");
            }
            let close = [hello.as_slice(), &[(APPLICATION_DATA, 19)]].concat();
            assert_eq!(pass(&close, piece), 4);
        }
        // A server that refuses the hello says so in the clear; data before it is nonsense.
        assert_eq!(pass(&[(ALERT, 2)], 5), 1);
        assert_eq!(pass(&[(APPLICATION_DATA, 700)], 5), 0);
    }
}
