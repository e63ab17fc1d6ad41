//! What a job provider answers and pushes: an offer has a name and a document, whatever was said.
#![no_main]

use coreota::{
    job::{Ask, Heard, JobProtocol, Status, aws_iot},
    message::{Draft, Message},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (which, payload) = input;
    let mut jobs = aws_iot::AwsIotJobs::new("T").expect("a name");
    jobs.adopt("J").expect("a name");
    let (mut topic, mut written) = ([0; aws_iot::TOPIC_MAX], [0; aws_iot::PAYLOAD_MAX]);
    let mut draft = Draft::new(&mut topic, &mut written);
    let (asked, question) = match which & 3 {
        0 => (jobs.ask(Ask::Peek, &mut draft), "$next/get"),
        1 => (jobs.ask(Ask::Start, &mut draft), "start-next"),
        2 => (jobs.ask(Ask::Current, &mut draft), "J/get"),
        _ => (jobs.report(&Status::Started, &mut draft), "J/update"),
    };
    asked.expect("fits");
    let topic = match which >> 2 & 3 {
        0 => format!("$aws/things/T/jobs/{question}/accepted"),
        1 => format!("$aws/things/T/jobs/{question}/rejected"),
        _ => "$aws/things/T/jobs/notify-next".to_owned(),
    };
    if let Heard::Offer(offer) = jobs.hear(Message { topic: &topic, payload }) {
        assert!((1..=64).contains(&offer.name.len()) && !offer.name.contains('/'));
        assert!(offer.document.starts_with(b"{") && offer.document.ends_with(b"}"));
        assert_eq!(jobs.take(), Ok(()));
    }
});
