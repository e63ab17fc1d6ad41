//! What a protocol plugin hears.

use crate::numbered;

/// Length of what stands before the bytes of an event's input, in bytes.
pub const INPUT_HEADER: usize = 20;

numbered! {
    /// What happened, the first argument of `ota_event`.
    ///
    /// `a` and `b` are bytes, `x`, `y` and `z` numbers of the [`Input`].
    pub enum Event: u32, "EVENT" {
        /// once, before anything else. a: name of the thing
        1 Start "START",
        /// connected; blocks: and opened. x: how many topics were told. Answer: SUBSCRIBE to the next
        2 Connected "CONNECTED",
        /// a message came. a: topic, b: payload; blocks: x first wanted block, y, z its bitmap
        3 Message "MESSAGE",
        /// blocks: a file is opened. a: its stream or URL; x: size, y: block length, z: its number
        4 Open "OPEN",
        /// blocks: blocks are wanted. x: first, y, z: bitmap, low word first. Answer: PUBLISH
        5 Wanted "WANTED",
        /// jobs: this job is the current one, as the journal says. a: its name
        6 Adopt "ADOPT",
        /// jobs: ask the provider. x: an ASK. Answer: PUBLISH
        7 Ask "ASK",
        /// jobs: report on the current job. x: a REPORT, which says what else. Answer: PUBLISH
        8 Report "REPORT",
        /// jobs: the job last offered is now the current one
        9 Take "TAKE",
        /// a REQUEST was answered. x: status, b: body. Kept for hosts with a request link
        10 Answered "ANSWERED",
        /// the time of a WAKE is over. Kept for hosts that keep a plugin's time
        11 Timer "TIMER",
    }
}

/// What stands in the input buffer at an event: `{u32 a_len, b_len, x, y, z}`, little-endian, then
/// `a`, then `b`, nothing between them or behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input<'i> {
    /// The first bytes, mostly a text.
    pub a: &'i [u8],
    /// The second bytes.
    pub b: &'i [u8],
    /// A number.
    pub x: u32,
    /// A number.
    pub y: u32,
    /// A number.
    pub z: u32,
}

impl<'i> Input<'i> {
    /// Its length in the input buffer, where that can be counted.
    pub fn len(&self) -> Option<u32> {
        let bytes = self.a.len().checked_add(self.b.len())?.checked_add(INPUT_HEADER)?;
        u32::try_from(bytes).ok()
    }

    /// Whether neither bytes nor numbers are in it.
    pub fn is_empty(&self) -> bool {
        *self == Input::default()
    }

    /// Writes it to the front of the input buffer; its length, or `None` where it does not fit.
    pub fn write(&self, into: &mut [u8]) -> Option<u32> {
        let len = self.len()?;
        let (header, bytes) = into.split_at_mut_checked(INPUT_HEADER)?;
        let lens = [u32::try_from(self.a.len()).ok()?, u32::try_from(self.b.len()).ok()?];
        let words = lens.into_iter().chain([self.x, self.y, self.z]);
        for (to, word) in header.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let (a, rest) = bytes.split_at_mut_checked(self.a.len())?;
        a.copy_from_slice(self.a);
        rest.get_mut(..self.b.len())?.copy_from_slice(self.b);
        Some(len)
    }

    /// Reads input of exactly these bytes.
    pub fn read(bytes: &'i [u8]) -> Option<Self> {
        let (header, bytes) = bytes.split_first_chunk::<INPUT_HEADER>()?;
        // Word by word: mapping the array makes copies of it in a plugin.
        let (words, []) = header.as_chunks() else { return None };
        let &[a_len, b_len, x, y, z] = words else { return None };
        let [a_len, b_len] = [u32::from_le_bytes(a_len), u32::from_le_bytes(b_len)];
        let [x, y, z] = [u32::from_le_bytes(x), u32::from_le_bytes(y), u32::from_le_bytes(z)];
        let (a, b) = bytes.split_at_checked(usize::try_from(a_len).ok()?)?;
        (b.len() == usize::try_from(b_len).ok()?).then_some(Input { a, b, x, y, z })
    }
}
