/* SPDX-License-Identifier: Apache-2.0 */
/* What a list freezes of chance: which members are held out, and a random sample of all accounts
 * that match.
 *
 *   held out   the first eight bytes of SHA-256("SEED:ID"), as a whole number, lie below share ·
 * 2^64; printf %s SEED:ID | sha256sum tells it of any account, by the seed that the list says
 *   sample     the accounts whose XXH3 of the slot, keyed with the seed, is lowest
 *
 * Both depend on nothing that a score sees. Ownership: a sample is the caller's to fini. Errors:
 * NO_MEMORY. Threads: one. Cost: 1 µs an id; of the sample 5 ns an account that is not taken. */
#ifndef LISTING_LISTING_DRAW_H
#define LISTING_LISTING_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/span.h"

#define LISTING_HOLD_OUT_MOST 0.5

/* The bound that a share of ids lies below. */
uint64_t listing_draw_bound(double share);
/* Where an id falls. */
uint64_t listing_draw_of(struct proto_span seed, struct proto_span id);

struct listing_drawn {
    uint64_t hash;
    int64_t raw;
    uint32_t slot;
};

struct listing_sample {
    struct listing_drawn *items; /* a heap, the highest hash first, until it is sorted */
    size_t count, wanted;
    uint64_t key;
};

bool listing_sample_init(struct listing_sample *sample, size_t wanted, struct proto_span seed,
                         struct proto_fault *fault);
void listing_sample_offer(struct listing_sample *sample, uint32_t slot, int64_t raw);
/* By hash, so that the first so many of them are a random sample too. */
void listing_sample_sort(struct listing_sample *sample);
void listing_sample_fini(struct listing_sample *sample);

#endif
