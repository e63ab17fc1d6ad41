//! The story of plugins: a job in a format the device does not know, plugins that teach it the format
//! and a protocol, and the same job once more.

use coreota::error::Failure;
use sim_device::{Behaviour, Event, Stage};

use super::process::{Process, broken, run};
use super::story::{Demo, THING};
use crate::error::Result;

/// The job documents of Acme, a made-up company.
const DOCUMENT: &str = r#"{"acme":2,"packages":[{"what":"firmware","length":${size},"channel":"${stream}","sum":"${sha256}","carrier":"raw-blocks"}]}"#;
const ACME_JOBS: &[u8] = include_bytes!("../../../plugins/samples/acme-jobs/acme-jobs.wasm");
const RAW_BLOCKS: &[u8] = include_bytes!("../../../plugins/samples/raw-blocks/raw-blocks.wasm");

impl Demo<'_> {
    pub(super) fn tell_of_plugins(mut self) -> Result<()> {
        self.image(1, Behaviour::Works, true)?;
        let mut device = self.unknown()?;
        self.show.act("2  The device is taught, while it runs");
        self.teach(&mut device, "acme-jobs", ACME_JOBS)?;
        self.teach(&mut device, "raw-blocks", RAW_BLOCKS)?;
        self.once_more(device)?;
        self.end()
    }

    /// A job in Acme's format, for firmware that never heard of it.
    fn unknown(&mut self) -> Result<Process> {
        self.show.act("1  A job that the device does not understand");
        self.show.tells("Acme writes its jobs its own way, and wants blocks fetched its own way:");
        self.show.quote(DOCUMENT);
        self.image(2, Behaviour::Works, false)?;
        self.write("acme.json", DOCUMENT.as_bytes())?;
        self.publish_acme("acme-1")?;
        let mut device = self.device(true, None)?;
        let (event, _) = self.over(&mut device)?;
        let unknown = Failure::UnknownJob;
        match event {
            Event::Status { stage: Stage::Rejected { code, .. }, .. } if code == unknown.code() => {
            }
            event => return Err(broken(format!("the job was to be rejected, but: {event}"))),
        }
        self.show.holds("nobody in the chain of parsers knows it, and each says why");
        self.told("acme-1", "REJECTED", Some(unknown))?;
        Ok(device)
    }

    /// A plugin, signed and sent like firmware.
    fn teach(&mut self, device: &mut Process, name: &str, module: &[u8]) -> Result<()> {
        let (wasm, file) = (format!("{name}.wasm"), format!("{name}.plugin"));
        self.write(&wasm, module)?;
        let sign = ["plugin", "sign", &wasm, &file, "--version", "1.0.0", "--key", "demo.key.pem"];
        let sign = [&sign[..], &["--arena", "20480", "--fuel", "100000"]].concat();
        self.show.command(&sign);
        run(self.dir, &sign)?;
        let job = format!("teach-{name}");
        let publish = ["plugin", "publish", &file, "--job", &job, "--thing", THING];
        self.show.command(&publish);
        run(self.dir, &publish)?;
        let (event, seen) = self.over(device)?;
        let done = matches!(&event, Event::Status { stage: Stage::Done { .. }, .. });
        if !done || seen.boot.is_some() {
            return Err(broken(format!(
                "{name} was to be installed without a reset, but: {event}"
            )));
        }
        self.show.holds(&format!("{name}: verified and running, and the device never stopped"));
        self.told(&job, "SUCCEEDED", None)
    }

    /// The same job, the same firmware, an update.
    fn once_more(&mut self, mut device: Process) -> Result<()> {
        self.show.act("3  The same job once more");
        self.publish_acme("acme-2")?;
        let (event, _) = self.staged(&mut device)?;
        let Event::Status { stage: Stage::Staged, .. } = event else {
            return Err(broken(format!("v2 was not staged: {event}")));
        };
        self.show.holds("read by acme-jobs, fetched by raw-blocks, verified by the core");
        self.succeeds(&mut device, "2.0.0")?;
        self.told("acme-2", "SUCCEEDED", None)
    }

    fn publish_acme(&mut self, job: &str) -> Result<()> {
        let publish = ["publish", "v2.img", "--job", job, "--thing", THING];
        let publish = [&publish[..], &["--version", "2.0.0", "--document", "acme.json"]].concat();
        self.show.command(&publish);
        run(self.dir, &publish).map(drop)
    }
}
