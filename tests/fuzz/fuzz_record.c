/* SPDX-License-Identifier: Apache-2.0 */
/* Input: bytes that claim to be a record. They are opened as they are without the check, then with
 * length, magic and checksum put right and the check on, so that the fuzzer gets behind both. What
 * passes the check must encode to the same bytes. */
#include <xxhash.h>

#include "server/feature/record.h"
#include "tests/fuzz/fuzz.h"

#define SLOTS 65536
#define HEADER_BYTES 32

/* Everything that a view gives, without leaving the bytes: a sanitizer watches. */
static void walk(const struct feature_record *view, struct feature_value *values, size_t slots)
{
    struct proto_span key;
    size_t at = 0;
    size_t keys = 0;
    uint64_t sum = 0;
    while (feature_record_key_next(view, &at, &key)) {
        sum += XXH3_64bits(key.data, key.bytes);
        keys++;
    }
    FUZZ_HOLDS(keys == view->key_count);
    for (unsigned i = 0; i < 256; i++) {
        struct proto_span source = feature_record_source(view, (uint8_t)i);
        sum += XXH3_64bits(source.data, source.bytes);
    }
    feature_record_values(view, values, slots);
    for (size_t i = 0; i < slots; i++) {
        if (values[i].present && values[i].type == FEATURE_TAGS) {
            sum += feature_tags_count(values[i].tags);
        } else if (values[i].present && values[i].type == FEATURE_CATEGORY) {
            sum += XXH3_64bits(values[i].text.data, values[i].text.bytes);
        }
    }
    volatile uint64_t seen = sum; /* so that no read is optimised away */
    (void)seen;
}

static void encoded_again(const struct feature_record *view, struct feature_value *values,
                          struct proto_span bytes)
{
    struct proto_span keys[PROTO_KEYS_MAX];
    struct proto_span sources[PROTO_SOURCES_MAX];
    struct feature_record record = *view;
    struct proto_fault fault = {0};
    size_t at = 0;
    for (size_t i = 0; i < view->key_count; i++) {
        (void)feature_record_key_next(view, &at, &keys[i]);
    }
    for (size_t i = 0; i < view->source_count; i++) {
        sources[i] = feature_record_source(view, (uint8_t)i);
    }
    record.keys = keys;
    record.sources = sources;
    record.values = values;
    record.value_slots = SLOTS;
    uint8_t *out = malloc(bytes.bytes);
    FUZZ_HOLDS(out != NULL);
    size_t written = feature_record_encode(&record, out, bytes.bytes, &fault);
    FUZZ_HOLDS(written == bytes.bytes && memcmp(out, bytes.data, written) == 0);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct feature_value values[SLOTS];
    struct feature_record view;
    struct proto_fault fault = {0};
    if (feature_record_open((struct proto_span){data, bytes}, false, &view, &fault)) {
        walk(&view, values, 64);
    }
    if (bytes < HEADER_BYTES) {
        return 0;
    }
    uint8_t *sealed = malloc(bytes);
    FUZZ_HOLDS(sealed != NULL);
    memcpy(sealed, data, bytes);
    uint32_t magic = 0x31414349; /* "ICA1" */
    uint32_t length = (uint32_t)bytes;
    uint64_t checksum = XXH3_64bits(data + 16, bytes - 16);
    memcpy(sealed, &magic, 4);
    memcpy(sealed + 4, &length, 4);
    memcpy(sealed + 8, &checksum, 8);
    struct proto_span span = {sealed, bytes};
    if (feature_record_open(span, true, &view, &fault)) {
        walk(&view, values, SLOTS);
        encoded_again(&view, values, span);
    } else {
        FUZZ_HOLDS(fault.code == PROTO_CORRUPT);
        if (feature_record_open(span, false, &view, &fault)) {
            walk(&view, values, 64);
        }
    }
    free(sealed);
    return 0;
}
