//! Plugins over the air, with real modules: the simulated board `sim-plugins` as a process of its own, on
//! mosquitto, taught by `cargo ota plugin publish`.

use std::time::Duration;

use coreota::error::Failure;
use sim_device::{Behaviour, BoardName, Event, How, Stage};

use crate::mqtt311::Client;
use crate::sim::{self, KEY, SIZE, Sim, told};
use crate::world::World;

const BOARD: BoardName = BoardName::SimPlugins;
const THING: &str = "lamp-1";
/// A job of Acme, a made-up company.
const ACME: &str = r#"{"acme":2,"packages":[{"what":"firmware","length":${size},"channel":"${stream}","sum":"${sha256}"}]}"#;
/// The same, carried by another protocol.
const CARRIED: &str = r#"{"acme":2,"packages":[{"what":"firmware","length":${size},"channel":"${stream}","sum":"${sha256}","carrier":"raw-blocks"}]}"#;
const NONE: &str = "acme-jobs none, raw-blocks none, site-jobs none";

/// The module of a sample, signed for the slot of that name; gives the file.
fn signed(world: &World, sample: &str, name: &str, version: &str) -> String {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/samples");
    let module = format!("{samples}/{sample}/{sample}.wasm");
    let file = format!("{name}-{version}.plugin");
    let sign = ["plugin", "sign", &module, &file, "--name", name, "--version", version];
    let facts = ["--key", KEY, "--arena", "20480", "--fuel", "100000"];
    world.events(&[&sign[..], &facts].concat());
    file
}

/// Sends a plugin as a job and waits for its end.
fn teach(world: &World, device: &mut Sim, file: &str, job: &str) -> Stage {
    world.events(&["plugin", "publish", file, "--job", job, "--thing", THING]);
    let (stage, events) = device.over();
    assert_eq!(resets(&events), 0, "{job}: the device was reset: {events:#?}");
    stage
}

/// Sends an order about plugins and waits for its end.
fn order(world: &World, device: &mut Sim, order: &[&str], job: &str) -> Stage {
    let to = ["--job", job, "--thing", THING];
    world.events(&[&["plugin", "order"], order, &to].concat());
    let (stage, events) = device.over();
    assert_eq!(resets(&events), 0, "{job}: {events:#?}");
    stage
}

/// Sends an image in a job of that document.
fn publish(world: &World, image: &str, job: &str, document: &str) {
    let file = format!("{job}.json");
    std::fs::write(world.dir.join(&file), document).expect("writable");
    world.events(&["publish", image, "--job", job, "--thing", THING, "--document", &file]);
}

fn done(note: &str) -> Stage {
    Stage::Done { note: note.to_owned() }
}

fn resets(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Reset | Event::Boot { .. })).count()
}

fn succeeded(from: &str, to: &str) -> Stage {
    Stage::Succeeded { from: from.to_owned(), to: to.to_owned() }
}

/// The failure that a job ended with, for the device and for the provider; `words` are in what the
/// provider heard.
#[track_caller]
fn refused(world: &World, stage: Stage, job: &str, status: &str, why: Failure, words: &str) {
    let code = match stage {
        Stage::Failed { code, .. } if status == "FAILED" => code,
        Stage::Rejected { code, .. } if status == "REJECTED" => code,
        stage => panic!("{job}: {stage:?}, not {status}: {why:?}"),
    };
    assert_eq!(Failure::from_code(code), Some(why), "{job}");
    let (heard, reason) = told(world, job, THING);
    assert_eq!(heard, status, "{job}: {reason}");
    assert!(reason.contains(why.text()) && reason.contains(words), "{job}: {reason}");
}

/// A device on version 1 that knows nothing yet; it has said that it booted.
fn device(world: &World) -> Sim {
    let mut device = Sim::start(world, BOARD, THING, &[]);
    device.until(|event| matches!(event, Event::Boot { how: How::Unchanged, .. }));
    device
}

