//! What goes wrong says what, where, and what would be right, with an exit code of its kind.

use serde_json::Value;

use crate::world::{World, free_port};

#[track_caller]
fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
}

#[test]
fn a_port_in_use_is_told_with_two_ways_out() {
    let world = World::embedded();
    let listen = format!("127.0.0.1:{}", world.port);
    let said = world.fails(4, &["serve", "--state", "other", "--listen", &listen]);
    says(&said, &["cannot listen on", &listen, "in use", "--broker mqtt://127.0.0.1", "--listen"]);
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let world = World::idle();
    let broker = format!("mqtt://127.0.0.1:{}", free_port());
    let said = world.fails(4, &["serve", "--broker", &broker]);
    says(&said, &["cannot use the broker", &broker, "refused", "fix:"]);
}

#[test]
fn a_second_provider_on_the_same_folder_is_refused() {
    let world = World::embedded();
    let said = world.fails(3, &["serve", "--listen", "127.0.0.1:0"]);
    says(&said, &["another provider is running on ./.ota", "--state"]);
}

#[test]
fn a_damaged_state_is_named_and_kept() {
    let world = World::idle();
    let path = world.dir.join(".ota/state.json");
    std::fs::create_dir_all(world.dir.join(".ota")).expect("writable");
    std::fs::write(&path, "{\"format\":1").expect("writable");
    let said = world.fails(3, &["serve", "--listen", "127.0.0.1:0"]);
    says(&said, &["cannot understand ./.ota/state.json", "line 1 column 11", "move", "away"]);
    assert_eq!(std::fs::read_to_string(path).expect("kept"), "{\"format\":1");
}

/// Nothing leaves before it is saved: better no provider than one that forgets.
#[test]
fn a_state_that_cannot_be_saved_ends_the_provider() {
    let mut world = World::embedded();
    let path = world.dir.join(".ota/state.json");
    std::fs::create_dir_all(path.join("in the way")).expect("nothing saved yet");
    let out = world.run(&["publish", "fw.bin", "--thing", "a"]);
    assert!(!out.status.success(), "{out:?}");
    let (code, heard) = world.ended();
    let event = heard.last().expect("its last words");
    assert_eq!((code, &event["event"]), (Some(3), &"error".into()));
    says(event["message"].as_str().expect("text"), &["cannot save ./.ota/state.json"]);
}

#[test]
fn a_lost_image_is_told_at_the_start() {
    let mut world = World::embedded();
    let published = world.publish("j", &["a"]);
    world.kill();
    let image = format!("{}.bin", published["sha256"].as_str().expect("text"));
    std::fs::remove_file(world.dir.join(".ota/images").join(&image)).expect("kept there");
    world.serve(&[]);
    world.stop();
    let (code, heard) = world.ended();
    assert_eq!(code, Some(0));
    let told = heard.iter().find(|event| event["event"] == "image-missing");
    assert_eq!(told.expect("told")["stream"], published["stream"]);
    assert_eq!(heard.last().expect("its last words")["event"], "stopped");
}

#[test]
fn a_state_folder_that_cannot_be_made_is_told() {
    let world = World::idle();
    let said = world.fails(3, &["serve", "--listen", "127.0.0.1:0", "--state", "fw.bin/state"]);
    says(&said, &["cannot create fw.bin/state", "--state"]);
}

#[test]
fn without_a_provider_commands_say_how_to_start_one() {
    let world = World::idle();
    for args in [&["status"][..], &["cancel", "j"], &["publish", "fw.bin", "--thing", "a"]] {
        let said = world.fails(4, args);
        says(&said, &["no provider is running on ./.ota", "cargo ota serve", "--state"]);
    }
    assert!(!world.dir.join(".ota").exists(), "nothing is left behind");
}

#[test]
fn what_publish_cannot_use_is_named() {
    let world = World::embedded();
    std::fs::write(world.dir.join("empty.bin"), "").expect("writable");
    std::fs::write(world.dir.join("doc.json"), r#"{"a":"${sizes}"}"#).expect("writable");
    std::fs::write(world.dir.join("bad.pem"), "-----BEGIN PUBLIC KEY-----\n").expect("writable");
    let publish = |args: &[&str]| {
        let all = [&["publish"][..], args, &["--thing", "a"]].concat();
        world.fails(3, &all)
    };
    says(&publish(&["missing.bin"]), &["cannot read missing.bin", "No such file"]);
    says(&publish(&["empty.bin"]), &["cannot publish empty.bin", "0 bytes"]);
    says(&publish(&["fw.bin", "--document", "doc.json"]), &["doc.json", "${sizes}", "${size}"]);
    says(&publish(&["fw.bin", "--key", "bad.pem"]), &["bad.pem", "private key"]);
    says(&publish(&["fw.bin", "--signature", "doc.json"]), &["doc.json", "no ECDSA P-256"]);
    assert_eq!(world.events(&["status"]).len(), 1, "no job came of it");
}

#[test]
fn what_the_provider_refuses_is_code_5() {
    let world = World::embedded();
    let said = world.fails(5, &["publish", "fw.bin", "--all"]);
    says(&said, &["no thing is known yet", "--thing"]);
    world.publish("j", &["a"]);
    let said = world.fails(5, &["publish", "fw.bin", "--thing", "a", "--job", "j"]);
    says(&said, &["already a job j", "--job"]);
    says(&world.fails(5, &["cancel", "nope"]), &["no job nope", "cargo ota status"]);
    says(&world.fails(5, &["cancel", "j", "--thing", "b"]), &["b has no execution of j"]);
}

#[test]
fn a_command_line_that_is_wrong_is_code_2() {
    let world = World::idle();
    says(&world.fails(2, &["publish", "fw.bin"]), &["--thing"]);
    says(&world.fails(2, &["serve", "--loss", "2"]), &["from 0 to 1"]);
    says(&world.fails(2, &["serve", "--broker", "mqtts://h"]), &["mqtts", "mqtt://"]);
    says(&world.fails(2, &["nonsense"]), &["nonsense"]);
}

#[test]
fn with_json_an_error_is_an_event() {
    let world = World::idle();
    let out = world.run(&["--json", "status"]);
    assert_eq!(out.status.code(), Some(4));
    let event: Value = serde_json::from_slice(&out.stdout).expect("one event");
    assert_eq!((&event["event"], &event["code"]), (&"error".into(), &4.into()));
    says(event["fix"].as_str().expect("a fix"), &["cargo ota serve"]);
}

#[test]
fn a_document_of_ones_own_reaches_the_device() {
    let world = World::embedded();
    let template = r#"{ "pkg": { "bytes": ${size}, "sum": "${sha256}", "channel": "${stream}" } }"#;
    std::fs::write(world.dir.join("doc.json"), template).expect("writable");
    let args = ["publish", "fw.bin", "--thing", "a", "--document", "doc.json"];
    let published = world.events(&args).remove(0);
    let mut device = world.device("a");
    let execution = device.start();
    let pkg = &execution["jobDocument"]["pkg"];
    assert_eq!(pkg["bytes"], crate::world::IMAGE_SIZE);
    assert_eq!((&pkg["sum"], &pkg["channel"]), (&published["sha256"], &published["stream"]));
}
