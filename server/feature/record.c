/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/record.h"

#include <xxhash.h>

#include "proto/reader.h"
#include "server/feature/bytes.h"

#define RECORD_MAGIC UINT32_C(0x31414349) /* "ICA1" read as a little-endian number */

/* Offsets of the header of 32 bytes. */
enum record_offset {
    AT_MAGIC = 0,
    AT_BYTES = 4,
    AT_CHECKSUM = 8,
    AT_CREATED = 16,
    AT_CHANGED = 20,
    AT_ID_BYTES = 24,
    AT_KEYS = 26,
    AT_SOURCES = 27,
    AT_VALUES = 28,
    AT_RESERVED = 30,
    AT_ID = 32,
};

/* Offsets of the head of a value. */
enum value_offset {
    AT_FIELD = 0,
    AT_TYPE = 2,
    AT_SOURCE = 3,
    AT_TIME = 4,
    AT_VALUE_BYTES = 12,
    AT_VALUE = 16,
};

static_assert(AT_CHECKSUM + 8 == AT_CREATED, "the checksum covers what follows it");
static_assert(AT_RESERVED + 2 == AT_ID && AT_VALUE_BYTES + 4 == AT_VALUE, "no gaps");
static_assert(PROTO_ID_BYTES_MAX <= UINT8_MAX && PROTO_KEYS_MAX <= UINT8_MAX &&
                  PROTO_SOURCES_MAX <= UINT8_MAX && PROTO_SOURCE_BYTES_MAX <= UINT8_MAX,
              "counts and lengths of one byte");
static_assert(PROTO_RECORD_BYTES_MAX <= UINT32_MAX, "lengths of four bytes");

static bool corrupt(struct proto_fault *fault, const char *what)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "", "stored bytes are not an account record: %s",
                           what);
}

/* One text behind its length of one byte, without leaving `run`. */
static bool short_text_next(struct proto_span run, size_t *at, struct proto_span *text)
{
    if (*at >= run.bytes || run.bytes - *at - 1 < run.data[*at])
        return false;
    *text = (struct proto_span){run.data + *at + 1, run.data[*at]};
    *at += 1 + text->bytes;
    return true;
}

/* The run of `count` short texts at the start of `rest`; rest moves behind it. */
static bool short_texts_take(struct proto_span *rest, size_t count, struct proto_span *run)
{
    size_t at = 0;
    struct proto_span text;
    for (size_t i = 0; i < count; i++) {
        if (!short_text_next(*rest, &at, &text))
            return false;
    }
    *run = (struct proto_span){rest->data, at};
    rest->data += at;
    rest->bytes -= at;
    return true;
}

/* One value at *at; the type tells which member is set. False at the end or where bytes make no
 * sense. */
static bool value_next(struct proto_span run, size_t *at, uint16_t *field_id,
                       struct feature_value *value)
{
    if (*at > run.bytes || run.bytes - *at < AT_VALUE)
        return false;
    const uint8_t *head = run.data + *at;
    size_t bytes = feature_get_u32(head + AT_VALUE_BYTES);
    if (run.bytes - *at - AT_VALUE < bytes)
        return false;
    struct proto_span content = {head + AT_VALUE, bytes};
    *field_id = feature_get_u16(head + AT_FIELD);
    *value = (struct feature_value){
        .present = true, .source = head[AT_SOURCE], .time_ms = feature_get_i64(head + AT_TIME)};
    switch (head[AT_TYPE]) {
    case FEATURE_NUMBER:
        if (bytes != 8)
            return false;
        value->number = feature_get_f64(content.data);
        break;
    case FEATURE_FLAG:
        if (bytes != 1 || content.data[0] > 1)
            return false;
        value->flag = content.data[0] == 1;
        break;
    case FEATURE_CATEGORY:
        value->text = content;
        break;
    case FEATURE_TAGS:
        value->tags = content;
        break;
    case FEATURE_VECTOR:
        value->vector = content;
        break;
    default:
        return false;
    }
    value->type = (enum feature_type)head[AT_TYPE];
    *at += AT_VALUE + bytes;
    return true;
}

