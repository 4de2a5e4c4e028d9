/* SPDX-License-Identifier: Apache-2.0 */
/* A model file token by token, JSON or UBJSON: what readers of models pull from. Nothing of the
 * file is kept but where the reader stands, so that memory does not depend on what a stranger
 * wrote.
 *
 * Tokens come in the grammar of JSON: a value is a scalar, or FOREIGN_OBJECT, then FOREIGN_KEY and
 * a value for each member, then FOREIGN_OBJECT_END, or FOREIGN_ARRAY and so on. The typed arrays of
 * UBJSON ([$d#L…) look the same. JSON's numbers may also be NaN, Infinity and -Infinity, which some
 * writers put there; who reads a number decides whether it may be one.
 *
 * Bounds: FOREIGN_DEPTH_MAX levels; lengths and counts of UBJSON are checked against the bytes that
 * are left. Ownership: borrows the bytes. Errors: sticky; the first fault stays, with the offset of
 * the byte at fault. PROTO_BAD_DOCUMENT. Threads: a reader is of one. Cost: some 5 ns a byte.
 * Source: RFC 8259; ubjson.org, draft 12, as XGBoost writes it. */
#ifndef FOREIGN_READ_H
#define FOREIGN_READ_H

#include "proto/fault.h"
#include "proto/span.h"

#define FOREIGN_DEPTH_MAX 32
#define FOREIGN_TEXT_BYTES_MAX                                                                     \
    1024 /* of a key or text that is looked at; longer ones are passed over */

enum foreign_token {
    FOREIGN_FAILED,
    FOREIGN_END, /* of the file */
    FOREIGN_OBJECT,
    FOREIGN_OBJECT_END,
    FOREIGN_ARRAY,
    FOREIGN_ARRAY_END,
    FOREIGN_KEY,
    FOREIGN_TEXT,
    FOREIGN_NUMBER,
    FOREIGN_TRUE,
    FOREIGN_FALSE,
    FOREIGN_NULL,
};

/* An object or array that has begun. */
struct foreign_level {
    bool object;
    bool any;      /* it has a member or element already */
    bool keyed;    /* a key was read and its value was not */
    bool counted;  /* UBJSON: `left` says when it ends */
    uint8_t typed; /* UBJSON: the marker of every element; 0: each has its own */
    uint64_t left;
};

struct foreign_reader {
    const uint8_t *data;
    size_t bytes;
    size_t at;
    size_t start; /* of the token */
    bool binary;
    bool done; /* the one value was read */
    bool failed;
    size_t failed_at;
    struct foreign_level levels[FOREIGN_DEPTH_MAX];
    size_t depth;
    double number;                         /* of FOREIGN_NUMBER */
    char text[FOREIGN_TEXT_BYTES_MAX + 1]; /* of FOREIGN_KEY and FOREIGN_TEXT, with a zero end */
    size_t text_bytes;
    bool text_cut; /* it is longer; it is not all there */
    struct proto_fault *fault;
};

/* binary: UBJSON. *fault is filled by what fails. */
void foreign_reader_init(struct foreign_reader *reader, struct proto_span bytes, bool binary,
                         struct proto_fault *fault);
enum foreign_token foreign_next(struct foreign_reader *reader);
/* Passes over one value, whose first token is `token`. */
bool foreign_skip(struct foreign_reader *reader, enum foreign_token token);
/* Passes over the next value. */
bool foreign_pass(struct foreign_reader *reader);
/* Whether the key or text that was read last is this one. */
bool foreign_text_is(const struct foreign_reader *reader, const char *text);
/* A fault at a byte; returns false. The first one stays. */
bool foreign_fail(struct foreign_reader *reader, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The next token, which must be this one. */
bool foreign_want(struct foreign_reader *reader, enum foreign_token token, const char *what);

/* Calls on_member for each member of an object, whose first token comes next; the key stands in
 * reader->text, and on_member reads the value; false ends it: with a fault, or for want of memory
 * if the reader has not failed. */
bool foreign_object(struct foreign_reader *reader, const char *what,
                    bool (*on_member)(void *context, struct foreign_reader *reader), void *context);

/* The same for an object whose first token has been read. */
bool foreign_members(struct foreign_reader *reader, const char *what,
                     bool (*on_member)(void *context, struct foreign_reader *reader),
                     void *context);

/* The two kinds of files; foreign_next calls one of them. */
enum foreign_token foreign_json_next(struct foreign_reader *reader);
enum foreign_token foreign_ubjson_next(struct foreign_reader *reader);

#endif
