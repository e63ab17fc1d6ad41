/// The update pipeline of `thermostat` on board `sim-plugins` (ota.toml:114).
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
    /// The board (ota.toml:114).
    pub const BOARD: &str = "sim-plugins";
    /// The version that runs (ota.toml:8).
    pub const VERSION: Version = Version::of_build(
        option_env!("COREOTA_VERSION"),
        env!("CARGO_PKG_VERSION"),
    );
    /// Bytes of the flash (ota.toml:117).
    pub const FLASH_SIZE: u32 = 1048576;
    /// The slot of the running image (ota.toml:122).
    pub const PRIMARY: Region = Region::new(0, 196608);
    /// The slot of the new image (ota.toml:123).
    pub const SECONDARY: Region = Region::new(262144, 200704);
    /// Where the bootloader notes its progress (ota.toml:124).
    pub const STATE: Region = Region::new(524288, 4096);
    /// Bytes of a block (ota.toml:118).
    pub const BLOCK_SIZE: usize = 1024;
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
    /// The stack that plugins run on, one at a time.
    pub static PLUGIN_STACK: ::coreota_plugins::Stack<16384> = ::coreota_plugins::Stack::new();
    /// Where the plugin `acme-jobs` lives (ota.toml:41).
    pub struct PluginHome0;
    impl ::coreota_plugins::Hosted for PluginHome0 {
        const HOME: ::coreota_plugins::Home = ::coreota_plugins::Home {
            name: "acme-jobs",
            slot: Some(0),
            module: None,
            limits: ::coreota_plugins::Limits {
                fuel: 200000,
                module: 8192,
                memory: 16384,
                table: 64,
                values: 1024,
                ..::coreota_plugins::Limits::DEFAULT
            },
            arena: || {
                static ARENA: ::coreota_plugins::Arena<24576> = ::coreota_plugins::Arena::new();
                ARENA.handle()
            },
            stack: || PLUGIN_STACK.handle(),
        };
    }
    /// Where the plugin `raw-blocks` lives (ota.toml:48).
    pub struct PluginHome1;
    impl ::coreota_plugins::Hosted for PluginHome1 {
        const HOME: ::coreota_plugins::Home = ::coreota_plugins::Home {
            name: "raw-blocks",
            slot: Some(1),
            module: None,
            limits: ::coreota_plugins::Limits {
                fuel: 100000,
                module: 8192,
                memory: 16384,
                table: 64,
                values: 1024,
                ..::coreota_plugins::Limits::DEFAULT
            },
            arena: || {
                static ARENA: ::coreota_plugins::Arena<24576> = ::coreota_plugins::Arena::new();
                ARENA.handle()
            },
            stack: || PLUGIN_STACK.handle(),
        };
    }
    /// The keys that may sign plugins (ota.toml:78).
    pub static PLUGIN_KEYS: [verify::Key; 1] = [
        verify::Key {
            id: "demo",
            algorithm: descriptor::Algorithm::EcdsaP256,
            bytes: b"\x04g\xF3\xDC\x98L\x85Jj\x7F-\xA3\x04\x17;\xC3\x84\xDE\x03zV\xCC$\xD0\x92\x80\x86\xD8\xE7\xCBc\xA7B\xD9\x86:}I\x1D\x9Am\xAB\x02\xD9\x17p\x980[\xAA\x97#\xD6\xC0\xB3i\x02\x0FL\xD5v'y\x7F\xF4",
        },
    ];
    /// What must hold of a plugin; its store asks for a newer version.
    pub static PLUGIN_RULES: verify::Rules = verify::Rules {
        require: &[descriptor::Algorithm::EcdsaP256],
        keys: &PLUGIN_KEYS,
        board: BOARD,
        board_required: false,
        running: VERSION,
        older_allowed: true,
        counter: 0,
    };
    /// The parts of the pipeline (ota.toml:114).
    pub struct Pipeline;
    impl ::coreota::Pipeline for Pipeline {
        /// ota.toml:12
        type Jobs = job::aws_iot::AwsIotJobs;
        /// ota.toml:18, ota.toml:22, ota.toml:32, ota.toml:36
        type Parsers = (
            parser::afr_ota::AfrOta,
            parser::table::Table,
            ::coreota_plugins::PluginParser,
            parser::table::StoredTable,
        );
        /// ota.toml:118
        type Transport = transport::Either<
            transport::mqtt_stream::MqttStream<transport::mqtt_stream::Cbor>,
            ::coreota_plugins::PluginBlocks<PluginHome1>,
        >;
        /// ota.toml:73
        type Verifier = verify::ByContent<
            verify::Native<verify::formats::Trailer, (verify::EcdsaP256,)>,
            verify::Native<
                verify::formats::Trailer<verify::formats::OfPlugin>,
                (verify::EcdsaP256,),
            >,
        >;
        /// ota.toml:116
        type Boot = boot::embassy::EmbassyBoot;
        /// ota.toml:121
        const LAYOUT: Layout = Layout {
            base: PRIMARY,
            slot: Region::new(262144, 200704),
            capacity: 196608,
            journal: Region::new(528384, 8192),
            write: 8,
            erase: 4096,
            rewrite: true,
        };
        /// ota.toml:67
        const POLICY: Policy = Policy {
            accept: Accept::Ask,
            poll_ms: 21600000,
            confirm_within_ms: 120000,
            report_every: 19,
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
        /// ota.toml:61
        const WINDOW: u32 = 8;
        const BLOCK: u32 = BLOCK_SIZE as u32;
        fn parsers() -> Self::Parsers {
            (
                parser::afr_ota::AfrOta::new(parser::afr_ota::Sha1::Refuse),
                parser::table::Table::new(const {
                    &parser::table::TableSpec {
                        name: "acme",
                        size: "/pkg/bytes",
                        stream: Some("/pkg/channel"),
                        version: Some("/pkg/version"),
                        board: Some("/pkg/board"),
                        sha256: Some(parser::table::Coded {
                            path: "/pkg/sum",
                            coding: field::Coding::Hex,
                        }),
                        signature: Some(parser::table::Signed {
                            path: "/pkg/signature",
                            coding: field::Coding::Base64,
                            algorithm: descriptor::Algorithm::EcdsaP256,
                        }),
                        ..parser::table::TableSpec::EMPTY
                    }
                }),
                ::coreota_plugins::PluginParser::new(
                    <PluginHome0 as ::coreota_plugins::Hosted>::HOME,
                ),
                parser::table::StoredTable::new(2, "site-jobs"),
            )
        }
        fn verifier() -> Self::Verifier {
            verify::ByContent::new(
                verify::Native::new(),
                verify::Native::new(),
                &PLUGIN_RULES,
            )
        }
        fn boot() -> Self::Boot {
            boot::embassy::EmbassyBoot::new(STATE)
        }
        /// ota.toml:126
        type Plugins = plugin::Stored<3>;
        fn plugins() -> Self::Plugins {
            plugin::Stored::new(
                &["acme-jobs", "raw-blocks", "site-jobs"],
                plugin::store::Spec {
                    region: Region::new(536576, 49152),
                    cell: 12288,
                    write: 8,
                    erase: 4096,
                },
            )
        }
    }
    /// The pipeline over your flash `F`, link `L`, clock `C` and hooks `H`.
    pub type Orchestrator<F, L, C, H> = ::coreota::Orchestrator<
        Pipeline,
        F,
        L,
        C,
        H,
        1024,
    >;
}
