//! The other side: mosquitto, `cargo ota serve`, and what an operator would ask it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coreota_emulator::leashed;
use serde_json::Value;

use super::subject::tool;
use crate::run::output;

/// The job that every board gets: its name is in their flash.
const JOB: &str = "update";
/// How long something may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child that does not outlive this process's interest in it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The name that boards have in their certificate.
pub(super) const DEVICE: &str = "board";

/// How boards reach the broker.
pub(super) struct Way {
    pub(super) port: u16,
    /// Over TLS: the folder with the certificates.
    pub(super) pki: Option<PathBuf>,
}

/// A broker and a provider on it.
pub(super) struct Provider {
    pub(super) way: Way,
    /// For the provider itself.
    port: u16,
    dir: PathBuf,
    serve: Option<Process>,
    _mosquitto: Process,
}

/// What the provider knows of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) status: String,
    /// What the device gave as its reason.
    pub(super) reason: String,
}

impl Execution {
    pub(super) fn is_over(&self) -> bool {
        !["QUEUED", "IN_PROGRESS"].contains(&self.status.as_str())
    }
}

impl Provider {
    pub(super) fn start(name: &str, tls: bool) -> Result<Self, String> {
        let dir = std::env::temp_dir().join(format!("xtask-cuts-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).map_err(|why| format!("{}: {why}", dir.display()))?;
        let port = free_port()?;
        let way = match tls {
            false => Way { port, pki: None },
            true => {
                let pki = dir.join("pki");
                output(tool()?.args(["--json", "pki", "--thing", DEVICE]).arg(&pki))?;
                Way { port: free_port()?, pki: Some(pki) }
            }
        };
        let mosquitto = mosquitto(&dir, port, &way)?;
        let mut provider = Provider { way, port, dir, serve: None, _mosquitto: mosquitto };
        provider.serve()?;
        Ok(provider)
    }

    fn serve(&mut self) -> Result<(), String> {
        let mut serve = tool()?;
        serve.args(["--json", "serve", "--broker", &format!("mqtt://127.0.0.1:{}", self.port)]);
        serve.arg("--state").arg(self.state());
        let mut serve = leashed(serve);
        let mut child = serve
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .map_err(|why| format!("cargo ota serve: {why}"))?;
        let stdout = child.stdout.take();
        self.serve = Some(Process(child));
        let mut lines = BufReader::new(stdout.ok_or("cargo ota serve says nothing")?).lines();
        let said = lines.next().and_then(|line| line.ok()).unwrap_or_default();
        if !said.contains("\"serving\"") {
            return Err(format!("cargo ota serve does not serve: {said}"));
        }
        // What it says later is read, or it would wait for that.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(())
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Starts the provider anew; it knows nothing.
    pub(super) fn forget(&mut self) -> Result<(), String> {
        self.serve = None;
        let state = self.state();
        std::fs::remove_dir_all(&state).map_err(|why| format!("{}: {why}", state.display()))?;
        self.serve()
    }

    /// Publishes the image for these things.
    pub(super) fn publish(&self, image: &Path, things: &[String]) -> Result<(), String> {
        let mut publish = tool()?;
        publish.args(["--json", "publish"]).arg(image).args(["--job", JOB, "--state"]);
        publish.arg(self.state());
        for thing in things {
            publish.args(["--thing", thing]);
        }
        output(&mut publish).map(drop)
    }

    /// What it knows of this thing.
    pub(super) fn execution(&self, thing: &str) -> Result<Execution, String> {
        let mut status = tool()?;
        status.args(["--json", "status", "--job", JOB, "--thing", thing, "--state"]);
        let said = output(status.arg(self.state()))?;
        let row: Value = serde_json::from_str(said.lines().next().unwrap_or_default())
            .map_err(|why| format!("cargo ota status: {why}: {said}"))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Execution { status: text(&row["status"]), reason: text(&row["details"]["reason"]) })
    }

    /// Takes the job as the thing does before it first writes to its flash.
    pub(super) fn begin(&self, thing: &str) -> Result<(), String> {
        let mut publish = Command::new("mosquitto_pub");
        publish.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1"]);
        publish.args(["-t", &format!("$aws/things/{thing}/jobs/start-next"), "-m", "{}"]);
        output(&mut publish).map_err(|why| format!("{why}; apt-get install mosquitto-clients"))?;
        let end = Instant::now() + PATIENCE;
        loop {
            let execution = self.execution(thing)?;
            if execution.status == "IN_PROGRESS" {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("{thing} could not begin its job: {execution:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serve = None;
        // It is in the temporary folder and goes with it.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn free_port() -> Result<u16, String> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    free.map(|address| address.port()).map_err(|why| format!("no free port: {why}"))
}

fn mosquitto(dir: &Path, port: u16, way: &Way) -> Result<Process, String> {
    let config = dir.join("mosquitto.conf");
    let mut text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
    if let Some(pki) = &way.pki {
        let file = |name: &str| pki.join(name).display().to_string();
        text += &format!(
            "user root\nlistener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\n",
            way.port,
            file("ca.pem"),
            file("broker.pem"),
            file("broker.key.pem")
        );
    }
    std::fs::write(&config, text).map_err(|why| format!("{}: {why}", config.display()))?;
    let mut mosquitto = Command::new("mosquitto");
    mosquitto.arg("-c").arg(&config);
    let child =
        leashed(mosquitto).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|why| {
            format!("mosquitto does not start ({why}): apt-get install mosquitto")
        })?;
    let process = Process(child);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > end {
            return Err(format!("mosquitto does not listen on {port}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(process)
}
