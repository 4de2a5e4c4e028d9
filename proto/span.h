/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes. Purpose: lengths and pointers travel together, text is never assumed to
 * end in a zero byte. Ownership: never owns; valid as long as what it points into. A span with
 * bytes == 0 may have any data pointer. Threads: a value, free to copy. */
#ifndef PROTO_SPAN_H
#define PROTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct proto_span {
    const uint8_t *data;
    size_t bytes;
};

/* A C string literal or variable as a span (the terminating zero is not counted). */
static inline struct proto_span proto_span_text(const char *text)
{
    return (struct proto_span){(const uint8_t *)text, strlen(text)};
}

static inline bool proto_span_equal(struct proto_span a, struct proto_span b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

static inline bool proto_span_is(struct proto_span a, const char *text)
{
    return proto_span_equal(a, proto_span_text(text));
}

/* Bytewise order; a proper prefix comes first. */
static inline int proto_span_compare(struct proto_span a, struct proto_span b)
{
    size_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

#endif
