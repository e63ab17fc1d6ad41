//! All that turns bytes from the wire into values and back: AWS IoT Jobs, the `afr_ota` parser, and
//! MQTT streams in both encodings.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::hint::black_box;

use coreota::{
    job::{Ask, JobProtocol, Status, aws_iot::AwsIotJobs},
    message::{Draft, Message},
    parser::{
        Parser,
        afr_ota::{AfrOta, Sha1},
    },
    transport::{
        BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, Json, MqttStream},
    },
};
use size_image::board::{bytes, running, text};

const GEOMETRY: Geometry = Geometry { size: 100_000, block: 4096, file: 0 };

fn start() {
    let (mut topic, mut payload) = ([0; 256], [0; 384]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    jobs(&mut draft);
    blocks::<MqttStream<Cbor>>(&mut draft);
    blocks::<MqttStream<Json>>(&mut draft);
}

fn message() -> Message<'static> {
    Message { topic: text(), payload: bytes() }
}

fn jobs(draft: &mut Draft<'_>) {
    let Ok(mut jobs) = AwsIotJobs::new(text()) else { return };
    black_box(jobs.subscription(black_box(0), &mut draft.topic));
    black_box(jobs.adopt(text())).ok();
    black_box(jobs.ask(black_box(Ask::Start), draft)).ok();
    black_box(jobs.hear(message()));
    black_box(jobs.take()).ok();
    let _ = black_box(jobs.report(&black_box(Status::Staged { running: running() }), draft));
    black_box(draft.finish().is_ok());
    black_box(jobs.current());
    black_box(AfrOta::new(black_box(Sha1::Refuse)).parse(bytes(), black_box(0)));
}

fn blocks<T: BlockProtocol>(draft: &mut Draft<'_>) {
    let Ok(mut stream) = T::new(text()) else { return };
    let wanted = black_box(Wanted { first: 0, bits: 1 });
    black_box(stream.open(text(), black_box(GEOMETRY))).ok();
    black_box(stream.subscription(black_box(0), &mut draft.topic));
    black_box(stream.request(wanted, draft)).ok();
    let mut block = [0; 4096];
    black_box(stream.accept(message(), wanted, &mut block));
    black_box(&block);
}

size_image::entry!(start);
