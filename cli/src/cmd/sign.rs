//! `cargo ota sign`: makes a signed image of what a linker made, or signs a file from outside.

use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::{Args, ValueEnum};
use coreota::image::{About, Signer};
use coreota::version::Version;
use coreota_config::values::Sourced;
use serde_json::json;

use crate::board::{Board, Format, HEADER};
use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::ota_toml;
use crate::out::Out;
use crate::store::hex;

/// Make a signed image: version, board and security counter inside the signed bytes
///
/// With --board alone, ota.toml says how that board's bootloader wants its images, and the result
/// is checked as the board will check it. With --format nothing but the command line counts.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// What to sign: the raw binary of the firmware (`objcopy -O binary`), without a header
    input: PathBuf,
    /// Where to write the image
    #[arg(required_unless_present = "detached", conflicts_with = "detached")]
    output: Option<PathBuf>,
    /// Private key to sign with, in PEM; several for several signatures
    #[arg(long, value_name = "PEM", required = true)]
    key: Vec<PathBuf>,
    /// Version of the image [default: that of ota.toml, where it is written there]
    #[arg(long, value_name = "1.2.3+4", value_parser = version)]
    version: Option<Version>,
    /// Board the image is for
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Security counter: devices refuse images with a lower one than they run [default: that of
    /// ota.toml, or none]
    #[arg(long, value_name = "N")]
    counter: Option<u32>,
    /// Where the board is declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    config: PathBuf,
    /// How the image carries what is signed, without ota.toml
    #[arg(long, value_enum, required_unless_present_any = ["board", "detached"])]
    format: Option<Kind>,
    /// Bytes of the MCUboot header, which the firmware must be linked behind
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "format")]
    header: Option<u32>,
    /// Bytes of the slot: a larger image is an error
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "format")]
    slot_size: Option<u32>,
    /// Write no image: print a signature over the whole file, as job documents carry it
    #[arg(long, conflicts_with_all = ["version", "board", "counter", "format"])]
    detached: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// MCUboot's header and records
    Mcuboot,
    /// Payload first, then coreota's trailer: embassy-boot and others
    Trailer,
}

/// How and for whom.
struct Target {
    format: Format,
    header: u16,
    capacity: Option<u32>,
    version: Option<Version>,
    counter: Option<u32>,
    /// The board itself, where ota.toml declares it.
    board: Option<Board>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let signers: Vec<Signer> =
            self.key.iter().map(|path| keys::private(path)).collect::<Result<_>>()?;
        let input = fs::read(&self.input)
            .map_err(|error| Error::file("read", &self.input, error).fix("check the path"))?;
        let Some(output) = &self.output else {
            return detached(&self.input, &input, &signers, out);
        };
        let target = self.target(out)?;
        let image = self.build(&target, &input, &signers)?;
        if let Some(board) = &target.board {
            board.judge(&image)?;
        }
        fs::write(output, &image).map_err(|error| {
            Error::file("write", output, error).fix("give a path that can be written to")
        })?;
        let digest = hex(&coreota::verify::Hash::of(&image));
        let fields = json!({
            "image": output, "format": target.format.word(), "size": image.len(), "sha256": digest,
            "board": self.board, "counter": target.counter,
            "keys": signers.iter().map(|key| hex(&key.fingerprint())).collect::<Vec<_>>(),
        });
        let checked = match target.board {
            Some(_) => "; the board's verifier takes it",
            None => "",
        };
        let line = format!(
            "{}  {} bytes, {}, sha256 {digest}{checked}",
            output.display(),
            image.len(),
            target.format.word(),
        );
        out.event("signed", &fields, line);
        Ok(())
    }

    fn target(&self, out: &Out) -> Result<Target> {
        if let Some(kind) = self.format {
            let format = match kind {
                Kind::Mcuboot => Format::Mcuboot,
                Kind::Trailer => Format::Trailer,
            };
            let header = self.header.unwrap_or(HEADER.into());
            let header = header.try_into().map_err(|_| {
                Error::new(Exit::File, format!("an MCUboot header of {header} bytes"))
                    .fix("a header has 32 to 65535 bytes; 0x400 suits Cortex-M")
            })?;
            let (version, counter) = (self.version, self.counter);
            let capacity = self.slot_size;
            return Ok(Target { format, header, capacity, version, counter, board: None });
        }
        let model = ota_toml::read(&self.config, out)?;
        let mut board = Board::named(&model, self.board.as_deref().unwrap_or_default())?;
        // Whether it is newer depends on the device; everything else does not.
        board.rules.older_allowed = true;
        let (format, header) = (board.format, board.header);
        let written = match &model.product.version.value {
            Sourced::Literal(literal) => Version::parse(&literal.0).ok(),
            Sourced::From(_) => None,
        };
        Ok(Target {
            format,
            header,
            capacity: Some(board.capacity),
            version: self.version.or(written),
            counter: self.counter.or(Some(board.rules.counter).filter(|counter| *counter > 0)),
            board: Some(board),
        })
    }

    fn build(&self, target: &Target, payload: &[u8], signers: &[Signer]) -> Result<Vec<u8>> {
        let Some(version) = target.version else {
            return Err(Error::file("sign", &self.input, "nothing says its version")
                .fix("give --version 1.2.3"));
        };
        let about = About { version, board: self.board.as_deref(), counter: target.counter };
        let built = target.format.image(payload, &about, target.header, signers);
        let image = built.map_err(|why| Error::file("sign", &self.input, why.text()))?;
        match target.capacity {
            Some(capacity) if image.len() > capacity as usize => {
                let what = format!("the image has {} bytes, its slot {capacity}", image.len());
                Err(Error::file("sign", &self.input, what).fix("make the firmware smaller"))
            }
            _ => Ok(image),
        }
    }
}

/// One base64 line a key.
fn detached(path: &Path, file: &[u8], signers: &[Signer], out: &Out) -> Result<()> {
    if file.is_empty() {
        return Err(Error::file("sign", path, "it is empty"));
    }
    for signer in signers {
        let signature = BASE64_STANDARD.encode(signer.detached(file));
        let fields = json!({ "algorithm": keys::word(signer.algorithm()), "signature": signature });
        out.event("signature", &fields, &signature);
    }
    Ok(())
}

pub(crate) fn version(text: &str) -> std::result::Result<Version, String> {
    Version::parse(text).map_err(|_| {
        "a version is MAJOR.MINOR.REVISION+BUILD of at most 255.255.65535+4294967295".into()
    })
}

/// `1024`, `0x400`, `1KiB`.
fn bytes(text: &str) -> std::result::Result<u32, String> {
    let (number, unit) = match text.find("KiB") {
        Some(at) if at + 3 == text.len() => (text[..at].trim(), 1024),
        _ => (text, 1),
    };
    let number = match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    };
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "a size is written 1024, 0x400 or 1KiB".into())
}
