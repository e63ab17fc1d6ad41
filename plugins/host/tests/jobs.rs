//! A plugin as a job protocol: questions, reports, offers, and what it remembers.

mod common;

use common::{protocol, protocol_home};
use coreota::{
    Version,
    error::Failure,
    job::{Ask, Heard, JobProtocol, Offer, Status},
    message::{Draft, Message},
    wire::Writer,
};
use coreota_plugins::{Home, Hosted, PluginJobs};

struct Empty;
impl Hosted for Empty {
    const HOME: Home = protocol_home("jobs", None);
}

/// With the module below compiled in, as job protocols are.
struct Here;
impl Hosted for Here {
    const HOME: Home = protocol_home("jobs", Some(MODULE));
}

/// Publishes to `topic` the whole input it was given, and the number of the event in place of the
/// first length. Messages: `O` and `S` offer the job named by the 4 bytes of payload, `X` breaks
/// down, `F` points outside the message, other digits `1` to `9` are that HEAR.
const MODULE: &[u8] = include_bytes!("jobs.wasm");

fn module() -> Vec<u8> {
    protocol(
        3,
        "(local $a i32)
         (if (i32.eq (local.get $event) (i32.const 2)) (then
            (if (i32.load (i32.const 72)) (then (return (i32.const 0))))
            (call $record (i32.const 0) (i32.const 0x40) (i32.const 1536) (i32.const 5) (i32.const 0))
            (return (i32.const 1))))
         (if (i32.or (i32.eq (local.get $event) (i32.const 7)) (i32.eq (local.get $event) (i32.const 8)))
            (then
                (i32.store (i32.const 64) (i32.or (local.get $event)
                    (i32.shl (global.get $told) (i32.const 8))))
                (call $record (i32.const 0) (i32.const 0x50041) (i32.const 64) (local.get $len)
                    (i32.const 1536))
                (return (i32.const 1))))
         (if (i32.eq (local.get $event) (i32.const 6)) (then
            (global.set $told (i32.load8_u (i32.const 84)))))
         (if (i32.eq (local.get $event) (i32.const 9)) (then
            (global.set $told (i32.const 1))))
         (if (i32.eq (local.get $event) (i32.const 3)) (then
            (local.set $a (i32.load8_u (i32.const 84)))
            (if (i32.eq (local.get $a) (i32.const 88)) (then unreachable))
            (if (i32.eq (local.get $a) (i32.const 90)) (then (return (i32.const -0x10101))))
            (if (i32.eq (local.get $a) (i32.const 69)) (then (return (i32.const -0x20103))))
            (if (i32.gt_u (local.get $a) (i32.const 57)) (then
                (call $record (i32.const 0)
                    (select (i32.const 0x10060) (i32.const 0x20060)
                        (i32.ne (local.get $a) (i32.const 83)))
                    (i32.const 0) (i32.const 0) (i32.const 0))
                (call $record (i32.const 16) (i32.const 0x61)
                    (select (i32.const 1536) (i32.const 85) (i32.eq (local.get $a) (i32.const 70)))
                    (i32.const 4) (i32.const 0))
                (call $record (i32.const 32) (i32.const 0x62) (i32.const 89)
                    (i32.sub (local.get $len) (i32.const 25)) (i32.const 0))
                (return (i32.const 3))))
            (call $record (i32.const 0)
                (i32.or (i32.shl (i32.sub (local.get $a) (i32.const 48)) (i32.const 16)) (i32.const 0x60))
                (i32.const 0x208) (i32.const 0) (i32.const 0))
            (return (i32.const 1))))",
    )
}

#[test]
fn the_module_beside_this_is_the_one_written_here() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jobs.wasm");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, module()).unwrap();
    }
    assert!(MODULE == module(), "BLESS=1 cargo test writes it anew");
}

