//! A provider as a process of its own, on the embedded broker or on a mosquitto, in a folder that is
//! gone afterwards.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;

use crate::device::Device;
use crate::mqtt311::PATIENCE;

/// What `cargo ota publish` sends in these tests: 100 blocks of 256 bytes and a last one of 44.
pub(crate) const IMAGE_SIZE: usize = 25_644;

pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
    mosquitto: Option<Process>,
    /// What mosquitto is told besides.
    settings: String,
    serve: Option<Process>,
    /// The events of the provider, once it has ended.
    heard: Option<JoinHandle<Vec<Value>>>,
}

/// A child that does not outlive the test.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    /// A provider with its embedded broker on a free port.
    pub(crate) fn embedded() -> Self {
        Self::folder(free_port(), None).serving(&[])
    }

    /// A provider on a mosquitto of this test's own.
    pub(crate) fn on_mosquitto() -> Self {
        loop {
            let port = free_port();
            if let Some(mosquitto) = mosquitto(port, "") {
                break Self::folder(port, Some(mosquitto)).serving(&[]);
            }
        }
    }

    /// A folder with nothing running.
    pub(crate) fn idle() -> Self {
        Self::folder(free_port(), None)
    }

    fn folder(port: u16, mosquitto: Option<Process>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cargo-ota-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a writable temp folder");
        std::fs::write(dir.join("fw.bin"), image()).expect("writable");
        Self { dir, port, mosquitto, settings: String::new(), serve: None, heard: None }
    }

    /// Starts the provider and waits until it serves.
    pub(crate) fn serving(mut self, more: &[&str]) -> Self {
        self.serve(more);
        self
    }

    pub(crate) fn serve(&mut self, more: &[&str]) {
        let address = format!("127.0.0.1:{}", self.port);
        let broker = format!("mqtt://{address}");
        let on = match self.mosquitto {
            None => ["--listen", &address],
            Some(_) => ["--broker", &broker],
        };
        let mut child = tool(&self.dir)
            .args(["--json", "serve"])
            .args(on)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let serving = event(&mut lines);
        assert_eq!(serving["event"], "serving", "{serving}");
        assert_eq!(serving["broker"], *broker);
        self.heard = Some(std::thread::spawn(move || {
            let text = |line: std::io::Result<String>| line.expect("UTF-8");
            lines.lines().map(|line| serde_json::from_str(&text(line)).expect("JSON")).collect()
        }));
        self.serve = Some(Process(child));
    }

    /// Ends the provider without warning, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.serve = None;
    }

    /// Ends the provider as Ctrl-C does.
    pub(crate) fn stop(&mut self) {
        let pid = self.serve.as_ref().expect("serving").0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    }

    /// Waits until the provider has ended; gives its exit code and what it said after it served.
    pub(crate) fn ended(&mut self) -> (Option<i32>, Vec<Value>) {
        let status = self.serve.as_mut().expect("serving").0.wait().expect("it ends");
        let heard = self.heard.take().expect("asked once").join().expect("readable");
        (status.code(), heard)
    }

    /// Starts a mosquitto that is told more than its port.
    pub(crate) fn start_mosquitto(&mut self, settings: &str) {
        self.settings = settings.to_owned();
        self.restart_mosquitto();
    }

    /// Stops mosquitto and starts it again on the same port.
    pub(crate) fn restart_mosquitto(&mut self) {
        self.mosquitto = None;
        let mosquitto = mosquitto(self.port, &self.settings);
        self.mosquitto = Some(mosquitto.expect("nobody took its port meanwhile"));
    }

    pub(crate) fn device(&self, thing: &str) -> Device {
        Device::new(self.port, thing)
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        tool(&self.dir).args(args).output().expect("the tool starts")
    }

    /// Runs a command that must succeed; gives its JSON events.
    pub(crate) fn events(&self, args: &[&str]) -> Vec<Value> {
        let out = self.run(&[&["--json"], args].concat());
        assert!(out.status.success(), "{args:?}: {out:?}");
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON event")).collect()
    }

    /// Runs a command that must fail with this code; gives what it says.
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let out = self.run(args);
        let said = String::from_utf8(out.stderr).expect("UTF-8");
        assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
        said
    }

    /// Publishes the image for these things under this job id.
    pub(crate) fn publish(&self, job: &str, things: &[&str]) -> Value {
        let mut args = vec!["publish", "fw.bin", "--job", job];
        args.extend(things.iter().flat_map(|thing| ["--thing", thing]));
        self.events(&args).remove(0)
    }

    /// What `status` says of a job on a thing.
    pub(crate) fn status(&self, job: &str, thing: &str) -> Value {
        let events = self.events(&["status", "--job", job, "--thing", thing]);
        assert_eq!((events.len(), &events[0]["event"]), (2, &"execution".into()), "{events:?}");
        events[0].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.serve = None;
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The tool, as `cargo ota` starts it.
pub(crate) fn tool(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-ota"));
    command.arg("ota").current_dir(dir);
    command
}

pub(crate) fn image() -> Vec<u8> {
    (0..IMAGE_SIZE).map(|i| (i ^ i >> 8 ^ i >> 3) as u8).collect()
}

fn event(lines: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).expect("readable");
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a JSON event: {line:?}"))
}

/// A port nobody listens on, given once: below those that systems hand out by themselves, so that no
/// other test or connection takes it before it is used.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (n % 20_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A mosquitto on that port; `None` where somebody else took it meanwhile.
fn mosquitto(port: u16, settings: &str) -> Option<Process> {
    let config = std::env::temp_dir().join(format!("mosquitto-{}-{port}.conf", std::process::id()));
    let text =
        format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{settings}");
    std::fs::write(&config, text).expect("writable");
    let child = Command::new("mosquitto")
        .arg("-c")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("this test needs mosquitto ({error}); install it: apt-get install mosquitto")
        });
    let mut process = Process(child);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "mosquitto does not listen on {port}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // Who answers may be another one, of a test that runs elsewhere: then this one cannot listen.
    std::thread::sleep(std::time::Duration::from_millis(50));
    let _ = std::fs::remove_file(config);
    let ended = process.0.try_wait().expect("a child").is_some();
    (!ended).then_some(process)
}
