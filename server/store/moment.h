/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store stands: the last committed sequence with the counters as of it and the generation
 * that takes its changes. The writer publishes a whole moment at a time, readers take a whole one.
 *
 * A sequence lock whose words are atomic: the version is odd while the words change, and a reader
 * that finds it odd or changed reads again. Ownership: a plain value. Threads: one writer, any
 * readers. Cost: a dozen loads. Source: Boehm, "Can seqlocks get along with programming language
 * memory models?" (2012), with acquiring loads in place of a fence. */
#ifndef STORE_MOMENT_H
#define STORE_MOMENT_H

#include <stdatomic.h>

#include "server/store/overlay.h"

struct store_moments {
    _Atomic uint64_t version;
    _Atomic uint64_t seq, accounts, switches;
    _Atomic uint32_t slots, schema_version, icp_version, tals, identities, terms, metrics,
        challenges, segments, sources, folds;
    _Atomic(const struct store_generation *) newest;
};

/* The writer. */
void store_moment_set(struct store_moments *moments, const struct disk_state *state,
                      const struct store_generation *newest);
/* Any reader. Of *state the counters that change with commits are set, the rest is left. */
void store_moment_get(const struct store_moments *moments, struct disk_state *state,
                      const struct store_generation **newest);

#endif
