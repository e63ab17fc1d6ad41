//! Every key of `ota.toml`: its name, type, unit, default, limits and meaning, each said once.
//! What keys mean together is checked in [`check`](mod@crate::check).

mod plugin;

pub use plugin::*;

use crate::define::{Choice, Named, Overlay, Part, choice, kinds, table};
use crate::diagnostic::At;
use crate::values::*;

table! {
    /// A firmware update pipeline: what it is for, where jobs and blocks come from, what is trusted, and the boards it runs on.
    pub struct Root {
        /// What the firmware is.
        product: Part<Product>,
        /// Where jobs come from and reports go to.
        job_source: Part<Vec<At<JobSource>>>,
        /// What reads job documents, in this order: the first parser that knows a document takes it.
        parser: Part<Vec<At<Parser>>>,
        /// How the blocks of an image are fetched.
        transport: Part<Transport>,
        /// What is decided on the device, and when.
        policy: Part<Policy> = {},
        /// What makes an image trusted.
        verify: Part<Verify>,
        /// What teaches a device a job format or a protocol it was not built with: compiled in, or over the air.
        plugin: Part<Option<Vec<At<Plugin>>>>,
        /// The boards the pipeline is built for, each under its name.
        board: Part<Named<Board>>,
    }

    /// What the firmware is.
    pub struct Product {
        /// The name of the product.
        name: Name,
        /// The version that runs: of the crate that calls `orchestrator!`, unless the environment's `COREOTA_VERSION` says another; or written out.
        version: Sourced<FromCargo, Literal>,
        /// The security counter of the running image: an image with a lower one is refused.
        security_counter: Count<0, { u32::MAX }> = 0,
    }

    /// The version in the `Cargo.toml` of the crate that calls `orchestrator!`.
    pub struct FromCargo {
        /// Where the version is.
        from: Cargo,
    }

    /// Jobs from AWS IoT Jobs, or from a provider that speaks as it does.
    pub struct AwsIotJobs {
        /// The thing this device is: known to the device since its provisioning, or written out.
        thing: Sourced<FromProvisioning, Thing> = { from = "provisioning" },
        /// How often the device asks for a job, besides being told: messages can get lost.
        poll: Millis<1000> = "6 h",
    }

    /// The name the device was given when it was provisioned; the firmware passes it in at run time.
    pub struct FromProvisioning {
        /// Where the name is.
        from: Provisioning,
    }

    /// The document of an AWS OTA update: `{"afr_ota": …}`.
    pub struct AfrOta {
        /// What to do where SHA-1 signatures are all a document offers.
        sha1: Sha1 = "refuse",
    }

    /// A document of your own: where each field is, as a JSON pointer.
    pub struct Table {
        /// The name of this parser, for `parsers` and for reports.
        name: Name,
        /// The size of the image in bytes.
        size: Pointer,
        /// The SHA-256 digest of the image.
        sha256: Option<DigestField>,
        /// The MQTT stream that holds the blocks.
        stream: Option<Pointer>,
        /// The URL that holds the image.
        url: Option<Pointer>,
        /// The number of the file in its stream; without it 0.
        file_id: Option<Pointer>,
        /// A signature over the image.
        signature: Option<SignatureField>,
        /// The version of the image; only spares a useless download, what counts is the signed one.
        version: Option<Pointer>,
        /// The board the image is for; only spares a useless download, what counts is the signed one.
        board: Option<Pointer>,
        /// The name of the protocol to fetch it by; without it, that of MQTT streams.
        protocol: Option<Pointer>,
    }

    /// Where a digest is, and how its bytes are written.
    pub struct DigestField {
        /// Where it is.
        path: Pointer,
        /// How its bytes are written.
        encoding: Coding,
    }

    /// Where a signature is, how its bytes are written, and what it is.
    pub struct SignatureField {
        /// Where it is.
        path: Pointer,
        /// How its bytes are written.
        encoding: Coding,
        /// The algorithm it was made with.
        algorithm: Algorithm,
    }

    /// The ways blocks are fetched.
    pub struct Transport {
        /// AWS IoT file streams over MQTT.
        mqtt_stream: MqttStream,
        /// A protocol in a plugin, for the jobs that name it.
        plugin: Option<PluginTransport>,
    }

    /// Blocks from an MQTT file stream.
    pub struct MqttStream {
        /// How requests and blocks are written. CBOR takes a quarter less on the air and less code to read.
        encoding: Encoding = "cbor",
        /// Bytes of a block: a power of two that fits the erase units; one block is held in RAM.
        block_size: Bytes<256, 131_072> = "4 KiB",
        /// How many blocks are asked for at once.
        window: Count<1, 64> = 8,
        /// What happens when nothing comes.
        retry: Retry = {},
    }

    /// What happens when nothing comes: ask again, later and later.
    pub struct Retry {
        /// The first wait.
        after: Millis = "2 s",
        /// The longest wait; each is twice the one before until then.
        at_most: Millis = "5 min",
        /// By which part each wait is made longer at most, at random, so that a fleet does not ask in step.
        jitter: Percent = 0.25,
        /// How many requests in a row may bring no block before the download is given up.
        attempts: Count<1, 65_535> = 20,
    }

    /// What is decided on the device, and when.
    pub struct Policy {
        /// Who says whether a job is taken.
        accept: Accept = "always",
        /// How long a new image has to pass its self-test before it is rolled back.
        confirm_within: Millis<1000> = "2 min",
        /// How often the provider is told of progress, besides the first block; percent are of the largest image.
        report_every: Every = "10 %",
        /// How often an image may fail its verification before it is given up.
        attempts: Count<1, 255> = 3,
    }

    /// What makes an image trusted.
    pub struct Verify {
        /// The signature algorithms: an image needs a valid signature of each.
        require: Part<Vec<At<Algorithm>>>,
        /// What to do with an image that is older than the one that runs.
        older: Older = "refuse",
        /// Whether an image must name, in its signed bytes, the board it is for.
        board: BoardRule = "require",
        /// The keys that are trusted.
        key: Part<Vec<At<TrustedKey>>>,
    }

    /// A key that is trusted.
    pub struct TrustedKey {
        /// The name of the key.
        id: Name,
        /// Its algorithm.
        algorithm: Algorithm,
        /// The public key: PEM (`BEGIN PUBLIC KEY`); for ed25519 also 64 hexadecimal digits.
        file: File,
        /// What it may sign.
        r#for: Vec<At<Role>> = ["image"],
    }

    /// A board the pipeline is built for.
    pub struct Board {
        /// What rustc builds for; `host` is the machine that builds.
        target: Part<Target>,
        /// The folder of the package that is its firmware: `cargo ota build` compiles its binaries `firmware` and `bootloader`.
        firmware: Part<Option<File>>,
        /// What boots it in an emulator: a command in which `{flash}` is the file that is the flash, `{bootloader}` and `{firmware}` are the linked programs; for flash inside the chip, `{serial}` and `{debugger}` are the sockets of its serial line and of a GDB server.
        emulator: Part<Option<Text>>,
        /// The memories besides the flash that firmware and bootloader are linked for.
        memory: Part<Option<MemoryMap>>,
        /// The job source of this board, where it is not that of the pipeline.
        job_source: Part<Option<Vec<At<JobSource>>>>,
        /// The parsers this board has, by kind or name, in this order; without it all of them.
        parsers: Part<Option<Vec<At<Name>>>>,
        /// The plugins this board takes; without it all that its job source, parsers and transport name.
        plugins: Part<Option<Choice<PluginName>>>,
        /// Whether its firmware speaks to the broker over TLS, and no other way: both sides prove who they are by certificates, the device by those it was provisioned with.
        tls: Part<bool> = false,
        /// What installs a new image.
        bootloader: Part<Bootloader>,
        /// The flash that holds the partitions.
        flash: Part<Flash>,
        /// Where in the flash everything is: `"start + length"`.
        partitions: Part<Partitions>,
        /// What the firmware may take of the board.
        budget: Part<Option<Budget>>,
        /// What this board has different in `[transport]`.
        transport: Overlay<Transport>,
        /// What this board has different in `[policy]`.
        policy: Overlay<Policy>,
        /// What this board has different in `[verify]`.
        verify: Overlay<Verify>,
    }

    /// The geometry of a NOR flash.
    pub struct Flash {
        /// How large it is.
        size: Bytes,
        /// What is erased at once.
        erase: Bytes<128, 262_144>,
        /// What is programmed at once.
        write: Bytes<1, 32>,
        /// Where it is in the address space of the processor.
        base_address: Option<Count<0, { u32::MAX }>>,
        /// Whether a word may be programmed twice without an erase; `false` where the flash keeps error codes.
        rewrite: bool = true,
    }

    /// The partitions of the flash, none of which overlap.
    pub struct Partitions {
        /// The bootloader; only to keep it clear of the others.
        bootloader: Option<Region>,
        /// The slot the running image is in.
        primary: Region,
        /// The slot a new image is written to.
        secondary: Region,
        /// Where embassy-boot notes its progress.
        state: Option<Region>,
        /// Where MCUboot swaps through in mode `swap-scratch`.
        scratch: Option<Region>,
        /// The record that an update resumes from after a power cut: two halves.
        journal: Region,
        /// What the device was told when it was made: its name, its broker, its keys.
        provisioning: Option<Region>,
        /// How often the device started, for a board without a random generator: its keys are made of that and of a secret. Two halves.
        starts: Option<Region>,
        /// The plugins that came over the air: an equal cell for each of them, and a spare one.
        plugins: Option<Region>,
    }

    /// The memories of the processor, by address.
    pub struct MemoryMap {
        /// What variables and the stack are in.
        ram: Area,
        /// What the bootloader copies the image to, to run it there; without it the image runs where it is, in the flash.
        run: Option<Area>,
        /// What the bootloader is in; without it its partition.
        bootloader: Option<Area>,
    }

    /// A memory, or a part of one.
    pub struct Area {
        /// The address of its first byte.
        address: Count<0, { u32::MAX }>,
        /// How large it is.
        size: Bytes<1>,
    }

    /// What a board's firmware may take: `cargo ota build` fails where it takes more.
    pub struct Budget {
        /// Flash for its code and constants.
        flash: Option<Bytes>,
        /// RAM for its variables; no less than what the update pipeline needs, which `cargo ota check` tells.
        ram: Option<Bytes>,
    }

    /// MCUboot.
    pub struct Mcuboot {
        /// How it brings the new image in; it must be built for the same mode.
        mode: Mode,
        /// `BOOT_MAX_IMG_SECTORS`: the erase units of a slot it is built for.
        max_sectors: Count<8, 32_768> = 128,
        /// The size of the image header, which the vector table follows.
        header: Bytes<32, 65_535> = "1 KiB",
    }

    /// embassy-boot: swaps page by page and keeps its progress in a partition of its own.
    pub struct EmbassyBoot {
    }

    /// A bootloader of your own, behind the `Boot` trait.
    pub struct Custom {
        /// The type that implements `coreota::boot::Boot` and `Default`; it must be `pub`.
        r#type: TypePath,
        /// How an image carries its version, board and signatures.
        image: Image = "trailer",
    }
}

