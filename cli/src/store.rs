//! The state folder of a provider (default `./.ota/`): what it remembers, the images it serves, and
//! where it can be reached while it runs.
//!
//! ```text
//! .ota/state.json          everything it remembers; replaced as a whole, never half written
//! .ota/images/SHA256.bin   the images of its streams
//! .ota/provider.lock       locked while a provider runs
//! .ota/provider.json       how commands reach the running provider; gone when it stops
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Exit, Result};
use crate::provider::Images;
use crate::provider::state::{FORMAT, State};

/// Where commands look for a provider when not told otherwise.
pub(crate) const DEFAULT_DIR: &str = "./.ota";

/// The folder, held by the one provider that runs on it.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    /// Unlocked when dropped, by the system even when the process is killed.
    _lock: File,
}

/// How to reach a running provider; only the folder's owner may read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Address of the control socket, on this machine.
    pub(crate) control: String,
    /// Proves that the caller may read the folder.
    pub(crate) token: String,
    /// The broker the devices are on.
    pub(crate) broker: String,
}

impl Store {
    /// Makes the folder if needed, takes it for this process, and reads what was saved.
    pub(crate) fn open(dir: &Path) -> Result<(Self, State)> {
        let writable = "choose a writable folder with --state";
        fs::create_dir_all(dir.join("images"))
            .map_err(|error| Error::file("create", dir, error).fix(writable))?;
        let path = dir.join("provider.lock");
        let lock = File::create(&path)
            .map_err(|error| Error::file("write", &path, error).fix(writable))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let what = format!("another provider is running on {}", dir.display());
                return Err(Error::new(Exit::File, what)
                    .fix("stop it, or give this one a folder of its own with --state"));
            }
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &path, error)),
        }
        let state = load(&dir.join("state.json"))?;
        Ok((Self { dir: dir.to_owned(), _lock: lock }, state))
    }

    /// Saves; when it returns, the state survives a power cut.
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        let json = serde_json::to_vec(state).expect("the state is plain data");
        let path = self.dir.join("state.json");
        write_whole(&path, &json, false).map_err(|error| {
            Error::file("save", &path, error).fix("make room or make it writable, then start again")
        })
    }

    /// Lets commands find this provider.
    pub(crate) fn announce(&self, endpoint: &Endpoint) -> Result<()> {
        let json = serde_json::to_vec(endpoint).expect("plain texts");
        let path = self.dir.join("provider.json");
        write_whole(&path, &json, true).map_err(|error| Error::file("write", &path, error))
    }

    /// The streams that cannot be served: an image of theirs is gone or has another size.
    pub(crate) fn damaged(&self, state: &State) -> Vec<String> {
        let images = self.images();
        let whole = |file: &crate::provider::state::File| {
            fs::metadata(images.path(&file.image)).is_ok_and(|kept| kept.len() == file.size)
        };
        let damaged = state.streams.iter().filter(|(_, stream)| !stream.files.values().all(whole));
        damaged.map(|(name, _)| name.clone()).collect()
    }

    /// The images of this folder.
    pub(crate) fn images(&self) -> ImageFolder {
        ImageFolder::of(&self.dir)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Left behind, it would only make commands say that nobody answers.
        let _ = fs::remove_file(self.dir.join("provider.json"));
    }
}

fn load(path: &Path) -> Result<State> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    let begin_anew = format!("put a good copy in its place, or move {} away", path.display());
    let state: State = serde_json::from_str(&text)
        .map_err(|error| Error::file("understand", path, error).fix(begin_anew.as_str()))?;
    if state.format != FORMAT {
        let why = format!("its format is {}, this tool reads {FORMAT}", state.format);
        return Err(Error::file("understand", path, why).fix(begin_anew));
    }
    Ok(state)
}

/// Where a provider on this folder can be reached.
pub(crate) fn endpoint(dir: &Path) -> Result<Endpoint> {
    let path = dir.join("provider.json");
    match fs::read(&path) {
        Ok(json) => {
            serde_json::from_slice(&json).map_err(|error| Error::file("understand", &path, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(no_provider(dir)),
        Err(error) => Err(Error::file("read", &path, error)),
    }
}

/// Nobody serves this folder.
pub(crate) fn no_provider(dir: &Path) -> Error {
    Error::new(Exit::Network, format!("no provider is running on {}", dir.display()))
        .fix("start one with `cargo ota serve`, or name its folder with --state")
}

/// Images by digest.
#[derive(Debug, Clone)]
pub(crate) struct ImageFolder(PathBuf);

impl ImageFolder {
    /// The images in the state folder `dir`.
    pub(crate) fn of(dir: &Path) -> Self {
        Self(dir.join("images"))
    }

    /// Keeps an image; gives its SHA-256 in hex, which is its name from now on.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<String> {
        let name = hex(&Sha256::digest(bytes));
        let path = self.path(&name);
        match fs::read(&path) {
            Ok(kept) if kept == bytes => {}
            _ => write_whole(&path, bytes, false).map_err(|error| {
                Error::file("copy the image to", &path, error)
                    .fix("make room, or make the folder writable")
            })?,
        }
        Ok(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.bin"))
    }
}

impl Images for ImageFolder {
    fn read(&self, image: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(image))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes beside, flushes to the medium, and moves into place: the file is the old one or the new one.
fn write_whole(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The new name lasts only when the folder is flushed too; not every system can.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of the test's own, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ota-store-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            Self(dir)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let folder = Folder::new("saved");
        let (store, mut state) = Store::open(&folder.0).expect("a new folder");
        state.things.insert("a".to_owned(), Default::default());
        store.save(&state).expect("writable");
        drop(store);
        assert_eq!(Store::open(&folder.0).expect("its own folder").1, state);
    }

    #[test]
    fn a_folder_has_one_provider() {
        let folder = Folder::new("one");
        let first = Store::open(&folder.0).expect("a new folder");
        let second = Store::open(&folder.0).expect_err("taken");
        assert!(second.what.starts_with("another provider is running on"), "{second}");
        drop(first);
        Store::open(&folder.0).expect("free again");
    }

    #[test]
    fn a_damaged_or_foreign_state_is_named_and_not_touched() {
        let folder = Folder::new("damaged");
        drop(Store::open(&folder.0).expect("a new folder"));
        let path = folder.0.join("state.json");
        for text in ["{\"format\":1,", r#"{"format":9,"things":{},"jobs":{},"streams":{}}"#, ""] {
            fs::write(&path, text).expect("writable");
            let error = Store::open(&folder.0).expect_err("not a state");
            assert!(error.what.contains("state.json") && error.fix.is_some(), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
        }
    }

    #[test]
    fn an_image_is_kept_under_its_digest() {
        let folder = Folder::new("image");
        let (store, _) = Store::open(&folder.0).expect("a new folder");
        let name = store.images().put(b"abc").expect("writable");
        assert!(name.starts_with("ba7816bf"), "{name}");
        assert_eq!(store.images().read(&name, 1, 2).expect("kept"), b"bc");
        assert!(store.images().read(&name, 1, 3).is_err(), "past the end");
    }

    #[test]
    fn without_a_provider_the_error_says_how_to_start_one() {
        let folder = Folder::new("none");
        let error = endpoint(&folder.0).expect_err("nobody there");
        assert_eq!(error.exit, Exit::Network);
        assert!(error.to_string().contains("cargo ota serve"));
    }
}
