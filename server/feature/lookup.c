/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/lookup.h"

#define XXH_INLINE_ALL /* short hashes cost half of a call to the library */
#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#define CAPACITY_MIN 16

/* A text of at most 16 bytes, as most are, in two words: loads that overlap instead of a loop. Two
 * texts of one length are equal if and only if their words are. */
struct words {
    uint64_t a, b;
};

static inline struct words words_of(const uint8_t *data, size_t bytes)
{
    struct words words = {0, 0};
    if (bytes >= 8) {
        memcpy(&words.a, data, 8);
        memcpy(&words.b, data + bytes - 8, 8);
    } else if (bytes >= 4) {
        memcpy(&words.a, data, 4);
        memcpy(&words.b, data + bytes - 4, 4);
    } else if (bytes > 0) {
        words.a = (uint64_t)data[0] | (uint64_t)data[bytes / 2] << 8;
        words.b = data[bytes - 1];
    }
    return words;
}

/* Of a short text the folded product of its words, as XXH3 does it with more of a secret; it never
 * leaves memory. The factors are odd, so that no text makes them zero but by chance. */
static inline uint64_t key_hash(struct proto_span key)
{
    if (key.bytes > 16) {
        return XXH3_64bits(key.data, key.bytes);
    }
    struct words words = words_of(key.data, key.bytes);
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(words.a ^ UINT64_C(0x9e3779b97f4a7c15) ^ key.bytes << 56) *
                   (words.b ^ UINT64_C(0xc2b2ae3d27d4eb4f));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    if (bytes > 16) {
        return memcmp(a, b, bytes) == 0;
    }
    struct words x = words_of(a, bytes);
    struct words y = words_of(b, bytes);
    return ((x.a ^ y.a) | (x.b ^ y.b)) == 0;
}

/* The slot that holds the key, or the empty one where it belongs. */
static inline struct feature_lookup_slot *slot_of(const struct feature_lookup *lookup,
                                                  struct proto_span key, uint64_t hash)
{
    size_t mask = lookup->capacity - 1;
    uint32_t check = (uint32_t)(hash >> 32);
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct feature_lookup_slot *slot = &lookup->slots[at];
        if (!slot->used) {
            return slot;
        }
        if (slot->check == check && slot->bytes == key.bytes &&
            same_bytes(slot->data, key.data, key.bytes)) {
            return slot;
        }
    }
}

void feature_lookup_fini(struct feature_lookup *lookup)
{
    free(lookup->slots);
    *lookup = (struct feature_lookup){0};
}

uint32_t feature_lookup_find(const struct feature_lookup *lookup, struct proto_span key)
{
    if (lookup->slots == NULL) {
        return FEATURE_LOOKUP_NONE;
    }
    const struct feature_lookup_slot *slot = slot_of(lookup, key, key_hash(key));
    return slot->used ? slot->value : FEATURE_LOOKUP_NONE;
}

static bool lookup_grow(struct feature_lookup *lookup)
{
    struct feature_lookup wider = {.count = lookup->count};
    wider.capacity = lookup->capacity == 0 ? CAPACITY_MIN : lookup->capacity * 2;
    wider.slots = calloc(wider.capacity, sizeof *wider.slots);
    if (wider.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < lookup->capacity; i++) {
        const struct feature_lookup_slot *slot = &lookup->slots[i];
        struct proto_span key = {slot->data, slot->bytes};
        if (slot->used) {
            *slot_of(&wider, key, key_hash(key)) = *slot;
        }
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
    if (lookup->count * 2 >= lookup->capacity && !lookup_grow(lookup)) {
        return false;
    }
    struct feature_lookup_slot *slot = slot_of(lookup, key, hash);
    if (was_there != NULL) {
        *was_there = slot->used;
    }
    if (slot->used) {
        return true;
    }
    *slot = (struct feature_lookup_slot){.data = key.data,
                                         .bytes = (uint32_t)key.bytes,
                                         .check = (uint32_t)(hash >> 32),
                                         .value = value,
                                         .used = 1};
    lookup->count++;
    return true;
}
