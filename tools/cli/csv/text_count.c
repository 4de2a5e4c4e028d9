/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressing table of indices into entries in order of arrival. */
#include "tools/cli/csv/text_count.h"

#include <stdlib.h>
#include <xxhash.h>

#define BLOCK_BYTES ((size_t)64 << 10)

/* Texts are copied into blocks, so that a million ids are not a million allocations. */
struct text_block {
    struct text_block *next;
    size_t used;
    size_t bytes;
    uint8_t data[];
};

void text_count_init(struct text_count *count, size_t most)
{
    *count = (struct text_count){.most = most < UINT32_MAX ? most : UINT32_MAX - 1};
}

void text_count_fini(struct text_count *count)
{
    while (count->blocks != NULL) {
        struct text_block *next = count->blocks->next;
        free(count->blocks);
        count->blocks = next;
    }
    free(count->entries);
    free(count->places);
    *count = (struct text_count){0};
}

static size_t place_of(const struct text_count *count, struct proto_span text, uint64_t hash)
{
    size_t mask = count->place_count - 1;
    size_t place = (size_t)hash & mask;
    while (count->places[place] != 0) {
        const struct text_entry *entry = &count->entries[count->places[place] - 1];
        if (entry->hash == hash && proto_span_equal(entry->text, text)) {
            break;
        }
        place = (place + 1) & mask;
    }
    return place;
}

const struct text_entry *text_count_find(const struct text_count *count, struct proto_span text)
{
    if (count->place_count == 0) {
        return NULL;
    }
    uint32_t index = count->places[place_of(count, text, XXH3_64bits(text.data, text.bytes))];
    return index == 0 ? NULL : &count->entries[index - 1];
}

/* At most half of the places are taken. */
static bool places_grow(struct text_count *count)
{
    if (count->count * 2 < count->place_count) {
        return true;
    }
    size_t grown = count->place_count == 0 ? 64 : count->place_count * 2;
    uint32_t *places = calloc(grown, sizeof *places);
    struct text_entry *entries = realloc(count->entries, grown / 2 * sizeof *entries);
    if (entries != NULL) {
        count->entries = entries;
    }
    if (places == NULL || entries == NULL) {
        free(places);
        return false;
    }
    free(count->places);
    count->places = places;
    count->place_count = grown;
    for (size_t i = 0; i < count->count; i++) {
        places[place_of(count, entries[i].text, entries[i].hash)] = (uint32_t)i + 1;
    }
    return true;
}

static const uint8_t *text_keep(struct text_count *count, struct proto_span text)
{
    struct text_block *block = count->blocks;
    if (block == NULL || block->bytes - block->used < text.bytes) {
        size_t bytes = text.bytes > BLOCK_BYTES ? text.bytes : BLOCK_BYTES;
        block = malloc(sizeof *block + bytes);
        if (block == NULL) {
            return NULL;
        }
        block->next = count->blocks;
        block->used = 0;
        block->bytes = bytes;
        count->blocks = block;
    }
    uint8_t *kept = block->data + block->used;
    if (text.bytes > 0) {
        memcpy(kept, text.data, text.bytes);
    }
    block->used += text.bytes;
    return kept;
}

bool text_count_add(struct text_count *count, struct proto_span text, size_t line,
                    const struct text_entry **entry)
{
    if (entry != NULL) {
        *entry = NULL;
    }
    if (!places_grow(count)) {
        return false;
    }
    uint64_t hash = XXH3_64bits(text.data, text.bytes);
    size_t place = place_of(count, text, hash);
    if (count->places[place] == 0) {
        if (count->count >= count->most) {
            count->overflow++;
            return true;
        }
        const uint8_t *kept = text_keep(count, text);
        if (kept == NULL) {
            return false;
        }
        count->entries[count->count] =
            (struct text_entry){.text = {kept, text.bytes}, .hash = hash, .line = line};
        count->places[place] = (uint32_t)++count->count;
    }
    struct text_entry *found = &count->entries[count->places[place] - 1];
    found->count++;
    if (entry != NULL) {
        *entry = found;
    }
    return true;
}
