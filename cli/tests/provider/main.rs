//! The provider end to end: the real tool as a process, a device that speaks plain MQTT 3.1.1, on the
//! embedded broker and on mosquitto.

mod board;
mod device;
mod errors;
mod firmware;
mod folder;
mod mqtt311;
mod plugins;
mod serial;
mod sim;
mod third_party;
mod tls;
mod updates;
mod world;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use world::{IMAGE_SIZE, World, image};

/// Each scenario on both brokers.
macro_rules! on_both_brokers {
    ($($scenario:ident,)*) => {
        mod embedded {
            $(#[test] fn $scenario() { super::$scenario(super::World::embedded()); })*
        }
        mod mosquitto {
            $(#[test] fn $scenario() { super::$scenario(super::World::on_mosquitto()); })*
        }
    };
}

on_both_brokers! {
    an_update_from_the_push_to_its_success,
    a_wrong_version_is_refused_and_told,
    a_forced_cancel_reaches_the_device,
    a_killed_provider_goes_on_where_it_was,
    a_request_for_128_kib_is_answered_in_full,
    many_things_each_get_their_own,
    faults_are_survived_by_asking_again,
    wait_ends_with_the_outcome,
    watch_follows_the_changes,
}

fn an_update_from_the_push_to_its_success(world: World) {
    let mut device = world.device("a");
    let key = p256::SecretKey::from_slice(&[7; 32]).expect("a key");
    let pem = p256::pkcs8::EncodePrivateKey::to_pkcs8_pem(&key, Default::default()).expect("PEM");
    std::fs::write(world.dir.join("key.pem"), pem.as_bytes()).expect("writable");
    let args = ["publish", "fw.bin", "--thing", "a", "--job", "j", "--version", "1.4.0"];
    let published = world.events(&[&args[..], &["--key", "key.pem"]].concat()).remove(0);
    let stream = published["stream"].as_str().expect("a stream").to_owned();
    assert_eq!((stream.len(), &published["signed"]), (44, &json!(true)));

    let pushed = device.expect("jobs/notify-next");
    assert_eq!(pushed["execution"]["status"], "QUEUED");
    let execution = device.start();
    assert_eq!((&execution["jobId"], &execution["versionNumber"]), (&json!("j"), &json!(2)));
    let ota = &execution["jobDocument"]["afr_ota"];
    assert_eq!((&ota["protocols"], &ota["streamname"]), (&json!(["MQTT"]), &json!(stream)));
    let file = &ota["files"][0];
    assert_eq!((&file["filesize"], &file["filepath"]), (&json!(IMAGE_SIZE), &json!("fw.bin")));

    // The first 16 blocks by bitmap in CBOR, the rest by count in JSON.
    device.ask_cbor(&stream, 256, 0, &[0xff, 0xff]);
    let mut blocks = device.blocks(16);
    device.report("j", "IN_PROGRESS", 2, json!({ "receive": "16/101" }));
    assert_eq!(world.status("j", "a")["details"], json!({ "receive": "16/101" }));
    device.ask_json(&stream, 256, 16, 85);
    blocks.extend(device.blocks(85));
    let received: Vec<u8> = blocks.into_values().flatten().collect();
    assert_eq!(received, image());

    let der = BASE64_STANDARD.decode(file["sig-sha256-ecdsa"].as_str().expect("signed")).unwrap();
    let signature = p256::ecdsa::DerSignature::try_from(&der[..]).expect("DER");
    let public = p256::ecdsa::VerifyingKey::from(key.public_key());
    p256::ecdsa::signature::Verifier::verify(&public, &received, &signature).expect("authentic");

    device.report("j", "SUCCEEDED", 3, json!({ "reason": "accepted v1.4.0" }));
    assert_eq!(device.expect("jobs/notify-next").get("execution"), None);
    let row = world.status("j", "a");
    assert_eq!((&row["status"], &row["version"]), (&json!("SUCCEEDED"), &json!("1.4.0")));
    let text = String::from_utf8(world.run(&["status"]).stdout).expect("UTF-8");
    let (row, counts) = text.trim_end().split_once('\n').expect("a row and the counts");
    assert!(row.starts_with("a  j  v1.4.0  SUCCEEDED  "), "{row}");
    assert!(row.ends_with("  accepted v1.4.0"), "{row}");
    assert_eq!(counts, "1 SUCCEEDED");
}

fn a_wrong_version_is_refused_and_told(world: World) {
    let mut device = world.device("a");
    world.publish("j", &["a"]);
    device.start();
    let body = device.rejected(
        "jobs/j/update",
        json!({ "status": "FAILED", "expectedVersion": 1, "clientToken": "c" }),
    );
    assert_eq!((&body["code"], &body["clientToken"]), (&json!("VersionMismatch"), &json!("c")));
    let version = body["executionState"]["versionNumber"].as_u64().expect("the real one");
    device.report("j", "FAILED", version, json!({ "reason": "rejected: 0x0000000b" }));
    let row = world.status("j", "a");
    assert_eq!(row["details"]["reason"], "rejected: 0x0000000b");
    let body = device.rejected("jobs/j/get", json!({}));
    assert_eq!(body["code"], "TerminalStateReached");
}

fn a_forced_cancel_reaches_the_device(world: World) {
    let mut device = world.device("a");
    world.publish("j", &["a"]);
    device.start();
    let said = world.fails(5, &["cancel", "j", "--thing", "a"]);
    assert!(said.contains("IN_PROGRESS on a") && said.contains("--force"), "{said}");
    let plain = world.events(&["cancel", "j"]).remove(0);
    assert_eq!((&plain["cancelled"], &plain["in_progress"]), (&json!([]), &json!(["a"])));
    device.report("j", "IN_PROGRESS", 2, json!({ "receive": "1/101" }));
    let forced = world.events(&["cancel", "j", "--force"]).remove(0);
    assert_eq!(forced["cancelled"], json!(["a"]));
    assert_eq!(device.expect("jobs/notify-next").get("execution"), None);
    let body = device.rejected("jobs/j/update", json!({ "status": "SUCCEEDED" }));
    assert_eq!(body["code"], "InvalidStateTransition");
    assert_eq!(world.status("j", "a")["status"], "CANCELED");
}

fn a_killed_provider_goes_on_where_it_was(mut world: World) {
    let mut device = world.device("a");
    let stream = world.publish("j", &["a"])["stream"].as_str().expect("a stream").to_owned();
    device.start();
    device.ask_cbor(&stream, 256, 0, &[0x0f]);
    assert_eq!(device.blocks(4).len(), 4);
    device.report("j", "IN_PROGRESS", 2, json!({ "receive": "4/101" }));
    drop(device);
    world.kill();
    let said = world.fails(4, &["status"]);
    assert!(said.contains("cargo ota serve"), "{said}");
    std::fs::remove_file(world.dir.join("fw.bin")).expect("the provider has its own copy");
    world.serve(&[]);

    let mut device = world.device("a");
    let execution = device.start();
    assert_eq!(
        (&execution["status"], &execution["versionNumber"]),
        (&json!("IN_PROGRESS"), &json!(3))
    );
    assert_eq!(execution["statusDetails"], json!({ "receive": "4/101" }));
    device.ask_json(&stream, 256, 100, 1);
    assert_eq!(device.blocks(1), BTreeMap::from([(100, image()[25_600..].to_vec())]));
    device.report("j", "SUCCEEDED", 3, json!({ "reason": "accepted v2" }));
    assert_eq!(world.status("j", "a")["status"], "SUCCEEDED");
}

/// 512 messages at once must pass the broker without being dropped.
fn a_request_for_128_kib_is_answered_in_full(world: World) {
    let large: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    std::fs::write(world.dir.join("fw.bin"), &large).expect("writable");
    let stream = world.publish("j", &["a"])["stream"].as_str().expect("a stream").to_owned();
    let mut device = world.device("a");
    device.ask_json(&stream, 256, 0, 700);
    let blocks = device.blocks(512);
    assert_eq!(blocks.into_values().flatten().collect::<Vec<u8>>(), large[..131_072]);
    assert_eq!(device.block(Duration::from_millis(300)), None, "no more than 128 KiB");
}

fn many_things_each_get_their_own(world: World) {
    let names: Vec<String> = (0..12).map(|n| format!("thing:{n:02}")).collect();
    let mut devices: Vec<_> = names.iter().map(|name| world.device(name)).collect();
    for device in &mut devices {
        assert_eq!(device.accepted("jobs/get", json!({}))["queuedJobs"], json!([]));
    }
    let published = world.events(&["publish", "fw.bin", "--all", "--job", "j1"]).remove(0);
    assert_eq!(published["things"], json!(names));
    world.publish("j2", &["thing:03"]);
    for device in &mut devices {
        assert_eq!(device.start()["jobId"], "j1");
    }
    let later = devices[3].accepted("jobs/get", json!({}));
    assert_eq!(later["queuedJobs"][0]["jobId"], "j2");
    let counts = world.events(&["status"]).pop().expect("the counts last");
    assert_eq!(counts["counts"], json!({ "QUEUED": 1, "IN_PROGRESS": 12 }));
}

fn faults_are_survived_by_asking_again(mut world: World) {
    world.kill();
    world.serve(&["--loss", "0.2", "--dup", "0.1", "--reorder", "0.2", "--corrupt", "0.05"]);
    let stream = world.publish("j", &["a"])["stream"].as_str().expect("a stream").to_owned();
    let mut device = world.device("a");
    let image = image();
    let mut have: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let (mut came, mut wrong, mut rounds) = (0, 0, 0);
    while have.len() < 101 {
        rounds += 1;
        assert!(rounds < 60, "{} of 101 after {rounds} rounds", have.len());
        let missing = |block: u64| block < 101 && !have.contains_key(&block);
        let byte = |k: u64| (0..8).fold(0, |byte, j| byte | u8::from(missing(8 * k + j)) << j);
        let bitmap: Vec<u8> = (0..13).map(byte).collect();
        device.ask_cbor(&stream, 256, 0, &bitmap);
        while let Some((_, payload)) = device.mqtt.next(Duration::from_millis(400)) {
            came += 1;
            let is_right = |index: u64, bytes: &[u8]| {
                image.chunks(256).nth(index as usize).is_some_and(|block| block == bytes)
            };
            match device::cbor(&payload) {
                Some(block) if is_right(block.index, &block.bytes) => {
                    have.insert(block.index, block.bytes);
                }
                _ => wrong += 1,
            }
        }
    }
    assert_eq!(have.into_values().flatten().collect::<Vec<u8>>(), image);
    assert!(rounds > 1, "some were lost");
    assert!(wrong > 0, "some of {came} were damaged");
}

fn wait_ends_with_the_outcome(world: World) {
    for (status, code) in [("SUCCEEDED", 0), ("FAILED", 1)] {
        let job = status.to_lowercase();
        let mut device = world.device("a");
        let publish = world::tool(&world.dir)
            .args(["publish", "fw.bin", "--thing", "a", "--wait", "--job", &job])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        // The push that ended the job before may still be on its way.
        while device.expect("jobs/notify-next")["execution"]["jobId"] != *job {}
        device.start();
        device.report(&job, status, 2, json!({ "reason": "so it is" }));
        let out = publish.wait_with_output().expect("it ends");
        let said = String::from_utf8(out.stdout).expect("UTF-8");
        assert_eq!(out.status.code(), Some(code), "{said}");
        assert!(said.contains(&format!("{status}  so it is")), "{said}");
    }
}

fn watch_follows_the_changes(world: World) {
    use std::io::BufRead;
    let mut device = world.device("a");
    world.publish("j", &["a"]);
    let mut child = world::tool(&world.dir)
        .args(["--json", "status", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let lines = std::io::BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut events = lines
        .map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).expect("a JSON event"));
    assert_eq!(events.next().expect("the row")["status"], "QUEUED");
    assert_eq!(events.next().expect("the counts")["event"], "counts");
    device.start();
    assert_eq!(events.next().expect("a change")["status"], "IN_PROGRESS");
    device.report("j", "SUCCEEDED", 2, json!({ "reason": "accepted v2" }));
    let last = events.next().expect("a change");
    assert_eq!(
        (&last["status"], &last["details"]["reason"]),
        (&json!("SUCCEEDED"), &json!("accepted v2"))
    );
    child.kill().expect("running");
    child.wait().expect("killed");
}

/// As with AWS: the replies to a request need no subscription, the pushes do.
#[test]
fn replies_reach_a_device_that_did_not_subscribe() {
    let world = World::embedded();
    world.publish("j", &["a"]);
    let mut mqtt = mqtt311::Client::connect(world.port, "bare");
    mqtt.publish_acknowledged("$aws/things/a/jobs/start-next", b"{}");
    mqtt.expect("$aws/things/a/jobs/start-next/accepted");
    mqtt.publish_acknowledged("$aws/things/a/jobs/j/update", b"?");
    mqtt.expect("$aws/things/a/jobs/j/update/rejected");
    // Its own subscription takes over, and nothing comes twice.
    mqtt.subscribe("$aws/things/a/jobs/j/#");
    mqtt.publish_acknowledged("$aws/things/a/jobs/j/update", br#"{"status":"SUCCEEDED"}"#);
    mqtt.expect("$aws/things/a/jobs/j/update/accepted");
    assert_eq!(mqtt.next(Duration::from_millis(300)), None);
    let mut other = mqtt311::Client::connect(world.port, "other");
    mqtt.publish_acknowledged("$aws/things/a/jobs/get", b"{}");
    mqtt.expect("$aws/things/a/jobs/get/accepted");
    assert_eq!(other.next(Duration::from_millis(300)), None, "others never see it");
}

/// After a broken link the device is told what it may have missed.
#[test]
fn a_restarted_mosquitto_is_found_again() {
    let mut world = World::on_mosquitto();
    world.publish("j", &["a"]);
    world.restart_mosquitto();
    let mut device = world.device("a");
    let pushed = device.expect("jobs/notify-next");
    assert_eq!(pushed["execution"]["jobId"], "j");
    assert_eq!(device.start()["status"], "IN_PROGRESS");
}