kinds! {
    /// Where jobs come from.
    pub enum JobSource as "job source" {
        "aws-iot-jobs" => AwsIotJobs,
        "plugin" => PluginJobs,
    }

    /// What reads a job document.
    pub enum Parser as "parser" {
        "afr-ota" => AfrOta,
        "table" => Table,
        "plugin" => PluginParser,
    }

    /// What installs a new image.
    pub enum Bootloader as "bootloader" {
        "mcuboot" => Mcuboot,
        "embassy-boot" => EmbassyBoot,
        "custom" => Custom,
    }
}

choice! {
    /// Where a version is.
    pub enum Cargo {
        /// In `Cargo.toml`.
        Cargo = "cargo",
    }

    /// Where a name is.
    pub enum Provisioning {
        /// With the device.
        Provisioning = "provisioning",
    }

    /// What to do with SHA-1.
    pub enum Sha1 {
        /// The job is refused.
        Refuse = "refuse",
        /// It is passed over: the image has to carry a signature of its own.
        Accept = "accept",
    }

    /// How bytes are written in a document.
    pub enum Coding {
        /// Two hexadecimal digits a byte.
        Hex = "hex",
        /// Base64 with padding.
        Base64 = "base64",
    }

    /// A signature algorithm.
    pub enum Algorithm {
        /// ECDSA over P-256 with SHA-256.
        EcdsaP256 = "ecdsa-p256",
        /// Ed25519.
        Ed25519 = "ed25519",
    }

    /// How messages of a stream are written.
    pub enum Encoding {
        /// Concise binary.
        Cbor = "cbor",
        /// JSON; blocks in base64.
        Json = "json",
    }

    /// Who says whether a job is taken.
    pub enum Accept {
        /// Every job is taken.
        Always = "always",
        /// The firmware is asked: accept, defer for a time, reject with a reason.
        Ask = "ask",
    }

    /// What to do with an image that is older than the one that runs.
    pub enum Older {
        /// It is refused.
        Refuse = "refuse",
        /// It is taken.
        Allow = "allow",
    }

    /// Whether an image must name its board.
    pub enum BoardRule {
        /// An image that does not is refused.
        Require = "require",
        /// An image that does not is for any board.
        Optional = "optional",
    }

    /// How an image carries its version, board and signatures.
    pub enum Image {
        /// As MCUboot wants it: a header in front, TLVs behind.
        Mcuboot = "mcuboot",
        /// Behind the payload, which stays at the start of the slot.
        Trailer = "trailer",
    }

    /// How MCUboot brings a new image in.
    pub enum Mode {
        /// Swaps through an offset of one erase unit in the secondary slot: the least wear.
        SwapOffset = "swap-offset",
        /// Swaps after moving the primary slot up by one erase unit.
        SwapMove = "swap-move",
        /// Swaps through a scratch partition.
        SwapScratch = "swap-scratch",
        /// Copies over the primary slot: there is no way back.
        OverwriteOnly = "overwrite-only",
    }
}

impl Parser {
    /// The name by which a board takes it: of a `table` its own, of a plugin the plugin's, else its kind.
    pub fn called(&self) -> &str {
        match self {
            Parser::Table(table) => &table.name.0,
            Parser::PluginParser(parser) => &parser.plugin.0,
            other => other.kind(),
        }
    }
}

impl JobSource {
    /// The thing the device is, and where that is written.
    pub fn thing(&self) -> &At<Sourced<FromProvisioning, Thing>> {
        match self {
            JobSource::AwsIotJobs(jobs) => &jobs.thing,
            JobSource::PluginJobs(jobs) => &jobs.thing,
        }
    }

    /// How often the device asks for a job, in milliseconds.
    pub fn poll(&self) -> u32 {
        match self {
            JobSource::AwsIotJobs(jobs) => jobs.poll.value.0,
            JobSource::PluginJobs(jobs) => jobs.poll.value.0,
        }
    }
}