#[test]
fn a_job_nobody_understands_succeeds_once_its_plugin_came() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let mut device = device(&world);
    publish(&world, &v2, "unknown", ACME);
    let (stage, events) = device.over();
    assert_eq!(resets(&events), 0);
    // Each parser says why not: this one, that it is not there.
    let why = format!("acme-jobs {:#06x}", Failure::NoPlugin.code());
    refused(&world, stage, "unknown", "REJECTED", Failure::UnknownJob, &why);

    let file = signed(&world, "acme-jobs", "acme-jobs", "1.0.0");
    let taught = teach(&world, &mut device, &file, "teach");
    assert_eq!(taught, done("acme-jobs 1.0.0, raw-blocks none, site-jobs none"));
    assert_eq!(told(&world, "teach", THING).0, "SUCCEEDED");

    // The same document for the same image: now it is read, and the first reset is the image's own.
    publish(&world, &v2, "again", ACME);
    let (event, before) = device.until(|event| matches!(event, Event::Reset));
    assert_eq!((event, resets(&before)), (Event::Reset, 0));
    let staged = |event: &Event| matches!(event, Event::Status { job, stage: Stage::Staged, .. } if job == "again");
    assert!(before.iter().any(staged), "{before:#?}");
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
    assert_eq!(told(&world, "again", THING).0, "SUCCEEDED");

    // Version 2 finds the plugin in the store.
    let listed = order(&world, &mut device, &["list"], "list");
    assert_eq!(listed, done("acme-jobs 1.0.0, raw-blocks none, site-jobs none"));
    let v3 = sim::image(&world, BOARD, 3, Behaviour::Works);
    publish(&world, &v3, "and-again", ACME);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("2.0.0", "3.0.0"), "{events:#?}");
}

#[test]
fn a_protocol_that_came_over_the_air_fetches_the_image_that_boots() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let mut device = device(&world);
    let parser = signed(&world, "acme-jobs", "acme-jobs", "1.0.0");
    assert!(matches!(teach(&world, &mut device, &parser, "parser"), Stage::Done { .. }));
    // It is understood, and cannot be fetched.
    publish(&world, &v2, "no-carrier", CARRIED);
    let (stage, _) = device.over();
    refused(&world, stage, "no-carrier", "REJECTED", Failure::NoPlugin, "");

    let protocol = signed(&world, "raw-blocks", "raw-blocks", "1.0.0");
    let taught = teach(&world, &mut device, &protocol, "protocol");
    assert_eq!(taught, done("acme-jobs 1.0.0, raw-blocks 1.0.0, site-jobs none"));

    // What goes over the broker is heard by somebody else.
    let mut ear = Client::connect(world.port, "ear");
    ear.subscribe("raw-blocks/#");
    ear.subscribe("$aws/things/+/streams/#");
    publish(&world, &v2, "carried", CARRIED);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
    assert_eq!(told(&world, "carried", THING).0, "SUCCEEDED");
    let image = std::fs::read(world.dir.join(&v2)).expect("it was published");
    let mut fetched = vec![None; image.len().div_ceil(1024)];
    while let Some((topic, payload)) = ear.next(Duration::from_millis(300)) {
        assert!(topic.starts_with("raw-blocks/lamp-1/AFR_OTA-"), "another protocol: {topic}");
        if topic.ends_with("/data") {
            let index = u32::from_le_bytes(payload[8..12].try_into().expect("four bytes"));
            fetched[index as usize] = Some(payload[12..].to_vec());
        }
    }
    let fetched: Vec<u8> = fetched.into_iter().flatten().flatten().collect();
    assert!(fetched == image, "{} of {} bytes went by raw-blocks", fetched.len(), image.len());
}

