/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/values.h"

#include <math.h>
#include <stdio.h>

static bool value_fault(struct proto_fault *fault, const struct feature_field *field,
                        const char *found)
{
    return proto_fault_set(fault, PROTO_BAD_FIELD, field->name, "a %s is expected, not %s",
                           feature_type_name(field->type), found);
}

static const char *kind_name(enum proto_kind kind)
{
    static const char *const names[] = {"nil",   "a flag",   "a number", "a number", "a text",
                                        "bytes", "an array", "a map",    "ext",      "nothing"};
    return names[kind];
}

static bool read_text(struct rpc_values *values, const struct feature_field *field,
                      struct proto_reader *reader, struct feature_value *value,
                      struct proto_fault *fault)
{
    struct proto_span text = proto_read_str(reader);
    if (field->type == FEATURE_CATEGORY) {
        return feature_value_from_text(values->schema, field, text, NULL, 0, value, fault);
    }
    /* Packed tags take two bytes beside each text, and a text of n bytes splits into at most n+1
     * tags. */
    size_t scratch_bytes = 3 * text.bytes + 8;
    uint8_t *scratch = base_arena_take(values->arena, scratch_bytes);
    if (!scratch) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, field->name, "no memory for the value");
    }
    return feature_value_from_text(values->schema, field, text, scratch, scratch_bytes, value,
                                   fault);
}

static bool read_number(const struct feature_field *field, struct proto_reader *reader,
                        struct feature_value *value, struct proto_fault *fault)
{
    double number = proto_read_number(reader);
    switch (field->type) {
    case FEATURE_NUMBER:
        value->number = number;
        return true;
    case FEATURE_FLAG:
        value->flag = number == 1;
        if (number == 0 || number == 1) {
            return true;
        }
        break;
    case FEATURE_DATE:
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                               "a date is a text, such as 2023-01-31 or 2023-01-31T10:00:00Z");
    case FEATURE_CATEGORY:
    case FEATURE_TAGS:
    case FEATURE_VECTOR:
        break;
    }
    return value_fault(fault, field, "a number");
}

static bool read_tags(struct rpc_values *values, const struct feature_field *field,
                      struct proto_reader *reader, struct feature_value *value,
                      struct proto_fault *fault)
{
    size_t count = proto_read_array(reader);
    if (count > PROTO_TAGS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, field->name,
                               "%zu tags, at most %d are allowed", count, PROTO_TAGS_MAX);
    }
    struct proto_span *texts = base_arena_array(values->arena, count + 1, sizeof *texts);
    if (!texts) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, field->name, "no memory for the value");
    }
    size_t bytes = 0;
    for (size_t i = 0; i < count && proto_reader_ok(reader); i++) {
        texts[i] = proto_read_str(reader);
        bytes += texts[i].bytes + 2;
    }
    proto_reader_leave(reader);
    if (!proto_reader_ok(reader)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name, "every tag must be a text: %s",
                               reader->fault->message);
    }
    uint8_t *packed = base_arena_take(values->arena, bytes + 1);
    if (!packed) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, field->name, "no memory for the value");
    }
    struct proto_fault local = {0};
    value->tags.data = packed;
    value->tags.bytes = feature_tags_pack(texts, count, packed, bytes + 1, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return proto_fault_within(fault, "%s", field->name);
    }
    return true;
}

static bool dims_right(const struct feature_field *field, size_t dims, struct proto_fault *fault)
{
    return dims == field->dims ||
           proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                           "a vector of %u numbers is expected, not %zu", field->dims, dims);
}

static bool read_vector_bin(struct rpc_values *values, const struct feature_field *field,
                            struct proto_reader *reader, struct feature_value *value,
                            struct proto_fault *fault)
{
    (void)values;
    struct proto_span bytes = proto_read_bin(reader);
    if (bytes.bytes % sizeof(float) != 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                               "%zu bytes are not a whole number of f32", bytes.bytes);
    }
    for (size_t i = 0; i < bytes.bytes; i += sizeof(float)) {
        float number;
        memcpy(&number, bytes.data + i, sizeof number);
        if (!isfinite(number)) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                                   "number %zu of the vector is not finite", i / sizeof(float));
        }
    }
    value->vector = bytes;
    return dims_right(field, bytes.bytes / sizeof(float), fault);
}

