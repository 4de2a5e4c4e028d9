/* SPDX-License-Identifier: Apache-2.0 */
/* One line that is read: its JSON, and where in it something stands, for whoever must put it right.
 * Ownership: a line owns its JSON and borrows its text. Errors: PROTO_BAD_FIELD and others, each
 * with "line N, column C" in front of the message; columns count characters from 1. Threads: pure.
 */
#ifndef TRANSFER_LINE_H
#define TRANSFER_LINE_H

#include <jansson.h>

#include "proto/fault.h"
#include "proto/span.h"
#include "server/transfer/transfer.h"

struct transfer_line {
    struct proto_span text; /* without its end */
    uint64_t number;
    json_t *json;   /* an object */
    char first[16]; /* name of its first member, cut */
};

/* Where in a line: a member, a member of that, and of that; NULL ends it. The line itself: all
 * NULL. */
struct transfer_place {
    const char *names[3];
};
#define TRANSFER_AT(...) ((struct transfer_place){{__VA_ARGS__}})

bool transfer_line_load(struct transfer_line *line, struct proto_span text, uint64_t number,
                        struct proto_fault *fault);
void transfer_line_fini(struct transfer_line *line);
/* The member's column; that of the line's beginning if it has none. */
size_t transfer_line_column(const struct transfer_line *line, struct transfer_place place);
/* Always false. */
bool transfer_line_refuse(const struct transfer_line *line, struct transfer_place place,
                          struct proto_fault *fault, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A fault of something that stands in the line: says where before what. Always false. */
bool transfer_line_within(const struct transfer_line *line, struct transfer_place place,
                          struct proto_fault *fault);

/* Members of an object of the line, all required unless said otherwise. */
bool transfer_line_text(const struct transfer_line *line, const char *name, struct proto_span *text,
                        struct proto_fault *fault);
bool transfer_line_int(const struct transfer_line *line, const char *name, int64_t low,
                       int64_t high, int64_t *number, struct proto_fault *fault);
/* Refuses members that are none of the names. */
bool transfer_line_known(const struct transfer_line *line, const char *const *names, size_t count,
                         struct proto_fault *fault);

#endif
