//! A board of `ota.toml` as its device has it: rules, parsers, and what the bootloader takes.
//! Commands judge with the code of the device itself; nothing is decided here a second time.

use coreota::descriptor::Algorithm;
use coreota::error::Failure;
use coreota::field;
use coreota::image::{About, Signer, Unbuildable, mcuboot, trailer};
use coreota::parser::afr_ota::{AfrOta, Sha1};
use coreota::parser::table::{Coded, Signed, Table, TableSpec};
use coreota::parser::{Parse, Parser};
use coreota::verify::formats::{Mcuboot, Trailer};
use coreota::verify::{Claim, EcdsaP256, Ed25519, Key, Native, Rules, Verified, check};
use coreota::version::Version;
use coreota_config::keys::{self, BoardRule, Bootloader, Image, Older};
use coreota_config::model::{Device, Model};

use crate::error::{Error, Exit, Result};
use crate::keys::word;
use crate::plugin::room::Room;

/// How an image carries what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// MCUboot's image.
    Mcuboot,
    /// Our trailer behind the payload.
    Trailer,
}

impl Format {
    /// As the command line writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Format::Mcuboot => "mcuboot",
            Format::Trailer => "trailer",
        }
    }

    /// An image of this payload.
    pub(crate) fn image(
        self,
        payload: &[u8],
        about: &About<'_>,
        header: u16,
        signers: &[Signer],
    ) -> std::result::Result<Vec<u8>, Unbuildable> {
        match self {
            Format::Mcuboot => mcuboot(payload, about, header, signers),
            Format::Trailer => trailer(payload, about, signers),
        }
    }
}

/// MCUboot's usual header: Cortex-M vector tables want to start at a multiple of 1 KiB.
pub(crate) const HEADER: u16 = 1024;

/// A board, ready to judge.
pub(crate) struct Board {
    pub(crate) rules: Rules,
    pub(crate) format: Format,
    /// Of an MCUboot image, in bytes.
    pub(crate) header: u16,
    /// Largest image, in bytes.
    pub(crate) capacity: u32,
    /// Block of a download, in bytes.
    pub(crate) block: u32,
    /// In the order they are asked.
    pub(crate) parsers: Vec<Box<dyn Parser>>,
    /// For plugins; `None` where none may come.
    pub(crate) plugins: Option<Room>,
}

impl Board {
    /// The board of that name.
    pub(crate) fn named(model: &Model, name: &str) -> Result<Self> {
        let Some(device) = model.device(name) else {
            let names: Vec<&str> =
                model.boards.iter().map(|device| device.name.value.as_str()).collect();
            let what = format!("{} declares no board `{name}`", model.path);
            return Err(Error::new(Exit::File, what)
                .fix(format!("give one of its boards: {}", names.join(", "))));
        };
        Ok(Self::of(device, model.product.security_counter.value.0))
    }

    /// The board as declared; it runs version 0.0.0 until told another.
    fn of(device: &Device, counter: u32) -> Self {
        let (format, header) = match &device.bootloader.value {
            Bootloader::Mcuboot(mcuboot) => {
                (Format::Mcuboot, mcuboot.header.value.0.try_into().unwrap_or(HEADER))
            }
            Bootloader::EmbassyBoot(_) => (Format::Trailer, HEADER),
            Bootloader::Custom(custom) => match custom.image.value {
                Image::Mcuboot => (Format::Mcuboot, HEADER),
                Image::Trailer => (Format::Trailer, HEADER),
            },
        };
        let require = device.verify.require.0.iter().flatten();
        let rules = Rules {
            require: require.map(|at| algorithm(at.value)).collect::<Vec<_>>().leak(),
            keys: trusted(device, keys::Role::Image),
            board: leak(&device.name.value),
            board_required: device.verify.board.value == BoardRule::Require,
            running: Version::default(),
            older_allowed: device.verify.older.value == Older::Allow,
            counter,
        };
        let of_plugins = Rules {
            keys: trusted(device, keys::Role::Plugin),
            board_required: false,
            older_allowed: true,
            counter: 0,
            ..rules
        };
        Board {
            rules,
            plugins: Room::of(device, of_plugins),
            format,
            header,
            capacity: device.layout.image.len,
            block: device.stream.block_size.value.0,
            parsers: device
                .parsers
                .iter()
                .filter_map(|parser| self::parser(&parser.value))
                .collect(),
        }
    }

    /// A signed image that its board would refuse is not worth writing.
    pub(crate) fn judge(&self, image: &[u8]) -> Result<()> {
        self.judge_by(&self.rules, image)
    }

    /// The same, whatever its version.
    pub(crate) fn judge_any_version(&self, image: &[u8]) -> Result<()> {
        self.judge_by(&Rules { older_allowed: true, ..self.rules }, image)
    }

