/* What a coreota plugin and its host say to each other, in C. docs/plugin-abi.md says the rest.
 * Generated from the crate coreota-plugin-abi; do not edit.
 *
 *     cargo run -p coreota-plugin-abi --example header > plugins/abi/coreota_plugin.h
 */
#ifndef COREOTA_PLUGIN_H
#define COREOTA_PLUGIN_H

#include <stdint.h>

#define OTA_VERSION                  0x0001 /* version of the ABI */
#define OTA_MAGIC                    0x4f54 /* high half of what ota_abi returns: "OT" */
#define OTA_RECORDS_MAX              0x0040 /* most records of one answer */
#define OTA_ESCAPED                  0x0100 /* with a CODING: undo JSON escapes first */
#define OTA_VERDICT_NOT_MINE         0x0001 /* see OTA_NOT_MINE */
#define OTA_VERDICT_MALFORMED        0x0002 /* see OTA_MALFORMED */

/* What a plugin is. */
#define OTA_KIND_PARSER              0x0001 /* makes a descriptor of a job document: exports ota_parse */
#define OTA_KIND_BLOCKS              0x0002 /* asks for the blocks of a file and recognises them: exports ota_event */
#define OTA_KIND_JOBS                0x0003 /* hears of jobs and reports on them: exports ota_event */

/* What a record says. Field: a, b are address and length, x a CODING. Number: in a. */
#define OTA_TAG_SIZE                 0x0001 /* number: length of the file in bytes, not 0; required */
#define OTA_TAG_FILE                 0x0002 /* number: the provider's number of the file, at most 255; 0 if absent */
#define OTA_TAG_FILES                0x0003 /* number: how many files the job has, 1 to 255; 1 if absent */
#define OTA_TAG_STREAM               0x0004 /* field: name of the stream that carries the file */
#define OTA_TAG_URL                  0x0005 /* field: where to fetch the file by a request */
#define OTA_TAG_SHA256               0x0006 /* field: SHA-256 of the file, 32 bytes once decoded */
#define OTA_TAG_SIGNATURE            0x0007 /* field, and in c an ALGORITHM: signature over the SHA-256 of the file */
#define OTA_TAG_VERSION              0x0008 /* field: version of the file, major.minor.revision[+build] */
#define OTA_TAG_BOARD                0x0009 /* field: board the file is for */
#define OTA_TAG_CONTENT              0x000a /* number, a CONTENT: what the file is; an image if absent */
#define OTA_TAG_PROTOCOL             0x000b /* field: name of the protocol that carries the file, if not that of MQTT streams */
#define OTA_TAG_SUBSCRIBE            0x0040 /* a, b: topic to subscribe to */
#define OTA_TAG_PUBLISH              0x0041 /* a, b: payload; c, x: address and length of the topic to publish it to */
#define OTA_TAG_BLOCK                0x0042 /* field, and in c its number: a block of the file */
#define OTA_TAG_GIVE_UP              0x0043 /* number, a FAILURE: the provider refuses, this file cannot be had */
#define OTA_TAG_REQUEST              0x0044 /* a, b: where to; c: first block, x: how many. Kept for hosts with a request link */
#define OTA_TAG_WAKE                 0x0045 /* number: milliseconds until TIMER. Kept for hosts that keep a plugin's time */
#define OTA_TAG_HEAR                 0x0060 /* x: a HEAR, and in a the FAILURE of a refusal: what the message means */
#define OTA_TAG_JOB                  0x0061 /* a, b: name of the job offered, 1 to 64 bytes */
#define OTA_TAG_DOCUMENT             0x0062 /* a, b: document of the job offered */

/* How a field's bytes stand for its value; may have OTA_ESCAPED added. */
#define OTA_CODING_PLAIN             0x0000 /* the bytes are the value */
#define OTA_CODING_BASE64            0x0001 /* standard base64 (RFC 4648, section 4), padded or not */
#define OTA_CODING_HEX               0x0002 /* hexadecimal, either case */

