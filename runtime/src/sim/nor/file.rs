//! The file behind a flash, so that it outlasts its process.
//! Only bytes are kept: wear, counts, the fuse and weak bits are of one process
//! (a weak bit is a 1 when the file is opened again).

use super::{NorError, SimNor};
use std::format;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::vec;
use std::vec::Vec;

#[derive(Debug)]
pub(super) struct Backing {
    file: File,
    path: PathBuf,
}

impl Backing {
    /// Opens the file, or makes one of `size` bytes, all erased; and gives what is in it.
    fn open(path: &Path, size: usize) -> Result<(Self, Vec<u8>), NorError> {
        let failed = |doing: &str, error: io::Error| {
            NorError::File(format!("flash file {}: cannot {doing}: {error}", path.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| failed("open it for reading and writing", error))?;
        let mut bytes = Vec::new();
        // One more than fits, to see that a file is too long without reading what never ends.
        (&file)
            .take(size as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed("read it", error))?;
        if bytes.is_empty() {
            bytes = vec![0xff; size];
            // All bytes now, not a hole: a disk without room must be known before an update.
            if let Err(error) = file.write_all(&bytes) {
                // Not left behind half long: the next start would take it for another flash.
                drop(std::fs::remove_file(path));
                return Err(failed(&format!("make it {size} bytes long"), error));
            }
        }
        if bytes.len() != size {
            return Err(NorError::File(format!(
                "flash file {}: it is {} than the {size} bytes of this flash; \
                 give another file, or remove it to begin with an erased flash",
                path.display(),
                if bytes.len() < size { "shorter" } else { "longer" },
            )));
        }
        Ok((Self { file, path: path.to_path_buf() }, bytes))
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) -> Result<(), NorError> {
        let seek = self.file.seek(SeekFrom::Start(at as u64));
        seek.and_then(|_| self.file.write_all(bytes)).map_err(|error| {
            NorError::File(format!("flash file {}: cannot write it: {error}", self.path.display()))
        })
    }
}

impl<const W: usize, const E: usize, const R: usize> SimNor<W, E, R> {
    /// A flash whose bytes are those of the file at `path`; a new file is an erased flash.
    /// What is programmed and erased is in the file when the call returns, so that a process may
    /// be killed at any moment and started again.
    pub fn open(path: impl AsRef<Path>, capacity: usize) -> Result<Self, NorError> {
        let mut nor = Self::new(capacity);
        let (file, bytes) = Backing::open(path.as_ref(), nor.size())?;
        nor.place(0, &bytes)?;
        nor.file = Some(file);
        Ok(nor)
    }
}
