/* SPDX-License-Identifier: Apache-2.0 */
/* Segments: which conjunctions of at most three conditions hold accounts whose outcome is more
 * frequent than everybody's, found exactly on one part of the accounts and confirmed on the rest.
 *
 * Search. Quality is n^a (p − p₀), with p₀ the rate of all; a is 1 (large segments) or ½ (pure
 * ones). Branch and bound over conjunctions of conditions of different columns: no part of a
 * conjunction with n₊ outcomes has a quality above n₊^a (1 − p₀), so what cannot be among the best
 * is left alone, and the best are those of trying all. A conjunction counts only if it beats
 * everybody, and each conjunction that it narrows, by more than chance: its rate is above that of
 * the accounts that its further conditions leave out, by z ≥ 1.96 of two proportions. So no
 * condition is in it that changes nothing.
 * Covering. Of the best candidates those are taken, one by one, that add most: an account that is
 * covered c times weighs 1 / (1 + c).
 * Confirmation. On the other part, the same comparisons by Fisher's exact test, one-sided, the
 * largest p of a segment counting; Holm over those that were taken, at 5 %. Under chance alone any
 * segment is confirmed in at most 5 % of sets.
 *
 * Shapes: bitmaps of `words` u64, bit i of word w is row 64 w + i; bits beyond the rows are 0.
 * Ownership: data is borrowed; segment_found is a plain struct. Errors: PROTO_NO_MEMORY, and what
 * goes_on says. Threads: pure. Cost: one AND and popcount of a bitmap a conjunction that is tried.
 * Source: Wrobel 1997; Grosskreutz, Rüping, Wrobel 2008; Lavrač et al. 2004; Holm 1979;
 * docs/methods/segments.md. */
#ifndef SEGMENT_SEGMENT_MINE_H
#define SEGMENT_SEGMENT_MINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

enum { SEGMENT_DEPTH = 3, SEGMENT_CANDIDATES = 64, SEGMENT_MOST = 32 };

struct segment_data {
    size_t rows, words;
    const uint64_t *searched; /* the rows that are searched; those that are not confirm */
    const uint64_t *outcomes;
    const uint64_t *const *conditions; /* bitmaps over all rows */
    const uint32_t *columns;           /* of each condition */
    size_t condition_count;
};

struct segment_options {
    unsigned depth;      /* 1 … SEGMENT_DEPTH */
    size_t accounts_min; /* of a segment, in the part that is searched */
    bool pure;           /* a = ½ */
    size_t most;         /* segments, 1 … SEGMENT_MOST */
    bool (*goes_on)(void *context, struct proto_fault *fault); /* NULL: yes */
    void *context;
};

struct segment_counts {
    uint64_t accounts, outcomes;
};

struct segment_found {
    unsigned depth;
    uint32_t conditions[SEGMENT_DEPTH]; /* ascending */
    double quality;                     /* in the part that was searched */
    struct segment_counts searched, held;
    double p;       /* of the confirmation: the largest */
    bool confirmed; /* by Holm, over all that were found */
};

struct segment_result {
    struct segment_counts searched, held; /* of all rows */
    struct segment_found found[SEGMENT_MOST];
    size_t count;
    uint64_t tried; /* conjunctions whose rows were counted */
};

/* The whole of it. */
bool segment_mine(const struct segment_data *data, const struct segment_options *options,
                  struct segment_result *result, struct proto_fault *fault);

/* The exact best candidates, before covering: at most `most` in *found, the best first, ties by
 * fewer and earlier conditions. */
bool segment_search(const struct segment_data *data, const struct segment_options *options,
                    struct segment_found *found, size_t most, size_t *count, uint64_t *tried,
                    struct proto_fault *fault);

double segment_quality(const struct segment_counts *all, const struct segment_counts *segment,
                       bool pure);
/* P(X ≥ part.outcomes) of the hypergeometric distribution: so many of all drawn, that many
 * outcomes among all. */
double segment_fisher(const struct segment_counts *all, const struct segment_counts *part);

#endif
