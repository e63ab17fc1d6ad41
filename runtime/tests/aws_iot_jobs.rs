//! AWS IoT Jobs: what a device writes, and what it makes of the answers.

use coreota::{
    error::Failure,
    job::{
        Ask, Heard, JobProtocol, Offer, Status,
        aws_iot::{AwsIotJobs, PAYLOAD_MAX, TOPIC_MAX},
    },
    message::{Draft, Message},
    version::Version,
};

const DOCUMENT: &str = r#"{"afr_ota":{"files":[]}}"#;

/// A device named `T`, its last message, and the token in it.
struct Device {
    jobs: AwsIotJobs,
    topic: String,
    payload: String,
}

impl Device {
    fn new() -> Self {
        let jobs = AwsIotJobs::new("T").expect("a name");
        Device { jobs, topic: String::new(), payload: String::new() }
    }

    /// One that works on job `J`, IN_PROGRESS at version 2.
    fn working() -> Self {
        let mut device = Device::new();
        device.ask(Ask::Start);
        let execution = execution("J", "IN_PROGRESS", 2);
        let heard = device.answer("accepted", &format!(r#""execution":{execution}"#));
        assert!(matches!(heard, Kind::Offer { started: true, .. }), "{heard:?}");
        device.jobs.take().expect("offered");
        device
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut AwsIotJobs, &mut Draft<'_>) -> Result<(), Failure>,
    ) {
        let (mut topic, mut payload) = ([0; TOPIC_MAX], [0; PAYLOAD_MAX]);
        let mut draft = Draft::new(&mut topic, &mut payload);
        write(&mut self.jobs, &mut draft).expect("fits");
        let message = draft.finish().expect("fits");
        self.topic = message.topic.to_owned();
        self.payload = String::from_utf8(message.payload.to_vec()).expect("UTF-8");
        serde_json::from_str::<serde_json::Value>(&self.payload).expect("JSON");
    }

    fn ask(&mut self, ask: Ask) {
        self.write(|jobs, draft| jobs.ask(ask, draft));
    }

    fn report(&mut self, status: Status<'_>) {
        self.write(|jobs, draft| jobs.report(&status, draft));
    }

    fn token(&self) -> String {
        let sent: serde_json::Value = serde_json::from_str(&self.payload).expect("JSON");
        sent["clientToken"].as_str().expect("a token").to_owned()
    }

    /// The provider answers the last message with these members and the right token.
    fn answer(&mut self, verdict: &str, members: &str) -> Kind {
        let topic = format!("{}/{verdict}", self.topic);
        let comma = if members.is_empty() { "" } else { "," };
        let payload = format!(r#"{{"clientToken":"{}"{comma}{members}}}"#, self.token());
        self.hear(&topic, &payload)
    }

    fn hear(&mut self, topic: &str, payload: &str) -> Kind {
        Kind::from(self.jobs.hear(Message { topic, payload: payload.as_bytes() }))
    }

    fn push(&mut self, payload: &str) -> Kind {
        self.hear("$aws/things/T/jobs/notify-next", payload)
    }
}

/// [`Heard`] without a borrow.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Offer { name: String, started: bool, document: String },
    NoJob,
    Over,
    Accepted,
    Again,
    Refused(Failure),
    Changed,
    Malformed(Failure),
    Ignored,
    NotMine,
}

impl From<Heard<'_>> for Kind {
    fn from(heard: Heard<'_>) -> Self {
        match heard {
            Heard::Offer(Offer { name, started, document }) => Kind::Offer {
                name: name.to_owned(),
                started,
                document: String::from_utf8(document.to_vec()).expect("UTF-8"),
            },
            Heard::NoJob => Kind::NoJob,
            Heard::Over => Kind::Over,
            Heard::Accepted => Kind::Accepted,
            Heard::Again => Kind::Again,
            Heard::Refused(why) => Kind::Refused(why),
            Heard::Changed => Kind::Changed,
            Heard::Malformed(why) => Kind::Malformed(why),
            Heard::Ignored => Kind::Ignored,
            Heard::NotMine => Kind::NotMine,
        }
    }
}

fn execution(name: &str, status: &str, version: u32) -> String {
    format!(
        r#"{{"jobId":"{name}","status":"{status}","queuedAt":1,"lastUpdatedAt":2,"versionNumber":{version},"executionNumber":1,"statusDetails":{{"a":"b"}},"jobDocument":{DOCUMENT}}}"#
    )
}

fn state(status: &str, version: u32) -> String {
    format!(
        r#""executionState":{{"status":"{status}","statusDetails":{{}},"versionNumber":{version}}}"#
    )
}

const RUNNING: Version = Version::new(1, 3, 2);

#[test]
fn questions_and_their_answers() {
    let offer = |started| Kind::Offer { name: "J".into(), started, document: DOCUMENT.into() };
    for (ask, topic) in [(Ask::Peek, "$next/get"), (Ask::Start, "start-next")] {
        let mut device = Device::new();
        device.ask(ask);
        assert_eq!(device.topic, format!("$aws/things/T/jobs/{topic}"));
        assert_eq!(device.payload, r#"{"clientToken":"1"}"#);
        assert_eq!(device.answer("accepted", r#""timestamp":1"#), Kind::NoJob);
        assert_eq!(device.answer("accepted", ""), Kind::Ignored, "answered already");

        device.ask(ask);
        let queued = format!(r#""execution":{}"#, execution("J", "QUEUED", 1));
        assert_eq!(device.answer("accepted", &queued), offer(false));
        assert_eq!(device.jobs.current(), "");
        assert_eq!(device.jobs.take(), Ok(()));
        assert_eq!(device.jobs.current(), "J");

        device.ask(Ask::Current);
        assert_eq!(device.topic, "$aws/things/T/jobs/J/get");
        let going = format!(r#""execution":{}"#, execution("J", "IN_PROGRESS", 2));
        assert_eq!(device.answer("accepted", &going), offer(true));
    }
}

#[test]
fn details_are_what_fleet_tools_read() {
    let note = "key release-2026";
    let why = Failure::Signature;
    for (status, said) in [
        (Status::Started, r#"{"status":"IN_PROGRESS","expectedVersion":2,"#),
        (
            Status::Receiving { received: 64, total: 159 },
            r#"{"status":"IN_PROGRESS","statusDetails":{"receive":"64/159"},"expectedVersion":2,"#,
        ),
        (
            Status::Staged { running: Version::new(1, 0, 0) },
            r#"{"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x01000000"},"#,
        ),
        (
            Status::Testing { from: RUNNING },
            r#"{"status":"IN_PROGRESS","statusDetails":{"self_test":"active","updatedBy":"0x01030002"},"#,
        ),
        (
            Status::Succeeded { running: Version::new(1, 4, 0), from: RUNNING },
            r#"{"status":"SUCCEEDED","statusDetails":{"reason":"accepted v1.4.0","updatedBy":"v1.3.2"},"#,
        ),
        (
            Status::Failed { why, note: "" },
            r#"{"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000302 a signature does not hold"},"#,
        ),
        (
            Status::Failed { why, note },
            r#"{"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000302 a signature does not hold: key release-2026"},"#,
        ),
        // It is IN_PROGRESS: too late for REJECTED.
        (
            Status::Rejected { why, note: "" },
            r#"{"status":"FAILED","statusDetails":{"reason":"rejected: 0x00000302 a signature does not hold"},"#,
        ),
    ] {
        let mut device = Device::working();
        device.report(status);
        assert_eq!(device.topic, "$aws/things/T/jobs/J/update");
        assert!(device.payload.starts_with(said), "{}\n{said}", device.payload);
        assert_eq!(device.answer("accepted", ""), Kind::Accepted);
        assert_eq!(device.jobs.current(), if status.is_final() { "" } else { "J" });
    }
}

#[test]
fn a_queued_job_can_be_rejected() {
    let mut device = Device::new();
    assert!(matches!(
        device.push(&format!(r#"{{"execution":{}}}"#, execution("J", "QUEUED", 1))),
        Kind::Offer { started: false, .. }
    ));
    device.jobs.take().expect("offered");
    device.report(Status::Rejected { why: Failure::Policy, note: "" });
    assert!(device.payload.starts_with(r#"{"status":"REJECTED","#), "{}", device.payload);
    // Started behind our back: what is repeated is a failure.
    let members = format!(r#""code":"InvalidStateTransition",{}"#, state("IN_PROGRESS", 2));
    assert_eq!(device.answer("rejected", &members), Kind::Again);
    device.report(Status::Rejected { why: Failure::Policy, note: "" });
    assert!(device.payload.starts_with(r#"{"status":"FAILED","#), "{}", device.payload);
}

#[test]
fn the_version_is_read_and_counted() {
    let mut device = Device::working();
    let expected = |device: &Device| {
        let sent: serde_json::Value = serde_json::from_str(&device.payload).expect("JSON");
        sent["expectedVersion"].as_u64()
    };
    for version in 2..5 {
        device.report(Status::Started);
        assert_eq!(expected(&device), Some(version));
        assert_eq!(device.answer("accepted", r#""timestamp":1"#), Kind::Accepted);
    }
    // Told by the provider, in acceptance and in refusal.
    device.report(Status::Started);
    assert_eq!(device.answer("accepted", &state("IN_PROGRESS", 40)), Kind::Accepted);
    device.report(Status::Started);
    assert_eq!(expected(&device), Some(40));
    let mismatch =
        format!(r#""code":"VersionMismatch","message":"x",{}"#, state("IN_PROGRESS", 77));
    assert_eq!(device.answer("rejected", &mismatch), Kind::Again);
    device.report(Status::Started);
    assert_eq!(expected(&device), Some(77));
    // A refusal that does not tell: ask.
    assert_eq!(device.answer("rejected", r#""code":"VersionMismatch""#), Kind::Changed);
    device.ask(Ask::Current);
    let going = format!(r#""execution":{}"#, execution("J", "IN_PROGRESS", 90));
    assert!(matches!(device.answer("accepted", &going), Kind::Offer { .. }));
    device.report(Status::Started);
    assert_eq!(expected(&device), Some(90));
    // After a reboot only the journal knows the job: no number is better than a wrong one.
    device.jobs.adopt("J").expect("a name");
    device.report(Status::Started);
    assert_eq!(expected(&device), None);
}

#[test]
fn refusals_of_a_report() {
    let why = Failure::SelfTest;
    for (code, more, heard) in [
        ("TerminalStateReached", String::new(), Kind::Over),
        ("ResourceNotFound", String::new(), Kind::Over),
        ("InvalidStateTransition", String::new(), Kind::Over),
        ("InvalidStateTransition", state("CANCELED", 9), Kind::Over),
        ("VersionMismatch", state("TIMED_OUT", 9), Kind::Over),
        ("VersionMismatch", state("SUCCEEDED", 9), Kind::Over),
        // The very report that is repeated, whose first answer was lost.
        ("VersionMismatch", state("FAILED", 9), Kind::Accepted),
        ("RequestThrottled", String::new(), Kind::Again),
        ("InternalError", String::new(), Kind::Again),
        ("InvalidRequest", String::new(), Kind::Refused(Failure::ProviderRefused)),
        ("SomethingNew", String::new(), Kind::Refused(Failure::ProviderRefused)),
    ] {
        let mut device = Device::working();
        device.report(Status::Failed { why, note: "" });
        let comma = if more.is_empty() { "" } else { "," };
        let members = format!(r#""code":"{code}","message":"words"{comma}{more}"#);
        let ends = matches!(heard, Kind::Over | Kind::Accepted);
        assert_eq!(device.answer("rejected", &members), heard, "{code} {more}");
        assert_eq!(device.jobs.current(), if ends { "" } else { "J" }, "{code} {more}");
    }
}

#[test]
fn a_refused_question_is_no_end_of_a_job() {
    let mut device = Device::new();
    device.ask(Ask::Peek);
    let members = r#""code":"ResourceNotFound""#;
    let refused = Kind::Refused(Failure::ProviderRefused);
    assert_eq!(device.answer("rejected", members), refused);
    let mut device = Device::working();
    device.ask(Ask::Current);
    assert_eq!(device.answer("rejected", members), Kind::Over);
}

#[test]
fn pushes_while_a_job_runs() {
    let mut device = Device::working();
    let ours = format!(r#"{{"timestamp":1,"execution":{}}}"#, execution("J", "IN_PROGRESS", 2));
    assert_eq!(device.push(&ours), Kind::Ignored);
    let other = format!(r#"{{"timestamp":1,"execution":{}}}"#, execution("K", "QUEUED", 1));
    assert_eq!(device.push(&other), Kind::Changed);
    assert_eq!(device.push(r#"{"timestamp":1}"#), Kind::Changed);
    assert_eq!(device.jobs.current(), "J");
    device.ask(Ask::Current);
    let over = format!(r#""execution":{}"#, execution("J", "CANCELED", 3));
    assert_eq!(device.answer("accepted", &over), Kind::Over);
    assert_eq!(device.jobs.current(), "");
    assert_eq!(device.push(r#"{"timestamp":1}"#), Kind::NoJob);
    assert!(matches!(device.push(&other), Kind::Offer { .. }));
}

#[test]
fn only_the_answer_to_the_open_question_is_heard() {
    let mut device = Device::working();
    device.report(Status::Started);
    let (topic, late) = (device.topic.clone(), device.token());
    device.report(Status::Started);
    let answer = format!(r#"{{"clientToken":"{late}"}}"#);
    for (tail, payload) in [
        ("/accepted", answer.as_str()),
        ("/rejected", answer.as_str()),
        ("/accepted", r#"{"clientToken":"somebody else"}"#),
        ("/accepted", r#"{"timestamp":1}"#),
        ("/accepted/x", r#"{}"#),
    ] {
        let heard = device.hear(&format!("{topic}{tail}"), payload);
        assert_eq!(heard, Kind::Ignored, "{tail} {payload}");
    }
    let token = format!(r#"{{"clientToken":"{}"}}"#, device.token());
    for other in ["K/update", "J/get", "start-next", "get", "$next/get", "notify"] {
        let topic = format!("$aws/things/T/jobs/{other}/accepted");
        assert_eq!(device.hear(&topic, &token), Kind::Ignored, "{other}");
    }
    let elsewhere = topic.replace("/T/", "/U/") + "/accepted";
    assert_eq!(device.hear(&elsewhere, &token), Kind::NotMine);
    // Too broken to have had a token.
    let refused = Kind::Refused(Failure::ProviderRefused);
    assert_eq!(device.hear(&format!("{topic}/rejected"), r#"{"code":"InvalidJson"}"#), refused);
}

#[test]
fn messages_that_break_the_rules() {
    let twice = execution("J", "QUEUED", 1).replacen('{', r#"{"jobId":"K","#, 1);
    let deep = execution("J", "QUEUED", 1)
        .replace(DOCUMENT, &format!("{}1{}", r#"{"a":"#.repeat(25), "}".repeat(25)));
    for (execution, why) in [
        (twice, Failure::DuplicateKey),
        (deep, Failure::TooDeep),
        (execution("J K", "QUEUED", 1), Failure::BadText),
        (execution("", "QUEUED", 1), Failure::BadText),
        (execution(&"J".repeat(65), "QUEUED", 1), Failure::BadText),
        (execution("J", "ASLEEP", 1), Failure::BadText),
        (execution("J", "SUCCEEDED", 1), Failure::BadText),
        (execution("J", "QUEUED", 1).replace(DOCUMENT, "[]"), Failure::MissingField),
        (
            execution("J", "QUEUED", 1).replace("\"versionNumber\":1", "\"versionNumber\":-1"),
            Failure::BadNumber,
        ),
        (
            execution("J", "QUEUED", 1)
                .replace("\"versionNumber\":1", "\"versionNumber\":4294967296"),
            Failure::BadNumber,
        ),
        (execution("J", "QUEUED", 1) + "}", Failure::BadJson),
        ("3".into(), Failure::WrongType),
    ] {
        let mut device = Device::new();
        let heard = device.push(&format!(r#"{{"execution":{execution}}}"#));
        assert_eq!(heard, Kind::Malformed(why), "{execution}");
        assert_eq!(device.jobs.take(), Err(Failure::Misconfigured));
    }
}

#[test]
fn the_longest_names_fit_and_longer_ones_are_refused() {
    let (thing, job) = ("t".repeat(128), "j".repeat(64));
    let mut jobs = AwsIotJobs::new(&thing).expect("a name");
    jobs.adopt(&job).expect("a name");
    let mut device = Device { jobs, topic: String::new(), payload: String::new() };
    device.ask(Ask::Current);
    let going = format!(r#""execution":{}"#, execution(&job, "QUEUED", u32::MAX));
    assert!(matches!(device.answer("accepted", &going), Kind::Offer { .. }));
    for why in Failure::ALL {
        device.report(Status::Rejected { why: *why, note: &"n".repeat(500) });
    }
    assert_eq!(device.topic.len() + "/accepted".len(), TOPIC_MAX);

    for bad in ["", "a/b", "a+", "#", "é", &"t".repeat(129)] {
        assert_eq!(AwsIotJobs::new(bad).err(), Some(Failure::BadText), "{bad}");
    }
    for bad in ["", "a/b", "a:b", "$next", &"j".repeat(65)] {
        assert_eq!(device.jobs.adopt(bad), Err(Failure::BadText), "{bad}");
    }
}

#[test]
fn a_message_that_does_not_fit_was_never_asked() {
    let mut device = Device::working();
    let (mut topic, mut payload) = ([0; TOPIC_MAX], [0; 8]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    let written = device.jobs.report(&Status::Started, &mut draft);
    assert_eq!(written, Err(Failure::MessageTooLong));
    assert_eq!(device.hear("$aws/things/T/jobs/J/update/accepted", "{}"), Kind::Ignored);
}

#[test]
fn notes_never_break_a_report() {
    let mut device = Device::working();
    device.report(Status::Failed { why: Failure::Policy, note: "a \"quoted\" \\ é\n" });
    assert!(device.payload.contains(r#": a ?quoted? ? ???"}"#), "{}", device.payload);
}
