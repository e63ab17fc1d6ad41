/* Fetches blocks as raw-blocks does, the protocol that `cargo ota serve` has for plugins
 * (docs/provider.md): to be changed into yours. All numbers are little-endian, as wasm's are.
 *
 *     raw-blocks/THING/STREAM/get      u32 file, u32 block size, u32 first, u64 wanted: bit k is block first + k
 *     raw-blocks/THING/STREAM/data     u32 file, u32 block size, u32 index, then the bytes
 *     raw-blocks/THING/STREAM/refused  u32 why
 */
#include "coreota_plugin.h"

/* The largest input: a block of 1 KiB with its numbers, a topic, and what stands before them. */
#define INPUT 1400
#define NAME 128
#define HEAD 11 /* raw-blocks/ */

static char input[INPUT] __attribute__((aligned(4)));
static ota_record records[2];
/* raw-blocks/THING/STREAM, and where STREAM begins; then the word that a topic ends with. */
static char topic[HEAD + NAME + 1 + NAME + 8] = "raw-blocks/";
static uint32_t stream_at, topic_len;
/* file, block size, first, wanted low, wanted high */
static uint32_t request[5];

static void copy(char *to, const char *from, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) to[i] = from[i];
}

static int same(const char *a, const char *b, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

static uint32_t number(const char *from) {
    uint32_t to;
    copy((char *)&to, from, 4);
    return to;
}

/* Ends the topic of the open stream with a word; returns its whole length. */
static uint32_t ending(const char *word) {
    uint32_t len = topic_len;
    while (*word) topic[len++] = *word++;
    return len;
}

static int32_t subscribe(const char *word) {
    records[0] = (ota_record){.tag = OTA_TAG_SUBSCRIBE, .a = (uint32_t)topic, .b = ending(word)};
    return 1;
}

static int32_t give_up(uint32_t why) {
    records[0] = (ota_record){.tag = OTA_TAG_GIVE_UP, .a = why};
    return 1;
}

int32_t OTA_EXPORT(ota_abi)(void) { return OTA_ABI(OTA_KIND_BLOCKS); }

int32_t OTA_EXPORT(ota_io)(void) {
    static ota_io_block io;
    io.in = (uint32_t)input;
    io.in_cap = INPUT;
    io.out = (uint32_t)records;
    io.out_cap = 2;
    return (int32_t)&io;
}

static int32_t message(const char *a, uint32_t a_len, const char *b, uint32_t b_len) {
    if (a_len <= topic_len || !same(a, topic, topic_len))
        return OTA_NOT_MINE(OTA_FAILURE_BAD_TEXT);
    uint32_t left = a_len - topic_len;
    if (left == 8 && same(a + topic_len, "/refused", 8))
        return give_up(b_len >= 4 && number(b) == OTA_FAILURE_STREAM_MISSING
                           ? OTA_FAILURE_STREAM_MISSING
                           : OTA_FAILURE_STREAM_REFUSED);
    if (left != 5 || !same(a + topic_len, "/data", 5)) return OTA_NOT_MINE(OTA_FAILURE_BAD_TEXT);
    if (b_len < 12 || number(b) != request[0] || number(b + 4) != request[1])
        return OTA_MALFORMED(OTA_FAILURE_BAD_BLOCK);
    records[0] = (ota_record){
        .tag = OTA_TAG_BLOCK, .a = (uint32_t)(b + 12), .b = b_len - 12, .c = number(b + 8)};
    return 1;
}

int32_t OTA_EXPORT(ota_event)(uint32_t event, uint32_t len) {
    const ota_input *head = (const ota_input *)input;
    const char *a = input + sizeof *head, *b = a + head->a_len;
    if (len < sizeof *head) return OTA_MALFORMED(OTA_FAILURE_BAD_BLOCK);
    switch (event) {
    case OTA_EVENT_START:
        if (head->a_len > NAME) return OTA_MALFORMED(OTA_FAILURE_BAD_TEXT);
        copy(topic + HEAD, a, head->a_len);
        stream_at = HEAD + head->a_len;
        topic[stream_at++] = '/';
        return 0;
    case OTA_EVENT_OPEN:
        if (head->a_len > NAME) return OTA_MALFORMED(OTA_FAILURE_BAD_TEXT);
        copy(topic + stream_at, a, head->a_len);
        topic_len = stream_at + head->a_len;
        request[0] = head->z;
        request[1] = head->y;
        return 0;
    case OTA_EVENT_CONNECTED:
        return head->x == 0 ? subscribe("/data") : head->x == 1 ? subscribe("/refused") : 0;
    case OTA_EVENT_WANTED:
        request[2] = head->x;
        request[3] = head->y;
        request[4] = head->z;
        records[0] = (ota_record){.tag = OTA_TAG_PUBLISH,
                                  .x = (uint16_t)ending("/get"),
                                  .a = (uint32_t)request,
                                  .b = sizeof request,
                                  .c = (uint32_t)topic};
        return 1;
    case OTA_EVENT_MESSAGE:
        return message(a, head->a_len, b, head->b_len);
    default:
        /* Of another kind of plugin, or of a newer host. */
        return 0;
    }
}
