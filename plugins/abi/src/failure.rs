//! The failures a plugin may name: those of the core that are about a job or about the link, with
//! the numbers of the core (`runtime/src/error.rs`), which never change.

use crate::numbered;

numbered! {
    /// Why a plugin refuses what it was given.
    pub enum Failure: u16, "FAILURE" {
        /// no parser knows this job document
        0x0101 UnknownJob "UNKNOWN_JOB",
        /// a key that marks the format is missing
        0x0102 NoSuchKey "NO_SUCH_KEY",
        /// not well-formed JSON
        0x0103 BadJson "BAD_JSON",
        /// not well-formed CBOR
        0x0104 BadCbor "BAD_CBOR",
        /// nested too deeply
        0x0105 TooDeep "TOO_DEEP",
        /// a key stands twice
        0x0106 DuplicateKey "DUPLICATE_KEY",
        /// a required field is missing
        0x0107 MissingField "MISSING_FIELD",
        /// a field has the wrong type
        0x0108 WrongType "WRONG_TYPE",
        /// a number is out of range
        0x0109 BadNumber "BAD_NUMBER",
        /// a text is too long or has characters not allowed
        0x010a BadText "BAD_TEXT",
        /// base64 or hex that does not decode
        0x010b BadEncoding "BAD_ENCODING",
        /// the image is empty
        0x010c SizeZero "SIZE_ZERO",
        /// no transport of this device is offered
        0x010d NoTransport "NO_TRANSPORT",
        /// the job has no such file
        0x010e NoSuchFile "NO_SUCH_FILE",
        /// only a signature of a refused kind is offered
        0x010f WeakSignature "WEAK_SIGNATURE",
        /// the job document is too large
        0x0116 TooBig "TOO_BIG",
        /// a message is larger than its buffer
        0x0202 MessageTooLong "MESSAGE_TOO_LONG",
        /// the provider refused the stream request
        0x0204 StreamRefused "STREAM_REFUSED",
        /// the provider has no such stream or file
        0x0205 StreamMissing "STREAM_MISSING",
        /// the stream has another version
        0x0206 StreamVersion "STREAM_VERSION",
        /// the stream ends before the image does
        0x0207 StreamShort "STREAM_SHORT",
        /// the provider refused the report
        0x0208 ProviderRefused "PROVIDER_REFUSED",
        /// a block that does not fit what was asked for
        0x0209 BadBlock "BAD_BLOCK",
        /// the provider asks for patience
        0x020a Throttled "THROTTLED",
        /// the pipeline does not fit the device
        0x0704 Misconfigured "MISCONFIGURED",
    }
}
