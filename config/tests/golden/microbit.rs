/// The update pipeline of `thermostat` on board `microbit` (ota.toml:226).
pub mod ota {
    use ::coreota::*;
    const _: [&[u8]; 2] = [
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/ota.toml")),
        include_bytes!(
            concat!(env!("CARGO_MANIFEST_DIR"), "/examples/keys/demo.pub.pem")
        ),
    ];
    /// The product (ota.toml:7).
    pub const PRODUCT: &str = "thermostat";
    /// The board (ota.toml:226).
    pub const BOARD: &str = "microbit";
    /// The version that runs (ota.toml:8).
    pub const VERSION: Version = Version::of_build(
        option_env!("COREOTA_VERSION"),
        env!("CARGO_PKG_VERSION"),
    );
    /// Bytes of the flash (ota.toml:233).
    pub const FLASH_SIZE: u32 = 262144;
    /// Where the flash is (ota.toml:233).
    pub const FLASH_ADDRESS: u32 = 0;
    /// The slot of the running image (ota.toml:239).
    pub const PRIMARY: Region = Region::new(16384, 118784);
    /// The slot of the new image (ota.toml:240).
    pub const SECONDARY: Region = Region::new(135168, 119808);
    /// Where the bootloader notes its progress (ota.toml:241).
    pub const STATE: Region = Region::new(254976, 2048);
    /// What the device was told when it was made (ota.toml:243).
    pub const PROVISIONING: Region = Region::new(261120, 1024);
    /// Bytes of a block (ota.toml:234).
    pub const BLOCK_SIZE: usize = 512;
    /// Bytes of the largest message that the link must be able to receive.
    pub const RECEIVE_SIZE: usize = 3072;
    /// The thing this device is, where it is not told at run time (ota.toml:12).
    pub const THING: Option<&str> = None;
    /// The keys that are trusted (ota.toml:78).
    pub static KEYS: [verify::Key; 1] = [
        verify::Key {
            id: "demo",
            algorithm: descriptor::Algorithm::EcdsaP256,
            bytes: b"\x04g\xF3\xDC\x98L\x85Jj\x7F-\xA3\x04\x17;\xC3\x84\xDE\x03zV\xCC$\xD0\x92\x80\x86\xD8\xE7\xCBc\xA7B\xD9\x86:}I\x1D\x9Am\xAB\x02\xD9\x17p\x980[\xAA\x97#\xD6\xC0\xB3i\x02\x0FL\xD5v'y\x7F\xF4",
        },
    ];
    /// The parts of the pipeline (ota.toml:226).
    pub struct Pipeline;
    impl ::coreota::Pipeline for Pipeline {
        /// ota.toml:12
        type Jobs = job::aws_iot::AwsIotJobs;
        /// ota.toml:18
        type Parsers = (parser::afr_ota::AfrOta,);
        /// ota.toml:234
        type Transport = transport::mqtt_stream::MqttStream<
            transport::mqtt_stream::Cbor,
        >;
        /// ota.toml:73
        type Verifier = verify::Native<verify::formats::Trailer, (verify::EcdsaP256,)>;
        /// ota.toml:232
        type Boot = boot::embassy::EmbassyBoot;
        /// ota.toml:237
        const LAYOUT: Layout = Layout {
            base: PRIMARY,
            slot: Region::new(135168, 119808),
            capacity: 118784,
            journal: Region::new(257024, 4096),
            write: 4,
            erase: 1024,
            rewrite: false,
        };
        /// ota.toml:67
        const POLICY: Policy = Policy {
            accept: Accept::Ask,
            poll_ms: 21600000,
            confirm_within_ms: 120000,
            report_every: 23,
            attempts: 3,
        };
        /// ota.toml:62
        const RETRY: Retry = Retry {
            after_ms: 2000,
            at_most_ms: 300000,
            jitter_percent: 25,
            attempts: 20,
        };
        /// ota.toml:73
        const RULES: verify::Rules = verify::Rules {
            require: &[descriptor::Algorithm::EcdsaP256],
            keys: &KEYS,
            board: BOARD,
            board_required: true,
            running: VERSION,
            older_allowed: false,
            counter: 0,
        };
        /// ota.toml:234
        const WINDOW: u32 = 4;
        const BLOCK: u32 = BLOCK_SIZE as u32;
        fn parsers() -> Self::Parsers {
            (parser::afr_ota::AfrOta::new(parser::afr_ota::Sha1::Refuse),)
        }
        fn verifier() -> Self::Verifier {
            verify::Native::new()
        }
        fn boot() -> Self::Boot {
            boot::embassy::EmbassyBoot::new(STATE)
        }
        type Plugins = plugin::NoPlugins;
        fn plugins() -> Self::Plugins {
            plugin::NoPlugins
        }
    }
    /// The pipeline over your flash `F`, link `L`, clock `C` and hooks `H`.
    pub type Orchestrator<F, L, C, H> = ::coreota::Orchestrator<
        Pipeline,
        F,
        L,
        C,
        H,
        640,
    >;
}
