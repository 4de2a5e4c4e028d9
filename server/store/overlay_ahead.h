/* SPDX-License-Identifier: Apache-2.0 */
/* What looking up an owner, a version with its value, or an event told will read, asked for before
 * it is needed, so that many cache misses are waited for at once. A step looks at what the one
 * before it has asked for: some six look-ups should lie between. Nothing is changed, and nothing
 * follows from it. Errors: none. Threads: those that may read the generation. Cost: a few ns, and a
 * cache line each. */
#ifndef STORE_OVERLAY_AHEAD_H
#define STORE_OVERLAY_AHEAD_H

#include "server/store/overlay.h"

#define STORE_AHEAD_STEPS 4u /* where the cell is, the cell, its version, the version's value */

/* Step 0 or 1. */
void store_generation_ahead_text(const struct store_generation *generation, uint64_t hash,
                                 unsigned step);
void store_generation_ahead_slot(const struct store_generation *generation, uint32_t slot,
                                 unsigned step);
void store_generation_ahead_told(const struct store_generation *generation, uint32_t slot,
                                 uint64_t hash);

#endif
