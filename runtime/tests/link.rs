//! The simulated links: what a wire carries and when, and what bad weather does to it.
#![cfg(feature = "sim")]

use coreota::link::{Clock, Delivery, LinkFault, MessageLink};
use coreota::message::Message;
use coreota::sim::clock::SimClock;
use coreota::sim::link::{Letter, Lossy, Outbox, Peer, Weather, Wire};
use coreota::sim::run;
use std::collections::BTreeMap;

/// Answers `n` with the messages `n.0`, `n.1`, … `n.9` on topic `echo`, and keeps what it heard.
#[derive(Default)]
struct Ten {
    heard: Vec<Letter>,
}

impl Peer for Ten {
    fn heard(&mut self, message: Message<'_>, outbox: &mut Outbox) {
        self.heard.push(message.into());
        for part in 0..10 {
            let text = format!("{}.{part}", String::from_utf8_lossy(message.payload));
            outbox.send("echo/x", text.into_bytes());
        }
    }
}

const ASK: Message<'_> = Message { topic: "ask", payload: b"0" };

fn wire() -> (Wire<Ten>, SimClock) {
    let clock = SimClock::new();
    let mut wire = Wire::new(Ten::default(), clock.clone()).with_latency(50);
    run(wire.connect()).unwrap();
    (wire, clock)
}

/// Everything that arrives until nothing does for a second.
fn all(link: &mut impl MessageLink) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(message) = run(link.receive(1000)).unwrap() {
        texts.push(String::from_utf8_lossy(message.payload).into_owned());
    }
    texts
}

#[test]
fn a_wire_takes_its_time_and_waiting_passes_it() {
    let (mut wire, clock) = wire();
    run(wire.subscribe("echo/+")).unwrap();
    run(wire.publish(ASK, Delivery::AtMostOnce)).unwrap();
    assert_eq!(clock.elapsed_ms(), 0);
    assert!(run(wire.receive(99)).unwrap().is_none());
    assert_eq!(clock.elapsed_ms(), 99);
    assert!(run(wire.receive(1000)).unwrap().is_some());
    assert_eq!(clock.elapsed_ms(), 100);
    assert_eq!(all(&mut wire).len(), 9);
    assert_eq!(clock.elapsed_ms(), 1100);
}

#[test]
fn only_what_was_subscribed_arrives() {
    for (filter, arrives) in [
        ("echo/x", true),
        ("echo/+", true),
        ("echo/#", true),
        ("#", true),
        ("echo", false),
        ("echo/y", false),
        ("+", false),
        ("echo/x/z", false),
    ] {
        let (mut wire, _) = wire();
        run(wire.subscribe(filter)).unwrap();
        run(wire.publish(ASK, Delivery::AtMostOnce)).unwrap();
        assert_eq!(all(&mut wire).len() == 10, arrives, "{filter}");
    }
}

#[test]
fn a_cut_wire_is_down_until_it_connects_and_forgets_its_subscriptions() {
    let (mut wire, mut clock) = wire();
    run(wire.subscribe("echo/x")).unwrap();
    wire.cut(500);
    assert_eq!(run(wire.publish(ASK, Delivery::AtLeastOnce)), Err(LinkFault::Down));
    assert_eq!(run(wire.receive(10)), Err(LinkFault::Down));
    assert_eq!(run(wire.connect()), Err(LinkFault::Down));
    run(clock.wait_ms(500));
    assert_eq!(run(wire.connect()), Ok(()));
    run(wire.publish(ASK, Delivery::AtLeastOnce)).unwrap();
    assert_eq!(all(&mut wire), Vec::<String>::new());
    assert_eq!(wire.peer().heard.len(), 1);
}

#[test]
fn a_message_longer_than_the_device_takes_is_said() {
    let (wire, _) = wire();
    let mut wire = wire.with_longest(2);
    run(wire.subscribe("#")).unwrap();
    wire.send("echo/x", *b"abc");
    wire.send("echo/x", *b"ab");
    assert_eq!(run(wire.receive(1000)), Err(LinkFault::TooLong));
    assert_eq!(run(wire.receive(1000)).unwrap().map(|m| m.payload.len()), Some(2));
}

