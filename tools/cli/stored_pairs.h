/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of accounts by their places in a list: added as they are found, by name or because both
 * have one value, then joined so that each pair is there once, with the better of its scores and
 * all in which the two agree, the likeliest first. Ownership: the pairs own their reasons. Errors:
 * false where memory is out. Threads: pure. Cost: that of sorting. */
#ifndef CLI_STORED_PAIRS_H
#define CLI_STORED_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What more accounts than these have says nothing of two of them. */
enum { STORED_GROUP_MOST = 20 };

struct stored_pair {
    uint32_t a, b;  /* places; a before b */
    double score;   /* of the names; 0: not alike */
    char *why;      /* of the names, malloc'd; NULL */
    uint32_t agree; /* bits: by which values they agree */
};

struct stored_pairs {
    struct stored_pair *list;
    size_t count, room;
    size_t crowds; /* values that too many have */
};

struct stored_value {
    const char *text;
    uint32_t at;
};

/* Takes pair->why where it is true. */
bool stored_pairs_add(struct stored_pairs *pairs, const struct stored_pair *pair);
/* Pairs all who have an equal value; sorts the values. same: the bit, below 32. */
bool stored_pairs_group(struct stored_pairs *pairs, struct stored_value *values, size_t count,
                        unsigned same);
/* By score and number of agreements, ties by place. */
void stored_pairs_join(struct stored_pairs *pairs);
void stored_pairs_fini(struct stored_pairs *pairs);

#endif
