/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/record.h"

#include "proto/reader.h"
#include "server/base/hash.h"
#include "server/feature/bytes.h"
#include "server/feature/record_layout.h"

static bool corrupt(struct proto_fault *fault, const char *what)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "", "stored bytes are not an account record: %s",
                           what);
}

/* One text behind its length of one byte, without leaving `run`. */
static bool short_text_next(struct proto_span run, size_t *at, struct proto_span *text)
{
    if (*at >= run.bytes || run.bytes - *at - 1 < run.data[*at]) {
        return false;
    }
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
        if (!short_text_next(*rest, &at, &text)) {
            return false;
        }
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
    if (*at > run.bytes || run.bytes - *at < AT_VALUE) {
        return false;
    }
    const uint8_t *head = run.data + *at;
    size_t bytes = feature_get_u32(head + AT_VALUE_BYTES);
    if (run.bytes - *at - AT_VALUE < bytes) {
        return false;
    }
    struct proto_span content = {head + AT_VALUE, bytes};
    *field_id = feature_get_u16(head + AT_FIELD);
    *value = (struct feature_value){
        .present = true, .source = head[AT_SOURCE], .time_ms = feature_get_i64(head + AT_TIME)};
    switch (head[AT_TYPE]) {
    case FEATURE_NUMBER:
    case FEATURE_DATE:
        if (bytes != 8) {
            return false;
        }
        value->number = feature_get_f64(content.data);
        break;
    case FEATURE_FLAG:
        if (bytes != 1 || content.data[0] > 1) {
            return false;
        }
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
        if (!value_next(record->value_bytes, &at, &id, &value)) {
            return corrupt(fault, "a value is cut off or of an unknown type");
        }
        if (id < least) {
            return corrupt(fault, "values are out of order");
        }
        if (value.source >= source_count) {
            return corrupt(fault, "a value has a source that is not there");
        }
        if (!feature_value_valid(&value)) {
            return corrupt(fault, "a value breaks the rules of its type");
        }
        least = (uint32_t)id + 1;
    }
    return at == record->value_bytes.bytes || corrupt(fault, "bytes are left behind the values");
}

static bool texts_check(struct proto_span run, size_t bytes_max, struct proto_fault *fault)
{
    size_t at = 0;
    struct proto_span text;
    while (short_text_next(run, &at, &text)) {
        if (text.bytes == 0 || text.bytes > bytes_max || !proto_utf8_valid(text)) {
            return corrupt(fault, "a key or source is empty, too long or not UTF-8");
        }
    }
    return true;
}

static bool record_check(struct proto_span bytes, const struct feature_record *record,
                         struct proto_fault *fault)
{
    const uint8_t *head = bytes.data;
    if (base_hash(head + AT_CREATED, bytes.bytes - AT_CREATED, 0) !=
        feature_get_u64(head + AT_CHECKSUM)) {
        return corrupt(fault, "the checksum does not match");
    }
    if (feature_get_u16(head + AT_RESERVED) != 0) {
        return corrupt(fault, "reserved bytes are not zero");
    }
    if (record->id.bytes == 0 || record->id.bytes > PROTO_ID_BYTES_MAX ||
        !proto_utf8_valid(record->id)) {
        return corrupt(fault, "the id is empty, too long or not UTF-8");
    }
    if (record->key_count > PROTO_KEYS_MAX) {
        return corrupt(fault, "too many keys");
    }
    return texts_check(record->key_bytes, PROTO_ID_BYTES_MAX, fault) &&
           texts_check(record->source_bytes, PROTO_SOURCE_BYTES_MAX, fault) &&
           values_check(record, feature_get_u16(head + AT_VALUES), fault);
}

bool feature_record_open(struct proto_span bytes, bool check, struct feature_record *record,
                         struct proto_fault *fault)
{
    const uint8_t *head = bytes.data;
    if (bytes.bytes < AT_ID || bytes.bytes > PROTO_RECORD_BYTES_MAX) {
        return corrupt(fault, "the length is impossible");
    }
    if (feature_get_u32(head + AT_MAGIC) != FEATURE_RECORD_MAGIC) {
        return corrupt(fault, "the magic is not \"ICA1\"");
    }
    if (feature_get_u32(head + AT_BYTES) != bytes.bytes) {
        return corrupt(fault, "the length is not the one written in it");
    }
    struct proto_span rest = {head + AT_ID, bytes.bytes - AT_ID};
    *record = (struct feature_record){
        .id = {rest.data, feature_get_u16(head + AT_ID_BYTES)},
        .created_s = feature_get_u32(head + AT_CREATED),
        .changed_s = feature_get_u32(head + AT_CHANGED),
        .key_count = head[AT_KEYS],
        .source_count = head[AT_SOURCES],
    };
    if (record->id.bytes > rest.bytes) {
        return corrupt(fault, "the id is cut off");
    }
    rest.data += record->id.bytes;
    rest.bytes -= record->id.bytes;
    /* Walked even without check: the runs must be known, and must not leave the bytes. */
    if (!short_texts_take(&rest, record->key_count, &record->key_bytes) ||
        !short_texts_take(&rest, record->source_count, &record->source_bytes)) {
        return corrupt(fault, "keys or sources are cut off");
    }
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
        if (!short_text_next(record->source_bytes, &at, &source)) {
            return (struct proto_span){0};
        }
    }
    return source;
}

bool feature_record_value(const struct feature_record *record, uint16_t field_id,
                          struct feature_value *value)
{
    size_t at = 0;
    uint16_t id = 0;
    while (value_next(record->value_bytes, &at, &id, value) && id <= field_id) {
        if (id == field_id) {
            return true;
        }
    }
    return false;
}

void feature_record_values(const struct feature_record *record, struct feature_value *values,
                           size_t slots)
{
    size_t at = 0;
    uint16_t id = 0;
    struct feature_value value;
    for (size_t i = 0; i < slots; i++) {
        values[i].present = false;
    }
    while (value_next(record->value_bytes, &at, &id, &value)) {
        if (id < slots) {
            values[id] = value;
        }
    }
}
