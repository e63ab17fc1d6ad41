//! The JSON reader and `serde_json` agree on what is well-formed, and fields decode without panics.
#![no_main]

use coreota::{
    error::Failure,
    field::{Coding, Field},
    wire::Json,
};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|bytes: &[u8]| {
    let mut json = Json::new(bytes);
    let ours = json.skip(32).and_then(|()| json.end());
    if ours != Err(Failure::TooDeep) {
        let theirs = serde_json::from_slice::<IgnoredAny>(bytes);
        assert_eq!(ours.is_ok(), theirs.is_ok());
    }
    for coding in [Coding::Plain, Coding::Base64, Coding::Hex] {
        for escaped in [false, true] {
            let field = Field { raw: bytes, coding, escaped };
            let mut into = [0; 300];
            if let (Ok(decoded), Some(len)) = (field.decode(&mut into), field.decoded_len()) {
                assert_eq!(decoded.len(), len);
            }
        }
    }
});