#[test]
fn a_plugin_is_upgraded_never_rolled_back_disabled_and_removed() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let mut device = device(&world);
    // What is first in the slot does not know Acme's jobs; what takes its place does.
    let old = signed(&world, "liar-jobs", "acme-jobs", "1.0.0");
    let new = signed(&world, "acme-jobs", "acme-jobs", "1.1.0");
    let with = |acme: &str| done(&NONE.replace("acme-jobs none", acme));
    assert_eq!(teach(&world, &mut device, &old, "old"), with("acme-jobs 1.0.0"));
    publish(&world, &v2, "not-yet", ACME);
    let (stage, _) = device.over();
    let why = format!("acme-jobs {:#06x}", Failure::NoSuchKey.code());
    refused(&world, stage, "not-yet", "REJECTED", Failure::UnknownJob, &why);
    assert_eq!(teach(&world, &mut device, &new, "upgrade"), with("acme-jobs 1.1.0"));

    for (job, file) in [("rollback", &old), ("same-again", &new)] {
        // The same version under another signature: else the device knows that it has it.
        let file = match job {
            "rollback" => file.clone(),
            _ => signed(&world, "liar-jobs", "acme-jobs", "1.1.0"),
        };
        let stage = teach(&world, &mut device, &file, job);
        refused(&world, stage, job, "FAILED", Failure::SignedNotNewer, "");
    }
    // The newer one still works: Acme's document is understood, though of another board's image.
    let other = sim::image_for(&world, BOARD, "toaster", 9, Behaviour::Works);
    publish(&world, &other, "understood", ACME);
    let (stage, _) = device.over();
    refused(&world, stage, "understood", "FAILED", Failure::SignedOtherBoard, "");

    let disabled = order(&world, &mut device, &["disable", "acme-jobs"], "disable");
    assert_eq!(disabled, with("acme-jobs 1.1.0 disabled"));
    publish(&world, &v2, "disabled", ACME);
    let (stage, _) = device.over();
    refused(&world, stage, "disabled", "REJECTED", Failure::UnknownJob, "acme-jobs 0x0601");
    let enabled = order(&world, &mut device, &["enable", "acme-jobs"], "enable");
    assert_eq!(enabled, with("acme-jobs 1.1.0"));
    let nobody = order(&world, &mut device, &["remove", "nobody"], "nobody");
    refused(&world, nobody, "nobody", "REJECTED", Failure::NoPlugin, "");

    let removed = order(&world, &mut device, &["remove", "acme-jobs"], "remove");
    assert_eq!(removed, done(NONE));
    publish(&world, &v2, "removed", ACME);
    let (stage, _) = device.over();
    refused(&world, stage, "removed", "REJECTED", Failure::UnknownJob, "acme-jobs 0x0601");
    // What was there once is not forgotten.
    let back = signed(&world, "liar-jobs", "acme-jobs", "1.0.9");
    let stage = teach(&world, &mut device, &back, "back");
    refused(&world, stage, "back", "FAILED", Failure::SignedNotNewer, "");
    let newest = signed(&world, "acme-jobs", "acme-jobs", "1.2.0");
    assert_eq!(teach(&world, &mut device, &newest, "newest"), with("acme-jobs 1.2.0"));
    publish(&world, &v2, "at-last", ACME);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
}

/// What a plugin says of a job, what is true, and what becomes of it.
struct Lie {
    name: &'static str,
    image: String,
    /// More members of the document.
    members: &'static str,
    status: &'static str,
    why: Failure,
}