    fn judge_by(&self, rules: &Rules, image: &[u8]) -> Result<()> {
        let claim = Claim::image(image.len() as u32);
        let Err(why) = self.verify_by(rules, &claim, image) else { return Ok(()) };
        let required = self.rules.require.iter().map(|algorithm| word(*algorithm));
        let trusted = self.rules.keys.iter().map(|key| key.id);
        let what = format!("{} would refuse the image: {}", self.rules.board, why.text());
        Err(Error::new(Exit::No, what).fix(format!(
            "sign with {} by a key it trusts: {}",
            required.collect::<Vec<_>>().join(" and "),
            trusted.collect::<Vec<_>>().join(", "),
        )))
    }

    /// What the verifier of the device says of a file in its slot.
    pub(crate) fn verify(
        &self,
        claim: &Claim,
        file: &[u8],
    ) -> std::result::Result<Verified, Failure> {
        self.verify_by(&self.rules, claim, file)
    }

    fn verify_by(
        &self,
        rules: &Rules,
        claim: &Claim,
        file: &[u8],
    ) -> std::result::Result<Verified, Failure> {
        if file.len() > self.capacity as usize {
            return Err(Failure::TooLarge);
        }
        type Both = (EcdsaP256, Ed25519);
        match self.format {
            Format::Mcuboot => check(&mut Native::<Mcuboot, Both>::new(), rules, claim, file),
            Format::Trailer => check(&mut Native::<Trailer, Both>::new(), rules, claim, file),
        }
    }
}

/// The keys that may sign this.
fn trusted(device: &Device, role: keys::Role) -> &'static [Key] {
    let keys = device.keys.iter().filter(|key| key.roles.contains(&role));
    let keys = keys.map(|key| Key {
        id: leak(&key.id.value),
        algorithm: algorithm(key.algorithm),
        bytes: key.bytes.clone().leak(),
    });
    keys.collect::<Vec<_>>().leak()
}

/// The parsers of a device that was told nothing.
pub(crate) fn default_parsers() -> Vec<Box<dyn Parser>> {
    vec![Box::new(AfrOta::new(Sha1::Refuse))]
}

/// Asks one parser after the other; tells those that declined.
pub(crate) fn parse<'a>(
    parsers: &'a mut [Box<dyn Parser>],
    document: &'a [u8],
    declined: &mut Vec<(&'static str, Failure)>,
) -> (&'static str, Parse<'a>) {
    for parser in parsers {
        let name = leak(parser.name());
        match parser.parse(document, 0) {
            Parse::NotMine(why) => declined.push((name, why)),
            verdict => return (name, verdict),
        }
    }
    ("", Parse::NotMine(Failure::UnknownJob))
}

fn parser(parser: &keys::Parser) -> Option<Box<dyn Parser>> {
    match parser {
        keys::Parser::AfrOta(afr) => Some(Box::new(AfrOta::new(match afr.sha1.value {
            keys::Sha1::Refuse => Sha1::Refuse,
            keys::Sha1::Accept => Sha1::Accept,
        }))),
        keys::Parser::Table(table) => Some(Box::new(Table::new(Box::leak(Box::new(spec(table)))))),
        // What is in the slot of a plugin is not in the file.
        keys::Parser::PluginParser(_) => None,
    }
}

fn spec(table: &keys::Table) -> TableSpec<'static> {
    let pointer = |at: &Option<coreota_config::values::Pointer>| at.as_ref().map(|at| leak(&at.0));
    TableSpec {
        name: leak(&table.name.0),
        size: leak(&table.size.0),
        file: pointer(&table.file_id.value),
        stream: pointer(&table.stream.value),
        url: pointer(&table.url.value),
        sha256: table.sha256.as_ref().map(|digest| Coded {
            path: leak(&digest.path.0),
            coding: coding(digest.encoding.value),
        }),
        signature: table.signature.as_ref().map(|signature| Signed {
            path: leak(&signature.path.0),
            coding: coding(signature.encoding.value),
            algorithm: algorithm(signature.algorithm.value),
        }),
        version: pointer(&table.version.value),
        board: pointer(&table.board.value),
        protocol: pointer(&table.protocol.value),
    }
}

fn coding(coding: keys::Coding) -> field::Coding {
    match coding {
        keys::Coding::Hex => field::Coding::Hex,
        keys::Coding::Base64 => field::Coding::Base64,
    }
}

fn algorithm(algorithm: keys::Algorithm) -> Algorithm {
    match algorithm {
        keys::Algorithm::EcdsaP256 => Algorithm::EcdsaP256,
        keys::Algorithm::Ed25519 => Algorithm::Ed25519,
    }
}

/// A device has its configuration in flash, for ever; here it lives as long as the command.
fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// `1.2.3+4`
pub(crate) fn spelt(version: Version) -> String {
    let Version { major, minor, revision, build } = version;
    match build {
        0 => format!("{major}.{minor}.{revision}"),
        _ => format!("{major}.{minor}.{revision}+{build}"),
    }
}
