//! Stream messages in both encodings: a block that is taken is one of the file, wanted and of its
//! length.
#![no_main]

use coreota::{
    message::Message,
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, Encoding, Json, MqttStream},
    },
};
use libfuzzer_sys::fuzz_target;

const GEOMETRY: Geometry = Geometry { size: 700, block: 256, file: 0 };
const WANTED: Wanted = Wanted { first: 1, bits: 0b11 };

fn hear<E: Encoding>(payload: &[u8]) {
    let mut stream = MqttStream::<E>::new("T").expect("a name");
    stream.open("S", GEOMETRY).expect("a stream");
    for kind in ["data", "rejected"] {
        let topic = format!("$aws/things/T/streams/S/{kind}/{}", E::NAME);
        let mut into = [0; 256];
        match stream.accept(Message { topic: &topic, payload }, WANTED, &mut into) {
            Arrival::Block { index, len } => {
                assert!(WANTED.contains(index));
                assert_eq!(GEOMETRY.block_len(index), Some(len));
            }
            Arrival::Refused(_) | Arrival::Ignored(_) => {}
            Arrival::NotMine => panic!("its own topic"),
        }
    }
}

fuzz_target!(|payload: &[u8]| {
    hear::<Cbor>(payload);
    hear::<Json>(payload);
});