/* Kinds of signature. */
#define OTA_ALGORITHM_ECDSA_P256     0x0001 /* ECDSA on NIST P-256 over SHA-256; signatures are DER */
#define OTA_ALGORITHM_ED25519        0x0002 /* Ed25519 over a SHA-256 digest; signatures are 64 bytes */

/* What a file is. */
#define OTA_CONTENT_IMAGE            0x0000 /* firmware */
#define OTA_CONTENT_PLUGIN           0x0001 /* a plugin */
#define OTA_CONTENT_TABLE            0x0002 /* a table for the core's table parser */

/* What a protocol hears. */
#define OTA_EVENT_START              0x0001 /* once, before anything else. a: name of the thing */
#define OTA_EVENT_CONNECTED          0x0002 /* connected; blocks: and opened. x: how many topics were told. Answer: SUBSCRIBE to the next */
#define OTA_EVENT_MESSAGE            0x0003 /* a message came. a: topic, b: payload; blocks: x first wanted block, y, z its bitmap */
#define OTA_EVENT_OPEN               0x0004 /* blocks: a file is opened. a: its stream or URL; x: size, y: block length, z: its number */
#define OTA_EVENT_WANTED             0x0005 /* blocks: blocks are wanted. x: first, y, z: bitmap, low word first. Answer: PUBLISH */
#define OTA_EVENT_ADOPT              0x0006 /* jobs: this job is the current one, as the journal says. a: its name */
#define OTA_EVENT_ASK                0x0007 /* jobs: ask the provider. x: an ASK. Answer: PUBLISH */
#define OTA_EVENT_REPORT             0x0008 /* jobs: report on the current job. x: a REPORT, which says what else. Answer: PUBLISH */
#define OTA_EVENT_TAKE               0x0009 /* jobs: the job last offered is now the current one */
#define OTA_EVENT_ANSWERED           0x000a /* a REQUEST was answered. x: status, b: body. Kept for hosts with a request link */
#define OTA_EVENT_TIMER              0x000b /* the time of a WAKE is over. Kept for hosts that keep a plugin's time */

/* What to ask the provider. */
#define OTA_ASK_PEEK                 0x0000 /* the next job, without starting it */
#define OTA_ASK_START                0x0001 /* the next job, started by the asking */
#define OTA_ASK_CURRENT              0x0002 /* the current job: an offer of it while it goes on, OVER once it does not */

/* What a report says. */
#define OTA_REPORT_STARTED           0x0000 /* accepted: the download begins */
#define OTA_REPORT_RECEIVING         0x0001 /* y of z blocks are in the slot */
#define OTA_REPORT_STAGED            0x0002 /* verified and staged, about to reboot. a: version that runs now */
#define OTA_REPORT_TESTING           0x0003 /* the new image runs on trial. b: version that ran before */
#define OTA_REPORT_SUCCEEDED         0x0004 /* confirmed. a: version that runs now, b: version that ran before */
#define OTA_REPORT_FAILED            0x0005 /* it ended without the new image. y: number of the failure, a: its words, b: more words */
#define OTA_REPORT_REJECTED          0x0006 /* the device does not want the job. y: number of the failure, a: its words, b: more words */

/* What a message means to a job protocol. */
#define OTA_HEAR_OFFER               0x0001 /* a job is offered: JOB and DOCUMENT stand beside */
#define OTA_HEAR_OFFER_STARTED       0x0002 /* the same, and the provider counts it as started */
#define OTA_HEAR_NO_JOB              0x0003 /* there is no job */
#define OTA_HEAR_OVER                0x0004 /* the current job is over for the provider */
#define OTA_HEAR_ACCEPTED            0x0005 /* the last report was accepted */
#define OTA_HEAR_AGAIN               0x0006 /* the last report or question was not accepted, but may be repeated */
#define OTA_HEAR_REFUSED             0x0007 /* the last report or question was refused for good; a: a FAILURE */
#define OTA_HEAR_CHANGED             0x0008 /* something about the current job changed; ASK_CURRENT tells */
#define OTA_HEAR_IGNORED             0x0009 /* something else of this protocol, without meaning for the update */

