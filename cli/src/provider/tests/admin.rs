//! The operator's side: what is published, what is refused, what a cancel leaves.

use super::*;

fn refusal(world: &mut World, job: NewJob) -> String {
    let before = world.provider.state.clone();
    let refusal = world.provider.publish(job, world.now).expect_err("refused");
    assert_eq!(world.provider.state, before, "a refusal changes nothing");
    refusal.what
}

fn with_file(size: u64) -> NewJob {
    let file = File { image: "image".to_owned(), size };
    let (name, description) = ("s".to_owned(), String::new());
    let stream = NewStream { name, description, files: [(0, file)].into() };
    NewJob { stream: Some(stream), ..World::new_job("j2", &["a"]) }
}

#[test]
fn publish_refuses_what_the_service_would() {
    let mut world = World::with_jobs(&["j"]);
    let job = |job: &str| World::new_job(job, &["a"]);
    let cases = [
        (job("j"), "there is already a job j"),
        (job("a b"), "job id \"a b\" is not valid"),
        (World::new_job("j2", &["a", "ä"]), "thing name \"ä\" is not valid"),
        (World::new_job("j2", &[]), "no thing is known yet"),
        (NewJob { timeout_minutes: Some(0), ..job("j2") }, "the timeout is out of range"),
        (NewJob { timeout_minutes: Some(10_081), ..job("j2") }, "the timeout is out of range"),
        (with_file(0), "the image has 0 bytes"),
        (with_file(24 * 1024 * 1024 + 1), "the image has 25165825 bytes"),
    ];
    for (job, what) in cases {
        assert_eq!(refusal(&mut world, job), what);
    }
    assert!(refusal(&mut world, with_file(FILE_SIZE as u64 + 1)).contains("cannot be read"));
}

#[test]
fn a_document_may_have_exactly_32768_bytes() {
    let mut world = World::new();
    let mut job = World::new_job("j", &["a"]);
    let sized = |bytes: usize| document(&format!(r#"{{"p":"{}"}}"#, "x".repeat(bytes - 8)));
    job.document = sized(32_768);
    world.publish_new(job.clone());
    job.document = sized(32_769);
    job.job = "j2".to_owned();
    assert_eq!(refusal(&mut world, job), "the job document has 32769 bytes");
}

#[test]
fn a_stream_name_is_used_once() {
    let mut world = World::with_stream();
    assert_eq!(refusal(&mut world, with_file(10)), "there is already a stream s");
}

#[test]
fn all_are_the_things_known_now() {
    let mut world = World::with_jobs(&["j"]);
    world.ask_raw("seen/jobs/get", b"{}");
    let job = NewJob { things: None, ..World::new_job("j2", &[]) };
    let (things, _) = world.provider.publish(job, world.now).expect("accepted");
    assert_eq!(things, ["a", "seen"]);
}

#[test]
fn a_plain_cancel_leaves_what_is_in_progress() {
    let mut world = World::new();
    world.publish("j", &["a", "b", "c"]);
    world.update("j", "IN_PROGRESS");
    world.ask_raw("c/jobs/j/update", br#"{"status":"SUCCEEDED"}"#);
    let (done, _) = world.provider.cancel("j", None, false, world.now).expect("known");
    assert_eq!(done.cancelled, ["b"]);
    assert_eq!(done.in_progress, ["a"]);
    assert_eq!(world.status("j"), "IN_PROGRESS");
    world.update("j", "SUCCEEDED");
}

#[test]
fn a_forced_cancel_ends_it_and_later_updates_are_refused() {
    let mut world = World::with_jobs(&["j"]);
    world.update("j", "IN_PROGRESS");
    let (done, _) = world.provider.cancel("j", Some("a"), true, world.now).expect("known");
    assert_eq!(done.cancelled, ["a"]);
    let (_, body) = world.reply("jobs/j/update", json!({ "status": "SUCCEEDED" }));
    assert_eq!(body["code"], "InvalidStateTransition");
    assert_eq!(body["executionState"]["status"], "CANCELED");
    assert_eq!(body["executionState"]["versionNumber"], 3);
}

#[test]
fn a_cancel_that_cannot_be_says_why() {
    let mut world = World::with_jobs(&["j"]);
    world.publish("other", &["b"]);
    let mut why = |job: &str, thing: Option<&str>| {
        world.provider.cancel(job, thing, false, 1).expect_err("refused").what
    };
    assert_eq!(why("nope", None), "there is no job nope");
    assert_eq!(why("other", Some("a")), "a has no execution of other");
    world.update("j", "IN_PROGRESS");
    let mut why = |job: &str, thing: Option<&str>| {
        world.provider.cancel(job, thing, false, 1).expect_err("refused").what
    };
    assert_eq!(why("j", Some("a")), "j is IN_PROGRESS on a");
    world.update("j", "FAILED");
    let refusal = world.provider.cancel("j", Some("a"), true, 1).expect_err("refused");
    assert_eq!(refusal.what, "j on a is already FAILED");
}

#[test]
fn changes_are_told_once_and_in_order() {
    let mut world = World::with_jobs(&["j"]);
    world.update("j", "IN_PROGRESS");
    let told: Vec<_> = world
        .provider
        .take_changes()
        .into_iter()
        .map(|change| match change {
            Change::Thing(thing) => thing,
            Change::Execution { thing, execution } => {
                format!("{thing} {} {}", execution.job, execution.status.word())
            }
        })
        .collect();
    assert_eq!(told, ["a", "a j QUEUED", "a j IN_PROGRESS"]);
    world.accepted("jobs/$next/get", json!({}));
    assert_eq!(world.provider.take_changes(), [], "a question changes nothing");
}

#[test]
fn a_state_survives_being_saved() {
    let mut world = World::with_stream();
    world.update("j", "IN_PROGRESS");
    let text = serde_json::to_string(&world.provider.state).expect("serializable");
    let read: State = serde_json::from_str(&text).expect("its own text");
    assert_eq!(read, world.provider.state);
}
