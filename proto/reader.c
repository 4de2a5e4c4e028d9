/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/reader.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/head.h"
#include "proto/utf8.h"

static const char *const kind_names[] = {
    [PROTO_KIND_NIL] = "nil",
    [PROTO_KIND_BOOL] = "a boolean",
    [PROTO_KIND_INT] = "an integer",
    [PROTO_KIND_FLOAT] = "a float",
    [PROTO_KIND_STR] = "a string",
    [PROTO_KIND_BIN] = "binary data",
    [PROTO_KIND_ARRAY] = "an array",
    [PROTO_KIND_MAP] = "a map",
    [PROTO_KIND_EXT] = "an extension type",
    [PROTO_KIND_NONE] = "nothing",
};

const char *proto_kind_name(enum proto_kind kind)
{
    return kind_names[kind];
}

void proto_reader_init(struct proto_reader *reader, struct proto_span bytes,
                       struct proto_fault *fault)
{
    *reader = (struct proto_reader){
        .at = bytes.data, .end = bytes.data, .start = bytes.data, .fault = fault};
    if (bytes.bytes > 0) { /* a pointer that may be NULL takes no sum */
        reader->end = bytes.data + bytes.bytes;
    }
}

bool proto_reader_fail(struct proto_reader *reader, enum proto_error code, const char *field,
                       const char *format, ...)
{
    if (!reader->failed) {
        char message[sizeof(reader->fault->message)];
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        proto_fault_set(reader->fault, code, field, "%s", message);
        reader->failed = true;
    }
    return false;
}

static size_t bytes_left(const struct proto_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static size_t position(const struct proto_reader *reader)
{
    return (size_t)(reader->at - reader->start);
}

enum proto_kind proto_reader_peek(const struct proto_reader *reader)
{
    if (reader->failed || reader->at == reader->end) {
        return PROTO_KIND_NONE;
    }
    return proto_head_kind(*reader->at); /* a cut head has its kind too */
}

bool proto_reader_refuse(struct proto_reader *reader, const char *wanted)
{
    if (reader->failed) {
        return false;
    }
    size_t left = bytes_left(reader);
    if (left == 0) {
        return proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                                 "expected %s, found the end of the data at byte %zu", wanted,
                                 position(reader));
    }
    struct proto_head head = {.kind = PROTO_KIND_NONE};
    if (!proto_head_read(reader->at, left, &head)) {
        return head.kind == PROTO_KIND_NONE
                   ? proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                                       "expected %s, found the byte 0xc1 at %zu, which begins no "
                                       "value",
                                       wanted, position(reader))
                   : proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                                       "expected %s, found %s that is cut off at byte %zu", wanted,
                                       kind_names[head.kind], position(reader));
    }
    if (head.kind == PROTO_KIND_EXT) {
        return proto_reader_fail(reader, PROTO_BAD_FIELD, "",
                                 "expected %s, found extension type %d; none is known", wanted,
                                 (int)(int8_t)head.bits);
    }
    return proto_reader_fail(reader, PROTO_BAD_FIELD, "", "expected %s, found %s", wanted,
                             kind_names[head.kind]);
}

/* Consumes the head of a value of one of two kinds. */
static inline bool head_take(struct proto_reader *reader, enum proto_kind kind,
                             enum proto_kind other, const char *wanted, struct proto_head *head)
{
    if (reader->failed || reader->at == reader->end ||
        !proto_head_read(reader->at, bytes_left(reader), head) ||
        (head->kind != kind && head->kind != other)) {
        (void)proto_reader_refuse(reader, wanted);
        return false;
    }
    reader->at += head->bytes;
    return true;
}

void proto_read_nil(struct proto_reader *reader)
{
    struct proto_head head;
    (void)head_take(reader, PROTO_KIND_NIL, PROTO_KIND_NIL, "nil", &head);
}

bool proto_read_bool(struct proto_reader *reader)
{
    struct proto_head head;
    return head_take(reader, PROTO_KIND_BOOL, PROTO_KIND_BOOL, "a boolean", &head) &&
           head.bits != 0;
}

/* Refuses what is no finite number. */
static bool float_finite(struct proto_reader *reader, double number, const char *wanted)
{
    if (isfinite(number)) {
        return true;
    }
    return proto_reader_fail(reader, PROTO_BAD_FIELD, "", "expected %s, found %s", wanted,
                             isnan(number) ? "NaN" : "infinity");
}

#define WANT_UINT "a whole number from 0 to 2^63-1"
#define WANT_INT "a whole number from -2^63 to 2^63-1"
#define WANT_NUMBER "a finite number"

uint64_t proto_read_uint(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_INT, PROTO_KIND_FLOAT, WANT_UINT, &head)) {
        return 0;
    }
    const char *found = NULL;
    uint64_t value = head.bits;
    if (head.kind == PROTO_KIND_INT) {
        found = head.negative                 ? "a negative number"
                : value > (uint64_t)INT64_MAX ? "a larger number"
                                              : NULL;
    } else if (!float_finite(reader, head.number, WANT_UINT)) {
        return 0;
    } else if (head.number < 0) {
        found = "a negative number";
    } else if (head.number >= 0x1p63) {
        found = "a larger number";
    } else if (head.number != floor(head.number)) {
        found = "a fraction";
    } else {
        value = (uint64_t)head.number;
    }
    if (found != NULL) {
        proto_reader_fail(reader, PROTO_BAD_FIELD, "", "expected " WANT_UINT ", found %s", found);
        return 0;
    }
    return value;
}

