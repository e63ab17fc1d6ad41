//! The story: a power cut, a tampered image, an image that does not work; and a device that is fine.

use std::fs;
use std::path::Path;
use std::time::Instant;

use coreota::error::Failure;
use serde_json::Value;
use sim_device::{Behaviour, EXIT_POWER_CUT, Event, How, Stage};

use super::process::{Process, broken, run};
use super::show::Show;
use super::subject::{PKI, Subject};
use crate::error::{Error, Result};
use crate::out::Out;

/// Name of the device.
pub(super) const THING: &str = "demo-1";
/// The private half of the key that the sample ota.toml trusts. It is public, and protects nothing.
pub(super) const KEY: &str = include_str!("../../../examples/keys/demo-only.key.pem");
/// Blocks that a torn one may take along: on flash with error correction, those in its erase unit.
const TORN: u32 = 4;

pub(super) struct Demo<'a> {
    subject: Subject,
    pub(super) dir: &'a Path,
    kept: bool,
    pub(super) show: Show<'a>,
    began: Instant,
    broker: String,
    provider: Process,
}

impl<'a> Demo<'a> {
    /// Makes the images and starts the provider.
    pub(super) fn begin(subject: Subject, dir: &'a Path, kept: bool, out: &'a Out) -> Result<Self> {
        let show = Show::new(out);
        let began = Instant::now();
        show.act(&format!("A device updates itself: board {}, thing {THING}", subject.name()));
        subject.tells(&show);
        let mut serve = vec!["serve", "--listen", "127.0.0.1:0"];
        if subject.speaks_tls() {
            let pki = ["pki", PKI, "--thing", THING];
            show.command(&pki);
            run(dir, &pki)?;
            serve.extend(["--tls", PKI, "--tls-listen", "127.0.0.1:0"]);
        }
        show.command(&serve);
        let mut provider = Process::start("provider", dir, &serve)?;
        let serving: Value = match provider.line()? {
            Some(line) => serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?,
            None => return Err(broken("the provider does not start".to_owned())),
        };
        // The way in for the device.
        let way = if subject.speaks_tls() { "tls" } else { "broker" };
        let broker = match (serving["event"].as_str(), serving[way].as_str()) {
            (Some("serving"), Some(broker)) => broker.to_owned(),
            _ => return Err(broken(format!("the provider says {serving}"))),
        };
        Ok(Self { subject, dir, kept, show, began, broker, provider })
    }

    pub(super) fn tell(mut self) -> Result<()> {
        self.image(1, Behaviour::Works, true)?;
        let device = self.power_cut()?;
        let device = self.tampered(device)?;
        self.rolled_back(device)?;
        self.end()
    }

    /// v1 to v2; in the middle of the download the power goes.
    fn power_cut(&mut self) -> Result<Process> {
        self.show.act("1  v1 -> v2, and the power goes in the middle of the download");
        let image = self.image(2, Behaviour::Works, false)?;
        self.publish("update-v2", &image, "2.0.0")?;
        let half = self.subject.half(self.bytes(&image)?.len() as u32);
        let mut device = self.device(true, Some(half))?;
        let cut = |event: &Event| matches!(event, Event::PowerCut { .. });
        let Some((_, before)) = self.until(&mut device, cut)? else {
            return Err(broken("the power did not go".to_owned()));
        };
        if device.end()? != Some(EXIT_POWER_CUT.into()) {
            return Err(broken("the device outlived its power".to_owned()));
        }
        self.show.tells("The device is started again, on the same flash.");
        let mut device = self.device(false, None)?;
        let (event, after) = self.staged(&mut device)?;
        let Event::Status { stage: Stage::Staged, .. } = event else {
            return Err(broken(format!("v2 was not staged: {event}")));
        };
        let (kept, total) = (after.kept.unwrap_or(0), after.total);
        if kept == 0 || kept + TORN < before.received {
            let had = before.received;
            return Err(broken(format!("{had} blocks were in flash, but only {kept} were kept")));
        }
        self.show.holds(&format!(
            "resumed: {kept} of {total} blocks were safe in flash and not fetched again"
        ));
        self.succeeds(&mut device, "2.0.0")?;
        self.told("update-v2", "SUCCEEDED", None)?;
        Ok(device)
    }

