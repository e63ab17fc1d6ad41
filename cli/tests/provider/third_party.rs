//! The clients that come with mosquitto, against the embedded broker and the provider.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::world::World;

#[test]
fn mosquitto_pub_and_sub_are_served() {
    let world = World::embedded();
    world.publish("j", &["a"]);
    let port = world.port.to_string();
    let sub = Command::new("mosquitto_sub")
        .args(["-p", &port, "-q", "1", "-C", "1", "-W", "10"])
        .args(["-t", "$aws/things/a/jobs/start-next/accepted"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs mosquitto-clients: apt-get install mosquitto-clients");
    // It does not say when it has subscribed; a late one would see nothing, so ask until it ends.
    let asked = std::thread::spawn(move || {
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(200));
            let sent = Command::new("mosquitto_pub")
                .args(["-p", &port, "-q", "1", "-t", "$aws/things/a/jobs/start-next"])
                .args(["-m", r#"{"clientToken":"m"}"#])
                .status();
            assert!(sent.expect("mosquitto_pub starts").success());
        }
    });
    let out = sub.wait_with_output().expect("it ends");
    asked.join().expect("asked");
    let body: Value = serde_json::from_slice(&out.stdout).expect("one JSON message");
    assert_eq!(body["clientToken"], "m");
    assert_eq!(body["execution"]["status"], "IN_PROGRESS");
}