static bool values_check(const struct feature_record *record, size_t count,
                         struct proto_fault *fault)
{
    size_t at = 0;
    size_t source_count = record->source_count > 0 ? record->source_count : 1;
    uint32_t least = 0; /* field ids ascend */
    for (size_t i = 0; i < count; i++) {
        uint16_t id = 0;
        struct feature_value value;
        if (!value_next(record->value_bytes, &at, &id, &value))
            return corrupt(fault, "a value is cut off or of an unknown type");
        if (id < least)
            return corrupt(fault, "values are out of order");
        if (value.source >= source_count)
            return corrupt(fault, "a value has a source that is not there");
        if (!feature_value_valid(&value))
            return corrupt(fault, "a value breaks the rules of its type");
        least = (uint32_t)id + 1;
    }
    return at == record->value_bytes.bytes || corrupt(fault, "bytes are left behind the values");
}

static bool texts_check(struct proto_span run, size_t bytes_max, struct proto_fault *fault)
{
    size_t at = 0;
    struct proto_span text;
    while (short_text_next(run, &at, &text)) {
        if (text.bytes == 0 || text.bytes > bytes_max || !proto_utf8_valid(text))
            return corrupt(fault, "a key or source is empty, too long or not UTF-8");
    }
    return true;
}

static bool record_check(struct proto_span bytes, const struct feature_record *record,
                         struct proto_fault *fault)
{
    const uint8_t *head = bytes.data;
    if (XXH3_64bits(head + AT_CREATED, bytes.bytes - AT_CREATED) !=
        feature_get_u64(head + AT_CHECKSUM))
        return corrupt(fault, "the checksum does not match");
    if (feature_get_u16(head + AT_RESERVED) != 0)
        return corrupt(fault, "reserved bytes are not zero");
    if (record->id.bytes == 0 || record->id.bytes > PROTO_ID_BYTES_MAX ||
        !proto_utf8_valid(record->id))
        return corrupt(fault, "the id is empty, too long or not UTF-8");
    if (record->key_count > PROTO_KEYS_MAX)
        return corrupt(fault, "too many keys");
    return texts_check(record->key_bytes, PROTO_ID_BYTES_MAX, fault) &&
           texts_check(record->source_bytes, PROTO_SOURCE_BYTES_MAX, fault) &&
           values_check(record, feature_get_u16(head + AT_VALUES), fault);
}

bool feature_record_open(struct proto_span bytes, bool check, struct feature_record *record,
                         struct proto_fault *fault)
{
    const uint8_t *head = bytes.data;
    if (bytes.bytes < AT_ID || bytes.bytes > PROTO_RECORD_BYTES_MAX)
        return corrupt(fault, "the length is impossible");
    if (feature_get_u32(head + AT_MAGIC) != RECORD_MAGIC)
        return corrupt(fault, "the magic is not \"ICA1\"");
    if (feature_get_u32(head + AT_BYTES) != bytes.bytes)
        return corrupt(fault, "the length is not the one written in it");
    struct proto_span rest = {head + AT_ID, bytes.bytes - AT_ID};
    *record = (struct feature_record){
        .id = {rest.data, feature_get_u16(head + AT_ID_BYTES)},
        .created_s = feature_get_u32(head + AT_CREATED),
        .changed_s = feature_get_u32(head + AT_CHANGED),
        .key_count = head[AT_KEYS],
        .source_count = head[AT_SOURCES],
    };
    if (record->id.bytes > rest.bytes)
        return corrupt(fault, "the id is cut off");
    rest.data += record->id.bytes;
    rest.bytes -= record->id.bytes;
    /* Walked even without check: the runs must be known, and must not leave the bytes. */
    if (!short_texts_take(&rest, record->key_count, &record->key_bytes) ||
        !short_texts_take(&rest, record->source_count, &record->source_bytes))
        return corrupt(fault, "keys or sources are cut off");
    record->value_bytes = rest;
    return !check || record_check(bytes, record, fault);
}

