/* SPDX-License-Identifier: Apache-2.0 */
/* What the body of an entry may hold, so that its line is read again as it was written.
 *
 * Canonical JSON writes a number beyond 2^53 as the double next to it, one beyond 2^63 as digits
 * that jansson does not read, and a zero byte ends a text; a line is one deeper than its entry. So
 * none of these is taken: an entry is for ever. Ownership: borrows. Errors: PROTO_BAD_FIELD with
 * the member by its name, PROTO_TOO_LARGE for what lies too deep. Threads: pure. Cost: some 10 ns a
 * value. */
#ifndef TERM_TERM_VALUE_H
#define TERM_TERM_VALUE_H

#include <jansson.h>

#include "proto/fault.h"

/* Lists and objects within a body; figures of a verdict have three. */
#define TERM_VALUE_DEPTH_MAX 8

bool term_value_check(const json_t *body, struct proto_fault *fault);

#endif
