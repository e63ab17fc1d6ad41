//! What is said and what is heard, as plain Rust.

use coreota_plugin::{Ask, Draft, Error, Failure, Heard, Jobs, Message, Offer, Reason, Status};
use line_jobs::LineJobs;

fn started() -> LineJobs {
    let mut jobs = LineJobs::NEW;
    jobs.start(b"bench:1").expect("a name");
    jobs
}

/// Topic and payload of what `write` writes.
fn written(
    jobs: &mut LineJobs,
    write: impl FnOnce(&mut LineJobs, &mut Draft<'_>) -> Result<(), Failure>,
) -> Result<(String, String), Failure> {
    let mut room = [0; 384];
    let mut draft = Draft::new(&mut room);
    write(jobs, &mut draft)?;
    let (topic, payload) = draft.finish().expect("fits");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    Ok((text(topic), text(payload)))
}

fn hear<'m>(jobs: &mut LineJobs, verb: &str, payload: &'m str) -> Result<Heard<'m>, Error> {
    let topic = format!("line-jobs/bench:1/{verb}");
    let message = Message { topic: topic.as_bytes(), payload: payload.as_bytes() };
    match jobs.hear(message) {
        // The topic is not kept.
        Ok(Heard::Offer(offer)) => Ok(Heard::Offer(Offer {
            name: &payload.as_bytes()[payload.find(' ').expect("there") + 1..][..offer.name.len()],
            started: offer.started,
            document: &payload.as_bytes()[payload.len() - offer.document.len()..],
        })),
        Ok(Heard::NoJob) => Ok(Heard::NoJob),
        Ok(Heard::Over) => Ok(Heard::Over),
        Ok(Heard::Accepted) => Ok(Heard::Accepted),
        Ok(Heard::Again) => Ok(Heard::Again),
        Ok(Heard::Refused(why)) => Ok(Heard::Refused(why)),
        Ok(Heard::Changed) => Ok(Heard::Changed),
        Ok(Heard::Ignored) => Ok(Heard::Ignored),
        Err(why) => Err(why),
    }
}

#[test]
fn a_job_from_asking_to_its_end() {
    let mut jobs = started();
    let asked = |ask| move |jobs: &mut LineJobs, draft: &mut Draft<'_>| jobs.ask(ask, draft);
    let said = |verb: &str, line: &str| Ok((format!("line-jobs/bench:1/{verb}"), line.to_owned()));
    assert_eq!(written(&mut jobs, asked(Ask::Peek)), said("ask", "peek"));
    assert_eq!(written(&mut jobs, asked(Ask::Current)), Err(Failure::Misconfigured));
    assert_eq!(
        hear(&mut jobs, "answer", "job fw-7\n{\"n\":\n1}"),
        Ok(Heard::Offer(Offer { name: b"fw-7", started: false, document: b"{\"n\":\n1}" }))
    );
    assert_eq!(written(&mut jobs, asked(Ask::Start)), said("ask", "start"));
    assert_eq!(
        hear(&mut jobs, "answer", "started fw-7\n{}"),
        Ok(Heard::Offer(Offer { name: b"fw-7", started: true, document: b"{}" }))
    );
    assert_eq!(jobs.take(), Ok(()));
    assert_eq!(jobs.take(), Err(Failure::Misconfigured));
    assert_eq!(written(&mut jobs, asked(Ask::Current)), said("ask", "current fw-7"));
    let reason = Reason { code: 0x0302, text: b"a signature does not hold", note: b"" };
    for (status, line) in [
        (Status::Started, "fw-7 started"),
        (Status::Receiving { received: 3, total: 10 }, "fw-7 receiving 3 10"),
        (Status::Staged { running: b"1.1.0" }, "fw-7 staged 1.1.0"),
        (Status::Testing { from: b"1.1.0" }, "fw-7 testing 1.1.0"),
        (Status::Succeeded { running: b"1.2.0", from: b"1.1.0" }, "fw-7 succeeded 1.2.0 1.1.0"),
        (Status::Failed(reason), "fw-7 failed 770 a signature does not hold"),
        (
            Status::Rejected(Reason { note: b"busy", ..reason }),
            "fw-7 rejected 770 a signature does not hold busy",
        ),
    ] {
        let report = |jobs: &mut LineJobs, draft: &mut Draft<'_>| jobs.report(&status, draft);
        assert_eq!(written(&mut jobs, report), said("report", line));
    }
}

#[test]
fn answers_and_what_is_none() {
    let mut jobs = started();
    for (payload, heard) in [
        ("none", Heard::NoJob),
        ("over\n", Heard::Over),
        ("ok", Heard::Accepted),
        ("again", Heard::Again),
        ("no", Heard::Refused(Failure::ProviderRefused)),
    ] {
        assert_eq!(hear(&mut jobs, "answer", payload), Ok(heard));
    }
    assert_eq!(hear(&mut jobs, "changed", ""), Ok(Heard::Changed));
    assert_eq!(hear(&mut jobs, "ask", "peek"), Ok(Heard::Ignored));
    for payload in ["", "nonesuch", "job", "job \n{}", "job a/b\n{}", "job a b"] {
        let heard = hear(&mut jobs, "answer", payload);
        assert_eq!(heard, Err(Error::Malformed(Failure::BadText)), "{payload}");
    }
    for topic in ["line-jobs/bench:2/answer", "line-jobs/bench:1", "else", ""] {
        let message = Message { topic: topic.as_bytes(), payload: b"none" };
        assert_eq!(jobs.hear(message), Err(Error::NotMine(Failure::NoSuchKey)), "{topic}");
    }
}

#[test]
fn names_have_limits() {
    for thing in ["", "a/b", "a+", &"t".repeat(129)] {
        let mut jobs = LineJobs::NEW;
        assert_eq!(jobs.start(thing.as_bytes()), Err(Failure::BadText));
    }
    let mut jobs = started();
    assert_eq!(jobs.adopt(&[b'n'; 64]), Ok(()));
    assert_eq!(jobs.adopt(&[b'n'; 65]), Err(Failure::BadText));
    assert_eq!(jobs.adopt(b""), Err(Failure::BadText));
}
