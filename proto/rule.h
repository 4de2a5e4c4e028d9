/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds and defaults of fields, as the columns LOW, HIGH and DEFAULT of field.def and shape.def
 * state them: holding a value against them, saying them to people, and taking a default. Bounds are
 * doubles, so each must be below 2^53; the tests hold the tables to that.
 * Ownership: borrows. Errors: BAD_FIELD, and TOO_LARGE for a list or document over its bound; the
 * message names what was wanted and what was found. Threads: pure. */
#ifndef PROTO_RULE_H
#define PROTO_RULE_H

#include <float.h>

#include "proto/request.h"

/* An open bound is the double next to it: a value above 0 is at least this, one below 1 at most. */
#define PROTO_ABOVE_0 DBL_TRUE_MIN
#define PROTO_BELOW_1 (1 - DBL_EPSILON / 2)

/* Whether a value that has been read keeps to the bounds of its field; else *fault without the
 * field's name, which the caller puts before. */
bool proto_rule_keeps(const struct proto_field_info *field, const struct proto_arg *arg,
                      struct proto_fault *fault);

/* The limit that a bound names, or NULL if it is a number of its own. */
const struct proto_limit_info *proto_rule_limit(const char *source);

/* For people: "1 to 10000 accounts", "above 0 up to 1", "at most 63 bytes"; "" without bounds.
 * Returns text. */
char *proto_rule_print(const struct proto_field_info *field, char *text, size_t text_bytes);
/* The default, "" if there is none: 10, 0.99, false, "parent" (with its quotes, as JSON). */
char *proto_rule_default_print(const struct proto_field_info *field, char *text, size_t text_bytes);

/* The value of a field, or its default if it was left out. Bugs are asserted: another type than the
 * table's, or no default. */
uint64_t proto_arg_uint(const struct proto_field_info *field, const struct proto_arg *arg);
double proto_arg_number(const struct proto_field_info *field, const struct proto_arg *arg);
bool proto_arg_flag(const struct proto_field_info *field, const struct proto_arg *arg);
struct proto_span proto_arg_text(const struct proto_field_info *field, const struct proto_arg *arg);

#endif