static bool read_vector_array(struct rpc_values *values, const struct feature_field *field,
                              struct proto_reader *reader, struct feature_value *value,
                              struct proto_fault *fault)
{
    size_t dims = proto_read_array(reader);
    if (!dims_right(field, dims, fault)) {
        return false;
    }
    uint8_t *bytes = base_arena_take(values->arena, dims * sizeof(float) + 1);
    if (!bytes) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, field->name, "no memory for the value");
    }
    for (size_t i = 0; i < dims; i++) {
        float number = (float)proto_read_number(reader);
        if (!proto_reader_ok(reader) || !isfinite(number)) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, field->name,
                                   "number %zu of the vector is not a finite f32", i);
        }
        memcpy(bytes + i * sizeof number, &number, sizeof number);
    }
    proto_reader_leave(reader);
    value->vector = (struct proto_span){bytes, dims * sizeof(float)};
    return true;
}

bool rpc_value_read(struct rpc_values *values, const struct feature_field *field,
                    struct proto_reader *reader, struct feature_value *value,
                    struct proto_fault *fault)
{
    enum proto_kind kind = proto_reader_peek(reader);
    value->type = field->type;
    value->present = true;
    if (kind == PROTO_KIND_STR) {
        return read_text(values, field, reader, value, fault);
    }
    if (kind == PROTO_KIND_INT || kind == PROTO_KIND_FLOAT) {
        return read_number(field, reader, value, fault);
    }
    if (kind == PROTO_KIND_BOOL && field->type == FEATURE_FLAG) {
        value->flag = proto_read_bool(reader);
        return true;
    }
    if (kind == PROTO_KIND_ARRAY && field->type == FEATURE_TAGS) {
        return read_tags(values, field, reader, value, fault);
    }
    if (kind == PROTO_KIND_BIN && field->type == FEATURE_VECTOR) {
        return read_vector_bin(values, field, reader, value, fault);
    }
    if (kind == PROTO_KIND_ARRAY && field->type == FEATURE_VECTOR) {
        return read_vector_array(values, field, reader, value, fault);
    }
    return value_fault(fault, field, kind_name(kind));
}

/* Most clients send fields in the order of the schema: the next one is guessed. */
static const struct feature_field *field_find(const struct feature_schema *schema,
                                              struct proto_span name, size_t *guess)
{
    const struct feature_field *field = &schema->fields[*guess];
    if (*guess >= schema->field_count || !proto_span_is(name, field->name)) {
        field = feature_schema_find(schema, name);
    }
    if (field) {
        *guess = (size_t)(field - schema->fields) + 1;
    }
    return field;
}

static bool read_pair(struct rpc_values *values, struct proto_reader *reader, size_t *guess,
                      struct proto_fault *fault)
{
    struct proto_span name = proto_read_str(reader);
    const struct feature_field *field = field_find(values->schema, name, guess);
    if (!field) {
        if (values->skip_unknown) {
            if (values->unknown && values->unknown->count < PROTO_UNKNOWN_MAX) {
                values->unknown->names[values->unknown->count++] = name;
            }
            proto_read_any(reader);
            return true;
        }
        char place[128];
        snprintf(place, sizeof place, "%.*s", (int)name.bytes, (const char *)name.data);
        return proto_fault_set(fault, PROTO_BAD_FIELD, place, "the schema has no such field");
    }
    struct feature_value value = {.source = values->source, .time_ms = values->time_ms};
    if (proto_reader_peek(reader) == PROTO_KIND_NIL) {
        proto_read_nil(reader);
    } else if (!rpc_value_read(values, field, reader, &value, fault)) {
        return false;
    }
    value.source = values->source;
    value.time_ms = values->time_ms;
    if (!value.present && values->removed) {
        values->removed[values->removed_count++] = field->id;
    }
    values->present_count += value.present;
    values->values[field->id] = value;
    return true;
}

bool rpc_values_read(struct rpc_values *values, struct proto_span map, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, map, &local);
    size_t pairs = proto_read_map(&reader);
    size_t guess = 0;
    for (size_t i = 0; i < pairs; i++) {
        if (!read_pair(values, &reader, &guess, fault)) {
            return proto_fault_within(fault, "values");
        }
        if (!proto_reader_ok(&reader)) {
            *fault = local;
            return proto_fault_within(fault, "values");
        }
    }
    return true;
}
