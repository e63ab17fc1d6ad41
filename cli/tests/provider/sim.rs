//! A simulated device as a process of its own, and images for it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use coreota::Version;
use sim_device::{Behaviour, BoardName, Event, Stage, payload};

use crate::world::{World, tool};

/// The longest silence of a device that works; its own longest pause in these tests is 5 s.
const PATIENCE: Duration = Duration::from_secs(40);
/// Bytes of a payload.
pub(crate) const SIZE: u32 = 120_000;
pub(crate) const KEY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/keys/demo-only.key.pem");

pub(crate) struct Sim {
    child: Child,
    events: Receiver<Event>,
}

impl Sim {
    /// Starts `thing` on the world's broker, with its own flash file; v1 is its first image.
    pub(crate) fn start(world: &World, board: BoardName, thing: &str, more: &[&str]) -> Self {
        let v1 = image(world, board, 1, Behaviour::Works);
        let broker = format!("mqtt://127.0.0.1:{}", world.port);
        let flash = format!("{thing}.nor");
        let mut child = tool(&world.dir)
            .args(["--json", "sim-device", "--thing", thing, "--board", board.name()])
            .args(["--broker", &broker, "--flash", &flash, "--provision", &v1])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(|line| line.ok()) {
                let event = serde_json::from_str(&line);
                if sender.send(event.unwrap_or_else(|why| panic!("{line}: {why}"))).is_err() {
                    break;
                }
            }
        });
        Sim { child, events }
    }

    /// Waits for this event; gives it and all before it.
    pub(crate) fn until(&mut self, this: impl Fn(&Event) -> bool) -> (Event, Vec<Event>) {
        let mut before = Vec::new();
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) if this(&event) => return (event, before),
                Ok(event) => before.push(event),
                Err(RecvTimeoutError::Timeout) => panic!("nothing came after {before:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the device ended: {before:#?}"),
            }
        }
    }

    /// Waits until a job is over; gives how, and all before it.
    pub(crate) fn over(&mut self) -> (Stage, Vec<Event>) {
        let (event, before) = self.until(|event| match event {
            Event::Status { stage, .. } => matches!(
                stage,
                Stage::Succeeded { .. }
                    | Stage::Done { .. }
                    | Stage::Failed { .. }
                    | Stage::Rejected { .. }
            ),
            _ => false,
        });
        match event {
            Event::Status { stage, .. } => (stage, before),
            _ => unreachable!("only a status is waited for"),
        }
    }

    /// Waits until some blocks are in the slot, and holds the device there.
    pub(crate) fn freeze_in_download(&mut self) {
        self.until(|event| {
            matches!(event, Event::Status { stage: Stage::Receiving { received: 4.., .. }, .. })
        });
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill starts").success());
    }

    /// Waits for its end; gives its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("a child").code()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the provider knows of a job, once it is over there: its status, and the reason.
pub(crate) fn told(world: &World, job: &str, thing: &str) -> (String, String) {
    let row = (0..100)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            world.status(job, thing)
        })
        .find(|row| row["status"] != "QUEUED" && row["status"] != "IN_PROGRESS")
        .expect("the provider hears how it ended");
    let words = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (words(&row["status"]), words(&row["details"]["reason"]))
}

/// Makes a signed image for a board in the world's folder; gives its name.
pub(crate) fn image(world: &World, board: BoardName, major: u8, behaviour: Behaviour) -> String {
    image_for(world, board, board.name(), major, behaviour)
}

/// The same, but the signed bytes name another board.
pub(crate) fn image_for(
    world: &World,
    board: BoardName,
    named: &str,
    major: u8,
    behaviour: Behaviour,
) -> String {
    let version = Version::new(major, 0, 0);
    let (raw, image) = (format!("{named}-{major}.bin"), format!("{named}-{major}.img"));
    std::fs::write(world.dir.join(&raw), payload(version, behaviour, SIZE as usize))
        .expect("writable");
    let format = match board {
        BoardName::SimMcuboot => "mcuboot",
        BoardName::SimEmbassy | BoardName::SimPlugins => "trailer",
    };
    let version = format!("{major}.0.0");
    let sign = ["sign", &raw, &image, "--board", named, "--format", format];
    world.events(&[&sign[..], &["--version", &version, "--key", KEY]].concat());
    image
}
