/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that a word may belong to, by hashes: of words themselves, and of what is left of them
 * without one letter. Two words that are one insertion, deletion, substitution or swap of
 * neighbours apart have such a hash in common (the deletion neighbourhoods of Mor and Fraenkel
 * 1982, as SymSpell uses them).
 *
 * Shapes: keys are hashes of a space and a text; rows are numbers of the caller. Filled first, then
 * sorted once, then read. Ownership: the block owns its entries. Errors: no memory is sticky and
 * told by identity_block_sort. Threads: reading is pure. Cost: 16 bytes an entry and 8 of its
 * directory; a look-up one cache line of each. */
#ifndef IDENTITY_NAME_BLOCK_H
#define IDENTITY_NAME_BLOCK_H

#include "proto/span.h"

/* Letters of a word of which one may be taken away: fewer leave too little, more are rare. */
#define IDENTITY_DELETE_LETTERS_MIN 5
#define IDENTITY_DELETE_LETTERS_MAX 32
#define IDENTITY_VARIANTS_MAX (IDENTITY_DELETE_LETTERS_MAX + 1)

struct identity_block_entry {
    uint64_t key;
    uint32_t row;
};

struct identity_block {
    struct identity_block_entry *entries;
    size_t count;
    size_t capacity;
    uint32_t *starts; /* of each beginning of a key */
    unsigned shift;
    bool failed;
};

uint64_t identity_block_key(struct proto_span text, uint64_t space);
/* The keys of a word and of it without each letter; how many. */
size_t identity_block_variants(struct proto_span word, uint64_t space,
                               uint64_t keys[IDENTITY_VARIANTS_MAX]);
void identity_block_add(struct identity_block *block, uint64_t key, uint32_t row);
bool identity_block_sort(struct identity_block *block);
/* The entries of a key are [*from, end). */
size_t identity_block_find(const struct identity_block *block, uint64_t key, size_t *from);
void identity_block_fini(struct identity_block *block);

#endif
