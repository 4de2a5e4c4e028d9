/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are collected, sorted by key, and found through a directory of the keys' first bits. */
#include "server/identity/name_block.h"

#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"
#include "server/base/hash.h"

#define TEXT_BYTES 256
#define DIRECTORY_BITS_MAX 20

uint64_t identity_block_key(struct proto_span text, uint64_t space)
{
    return base_hash(text.data, text.bytes, space);
}

size_t identity_block_variants(struct proto_span word, uint64_t space,
                               uint64_t keys[IDENTITY_VARIANTS_MAX])
{
    uint8_t left[TEXT_BYTES];
    size_t starts[IDENTITY_DELETE_LETTERS_MAX + 1];
    size_t letters = 0;
    size_t at = 0;
    size_t count = 0;
    while (at < word.bytes && letters < IDENTITY_DELETE_LETTERS_MAX) {
        size_t step = proto_utf8_step(word.data + at, word.bytes - at);
        starts[letters++] = at;
        at += step == 0 ? 1 : step;
    }
    keys[count++] = identity_block_key(word, space);
    if (letters < IDENTITY_DELETE_LETTERS_MIN || at < word.bytes || word.bytes > TEXT_BYTES) {
        return count;
    }
    starts[letters] = word.bytes;
    for (size_t i = 0; i < letters; i++) {
        size_t behind = word.bytes - starts[i + 1];
        memcpy(left, word.data, starts[i]);
        memcpy(left + starts[i], word.data + starts[i + 1], behind);
        keys[count++] = identity_block_key((struct proto_span){left, starts[i] + behind}, space);
    }
    return count;
}

void identity_block_add(struct identity_block *block, uint64_t key, uint32_t row)
{
    if (block->count == block->capacity && !block->failed) {
        size_t capacity = block->capacity * 2 + 1024;
        struct identity_block_entry *entries =
            realloc(block->entries, capacity * sizeof *block->entries);
        if (entries == NULL) {
            block->failed = true;
        } else {
            block->entries = entries;
            block->capacity = capacity;
        }
    }
    if (!block->failed) {
        block->entries[block->count++] = (struct identity_block_entry){key, row};
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct identity_block_entry *x = a;
    const struct identity_block_entry *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

bool identity_block_sort(struct identity_block *block)
{
    unsigned bits = 4;
    while (bits < DIRECTORY_BITS_MAX && ((size_t)1 << bits) < block->count * 2) {
        bits++;
    }
    block->shift = 64 - bits;
    block->starts = calloc(((size_t)1 << bits) + 1, sizeof *block->starts);
    if (block->failed || block->starts == NULL) {
        return false;
    }
    if (block->count > 1) {
        qsort(block->entries, block->count, sizeof *block->entries, compare_entries);
    }
    size_t at = 0;
    for (size_t slot = 0; slot <= (size_t)1 << bits; slot++) {
        while (at < block->count && block->entries[at].key >> block->shift < slot) {
            at++;
        }
        block->starts[slot] = (uint32_t)at;
    }
    return true;
}

size_t identity_block_find(const struct identity_block *block, uint64_t key, size_t *from)
{
    size_t slot = (size_t)(key >> block->shift);
    size_t at = block->starts[slot];
    size_t end = block->starts[slot + 1];
    while (at < end && block->entries[at].key < key) {
        at++;
    }
    *from = at;
    while (at < end && block->entries[at].key == key) {
        at++;
    }
    return at;
}

void identity_block_fini(struct identity_block *block)
{
    free(block->entries);
    free(block->starts);
    *block = (struct identity_block){0};
}
