/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pull reader of MessagePack. It allocates nothing, recurses nowhere, and never trusts a
 * count: elements ≤ bytes left, depth ≤ PROTO_DEPTH_MAX. Its error is sticky: read on, check once.
 * After an error every read gives zero, empty or false, so loops that test proto_reader_ok end.
 * Accepts every integer width and both floats wherever a number is meant; refuses NaN, infinity,
 * invalid UTF-8, ext types (by name) and trailing bytes (proto_reader_end).
 * Ownership: spans returned point into the input. Threads: one reader, one thread.
 * Cost: 2 to 4 ns a scalar or short string; proto_read_any about 12 ns a value. Source: the
 * MessagePack specification (msgpack.org). */
#ifndef PROTO_READER_H
#define PROTO_READER_H

#include "proto/fault.h"
#include "proto/span.h"

struct proto_reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    unsigned depth;
    bool failed;
    bool
        checked; /* the bytes went through proto_read_any before, which then only finds their end */
    struct proto_fault *fault; /* filled at the first error */
};

enum proto_kind {
    PROTO_KIND_NIL,
    PROTO_KIND_BOOL,
    PROTO_KIND_INT, /* any integer */
    PROTO_KIND_FLOAT,
    PROTO_KIND_STR,
    PROTO_KIND_BIN,
    PROTO_KIND_ARRAY,
    PROTO_KIND_MAP,
    PROTO_KIND_EXT,
    PROTO_KIND_NONE, /* at the end, or after an error */
};

void proto_reader_init(struct proto_reader *reader, struct proto_span bytes,
                       struct proto_fault *fault);
static inline bool proto_reader_ok(const struct proto_reader *reader)
{
    return !reader->failed;
}
/* Marks the reader as failed with a fault of the caller's; keeps the first one. Returns false. */
bool proto_reader_fail(struct proto_reader *reader, enum proto_error code, const char *field,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Kind of the next value, without consuming it. */
enum proto_kind proto_reader_peek(const struct proto_reader *reader);
/* "a string", "an integer" …, for messages. */
const char *proto_kind_name(enum proto_kind kind);

/* Each consumes one value of the kind named or fails the reader, naming what was expected and what
 * was there: PROTO_BAD_FIELD for another kind, a number out of range, NaN, infinity, bad UTF-8 or
 * an ext type; PROTO_BAD_PAYLOAD for data that is cut or malformed; PROTO_TOO_LARGE for nesting
 * beyond PROTO_DEPTH_MAX and maps of more than PROTO_MAP_KEYS_MAX keys. The fault's field is left
 * empty: the caller, who knows the way, adds it with proto_fault_within. */
void proto_read_nil(struct proto_reader *reader);
bool proto_read_bool(struct proto_reader *reader);
uint64_t proto_read_uint(struct proto_reader *reader); /* 0 … 2^63-1; 3.0 counts as 3 */
int64_t proto_read_int(struct proto_reader *reader);
double proto_read_number(struct proto_reader *reader); /* finite */
struct proto_span proto_read_str(struct proto_reader *reader);
struct proto_span proto_read_bin(struct proto_reader *reader);
/* The key of a pair: as proto_read_str, but what is no string fails with PROTO_BAD_PAYLOAD. */
struct proto_span proto_read_key(struct proto_reader *reader);
/* Enters an array or map: returns the number of elements (of pairs for a map) to be read next. The
 * caller calls proto_reader_leave after the last one. */
size_t proto_read_array(struct proto_reader *reader);
size_t proto_read_map(struct proto_reader *reader);
void proto_reader_leave(struct proto_reader *reader);

/* Consumes one value of any kind and returns its bytes; checks it whole (depth, counts, UTF-8,
 * finite numbers, keys that are strings and differ). A fault names the way to the value at fault as
 * field, e.g. "[3].values.employees". Takes 40 KiB of stack for maps of more than 8 keys, no heap.
 */
struct proto_span proto_read_any(struct proto_reader *reader);

/* Fails with PROTO_BAD_PAYLOAD if bytes are left. Returns proto_reader_ok. */
bool proto_reader_end(struct proto_reader *reader);

/* True if the span is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool proto_utf8_valid(struct proto_span text);

#endif
