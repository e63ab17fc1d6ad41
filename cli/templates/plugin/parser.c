/* Reads the job documents of my-plugin, flat JSON objects of texts and whole numbers:
 *
 *     {"my-plugin": 1, "bytes": 120000, "channel": "fw-7", "sum": "9f86...", "version": "2.0.0"}
 *
 * `sum` is the SHA-256 of the file in hexadecimal. Keys that are not known are passed over.
 */
#include "coreota_plugin.h"

#define DOCUMENT 1024
#define RECORDS 8

static char document[DOCUMENT];
static ota_record records[RECORDS];

/* Which key says what. */
static const struct {
    const char *key;
    uint16_t tag, coding;
} FIELDS[] = {
    {"bytes", OTA_TAG_SIZE, 0},
    {"channel", OTA_TAG_STREAM, OTA_CODING_PLAIN},
    {"sum", OTA_TAG_SHA256, OTA_CODING_HEX},
    {"version", OTA_TAG_VERSION, OTA_CODING_PLAIN},
};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* Where we are in the document. Nothing is read at `end` or behind. */
static const char *at, *end;

static void space(void) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
}

/* Steps over this character, which has to come next. */
static int step(char wanted) {
    space();
    if (at == end || *at != wanted) return 0;
    at++;
    return 1;
}

typedef struct {
    const char *from;
    uint32_t len;
    int escaped;
} text;

static int read_text(text *to) {
    if (!step('"')) return 0;
    to->from = at;
    to->escaped = 0;
    for (; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20) return 0;
        if (*at == '\\') {
            to->escaped = 1;
            if (++at == end) return 0;
        }
    }
    to->len = (uint32_t)(at - to->from);
    return step('"');
}

static int read_number(uint32_t *to) {
    space();
    const char *from = at;
    uint64_t number = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
        if (number > UINT32_MAX) return 0;
    }
    *to = (uint32_t)number;
    return at != from;
}

static int same(text found, const char *wanted) {
    uint32_t i = 0;
    for (; i < found.len && wanted[i]; i++)
        if (found.from[i] != wanted[i]) return 0;
    return i == found.len && !wanted[i];
}

int32_t OTA_EXPORT(ota_abi)(void) { return OTA_ABI(OTA_KIND_PARSER); }

int32_t OTA_EXPORT(ota_io)(void) {
    static ota_io_block io;
    io.in = (uint32_t)document;
    io.in_cap = DOCUMENT;
    io.out = (uint32_t)records;
    io.out_cap = RECORDS;
    return (int32_t)&io;
}

int32_t OTA_EXPORT(ota_parse)(uint32_t len, uint32_t index) {
    text key, value;
    uint32_t number, seen = 0;
    int32_t count = 0;
    at = document;
    end = document + len;
    if (!step('{') || !read_text(&key) || !same(key, "my-plugin") || !step(':') ||
        !read_number(&number) || number != 1)
        return OTA_NOT_MINE(OTA_FAILURE_NO_SUCH_KEY);
    if (index != 0) return OTA_MALFORMED(OTA_FAILURE_NO_SUCH_FILE);
    while (step(',')) {
        if (!read_text(&key) || !step(':')) return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
        space();
        int is_text = at < end && *at == '"';
        if (is_text ? !read_text(&value) : !read_number(&number))
            return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
        for (uint32_t i = 0; i < FIELD_COUNT; i++) {
            if (!same(key, FIELDS[i].key)) continue;
            if (seen & 1u << i) return OTA_MALFORMED(OTA_FAILURE_DUPLICATE_KEY);
            seen |= 1u << i;
            if (is_text == (FIELDS[i].tag == OTA_TAG_SIZE))
                return OTA_MALFORMED(OTA_FAILURE_WRONG_TYPE);
            ota_record *record = &records[count++];
            record->tag = FIELDS[i].tag;
            record->x = FIELDS[i].coding;
            if (is_text && value.escaped) record->x |= OTA_ESCAPED;
            record->a = is_text ? (uint32_t)value.from : number;
            record->b = is_text ? value.len : 0;
            record->c = 0;
        }
    }
    if (!step('}')) return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
    space();
    if (at != end) return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
    if (!(seen & 1)) return OTA_MALFORMED(OTA_FAILURE_MISSING_FIELD);
    if (!(seen & 2)) return OTA_MALFORMED(OTA_FAILURE_NO_TRANSPORT);
    return count;
}
