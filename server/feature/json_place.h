/* SPDX-License-Identifier: Apache-2.0 */
/* Where a member of a JSON document stands in its text, for faults that name it by its path:
 * "archetypes[1].when[0].within" is line 9, column 12.
 *
 * Found is the name of the member, or where an element of an array begins; of a path that leads
 * nowhere, as that of a member that is missing, the last part that is there. Names with an escape
 * in them are not found, and a name with a point or bracket in it is taken for two. Ownership:
 * borrows. Errors: none. Threads: pure. Cost: one pass over the text up to the place, for a text
 * that jansson has read. */
#ifndef FEATURE_JSON_PLACE_H
#define FEATURE_JSON_PLACE_H

#include "proto/fault.h"
#include "proto/span.h"

/* Line and column from 1, the column in characters. */
struct feature_json_place {
    size_t line, column;
};

struct feature_json_place feature_json_place(struct proto_span text, const char *path);
/* Puts "line L, column C: " before the message of a fault whose field is such a path. Returns
 * false. */
bool feature_json_fault_place(struct proto_span text, struct proto_fault *fault);

#endif
