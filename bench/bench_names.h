/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of a target: ids and domains by number, those that bench_fill makes or those of a
 * file; and numbers for texts, in the order in which they are first seen.
 * Ownership: fini frees. Errors: faults. Threads: one. Cost: 50 ns a look-up. */
#ifndef BENCH_NAMES_H
#define BENCH_NAMES_H

#include <stdio.h>

#include "proto/fault.h"
#include "proto/span.h"

struct bench_names {
    uint64_t count;
    char *text;               /* of the file; NULL: bench_fill's */
    struct proto_span *pairs; /* id, domain for each line */
};

/* path NULL: the first `accounts` of bench_fill. */
bool bench_names_init(struct bench_names *names, const char *path, uint64_t accounts,
                      struct proto_fault *fault);
void bench_names_fini(struct bench_names *names);
/* Writes the text; its length, 0 if the account has none or it does not fit. */
size_t bench_names_id(const struct bench_names *names, uint64_t number, char *text, size_t bytes);
size_t bench_names_domain(const struct bench_names *names, uint64_t number, char *text,
                          size_t bytes);

/* Numbers from 0 for texts, equal texts equal numbers; kept by hash (two of 2^32 texts would share
 * one). All zero is an empty one. */
struct bench_numbering {
    uint64_t *hashes; /* 0: free */
    uint32_t *numbers;
    size_t room; /* a power of two */
    uint32_t count;
};
bool bench_number_of(struct bench_numbering *numbering, struct proto_span text, uint32_t *number);
void bench_numbering_fini(struct bench_numbering *numbering);

#endif
