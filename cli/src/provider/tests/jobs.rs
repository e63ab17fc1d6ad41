//! The operations of a device: replies, refusals, versions, time-outs.

use super::*;

#[test]
fn nothing_pending_has_no_execution_key() {
    for rest in ["jobs/start-next", "jobs/$next/get"] {
        let body = World::new().accepted(rest, json!({ "clientToken": "t" }));
        assert_eq!(body, json!({ "clientToken": "t", "timestamp": 1000 }));
    }
}

#[test]
fn start_next_starts_and_gives_the_whole_execution() {
    let body = World::with_jobs(&["j"])
        .accepted("jobs/start-next", json!({ "clientToken": "t", "statusDetails": { "k": "v" } }));
    assert_eq!(
        body,
        json!({ "clientToken": "t", "timestamp": 1001, "execution": {
            "jobId": "j", "thingName": "a", "status": "IN_PROGRESS", "statusDetails": { "k": "v" },
            "queuedAt": 1000, "startedAt": 1001, "lastUpdatedAt": 1001,
            "versionNumber": 2, "executionNumber": 1, "jobDocument": { "z": 1, "a": "j" },
        }})
    );
}

#[test]
fn the_document_keeps_the_order_of_its_keys() {
    let mut world = World::with_jobs(&["j"]);
    let out = world.provider.on_message("$aws/things/a/jobs/start-next", b"{}", 1);
    let text = String::from_utf8(out[0].payload.clone()).expect("JSON is text");
    assert!(text.contains(r#""jobDocument":{"z":1,"a":"j"}"#), "{text}");
}

#[test]
fn start_next_resumes_what_is_in_progress_without_touching_it() {
    let mut world = World::with_jobs(&["j1", "j2"]);
    world.update("j2", "IN_PROGRESS");
    let again = world.accepted("jobs/start-next", json!({ "statusDetails": { "k": "v" } }));
    let execution = &again["execution"];
    assert_eq!((&execution["jobId"], &execution["versionNumber"]), (&json!("j2"), &json!(2)));
    assert_eq!(execution.get("statusDetails"), None);
}

#[test]
fn pending_lists_summaries_by_status() {
    let mut world = World::with_jobs(&["j1", "j2"]);
    world.update("j2", "IN_PROGRESS");
    let body = world.accepted("jobs/get", json!({ "clientToken": "t" }));
    let of = |job: &str, at: u64, version: u64| {
        json!({ "jobId": job, "queuedAt": at, "lastUpdatedAt": at, "executionNumber": 1,
                "versionNumber": version })
    };
    let mut started = of("j2", 1001, 2);
    started["lastUpdatedAt"] = json!(1002);
    started["startedAt"] = json!(1002);
    assert_eq!(
        body,
        json!({ "clientToken": "t", "timestamp": 1002,
                "inProgressJobs": [started], "queuedJobs": [of("j1", 1000, 1)] })
    );
}

#[test]
fn describe_gives_the_document_unless_told_not_to() {
    let mut world = World::with_jobs(&["j"]);
    for rest in ["jobs/j/get", "jobs/$next/get"] {
        let with = world.accepted(rest, json!({}));
        assert_eq!(with["execution"]["jobDocument"], json!({ "z": 1, "a": "j" }));
        assert_eq!(with["execution"]["status"], "QUEUED");
        let without = world.accepted(rest, json!({ "includeJobDocument": false }));
        assert_eq!(without["execution"].get("jobDocument"), None);
    }
}

#[test]
fn describe_of_what_is_over_or_never_was_is_refused() {
    let mut world = World::with_jobs(&["j"]);
    world.update("j", "SUCCEEDED");
    assert_eq!(world.refused("jobs/j/get", json!({})), "TerminalStateReached");
    assert_eq!(world.refused("jobs/other/get", json!({})), "ResourceNotFound");
}

#[test]
fn update_answers_with_what_was_asked_to_be_included() {
    let mut world = World::with_jobs(&["j"]);
    let bare = world.update("j", "IN_PROGRESS");
    assert_eq!(bare, json!({ "timestamp": 1001 }));
    let full = world.accepted(
        "jobs/j/update",
        json!({ "status": "IN_PROGRESS", "statusDetails": { "receive": "1/2" }, "clientToken": "t",
                "expectedVersion": 2, "includeJobExecutionState": true,
                "includeJobDocument": true }),
    );
    assert_eq!(
        full,
        json!({ "clientToken": "t", "timestamp": 1001,
                "executionState": { "status": "IN_PROGRESS",
                    "statusDetails": { "receive": "1/2" }, "versionNumber": 3 },
                "jobDocument": { "z": 1, "a": "j" } })
    );
}

#[test]
fn a_wrong_expected_version_is_told_the_real_one_and_changes_nothing() {
    let mut world = World::with_jobs(&["j"]);
    let (topic, body) = world.reply(
        "jobs/j/update",
        json!({ "status": "IN_PROGRESS", "expectedVersion": 7, "clientToken": "t" }),
    );
    assert_eq!(topic, "a/jobs/j/update/rejected");
    assert_eq!((&body["code"], &body["clientToken"]), (&json!("VersionMismatch"), &json!("t")));
    let state = json!({ "status": "QUEUED", "statusDetails": {}, "versionNumber": 1 });
    assert_eq!((&body["executionState"], &body["timestamp"]), (&state, &json!(1001)));
    assert_eq!(world.status("j"), "QUEUED");
}

#[test]
fn rejecting_is_for_what_has_not_begun() {
    let mut world = World::with_jobs(&["j1", "j2"]);
    world.update("j1", "REJECTED");
    assert_eq!(world.status("j1"), "REJECTED");
    world.update("j2", "IN_PROGRESS");
    let (_, body) = world.reply("jobs/j2/update", json!({ "status": "REJECTED" }));
    assert_eq!(body["code"], "InvalidStateTransition");
    assert_eq!(body["executionState"]["status"], "IN_PROGRESS");
}

#[test]
fn what_is_over_stays_as_it_ended() {
    let mut world = World::with_jobs(&["j"]);
    world.update("j", "FAILED");
    let (_, body) = world.reply("jobs/j/update", json!({ "status": "SUCCEEDED" }));
    assert_eq!(body["code"], "InvalidStateTransition");
    assert_eq!(body["executionState"]["status"], "FAILED");
    assert_eq!(world.status("j"), "FAILED");
}

#[test]
fn an_update_of_no_execution_is_not_found() {
    let mut world = World::with_jobs(&["j"]);
    let update = json!({ "status": "FAILED" });
    assert_eq!(world.refused("jobs/other/update", update), "ResourceNotFound");
    let number = json!({ "status": "FAILED", "executionNumber": 2 });
    assert_eq!(world.refused("jobs/j/update", number), "ResourceNotFound");
    world.accepted("jobs/j/update", json!({ "status": "FAILED", "executionNumber": 1 }));
}

#[test]
fn a_job_of_another_thing_is_not_found() {
    let mut world = World::new();
    world.publish("j", &["b"]);
    assert_eq!(world.refused("jobs/j/update", json!({ "status": "FAILED" })), "ResourceNotFound");
}

#[test]
fn only_four_statuses_can_be_written() {
    let mut world = World::with_jobs(&["j"]);
    for status in ["QUEUED", "CANCELED", "TIMED_OUT", "REMOVED", "SUCCESS", "failed", ""] {
        let update = json!({ "status": status });
        assert_eq!(world.refused("jobs/j/update", update), "InvalidRequest", "{status}");
    }
    assert_eq!(world.refused("jobs/j/update", json!({})), "InvalidRequest");
    assert_eq!(world.refused("jobs/j/update", json!({ "status": 1 })), "InvalidRequest");
}

#[test]
fn status_details_are_bounded_texts() {
    let mut world = World::with_jobs(&["j"]);
    for bad in [
        json!({ "k": "" }),
        json!({ "k": "v".repeat(1025) }),
        json!({ "k".repeat(129): "v" }),
        json!({ "": "v" }),
        json!({ "k": 1 }),
        json!(["v"]),
    ] {
        let update = json!({ "status": "IN_PROGRESS", "statusDetails": bad });
        assert_eq!(world.refused("jobs/j/update", update.clone()), "InvalidRequest", "{bad}");
        assert_eq!(world.refused("jobs/start-next", update), "InvalidRequest", "{bad}");
    }
    assert_eq!(world.status("j"), "QUEUED");
}

#[test]
fn what_is_no_json_is_invalid_json_and_what_is_no_object_invalid_request() {
    for (payload, code) in [
        (&b""[..], "InvalidJson"),
        (b"{", "InvalidJson"),
        (b"{} x", "InvalidJson"),
        (b"\"\xff\"", "InvalidJson"),
        (b"[]", "InvalidRequest"),
        (b"{\"stepTimeoutInMinutes\":\"1\"}", "InvalidRequest"),
    ] {
        let mut world = World::with_jobs(&["j"]);
        let reply = world.ask_raw("a/jobs/start-next", payload).remove(0);
        assert_eq!((&*reply.0, &reply.1["code"]), ("a/jobs/start-next/rejected", &json!(code)));
    }
}

#[test]
fn a_refusal_echoes_the_token() {
    let mut world = World::new();
    let (_, body) = world.reply("jobs/j/update", json!({ "status": "?", "clientToken": "t" }));
    assert_eq!((&body["code"], &body["clientToken"]), (&json!("InvalidRequest"), &json!("t")));
}

#[test]
fn bad_names_and_unknown_operations_are_refused() {
    let mut world = World::new();
    assert_eq!(world.refused("jobs/a b/get", json!({})), "InvalidRequest");
    assert_eq!(world.refused(&format!("jobs/{}/get", "j".repeat(65)), json!({})), "InvalidRequest");
    assert_eq!(world.refused("jobs/$next/update", json!({"status": "FAILED"})), "InvalidRequest");
    assert_eq!(world.refused("jobs/j/delete", json!({})), "InvalidTopic");
    let long = "a".repeat(129);
    let reply = world.ask_raw(&format!("{long}/jobs/get"), b"{}").remove(0);
    assert_eq!(reply.1["code"], "InvalidRequest");
    assert!(!world.provider.state.things.contains_key(&long));
}

#[test]
fn replies_of_other_kinds_get_no_answer() {
    let mut world = World::new();
    assert_eq!(world.ask_raw("a/jobs/get/accepted", b"{}"), []);
    assert_eq!(world.ask_raw("a/shadow/get", b"{}"), []);
}

#[test]
fn the_job_timer_ends_the_execution() {
    let mut world = World::new();
    world.publish_new(NewJob { timeout_minutes: Some(1), ..World::new_job("j", &["a"]) });
    world.now += 500;
    assert_eq!(world.tick(), [], "queued, no timer runs");
    let body = world.accepted("jobs/start-next", json!({}));
    assert_eq!(body["execution"]["approximateSecondsBeforeTimedOut"], 60);
    world.now += 59;
    assert_eq!(world.tick(), []);
    world.now += 1;
    let pushed: Vec<_> = world.tick().into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(pushed, ["a/jobs/notify", "a/jobs/notify-next"]);
    assert_eq!(world.status("j"), "TIMED_OUT");
    assert_eq!(
        world.refused("jobs/j/update", json!({ "status": "SUCCEEDED" })),
        "InvalidStateTransition"
    );
}

#[test]
fn the_step_timer_is_set_moved_and_stopped_by_updates() {
    let mut world = World::with_jobs(&["j"]);
    let step = |minutes: i64| json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": minutes });
    world.accepted("jobs/start-next", json!({ "stepTimeoutInMinutes": 1 }));
    world.now += 59;
    world.accepted("jobs/j/update", step(2));
    world.now += 119;
    assert_eq!(world.tick(), []);
    world.accepted("jobs/j/update", step(-1));
    world.now += 100_000;
    assert_eq!(world.tick(), []);
    world.accepted("jobs/j/update", step(1));
    world.now += 60;
    assert_eq!(world.tick().len(), 2);
    assert_eq!(world.status("j"), "TIMED_OUT");
}

#[test]
fn the_step_timer_is_one_minute_to_seven_days() {
    let mut world = World::with_jobs(&["j"]);
    for bad in [0, -2, 10_081, i64::MAX] {
        let ask = json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": bad });
        assert_eq!(world.refused("jobs/j/update", ask), "InvalidRequest", "{bad}");
    }
    world.accepted("jobs/start-next", json!({ "stepTimeoutInMinutes": 10_080 }));
}
