/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#define CAPACITY_MIN 16

static uint64_t key_hash(struct proto_span key)
{
    return XXH3_64bits(key.data, key.bytes);
}

/* The slot that holds the key, or the empty one where it belongs. */
static struct feature_lookup_slot *slot_of(const struct feature_lookup *lookup,
                                           struct proto_span key, uint64_t hash)
{
    size_t mask = lookup->capacity - 1;
    uint32_t check = (uint32_t)(hash >> 32);
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct feature_lookup_slot *slot = &lookup->slots[at];
        if (!slot->used)
            return slot;
        if (slot->check == check &&
            proto_span_equal((struct proto_span){slot->data, slot->bytes}, key))
            return slot;
    }
}

void feature_lookup_fini(struct feature_lookup *lookup)
{
    free(lookup->slots);
    *lookup = (struct feature_lookup){0};
}

uint32_t feature_lookup_find(const struct feature_lookup *lookup, struct proto_span key)
{
    if (lookup->slots == NULL)
        return FEATURE_LOOKUP_NONE;
    const struct feature_lookup_slot *slot = slot_of(lookup, key, key_hash(key));
    return slot->used ? slot->value : FEATURE_LOOKUP_NONE;
}

static bool lookup_grow(struct feature_lookup *lookup)
{
    struct feature_lookup wider = {.count = lookup->count};
    wider.capacity = lookup->capacity == 0 ? CAPACITY_MIN : lookup->capacity * 2;
    wider.slots = calloc(wider.capacity, sizeof *wider.slots);
    if (wider.slots == NULL)
        return false;
    for (size_t i = 0; i < lookup->capacity; i++) {
        const struct feature_lookup_slot *slot = &lookup->slots[i];
        struct proto_span key = {slot->data, slot->bytes};
        if (slot->used)
            *slot_of(&wider, key, key_hash(key)) = *slot;
    }
    free(lookup->slots);
    *lookup = wider;
    return true;
}

bool feature_lookup_add(struct feature_lookup *lookup, struct proto_span key, uint32_t value,
                        bool *was_there)
{
    uint64_t hash = key_hash(key);
    assert(value != FEATURE_LOOKUP_NONE);
    assert(key.bytes <= UINT32_MAX);
    if (lookup->count * 2 >= lookup->capacity && !lookup_grow(lookup))
        return false;
    struct feature_lookup_slot *slot = slot_of(lookup, key, hash);
    if (was_there != NULL)
        *was_there = slot->used;
    if (slot->used)
        return true;
    *slot = (struct feature_lookup_slot){.data = key.data,
                                         .bytes = (uint32_t)key.bytes,
                                         .check = (uint32_t)(hash >> 32),
                                         .value = value,
                                         .used = 1};
    lookup->count++;
    return true;
}
