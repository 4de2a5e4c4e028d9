/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the record that record.h draws. The need is counted first, so that nothing is written
 * where it does not fit, and what is written is what feature_record_open accepts. */
#include "proto/reader.h"
#include "server/base/hash.h"
#include "server/feature/bytes.h"
#include "server/feature/record.h"
#include "server/feature/record_layout.h"

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
    case FEATURE_DATE:
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
        if (!value->present) {
            continue;
        }
        if (i > UINT16_MAX || *count == UINT16_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, "values", "more than %d values",
                                   UINT16_MAX);
        }
        if (value->source >= source_count || !feature_value_valid(value)) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "values",
                                   "the value of field id %zu breaks the rules of its type", i);
        }
        *need += AT_VALUE + content_bytes(value);
        (*count)++;
        if (*need > PROTO_RECORD_BYTES_MAX) {
            break; /* refused by the caller, before any sum could overflow */
        }
    }
    return true;
}

static bool record_measure(const struct feature_record *record, size_t *need, size_t *value_count,
                           struct proto_fault *fault)
{
    *need = AT_ID + record->id.bytes;
    if (record->id.bytes == 0 || record->id.bytes > PROTO_ID_BYTES_MAX) {
        return proto_fault_set(fault, record->id.bytes == 0 ? PROTO_BAD_FIELD : PROTO_TOO_LARGE,
                               "id", "an id of %zu bytes; 1 to %d are allowed", record->id.bytes,
                               PROTO_ID_BYTES_MAX);
    }
    if (!proto_utf8_valid(record->id)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "id", "the id is not UTF-8");
    }
    if (record->key_count > PROTO_KEYS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "keys", "%zu keys; at most %d are allowed",
                               record->key_count, PROTO_KEYS_MAX);
    }
    if (record->source_count > PROTO_SOURCES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "sources",
                               "%zu sources; at most %d are allowed", record->source_count,
                               PROTO_SOURCES_MAX);
    }
    if (record->created_s < 0 || record->created_s > UINT32_MAX || record->changed_s < 0 ||
        record->changed_s > UINT32_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "time",
                               "a time outside 1970 to 2106 cannot be stored");
    }
    if (!texts_measure(record->keys, record->key_count, PROTO_ID_BYTES_MAX, "keys", need, fault) ||
        !texts_measure(record->sources, record->source_count, PROTO_SOURCE_BYTES_MAX, "sources",
                       need, fault) ||
        !values_measure(record, need, value_count, fault)) {
        return false;
    }
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
    case FEATURE_DATE:
        feature_put_f64(at, value->number);
        break;
    case FEATURE_FLAG:
        *at = value->flag;
        break;
    case FEATURE_CATEGORY:
        memcpy(at, value->text.data, bytes);
        break;
    case FEATURE_TAGS:
        if (bytes > 0) {
            memcpy(at, value->tags.data, bytes);
        }
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
    if (!record_measure(record, &need, &value_count, fault)) {
        return 0;
    }
    if (need > out_bytes) {
        return need;
    }
    feature_put_u32(out + AT_MAGIC, FEATURE_RECORD_MAGIC);
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
        if (record->values[i].present) {
            at = value_put(at, (uint16_t)i, &record->values[i]);
        }
    }
    assert(at == out + need);
    feature_put_u64(out + AT_CHECKSUM, base_hash(out + AT_CREATED, need - AT_CREATED, 0));
    return need;
}
