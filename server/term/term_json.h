/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in its canonical form, so that what is hashed and signed is the same bytes wherever it is
 * written: members in the order of their names by UTF-16 units, no blanks, numbers as ECMAScript
 * prints them, only those signs escaped that must be.
 *
 * Numbers are those of IEEE 754: an integer beyond 2^53 is written as the double next to it, which
 * RFC 8785 asks for; nothing that icpd signs holds one. Ownership: the text is the caller's.
 * Errors: PROTO_NO_MEMORY; PROTO_BAD_FIELD for what is deeper than TERM_JSON_DEPTH_MAX. Threads:
 * pure, in any locale. Cost: some 100 ns a value. Source: RFC 8785; ECMA-262, 6.1.6.1.20. */
#ifndef TERM_TERM_JSON_H
#define TERM_TERM_JSON_H

#include <jansson.h>

#include "proto/fault.h"

/* Lists and objects within one another: entries of a plan have four at most. */
#define TERM_JSON_DEPTH_MAX 32
/* Room for any number with its zero at the end. */
#define TERM_JSON_NUMBER_BYTES 32

/* malloc'd, *bytes without the zero at the end; NULL with *fault. */
char *term_json_print(const json_t *json, size_t *bytes, struct proto_fault *fault);

/* A finite number; returns its bytes. */
size_t term_json_number(double value, char out[TERM_JSON_NUMBER_BYTES]);

#endif
