/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/vectors/vectors.h"

/* Integers up to here in size are what a double, and so JavaScript, holds without loss. */
#define EXACT_MAX INT64_C(9007199254740992)

bool vector_hex_decode(const char *hex, uint8_t *out, size_t capacity, size_t *bytes)
{
    size_t digits = strlen(hex);
    *bytes = digits / 2;
    if (digits % 2 != 0 || *bytes > capacity) {
        return false;
    }
    for (size_t i = 0; i < *bytes; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        char *end = NULL;
        out[i] = (uint8_t)strtoul(pair, &end, 16);
        if (end != pair + 2) {
            return false;
        }
    }
    return true;
}

json_t *vector_hex_encode(struct proto_span bytes)
{
    char hex[2 * VECTOR_BYTES_MAX + 1] = "";
    for (size_t i = 0; i < bytes.bytes && i < VECTOR_BYTES_MAX; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
    }
    return json_string(hex);
}

/* The text of {"$name": "text"}, or NULL if the object is no such thing. */
static const char *special_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_object_size(object) == 1 && json_is_string(value) ? json_string_value(value) : NULL;
}

static void object_pack(struct proto_writer *writer, const json_t *object)
{
    const char *digits = special_text(object, "$int");
    const char *hex = special_text(object, "$bin");
    if (digits != NULL) {
        if (digits[0] == '-') {
            proto_write_int(writer, strtoll(digits, NULL, 10));
        } else {
            proto_write_uint(writer, strtoull(digits, NULL, 10));
        }
        return;
    }
    if (hex != NULL) {
        uint8_t data[VECTOR_BYTES_MAX];
        size_t bytes = 0;
        (void)vector_hex_decode(hex, data, sizeof(data), &bytes);
        proto_write_bin(writer, (struct proto_span){data, bytes});
        return;
    }
    proto_write_map(writer, json_object_size(object));
    const char *key;
    json_t *value;
    json_t *pairs = json_copy((json_t *)(uintptr_t)object); /* jansson iterates over mutable ones */
    json_object_foreach(pairs, key, value)
    {
        proto_write_text(writer, key);
        vector_pack(writer, value);
    }
    json_decref(pairs);
}

void vector_pack(struct proto_writer *writer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        object_pack(writer, value);
        break;
    case JSON_ARRAY:
        proto_write_array(writer, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            vector_pack(writer, json_array_get(value, i));
        }
        break;
    case JSON_STRING:
        proto_write_str(writer, (struct proto_span){(const uint8_t *)json_string_value(value),
                                                    json_string_length(value)});
        break;
    case JSON_INTEGER:
        proto_write_int(writer, json_integer_value(value));
        break;
    case JSON_REAL:
        proto_write_f64(writer, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        proto_write_bool(writer, json_is_true(value));
        break;
    case JSON_NULL:
        proto_write_nil(writer);
        break;
    }
}

/* The integers that only the two 64-bit formats hold need care; proto_read_int takes the others. */
static json_t *int_json(struct proto_reader *reader)
{
    char digits[32];
    if (*reader->at == 0xcf) {
        uint64_t value = 0;
        for (int i = 1; i <= 8; i++) {
            value = value << 8 | reader->at[i];
        }
        if (value > INT64_MAX) {
            (void)proto_read_number(reader);
            (void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
            return json_pack("{s:s}", "$int", digits);
        }
    }
    int64_t value = proto_read_int(reader);
    if (value >= -EXACT_MAX && value <= EXACT_MAX) {
        return json_integer(value);
    }
    (void)snprintf(digits, sizeof(digits), "%" PRId64, value);
    return json_pack("{s:s}", "$int", digits);
}

static json_t *value_json(struct proto_reader *reader, unsigned depth);

static json_t *container_json(struct proto_reader *reader, bool is_map, unsigned depth)
{
    json_t *made = is_map ? json_object() : json_array();
    size_t count = is_map ? proto_read_map(reader) : proto_read_array(reader);
    for (size_t i = 0; i < count; i++) {
        struct proto_span key = is_map ? proto_read_key(reader) : (struct proto_span){0};
        json_t *value = value_json(reader, depth - 1);
        if (is_map) {
            json_object_setn_new(made, (const char *)key.data, key.bytes, value);
        } else {
            json_array_append_new(made, value);
        }
    }
    proto_reader_leave(reader);
    return made;
}

/* The bytes have been through proto_read_any, so that nothing here can fail. */
static json_t *value_json(struct proto_reader *reader, unsigned depth)
{
    struct proto_span span;
    enum proto_kind kind = proto_reader_peek(reader);
    switch (kind) {
    case PROTO_KIND_BOOL:
        return json_boolean(proto_read_bool(reader));
    case PROTO_KIND_INT:
        return int_json(reader);
    case PROTO_KIND_FLOAT:
        return json_real(proto_read_number(reader));
    case PROTO_KIND_STR:
        span = proto_read_str(reader);
        return json_stringn((const char *)span.data, span.bytes);
    case PROTO_KIND_BIN:
        return json_pack("{s:o}", "$bin", vector_hex_encode(proto_read_bin(reader)));
    case PROTO_KIND_ARRAY:
    case PROTO_KIND_MAP:
        return depth > 0 ? container_json(reader, kind == PROTO_KIND_MAP, depth) : json_null();
    case PROTO_KIND_NIL:
    case PROTO_KIND_EXT:
    case PROTO_KIND_NONE:
        break;
    }
    proto_read_nil(reader);
    return json_null();
}

json_t *vector_json_of(struct proto_span encoded)
{
    struct proto_fault fault;
    struct proto_reader reader;
    proto_reader_init(&reader, encoded, &fault);
    (void)proto_read_any(&reader);
    if (!proto_reader_end(&reader)) {
        return NULL;
    }
    proto_reader_init(&reader, encoded, &fault);
    return value_json(&reader, PROTO_DEPTH_MAX);
}

static bool object_same(const json_t *a, const json_t *b)
{
    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    bool is_same = true;
    const char *key;
    json_t *value;
    json_t *pairs = json_copy((json_t *)(uintptr_t)a);
    json_object_foreach(pairs, key, value)
    {
        const json_t *other = json_object_get(b, key);
        is_same = is_same && other != NULL && vector_json_same(value, other);
    }
    json_decref(pairs);
    return is_same;
}

bool vector_json_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    if (json_is_object(a)) {
        return object_same(a, b);
    }
    if (json_is_array(a)) {
        bool is_same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; is_same && i < json_array_size(a); i++) {
            is_same = vector_json_same(json_array_get(a, i), json_array_get(b, i));
        }
        return is_same;
    }
    return json_equal(a, b) == 1;
}