/* Why something is refused. */
#define OTA_FAILURE_UNKNOWN_JOB      0x0101 /* no parser knows this job document */
#define OTA_FAILURE_NO_SUCH_KEY      0x0102 /* a key that marks the format is missing */
#define OTA_FAILURE_BAD_JSON         0x0103 /* not well-formed JSON */
#define OTA_FAILURE_BAD_CBOR         0x0104 /* not well-formed CBOR */
#define OTA_FAILURE_TOO_DEEP         0x0105 /* nested too deeply */
#define OTA_FAILURE_DUPLICATE_KEY    0x0106 /* a key stands twice */
#define OTA_FAILURE_MISSING_FIELD    0x0107 /* a required field is missing */
#define OTA_FAILURE_WRONG_TYPE       0x0108 /* a field has the wrong type */
#define OTA_FAILURE_BAD_NUMBER       0x0109 /* a number is out of range */
#define OTA_FAILURE_BAD_TEXT         0x010a /* a text is too long or has characters not allowed */
#define OTA_FAILURE_BAD_ENCODING     0x010b /* base64 or hex that does not decode */
#define OTA_FAILURE_SIZE_ZERO        0x010c /* the image is empty */
#define OTA_FAILURE_NO_TRANSPORT     0x010d /* no transport of this device is offered */
#define OTA_FAILURE_NO_SUCH_FILE     0x010e /* the job has no such file */
#define OTA_FAILURE_WEAK_SIGNATURE   0x010f /* only a signature of a refused kind is offered */
#define OTA_FAILURE_TOO_BIG          0x0116 /* the job document is too large */
#define OTA_FAILURE_MESSAGE_TOO_LONG 0x0202 /* a message is larger than its buffer */
#define OTA_FAILURE_STREAM_REFUSED   0x0204 /* the provider refused the stream request */
#define OTA_FAILURE_STREAM_MISSING   0x0205 /* the provider has no such stream or file */
#define OTA_FAILURE_STREAM_VERSION   0x0206 /* the stream has another version */
#define OTA_FAILURE_STREAM_SHORT     0x0207 /* the stream ends before the image does */
#define OTA_FAILURE_PROVIDER_REFUSED 0x0208 /* the provider refused the report */
#define OTA_FAILURE_BAD_BLOCK        0x0209 /* a block that does not fit what was asked for */
#define OTA_FAILURE_THROTTLED        0x020a /* the provider asks for patience */
#define OTA_FAILURE_MISCONFIGURED    0x0704 /* the pipeline does not fit the device */

/* Where the plugin wants its input and puts its records; does not change. */
typedef struct {
    uint32_t in, in_cap;   /* address and length of the input buffer, in bytes */
    uint32_t out, out_cap; /* address of the records and how many fit */
} ota_io_block;

/* One record of an answer; what a tag does not use is 0. */
typedef struct {
    uint16_t tag, x;
    uint32_t a, b, c;
} ota_record;

/* What stands in the input buffer at an event; then a_len bytes of a, then b_len bytes of b. */
typedef struct {
    uint32_t a_len, b_len, x, y, z;
} ota_input;

/* The results that refuse: why is an OTA_FAILURE. */
#define OTA_NOT_MINE(why) (-(OTA_VERDICT_NOT_MINE << 16 | (why)))
#define OTA_MALFORMED(why) (-(OTA_VERDICT_MALFORMED << 16 | (why)))

/* What ota_abi returns. */
#define OTA_ABI(kind) ((int32_t)((uint32_t)OTA_MAGIC << 16 | (uint32_t)(kind) << 8 | OTA_VERSION))

/* Before a function that the host calls. */
#define OTA_EXPORT(name) __attribute__((export_name(#name))) name

#endif