bool feature_record_key_next(const struct feature_record *record, size_t *at,
                             struct proto_span *key)
{
    return short_text_next(record->key_bytes, at, key);
}

struct proto_span feature_record_source(const struct feature_record *record, uint8_t index)
{
    size_t at = 0;
    struct proto_span source = {0};
    for (unsigned i = 0; i <= index; i++) {
        if (!short_text_next(record->source_bytes, &at, &source))
            return (struct proto_span){0};
    }
    return source;
}

void feature_record_values(const struct feature_record *record, struct feature_value *values,
                           size_t slots)
{
    size_t at = 0;
    uint16_t id = 0;
    struct feature_value value;
    for (size_t i = 0; i < slots; i++)
        values[i].present = false;
    while (value_next(record->value_bytes, &at, &id, &value)) {
        if (id < slots)
            values[id] = value;
    }
}

/* Writing: the need is counted first, so that nothing is written where it does not fit. */

static bool texts_measure(const struct proto_span *texts, size_t count, size_t bytes_max,
                          const char *what, size_t *need, struct proto_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        if (texts[i].bytes == 0 || texts[i].bytes > bytes_max) {
            proto_fault_set(fault, texts[i].bytes == 0 ? PROTO_BAD_FIELD : PROTO_TOO_LARGE, "",
                            "a text of %zu bytes; 1 to %zu are allowed", texts[i].bytes, bytes_max);
            return proto_fault_within(fault, "%s[%zu]", what, i);
        }
        if (!proto_utf8_valid(texts[i])) {
            proto_fault_set(fault, PROTO_BAD_FIELD, "", "the text is not UTF-8");
            return proto_fault_within(fault, "%s[%zu]", what, i);
        }
        *need += 1 + texts[i].bytes;
    }
    return true;
}

static size_t content_bytes(const struct feature_value *value)
{
    switch (value->type) {
    case FEATURE_NUMBER:
        return 8;
    case FEATURE_FLAG:
        return 1;
    case FEATURE_CATEGORY:
        return value->text.bytes;
    case FEATURE_TAGS:
        return value->tags.bytes;
    case FEATURE_VECTOR:
        return value->vector.bytes;
    }
    return 0;
}

static bool values_measure(const struct feature_record *record, size_t *need, size_t *count,
                           struct proto_fault *fault)
{
    size_t source_count = record->source_count > 0 ? record->source_count : 1;
    *count = 0;
    for (size_t i = 0; i < record->value_slots; i++) {
        const struct feature_value *value = &record->values[i];
        if (!value->present)
            continue;
        if (i > UINT16_MAX || *count == UINT16_MAX)
            return proto_fault_set(fault, PROTO_TOO_LARGE, "values", "more than %d values",
                                   UINT16_MAX);
        if (value->source >= source_count || !feature_value_valid(value))
            return proto_fault_set(fault, PROTO_BAD_FIELD, "values",
                                   "the value of field id %zu breaks the rules of its type", i);
        *need += AT_VALUE + content_bytes(value);
        (*count)++;
        if (*need > PROTO_RECORD_BYTES_MAX)
            break; /* refused by the caller, before any sum could overflow */
    }
    return true;
}