/// 100 questions in that weather: what came back, and the questions that the peer heard.
fn storm(weather: Weather, how: Delivery, seed: u64) -> (Vec<String>, usize) {
    let (wire, clock) = wire();
    let mut link = Lossy::new(wire, clock, weather, seed);
    run(link.connect()).unwrap();
    run(link.subscribe("#")).unwrap();
    let mut texts = Vec::new();
    for _ in 0..100 {
        run(link.publish(ASK, how)).unwrap();
        texts.extend(all(&mut link));
    }
    (texts, link.inner().peer().heard.len())
}

#[test]
fn in_fair_weather_nothing_happens() {
    let expected: Vec<_> = (0..1000).map(|n| format!("0.{}", n % 10)).collect();
    assert_eq!(storm(Weather::default(), Delivery::AtMostOnce, 1), (expected, 100));
}

#[test]
fn each_weather_does_what_it_says_and_nothing_else() {
    let count = |texts: &[String]| {
        let mut count = BTreeMap::<String, usize>::new();
        texts.iter().for_each(|text| *count.entry(text.clone()).or_default() += 1);
        count
    };
    let once = Delivery::AtMostOnce;
    let (texts, heard) = storm(Weather { loss: 20, ..Weather::default() }, once, 2);
    assert!((60..95).contains(&heard), "{heard} of 100 questions heard");
    assert!((heard * 7..heard * 9).contains(&texts.len()), "{} answers to {heard}", texts.len());

    let (texts, heard) = storm(Weather { duplicate: 20, ..Weather::default() }, once, 3);
    assert!((105..140).contains(&heard), "{heard} of 100 questions heard");
    assert!((heard * 11..heard * 13).contains(&texts.len()), "{} answers to {heard}", texts.len());

    let (texts, heard) = storm(Weather { reorder: 20, ..Weather::default() }, once, 4);
    assert_eq!((texts.len(), heard), (1000, 100));
    assert!(count(&texts).values().all(|n| *n == 100), "the messages are others");
    let swapped = texts.windows(2).filter(|pair| pair[0] > pair[1] && pair[1] != "0.0").count();
    assert!((80..250).contains(&swapped), "{swapped} of 1000 overtaken");

    let (texts, _) = storm(Weather { corrupt: 20, ..Weather::default() }, once, 5);
    let whole = texts.iter().filter(|text| text.len() == 3 && text.starts_with("0.")).count();
    assert_eq!(texts.len(), 1000);
    assert!((600..950).contains(&whole), "{whole} of 1000 whole");
}

#[test]
fn what_is_sent_at_least_once_is_not_lost() {
    let (_, heard) = storm(Weather { loss: 50, ..Weather::default() }, Delivery::AtLeastOnce, 6);
    assert_eq!(heard, 100);
}

#[test]
fn only_topics_that_are_rained_upon_suffer() {
    let on: fn(&str) -> bool = |topic| topic == "ask";
    let weather = Weather { loss: 50, on: Some(on), ..Weather::default() };
    let (texts, heard) = storm(weather, Delivery::AtMostOnce, 7);
    assert_eq!(texts.len(), heard * 10);
    assert!((25..75).contains(&heard));
}

#[test]
fn the_same_seed_is_the_same_weather() {
    let weather =
        Weather { loss: 10, duplicate: 10, reorder: 10, corrupt: 10, ..Weather::default() };
    let storm = |seed| storm(weather, Delivery::AtMostOnce, seed);
    assert_eq!(storm(8), storm(8));
    assert_ne!(storm(8), storm(9));
}

#[test]
fn a_dropped_connection_stays_down_until_it_is_made_again() {
    let (wire, clock) = wire();
    let weather = Weather { disconnect: 10, ..Weather::default() };
    let mut link = Lossy::new(wire, clock, weather, 10);
    let mut drops = 0;
    for _ in 0..1000 {
        if run(link.publish(ASK, Delivery::AtLeastOnce)).is_err() {
            drops += 1;
            assert_eq!(run(link.receive(1)), Err(LinkFault::Down));
            run(link.connect()).unwrap();
        }
    }
    assert!((60..140).contains(&drops), "{drops} drops in 1000 calls");
}