int64_t proto_read_int(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_INT, PROTO_KIND_FLOAT, WANT_INT, &head)) {
        return 0;
    }
    const char *found = NULL;
    int64_t value = (int64_t)head.bits;
    if (head.kind == PROTO_KIND_INT) {
        found = !head.negative && value < 0 ? "a larger number" : NULL;
    } else if (!float_finite(reader, head.number, WANT_INT)) {
        return 0;
    } else if (head.number < -0x1p63) {
        found = "a smaller number";
    } else if (head.number >= 0x1p63) {
        found = "a larger number";
    } else if (head.number != floor(head.number)) {
        found = "a fraction";
    } else {
        value = (int64_t)head.number;
    }
    if (found != NULL) {
        proto_reader_fail(reader, PROTO_BAD_FIELD, "", "expected " WANT_INT ", found %s", found);
        return 0;
    }
    return value;
}

double proto_read_number(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_INT, PROTO_KIND_FLOAT, WANT_NUMBER, &head)) {
        return 0;
    }
    if (head.kind == PROTO_KIND_INT) {
        return head.negative ? (double)(int64_t)head.bits : (double)head.bits;
    }
    return float_finite(reader, head.number, WANT_NUMBER) ? head.number : 0;
}

/* Consumes a body of `bytes` bytes if they are there. */
static struct proto_span body_take(struct proto_reader *reader, uint32_t bytes, const char *what)
{
    if (bytes > bytes_left(reader)) {
        proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                          "%s claims %u bytes at byte %zu, where %zu are left", what, bytes,
                          position(reader), bytes_left(reader));
        return (struct proto_span){0};
    }
    struct proto_span body = {reader->at, bytes};
    reader->at += bytes;
    return body;
}

static struct proto_span str_read_slow(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_STR, PROTO_KIND_STR, "a string", &head)) {
        return (struct proto_span){0};
    }
    struct proto_span body = body_take(reader, head.size, "a string");
    if (!proto_utf8_valid(body)) {
        proto_reader_fail(reader, PROTO_BAD_FIELD, "",
                          "expected a string of UTF-8, found bytes that are not");
        return (struct proto_span){0};
    }
    return body;
}

struct proto_span proto_read_str(struct proto_reader *reader)
{
    const uint8_t *at = reader->at;
    if (!reader->failed && at != reader->end && (*at & 0xe0) == 0xa0) { /* fixstr: most of them */
        size_t bytes = *at & 0x1fU;
        if (bytes < bytes_left(reader) && proto_utf8_is_ascii(at + 1, bytes)) {
            reader->at = at + 1 + bytes;
            return (struct proto_span){at + 1, bytes};
        }
    }
    return str_read_slow(reader);
}

struct proto_span proto_read_key(struct proto_reader *reader)
{
    bool was_ok = proto_reader_ok(reader);
    struct proto_span key = proto_read_str(reader);
    if (was_ok && !proto_reader_ok(reader)) {
        proto_fault_set(reader->fault, PROTO_BAD_PAYLOAD, "", "as the key of a map: %s",
                        reader->fault->message);
    }
    return key;
}

struct proto_span proto_read_bin(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_BIN, PROTO_KIND_BIN, "binary data", &head)) {
        return (struct proto_span){0};
    }
    return body_take(reader, head.size, "binary data");
}

/* Enters an array or map of `count` elements or pairs that take at least `bytes_each` bytes. */
static size_t container_enter(struct proto_reader *reader, size_t count, size_t bytes_each,
                              const char *what)
{
    if (reader->depth >= PROTO_DEPTH_MAX) {
        proto_reader_fail(reader, PROTO_TOO_LARGE, "",
                          "values are nested deeper than %d levels (depth_max)", PROTO_DEPTH_MAX);
        return 0;
    }
    if (count * bytes_each > bytes_left(reader)) { /* 32 bits times 2: no overflow */
        proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                          "%s claims %zu elements at byte %zu, where %zu bytes are left", what,
                          count, position(reader), bytes_left(reader));
        return 0;
    }
    reader->depth++;
    return count;
}

size_t proto_read_array(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_ARRAY, PROTO_KIND_ARRAY, "an array", &head)) {
        return 0;
    }
    return container_enter(reader, head.size, 1, "an array");
}

size_t proto_read_map(struct proto_reader *reader)
{
    struct proto_head head;
    if (!head_take(reader, PROTO_KIND_MAP, PROTO_KIND_MAP, "a map", &head)) {
        return 0;
    }
    if (head.size > PROTO_MAP_KEYS_MAX) {
        proto_reader_fail(reader, PROTO_TOO_LARGE, "",
                          "a map of %u keys is over the limit of %d "
                          "(map_keys_max)",
                          head.size, PROTO_MAP_KEYS_MAX);
        return 0;
    }
    return container_enter(reader, head.size, 2, "a map");
}

void proto_reader_leave(struct proto_reader *reader)
{
    if (!reader->failed) {
        assert(reader->depth > 0);
        reader->depth--;
    }
}

bool proto_reader_end(struct proto_reader *reader)
{
    if (!reader->failed && reader->at != reader->end) {
        proto_reader_fail(reader, PROTO_BAD_PAYLOAD, "",
                          "%zu bytes are left over after the value, at byte %zu",
                          bytes_left(reader), position(reader));
    }
    return proto_reader_ok(reader);
}