    /// A v3 in which somebody changed a byte after it was signed.
    fn tampered(&mut self, mut device: Process) -> Result<Process> {
        self.show.act("2  v3 was tampered with after it was signed");
        let image = self.image(3, Behaviour::Works, false)?;
        let mut bytes = self.bytes(&image)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        self.write(&image, &bytes)?;
        self.show.tells(format_args!("One bit of byte {middle} of {image} is flipped."));
        self.show
            .tells("It could have been damage on the way: the device fetches it again, twice.");
        self.publish("update-v3", &image, "3.0.0")?;
        self.fails(&mut device, Failure::Digest, false)?;
        self.show.holds("refused before it was staged: v2.0.0 was never stopped");
        self.told("update-v3", "FAILED", Some(Failure::Digest))?;
        Ok(device)
    }

    /// A v4, properly signed, that does not work.
    fn rolled_back(&mut self, mut device: Process) -> Result<()> {
        self.show.act("3  v4 is authentic, but does not work");
        let image = self.image(4, Behaviour::FailsSelfTest, false)?;
        self.publish("update-v4", &image, "4.0.0")?;
        self.fails(&mut device, Failure::SelfTest, true)?;
        self.show.holds("rolled back: v2.0.0 runs again, and says why");
        self.told("update-v4", "FAILED", Some(Failure::SelfTest))
    }

    pub(super) fn end(self) -> Result<()> {
        self.show.act("What the provider knows");
        self.show.command(&["status"]);
        self.show.quote(&run(self.dir, &["status"])?);
        let seconds = self.began.elapsed().as_secs_f32();
        self.show.act(&format!("All as told, in {seconds:.1} s. Next:"));
        let dir = self.dir.display();
        match self.kept {
            true => self.show.tells(format_args!(
                "cd {dir}: images, flash file and provider state; `cargo ota serve` goes on there"
            )),
            false => self.show.tells(
                "cargo ota demo --keep DIR   keep images, flash file and provider state to look at",
            ),
        }
        self.show
            .tells("cargo ota check             what your board comes to; edit ota.toml and see");
        self.show.tells("cargo ota serve             a provider for devices of your own");
        self.show
            .tells("README.md                   twenty lines of firmware that update themselves");
        Ok(())
    }

