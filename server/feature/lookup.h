/* SPDX-License-Identifier: Apache-2.0 */
/* A small hash table from text to a number: field names, categories, tags, missing words. Open
 * addressing with linear probing, at most half full; short texts are hashed and compared as two
 * words, long ones with XXH3-64. Hashes never leave memory. Ownership: the table owns its slots;
 * the keys are borrowed and must outlive it. Errors: false or NULL is out of memory. Threads:
 * immutable once filled. Cost: one hash of the text and mostly one slot, some 5 ns for a short
 * text. */
#ifndef FEATURE_LOOKUP_H
#define FEATURE_LOOKUP_H

#include "proto/span.h"

#define FEATURE_LOOKUP_NONE UINT32_MAX

struct feature_lookup_slot {
    const uint8_t *data;
    uint32_t bytes;
    uint32_t check; /* upper half of the hash; spares most comparisons */
    uint32_t value;
    uint32_t used;
};

struct feature_lookup {
    struct feature_lookup_slot *slots; /* NULL while empty */
    size_t capacity;                   /* power of two */
    size_t count;
};

/* A zeroed struct is an empty table. */
void feature_lookup_fini(struct feature_lookup *lookup);

/* FEATURE_LOOKUP_NONE if the key is not there. */
uint32_t feature_lookup_find(const struct feature_lookup *lookup, struct proto_span key);

/* Puts key → value unless the key is there already; *was_there (may be NULL) tells. */
bool feature_lookup_add(struct feature_lookup *lookup, struct proto_span key, uint32_t value,
                        bool *was_there);

#endif