static bool record_measure(const struct feature_record *record, size_t *need, size_t *value_count,
                           struct proto_fault *fault)
{
    *need = AT_ID + record->id.bytes;
    if (record->id.bytes == 0 || record->id.bytes > PROTO_ID_BYTES_MAX)
        return proto_fault_set(fault, record->id.bytes == 0 ? PROTO_BAD_FIELD : PROTO_TOO_LARGE,
                               "id", "an id of %zu bytes; 1 to %d are allowed", record->id.bytes,
                               PROTO_ID_BYTES_MAX);
    if (!proto_utf8_valid(record->id))
        return proto_fault_set(fault, PROTO_BAD_FIELD, "id", "the id is not UTF-8");
    if (record->key_count > PROTO_KEYS_MAX)
        return proto_fault_set(fault, PROTO_TOO_LARGE, "keys", "%zu keys; at most %d are allowed",
                               record->key_count, PROTO_KEYS_MAX);
    if (record->source_count > PROTO_SOURCES_MAX)
        return proto_fault_set(fault, PROTO_TOO_LARGE, "sources",
                               "%zu sources; at most %d are allowed", record->source_count,
                               PROTO_SOURCES_MAX);
    if (record->created_s < 0 || record->created_s > UINT32_MAX || record->changed_s < 0 ||
        record->changed_s > UINT32_MAX)
        return proto_fault_set(fault, PROTO_BAD_FIELD, "time",
                               "a time outside 1970 to 2106 cannot be stored");
    if (!texts_measure(record->keys, record->key_count, PROTO_ID_BYTES_MAX, "keys", need, fault) ||
        !texts_measure(record->sources, record->source_count, PROTO_SOURCE_BYTES_MAX, "sources",
                       need, fault) ||
        !values_measure(record, need, value_count, fault))
        return false;
    return *need <= PROTO_RECORD_BYTES_MAX ||
           proto_fault_set(fault, PROTO_TOO_LARGE, "", "the account needs more than %d bytes",
                           PROTO_RECORD_BYTES_MAX);
}

static uint8_t *texts_put(uint8_t *at, const struct proto_span *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = (uint8_t)texts[i].bytes;
        memcpy(at, texts[i].data, texts[i].bytes);
        at += texts[i].bytes;
    }
    return at;
}

static uint8_t *value_put(uint8_t *at, uint16_t id, const struct feature_value *value)
{
    size_t bytes = content_bytes(value);
    feature_put_u16(at + AT_FIELD, id);
    at[AT_TYPE] = (uint8_t)value->type;
    at[AT_SOURCE] = value->source;
    feature_put_i64(at + AT_TIME, value->time_ms);
    feature_put_u32(at + AT_VALUE_BYTES, (uint32_t)bytes);
    at += AT_VALUE;
    switch (value->type) {
    case FEATURE_NUMBER:
        feature_put_f64(at, value->number);
        break;
    case FEATURE_FLAG:
        *at = value->flag;
        break;
    case FEATURE_CATEGORY:
        memcpy(at, value->text.data, bytes);
        break;
    case FEATURE_TAGS:
        if (bytes > 0)
            memcpy(at, value->tags.data, bytes);
        break;
    case FEATURE_VECTOR:
        memcpy(at, value->vector.data, bytes);
        break;
    }
    return at + bytes;
}

size_t feature_record_encode(const struct feature_record *record, uint8_t *out, size_t out_bytes,
                             struct proto_fault *fault)
{
    size_t need = 0;
    size_t value_count = 0;
    if (!record_measure(record, &need, &value_count, fault))
        return 0;
    if (need > out_bytes)
        return need;
    feature_put_u32(out + AT_MAGIC, RECORD_MAGIC);
    feature_put_u32(out + AT_BYTES, (uint32_t)need);
    feature_put_u32(out + AT_CREATED, (uint32_t)record->created_s);
    feature_put_u32(out + AT_CHANGED, (uint32_t)record->changed_s);
    feature_put_u16(out + AT_ID_BYTES, (uint16_t)record->id.bytes);
    out[AT_KEYS] = (uint8_t)record->key_count;
    out[AT_SOURCES] = (uint8_t)record->source_count;
    feature_put_u16(out + AT_VALUES, (uint16_t)value_count);
    feature_put_u16(out + AT_RESERVED, 0);
    memcpy(out + AT_ID, record->id.data, record->id.bytes);
    uint8_t *at = out + AT_ID + record->id.bytes;
    at = texts_put(at, record->keys, record->key_count);
    at = texts_put(at, record->sources, record->source_count);
    for (size_t i = 0; i < record->value_slots; i++) {
        if (record->values[i].present)
            at = value_put(at, (uint16_t)i, &record->values[i]);
    }
    assert(at == out + need);
    feature_put_u64(out + AT_CHECKSUM, XXH3_64bits(out + AT_CREATED, need - AT_CREATED));
    return need;
}