    // ---- commands -----------------------------------------------------------------------------

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(name);
        fs::write(&path, bytes).map_err(|error| Error::file("write", &path, error))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.dir.join(name);
        fs::read(&path).map_err(|error| Error::file("read", &path, error))
    }

    /// Makes a signed image; gives its name.
    pub(super) fn image(&self, major: u8, behaviour: Behaviour, shown: bool) -> Result<String> {
        self.subject.image(self.dir, &self.show, major, behaviour, shown)
    }

    pub(super) fn publish(&mut self, job: &str, image: &str, version: &str) -> Result<()> {
        let publish = ["publish", image, "--job", job, "--thing", THING, "--version", version];
        self.show.command(&publish);
        run(self.dir, &publish).map(drop)
    }

    /// Switches the device on, until its power goes; `first` with what its factory put on it.
    pub(super) fn device(&self, first: bool, cut_after: Option<u64>) -> Result<Process> {
        self.subject.start(self.dir, &self.show, &self.broker, first, cut_after)
    }

    // ---- what must come -----------------------------------------------------------------------

    /// Shows what the device says until `this`; `None` where it ends before.
    fn until(
        &mut self,
        device: &mut Process,
        this: impl Fn(&Event) -> bool,
    ) -> Result<Option<(Event, Seen)>> {
        let mut seen = Seen::default();
        while let Some(line) = device.line()? {
            let said: Value = serde_json::from_str(&line)
                .map_err(|error| broken(format!("the device says {line}: {error}")))?;
            // An emulated board says more than what is told here.
            if ["booting", "console"].iter().any(|other| said["event"] == *other) {
                continue;
            }
            let event: Event = serde_json::from_value(said)
                .map_err(|error| broken(format!("the device says {line}: {error}")))?;
            self.show.device(&event);
            seen.note(&event);
            if this(&event) {
                return Ok(Some((event, seen)));
            }
        }
        Ok(None)
    }

    fn must(
        &mut self,
        device: &mut Process,
        this: impl Fn(&Event) -> bool,
    ) -> Result<(Event, Seen)> {
        let came = self.until(device, this)?;
        came.ok_or_else(|| broken("the device stopped".to_owned()))
    }

    pub(super) fn staged(&mut self, device: &mut Process) -> Result<(Event, Seen)> {
        self.must(device, |event| match event {
            Event::Status { stage, .. } => {
                matches!(stage, Stage::Staged | Stage::Failed { .. } | Stage::Rejected { .. })
            }
            _ => false,
        })
    }

    pub(super) fn over(&mut self, device: &mut Process) -> Result<(Event, Seen)> {
        self.must(device, |event| match event {
            Event::Status { stage, .. } => matches!(
                stage,
                Stage::Succeeded { .. }
                    | Stage::Done { .. }
                    | Stage::Failed { .. }
                    | Stage::Rejected { .. }
            ),
            _ => false,
        })
    }

    pub(super) fn succeeds(&mut self, device: &mut Process, version: &str) -> Result<()> {
        let (event, seen) = self.over(device)?;
        let succeeded = matches!(
            &event,
            Event::Status { stage: Stage::Succeeded { to, .. }, .. } if to == version
        );
        match succeeded && seen.tested == Some(true) {
            true => Ok(()),
            false => Err(broken(format!("v{version} was to succeed, but: {event}"))),
        }
    }

    /// The update ends with this failure; where it was booted before, v2 runs again.
    fn fails(&mut self, device: &mut Process, why: Failure, booted: bool) -> Result<()> {
        let (event, seen) = self.over(device)?;
        let failed = matches!(
            &event,
            Event::Status { stage: Stage::Failed { code, .. }, .. } if *code == why.code()
        );
        let back = Some((How::Reverted, "2.0.0".to_owned()));
        let stands = if booted { seen.boot == back } else { seen.boot.is_none() };
        match failed && stands {
            true => Ok(()),
            false => Err(broken(format!("it was to fail as \"{}\", but: {event}", why.text()))),
        }
    }

    /// The provider has heard how it ended.
    pub(super) fn told(&mut self, job: &str, status: &str, why: Option<Failure>) -> Result<()> {
        while let Some(line) = self.provider.line()? {
            let row: Value =
                serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
            let ended = row["status"] != "QUEUED" && row["status"] != "IN_PROGRESS";
            if row["event"] != "execution" || row["job"] != job || !ended {
                continue;
            }
            let reason = row["details"]["reason"].as_str().unwrap_or_default();
            let reasoned = why.is_none_or(|why| reason.contains(why.text()));
            if row["status"] != status || !reasoned {
                return Err(broken(format!("the provider was to hear {status}, but: {line}")));
            }
            let reason = if why.is_some() { format!(", \"{reason}\"") } else { String::new() };
            self.show.holds(&format!("the provider knows: {job} {status}{reason}"));
            return Ok(());
        }
        Err(broken("the provider stopped".to_owned()))
    }
}

/// What the device said on the way.
#[derive(Default)]
pub(super) struct Seen {
    /// Blocks in the slot and in all, by the last report.
    received: u32,
    total: u32,
    /// Blocks that are in the slot, but were not fetched since power on.
    kept: Option<u32>,
    /// What the bootloader did last, and which version runs since.
    pub(super) boot: Option<(How, String)>,
    tested: Option<bool>,
}

impl Seen {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Boot { version, how } => self.boot = Some((*how, version.clone())),
            Event::SelfTest { passed } => self.tested = Some(*passed),
            Event::Status { stage: Stage::Receiving { received, total }, fetched, .. } => {
                (self.received, self.total) = (*received, *total);
                self.kept.get_or_insert(received.saturating_sub(*fetched));
            }
            _ => {}
        }
    }
}
