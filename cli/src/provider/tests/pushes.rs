//! `notify` and `notify-next`: when they are sent, and what they say.

use super::*;

fn topics(messages: &[Short]) -> Vec<&str> {
    messages.iter().map(|(topic, _)| topic.as_str()).collect()
}

/// The example of the service's documentation ("Jobs notifications"), step by step.
#[test]
fn the_documented_sequence() {
    let mut world = World::new();
    let first = world.publish("job1", &["a"]);
    assert_eq!(topics(&first), ["a/jobs/notify", "a/jobs/notify-next"]);
    let queued = json!({ "jobId": "job1", "queuedAt": 1000, "lastUpdatedAt": 1000,
                         "executionNumber": 1, "versionNumber": 1 });
    assert_eq!(first[0].1, json!({ "timestamp": 1000, "jobs": { "QUEUED": [queued] } }));
    assert_eq!(
        first[1].1,
        json!({ "timestamp": 1000, "execution": { "jobId": "job1", "status": "QUEUED",
            "queuedAt": 1000, "lastUpdatedAt": 1000, "versionNumber": 1, "executionNumber": 1,
            "jobDocument": { "z": 1, "a": "job1" } } })
    );
    // job2 joins the list and is not next.
    assert_eq!(topics(&world.publish("job2", &["a"])), ["a/jobs/notify"]);
    // job1 starts: neither the list nor the next one changes.
    assert_eq!(topics(&world.ask("jobs/start-next", json!({}))), ["a/jobs/start-next/accepted"]);
    let third = world.publish("job3", &["a"]);
    assert_eq!(topics(&third), ["a/jobs/notify"]);
    assert_eq!(third[0].1["jobs"]["IN_PROGRESS"][0]["jobId"], "job1");
    assert_eq!(third[0].1["jobs"]["QUEUED"][1]["jobId"], "job3");
    // job1 is done: reply, list, and job2 is next.
    let done = world.ask("jobs/job1/update", json!({ "status": "SUCCEEDED" }));
    assert_eq!(
        topics(&done),
        ["a/jobs/job1/update/accepted", "a/jobs/notify", "a/jobs/notify-next"]
    );
    assert_eq!(done[2].1["execution"]["jobId"], "job2");
    // job3 overtakes: only the next one changes.
    let over = world.ask("jobs/job3/update", json!({ "status": "IN_PROGRESS" }));
    assert_eq!(topics(&over), ["a/jobs/job3/update/accepted", "a/jobs/notify-next"]);
    assert_eq!(over[1].1["execution"]["jobId"], "job3");
    // job2 is rejected: only the list changes.
    let less = world.ask("jobs/job2/update", json!({ "status": "REJECTED" }));
    assert_eq!(topics(&less), ["a/jobs/job2/update/accepted", "a/jobs/notify"]);
    // job3 is cancelled by force: the queue is empty.
    let (_, out) = world.provider.cancel("job3", None, true, 2000).expect("known");
    let end = short(out);
    assert_eq!(topics(&end), ["a/jobs/notify", "a/jobs/notify-next"]);
    assert_eq!(end[0].1, json!({ "timestamp": 2000, "jobs": {} }));
    assert_eq!(end[1].1, json!({ "timestamp": 2000 }));
}

#[test]
fn progress_pushes_nothing() {
    let mut world = World::with_jobs(&["j"]);
    world.update("j", "IN_PROGRESS");
    let progress = json!({ "status": "IN_PROGRESS", "statusDetails": { "receive": "1/2" } });
    assert_eq!(topics(&world.ask("jobs/j/update", progress)), ["a/jobs/j/update/accepted"]);
}

#[test]
fn a_list_has_at_most_15() {
    let mut world = World::new();
    for job in 0..20 {
        world.publish(&format!("j{job:02}"), &["a"]);
    }
    let last = world.publish("last", &["a"]);
    let listed = last[0].1["jobs"]["QUEUED"].as_array().expect("a list").clone();
    assert_eq!((listed.len(), &listed[0]["jobId"]), (15, &json!("j00")));
}

#[test]
fn each_thing_is_told_of_its_own() {
    let mut world = World::new();
    let pushed = world.publish("j", &["b", "a", "b"]);
    assert_eq!(
        topics(&pushed),
        ["a/jobs/notify", "a/jobs/notify-next", "b/jobs/notify", "b/jobs/notify-next"]
    );
}

#[test]
fn an_announcement_tells_every_thing_that_has_something_to_do() {
    let mut world = World::new();
    world.publish("j1", &["a", "b"]);
    world.update("j1", "SUCCEEDED");
    let told = short(world.provider.announce(2000));
    assert_eq!(topics(&told), ["b/jobs/notify-next"]);
    assert_eq!(told[0].1["execution"]["jobId"], "j1");
}