/// What is published by `write`: the event, what the plugin remembers, x, y, z, and `a` and `b`.
fn published(
    write: impl FnOnce(&mut Draft<'_>) -> Result<(), Failure>,
) -> Result<(u8, u8, [u32; 3], String), Failure> {
    let (mut topic, mut payload) = ([0; 16], [0; 256]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    write(&mut draft)?;
    let message = draft.finish()?;
    assert_eq!(message.topic, "topic");
    let word = |at: usize| u32::from_le_bytes(message.payload[at..at + 4].try_into().unwrap());
    let text = String::from_utf8(message.payload[20..].to_vec()).unwrap();
    Ok((message.payload[0], message.payload[1], [word(8), word(12), word(16)], text))
}

fn hear<'m>(jobs: &mut PluginJobs<Here>, topic: &'m str, payload: &'m [u8]) -> Heard<'m> {
    jobs.hear(Message { topic, payload })
}

#[test]
fn it_is_ready_for_its_first_topic() {
    let jobs = PluginJobs::<Here>::new("thing").unwrap();
    let mut room = [0; 16];
    let mut topic = Writer::new(&mut room);
    assert!(jobs.subscription(0, &mut topic) && !jobs.subscription(1, &mut topic));
    assert_eq!(topic.finish(), Ok(&b"topic"[..]));
    let empty = PluginJobs::<Empty>::new("thing").unwrap();
    assert!(!empty.subscription(0, &mut topic));
}

#[test]
fn an_offer_is_the_messages_own_bytes() {
    let mut jobs = PluginJobs::<Here>::new("thing").unwrap();
    let payload = b"job1{\"document\":1}";
    for (topic, started) in [("O", false), ("S", true)] {
        let offer = Offer { name: "job1", started, document: &payload[4..] };
        assert_eq!(hear(&mut jobs, topic, payload), Heard::Offer(offer));
    }
    assert_eq!(jobs.current(), "");
    assert_eq!(jobs.take(), Ok(()));
    assert_eq!(jobs.current(), "job1");
    assert_eq!(jobs.take(), Err(Failure::Misconfigured));
    // What is not in the message cannot be handed on, and text must be text.
    assert_eq!(hear(&mut jobs, "F", payload), Heard::Malformed(Failure::PluginAnswer));
    assert_eq!(
        hear(&mut jobs, "O", b"\xff\xff\xff\xff{}"),
        Heard::Malformed(Failure::PluginAnswer)
    );
    assert_eq!(hear(&mut jobs, "O", b"j"), Heard::Malformed(Failure::PluginAnswer));
}

#[test]
fn what_a_message_can_mean() {
    let mut jobs = PluginJobs::<Here>::new("thing").unwrap();
    for (topic, heard) in [
        ("3", Heard::NoJob),
        ("4", Heard::Over),
        ("5", Heard::Accepted),
        ("6", Heard::Again),
        ("7", Heard::Refused(Failure::ProviderRefused)),
        ("8", Heard::Changed),
        ("9", Heard::Ignored),
        ("0", Heard::Malformed(Failure::PluginAnswer)),
        ("Z", Heard::NotMine),
        ("E", Heard::Malformed(Failure::BadJson)),
        ("X", Heard::Malformed(Failure::PluginTrap)),
    ] {
        assert_eq!(hear(&mut jobs, topic, b""), heard, "{topic}");
    }
    assert_eq!(hear(&mut jobs, "O", &[b'x'; 600]), Heard::NotMine);
}

#[test]
fn questions_and_reports() {
    let mut jobs = PluginJobs::<Here>::new("thing").unwrap();
    for (ask, x) in [(Ask::Peek, 0), (Ask::Start, 1), (Ask::Current, 2)] {
        let asked = published(|draft| jobs.ask(ask, draft));
        assert_eq!(asked, Ok((7, 0, [x, 0, 0], String::new())));
    }
    assert_eq!(
        published(|draft| jobs.report(&Status::Started, draft)),
        Err(Failure::Misconfigured)
    );
    jobs.adopt("job2").unwrap();
    let (running, from) =
        (Version::new(1, 2, 3), Version { build: 7, ..Version::new(0, 9, 65_535) });
    let why = Failure::Reverted;
    for (status, numbers, text) in [
        (Status::Started, [0, 0, 0], String::new()),
        (Status::Receiving { received: 5, total: 9 }, [1, 5, 9], String::new()),
        (Status::Staged { running }, [2, 0, 0], "1.2.3".to_owned()),
        (Status::Testing { from }, [3, 0, 0], "0.9.65535+7".to_owned()),
        (Status::Failed { why, note: "x" }, [5, 0x504, 0], format!("{}x", why.text())),
        (Status::Rejected { why, note: "" }, [6, 0x504, 0], why.text().to_owned()),
        (Status::Succeeded { running, from }, [4, 0, 0], "1.2.30.9.65535+7".to_owned()),
    ] {
        let told = published(|draft| jobs.report(&status, draft));
        assert_eq!(told, Ok((8, b'j', numbers, text)), "{status:?}");
    }
}

#[test]
fn the_current_job_until_it_is_over() {
    let mut jobs = PluginJobs::<Here>::new("thing").unwrap();
    for name in ["", &"x".repeat(65)] {
        assert_eq!(jobs.adopt(name), Err(Failure::BadText));
    }
    jobs.adopt("job2").unwrap();
    published(|draft| jobs.report(&Status::Started, draft)).unwrap();
    hear(&mut jobs, "5", b"");
    assert_eq!(jobs.current(), "job2");
    let failed = Status::Failed { why: Failure::Digest, note: "" };
    published(|draft| jobs.report(&failed, draft)).unwrap();
    assert_eq!(jobs.current(), "job2");
    hear(&mut jobs, "5", b"");
    assert_eq!(jobs.current(), "");
    jobs.adopt("job3").unwrap();
    hear(&mut jobs, "4", b"");
    assert_eq!(jobs.current(), "");
}

#[test]
fn one_that_broke_down_is_told_what_it_works_on() {
    let mut jobs = PluginJobs::<Here>::new("thing").unwrap();
    jobs.adopt("job2").unwrap();
    assert_eq!(hear(&mut jobs, "X", b""), Heard::Malformed(Failure::PluginTrap));
    let told = published(|draft| jobs.report(&Status::Started, draft));
    assert_eq!(told, Ok((8, b'j', [0, 0, 0], String::new())));
}
