//! The rules of a `get` request: bounds, and which blocks it asks for.

use super::{Code, Fields, REQUEST_MAX, Rejection, Value};

/// Bytes of a client token.
const TOKEN_MAX: usize = 64;
/// Bytes of a block.
const BLOCK_SIZE: std::ops::RangeInclusive<i128> = 256..=131_072;
/// The largest offset and count: 24 MB in blocks of 256 bytes.
const BLOCKS_MAX: i128 = 98_304;
/// A bitmap has fewer bytes than this.
const BITMAP_MAX: usize = 12_288;

/// A `get` request within its bounds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Get<'a> {
    pub(super) token: Option<&'a str>,
    pub(super) version: Option<i128>,
    pub(super) file: u8,
    pub(super) block_size: u64,
    offset: u64,
    /// 0: not limited, or not given.
    count: u64,
    bitmap: Option<&'a [u8]>,
}

/// The client token of any request.
pub(super) fn token(fields: &Fields) -> Result<Option<&str>, Rejection> {
    match fields.get("c") {
        None => Ok(None),
        Some(Value::Text(token)) if token.len() <= TOKEN_MAX => Ok(Some(token)),
        Some(_) => invalid(format!("c must be text of at most {TOKEN_MAX} bytes.")),
    }
}

impl<'a> Get<'a> {
    pub(super) fn read(fields: &'a Fields) -> Result<Self, Rejection> {
        let token = token(fields)?;
        let version = int(fields, "s")?;
        let file = int(fields, "f")?.map(u8::try_from);
        let Some(Ok(file)) = file else { return invalid("f must be given, 0 to 255.") };
        let Some(block_size) = int(fields, "l")? else { return invalid("l must be given.") };
        if !BLOCK_SIZE.contains(&block_size) {
            let message = "The block size must be 256 to 131072 bytes.";
            return Err(Rejection::new(Code::BlockSizeOutOfBounds, message));
        }
        let offset = bounded(fields, "o", Code::OffsetOutOfBounds)?;
        let count = bounded(fields, "n", Code::BlockCountLimitExceeded)?;
        let bitmap = match fields.get("b") {
            None => None,
            Some(Value::Bytes(bitmap)) if bitmap.len() < BITMAP_MAX => Some(bitmap.as_slice()),
            Some(Value::Bytes(_)) => {
                let message = "The bitmap must have fewer than 12288 bytes.";
                return Err(Rejection::new(Code::BlockBitmapLimitExceeded, message));
            }
            Some(_) => return invalid("b must be a bitmap: bytes in CBOR, hex digits in JSON."),
        };
        if count == 0 && bitmap.is_none() {
            return invalid("n or b must say which blocks are wanted.");
        }
        Ok(Self { token, version, file, block_size: block_size as u64, offset, count, bitmap })
    }

    /// The blocks this request is answered with: those asked for, up to the count, up to 128 KB.
    pub(super) fn blocks(&self, file_size: u64) -> Result<Vec<u64>, Rejection> {
        let most = REQUEST_MAX / self.block_size;
        let most = if self.count == 0 { most } else { most.min(self.count) } as usize;
        let blocks: Vec<u64> = match self.bitmap {
            None => (self.offset..).take(most).collect(),
            Some(bitmap) => set_bits(bitmap).map(|bit| self.offset + bit).take(most).collect(),
        };
        let in_file = file_size.div_ceil(self.block_size);
        match blocks.iter().find(|&&block| block >= in_file) {
            Some(block) => invalid(format!("Block {block} is outside the file of {in_file}.")),
            None if blocks.is_empty() => invalid("The bitmap asks for no block."),
            None => Ok(blocks),
        }
    }
}

/// Byte k, bit j, least significant first, is 8k + j.
fn set_bits(bitmap: &[u8]) -> impl Iterator<Item = u64> {
    (0u64..)
        .zip(bitmap)
        .flat_map(|(k, byte)| (0..8).filter(move |j| byte >> j & 1 == 1).map(move |j| 8 * k + j))
}

fn int(fields: &Fields, key: &str) -> Result<Option<i128>, Rejection> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::Int(int)) => Ok(Some(*int)),
        Some(_) => invalid(format!("{key} must be an integer.")),
    }
}

fn bounded(fields: &Fields, key: &str, code: Code) -> Result<u64, Rejection> {
    match int(fields, key)?.unwrap_or(0) {
        value @ 0..=BLOCKS_MAX => Ok(value as u64),
        _ => Err(Rejection::new(code, format!("{key} must be 0 to {BLOCKS_MAX}."))),
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::new(Code::InvalidRequest, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_bitmap_means_20_21_24_and_43() {
        let bits: Vec<u64> = set_bits(&[0x13, 0x00, 0x80]).map(|bit| 20 + bit).collect();
        assert_eq!(bits, [20, 21, 24, 43]);
    }
}