#[test]
fn a_plugin_that_lies_about_a_job_gains_nothing() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let older = sim::image(&world, BOARD, 0, Behaviour::Works);
    let toaster = sim::image_for(&world, BOARD, "toaster", 3, Behaviour::Works);
    // Signed by somebody else, and offered to somebody else.
    world.events(&["keygen", "stranger"]);
    let forged = ["sign", "sim-plugins-2.bin", "forged.img", "--board", BOARD.name()];
    let by = ["--format", "trailer", "--version", "9.0.0", "--key", "stranger.pem"];
    world.events(&[&forged[..], &by].concat());
    let elses = ["publish", "forged.img", "--job", "elses", "--thing", "somebody-else"];
    world.events(&[&elses[..], &["--stream", "someone-elses"]].concat());

    let mut device = device(&world);
    let liar = signed(&world, "liar-jobs", "acme-jobs", "1.0.0");
    assert!(matches!(teach(&world, &mut device, &liar, "liar"), Stage::Done { .. }));
    const SUM: &str = r#", "sum": "${sha256}""#;
    let lie = |name, image: &String, members, status, why| Lie {
        name,
        image: image.clone(),
        members,
        status,
        why,
    };
    let lies = [
        lie("shorter", &v2, "", "FAILED", Failure::Format),
        lie("shorter", &v2, SUM, "FAILED", Failure::Digest),
        lie("endless", &v2, "", "REJECTED", Failure::TooLarge),
        lie("digest", &v2, SUM, "FAILED", Failure::Digest),
        lie("version", &older, r#", "version": "0.0.0""#, "FAILED", Failure::SignedNotNewer),
        lie("board", &toaster, r#", "board": "toaster""#, "FAILED", Failure::SignedOtherBoard),
        lie("stream", &v2, "", "FAILED", Failure::NoTrustedKey),
        lie("stream", &v2, SUM, "FAILED", Failure::Digest),
        lie("url", &v2, "", "REJECTED", Failure::NoTransport),
        lie("content", &v2, "", "REJECTED", Failure::TooLarge),
        lie("content", &liar, "", "FAILED", Failure::SignedNotNewer),
        lie("nothing", &liar, "", "FAILED", Failure::Format),
        lie("files", &v2, "", "REJECTED", Failure::TooManyFiles),
        lie("protocol", &v2, "", "REJECTED", Failure::NoTransport),
        lie("signature", &v2, SUM, "FAILED", Failure::Signature),
    ];
    for (number, lie) in lies.iter().enumerate() {
        let job = format!("{}-{number}", lie.name);
        let document = format!(
            r#"{{"liar": "{}", "size": ${{size}}, "stream": "${{stream}}"{}}}"#,
            lie.name, lie.members
        );
        publish(&world, &lie.image, &job, &document);
        let (stage, events) = device.over();
        assert_eq!(resets(&events), 0, "{job}: {events:#?}");
        refused(&world, stage, &job, lie.status, lie.why, "");
    }
    // The truth, from the same plugin, is an update: nothing of it all was kept.
    let document =
        r#"{"liar": "nothing", "size": ${size}, "stream": "${stream}", "sum": "${sha256}"}"#;
    publish(&world, &v2, "truth", document);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
    let listed = order(&world, &mut device, &["list"], "list");
    assert_eq!(listed, done(&NONE.replace("acme-jobs none", "acme-jobs 1.0.0")));
}

#[test]
fn a_job_brings_a_plugin_and_the_firmware_behind_it() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let plugin = signed(&world, "acme-jobs", "acme-jobs", "1.0.0");
    let mut device = device(&world);
    let publish_both = ["plugin", "publish", &plugin, "--with-firmware", &v2];
    let to = ["--version", "2.0.0", "--job", "both", "--thing", THING];
    world.events(&[&publish_both[..], &to].concat());
    let (event, before) = device.until(|event| matches!(event, Event::Reset));
    assert_eq!((event, resets(&before)), (Event::Reset, 0));
    // First the plugin, of some blocks; then the image.
    let totals = before.iter().filter_map(|event| match event {
        Event::Accepted { size, .. } => Some(*size),
        _ => None,
    });
    let sizes = [&plugin, &v2]
        .map(|file| std::fs::metadata(world.dir.join(file)).expect("published").len() as u32);
    assert_eq!(totals.collect::<Vec<_>>(), sizes, "{before:#?}");
    assert!(sizes[0] < 4096 && sizes[1] > SIZE);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
    assert_eq!(told(&world, "both", THING).0, "SUCCEEDED");
    // And the firmware's jobs are read by it.
    let v3 = sim::image(&world, BOARD, 3, Behaviour::Works);
    publish(&world, &v3, "next", ACME);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("2.0.0", "3.0.0"), "{events:#?}");
}

#[test]
fn a_signed_table_teaches_a_format_without_code() {
    let world = World::on_mosquitto();
    let v2 = sim::image(&world, BOARD, 2, Behaviour::Works);
    let table = "size = \"/release/bytes\"\nstream = \"/release/from\"\nsha256 = { path = \"/release/sum\", encoding = \"hex\" }\n";
    std::fs::write(world.dir.join("site-jobs.toml"), table).expect("writable");
    let sign = ["plugin", "sign", "site-jobs.toml", "site-jobs.plugin", "--key", KEY];
    let signed = world.events(&[&sign[..], &["--version", "1.0.0"]].concat()).remove(0);
    assert_eq!((&signed["plugin"], &signed["kind"]), (&"site-jobs".into(), &"table".into()));
    let mut device = device(&world);
    let document =
        r#"{"site": 7, "release": {"bytes": ${size}, "from": "${stream}", "sum": "${sha256}"}}"#;
    publish(&world, &v2, "unknown", document);
    let (stage, _) = device.over();
    refused(&world, stage, "unknown", "REJECTED", Failure::UnknownJob, "site-jobs 0x0601");
    let taught = teach(&world, &mut device, "site-jobs.plugin", "table");
    assert_eq!(taught, done(&NONE.replace("site-jobs none", "site-jobs 1.0.0")));
    publish(&world, &v2, "known", document);
    let (stage, events) = device.over();
    assert_eq!(stage, succeeded("1.0.0", "2.0.0"), "{events:#?}");
    assert_eq!(told(&world, "known", THING).0, "SUCCEEDED");
}
