/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of a target: ids and domains by number, those that load_fill makes or those of a
 * file; and numbers for texts, in the order in which they are first seen.
 * Ownership: fini frees. Errors: faults. Threads: one. Cost: 50 ns a look-up. */
#ifndef BENCH_LOAD_NAMES_H
#define BENCH_LOAD_NAMES_H

#include <stdio.h>

#include "proto/fault.h"
#include "proto/span.h"

struct load_names {
    uint64_t count;
    char *text;               /* of the file; NULL: load_fill's */
    struct proto_span *pairs; /* id, domain for each line */
};

/* path NULL: the first `accounts` of load_fill. */
bool load_names_init(struct load_names *names, const char *path, uint64_t accounts,
                     struct proto_fault *fault);
void load_names_fini(struct load_names *names);
/* Writes the text; its length, 0 if the account has none or it does not fit. */
size_t load_names_id(const struct load_names *names, uint64_t number, char *text, size_t bytes);
size_t load_names_domain(const struct load_names *names, uint64_t number, char *text, size_t bytes);

/* Numbers from 0 for texts, equal texts equal numbers; kept by hash (two of 2^32 texts would share
 * one). All zero is an empty one. */
struct load_numbering {
    uint64_t *hashes; /* 0: free */
    uint32_t *numbers;
    size_t room; /* a power of two */
    uint32_t count;
};
bool load_number_of(struct load_numbering *numbering, struct proto_span text, uint32_t *number);
void load_numbering_fini(struct load_numbering *numbering);

#endif
