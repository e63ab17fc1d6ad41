/* Sample plugin in C: a parser for the jobs of Field & Sons, a made-up company: one flat JSON object.
 *
 *     {"field-job": 1, "bytes": 647324, "id": 0, "stream": "fw-7", "url": "https://...",
 *      "sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", "rev": "1.8.0", "for": "thermostat-b"}
 *
 * "field-job" comes first, "bytes" and one of "stream" and "url" have to be there, null is as good as
 * absent, and other members are passed over. A table says which member is which field: what is in the
 * document is only pointed at, and the core decodes it.
 *
 * docs/plugin-abi.md says what a host expects; coreota_plugin.h has the numbers.
 */
#include "coreota_plugin.h"

static uint8_t document[1024];
static ota_record records[8];
static ota_io_block io;

/* Which member is which field. */
static const struct member {
    const char *key;
    uint16_t tag, coding;
} members[] = {
    {"bytes", OTA_TAG_SIZE, 0},
    {"id", OTA_TAG_FILE, 0},
    {"stream", OTA_TAG_STREAM, OTA_CODING_PLAIN},
    {"url", OTA_TAG_URL, OTA_CODING_PLAIN},
    {"sha256", OTA_TAG_SHA256, OTA_CODING_BASE64},
    {"rev", OTA_TAG_VERSION, OTA_CODING_PLAIN},
    {"for", OTA_TAG_BOARD, OTA_CODING_PLAIN},
};

/* Where the document is read, and where it ends. */
static const uint8_t *at, *end;

/* A text as it stands between its quotes. */
struct text {
    const uint8_t *from;
    uint32_t len;
    uint16_t escaped; /* OTA_ESCAPED, or 0 */
};

/* The byte at hand; 0, which JSON has nowhere, at the end. */
static uint8_t byte(void) { return at < end ? *at : 0; }

/* The next byte that is not white space. */
static uint8_t next(void) {
    while (byte() == ' ' || byte() == '\t' || byte() == '\n' || byte() == '\r') at++;
    return byte();
}

static int takes(uint8_t wanted) {
    int found = next() == wanted;
    at += found;
    return found;
}

static int is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* Reads a text; 0, or why not. */
static int32_t text(struct text *text) {
    if (!takes('"')) return OTA_FAILURE_WRONG_TYPE;
    text->from = at;
    text->escaped = 0;
    while (byte() != '"') {
        if (byte() < ' ') return OTA_FAILURE_BAD_JSON;
        if (byte() == '\\') {
            text->escaped = OTA_ESCAPED;
            at++;
            if (byte() < ' ') return OTA_FAILURE_BAD_JSON;
        }
        at++;
    }
    text->len = (uint32_t)(at - text->from);
    at++;
    return 0;
}

/* Reads a whole number; 0, or why not. */
static int32_t number(uint32_t *number) {
    uint64_t sum = 0;
    const uint8_t *from;
    if (next() == '-') return OTA_FAILURE_BAD_NUMBER;
    for (from = at; is_digit(byte()); at++) {
        sum = sum * 10 + (uint64_t)(byte() - '0');
        if (sum > UINT32_MAX) return OTA_FAILURE_BAD_NUMBER;
    }
    if (at == from) return OTA_FAILURE_WRONG_TYPE;
    if (byte() == '.' || byte() == 'e' || byte() == 'E') return OTA_FAILURE_BAD_NUMBER;
    *number = (uint32_t)sum;
    return 0;
}

/* Steps over a value, by its brackets and quotes; 0, or why not. */
static int32_t skip(void) {
    uint32_t depth = 0;
    struct text passed;
    do {
        uint8_t first = next();
        if (first == '"') {
            int32_t why = text(&passed);
            if (why) return why;
            continue;
        }
        if (first == 0) return OTA_FAILURE_BAD_JSON;
        at++;
        if (first == '{' || first == '[') depth++;
        else if (first == '}' || first == ']') {
            if (depth == 0) return OTA_FAILURE_BAD_JSON;
            depth--;
        } else if (first == ',' || first == ':') {
            if (depth == 0) return OTA_FAILURE_BAD_JSON;
        } else
            /* A number, or true, false, null. */
            while (is_digit(byte()) || (byte() | 0x20) - 'a' < 26u || byte() == '.' || byte() == '-' ||
                   byte() == '+')
                at++;
    } while (depth > 0);
    return 0;
}

static int is(const struct text *text, const char *word) {
    uint32_t len = 0;
    while (len < text->len && word[len] && text->from[len] == (uint8_t)word[len]) len++;
    return len == text->len && !word[len];
}

/* Reads the value of a member into the next record; how many there are then, or less than 0. */
static int32_t field(const struct member *member, int32_t count) {
    ota_record *record = &records[count];
    struct text value;
    int32_t why, said;
    for (said = 0; said < count; said++)
        if (records[said].tag == member->tag) return OTA_MALFORMED(OTA_FAILURE_DUPLICATE_KEY);
    *record = (ota_record){.tag = member->tag};
    if (member->tag == OTA_TAG_SIZE || member->tag == OTA_TAG_FILE) {
        why = number(&record->a);
        if (!why && member->tag == OTA_TAG_SIZE && record->a == 0) why = OTA_FAILURE_SIZE_ZERO;
        if (!why && member->tag == OTA_TAG_FILE && record->a > 255) why = OTA_FAILURE_BAD_NUMBER;
    } else {
        why = text(&value);
        record->x = member->coding | value.escaped;
        record->a = (uint32_t)value.from;
        record->b = value.len;
    }
    return why ? OTA_MALFORMED(why) : count + 1;
}

static int32_t said(int32_t count, uint16_t tag) {
    while (count-- > 0)
        if (records[count].tag == tag) return 1;
    return 0;
}

int32_t OTA_EXPORT(ota_abi)(void) { return OTA_ABI(OTA_KIND_PARSER); }

int32_t OTA_EXPORT(ota_io)(void) {
    io.in = (uint32_t)document;
    io.in_cap = sizeof document;
    io.out = (uint32_t)records;
    io.out_cap = sizeof records / sizeof *records;
    return (int32_t)&io;
}

int32_t OTA_EXPORT(ota_parse)(uint32_t len, uint32_t index) {
    struct text key;
    uint32_t format = 0;
    int32_t count = 0, why;
    at = document;
    end = document + (len < sizeof document ? len : sizeof document);
    if (!takes('{') || text(&key) || !is(&key, "field-job") || !takes(':') || number(&format) ||
        format != 1)
        return OTA_NOT_MINE(OTA_FAILURE_NO_SUCH_KEY);
    while (takes(',')) {
        const struct member *member = members;
        why = text(&key);
        if (why || !takes(':')) return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
        while (member < members + sizeof members / sizeof *members && !is(&key, member->key)) member++;
        if (member == members + sizeof members / sizeof *members || next() == 'n') {
            why = skip();
            if (why) return OTA_MALFORMED(why);
        } else {
            count = field(member, count);
            if (count < 0) return count;
        }
    }
    if (!takes('}') || next() != 0 || at < end) return OTA_MALFORMED(OTA_FAILURE_BAD_JSON);
    if (index > 0) return OTA_MALFORMED(OTA_FAILURE_NO_SUCH_FILE);
    if (!said(count, OTA_TAG_SIZE)) return OTA_MALFORMED(OTA_FAILURE_MISSING_FIELD);
    if (!said(count, OTA_TAG_STREAM) && !said(count, OTA_TAG_URL))
        return OTA_MALFORMED(OTA_FAILURE_NO_TRANSPORT);
    return count;
}
