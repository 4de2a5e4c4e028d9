/* SPDX-License-Identifier: Apache-2.0 */
/* The strongest contributions of a row. The columns of the walk (dense.h) are read by a kernel;
 * what stands behind the walk, pairs above all, is looked up term by term and follows them, so that
 * the order of entries is the order of terms. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/model/scorecard.h"

size_t model_strong_room(const struct model_scorecard *scorecard)
{
    size_t behind = scorecard->term_count - scorecard->walked;
    size_t steps = (behind + MODEL_STRONG_STEP - 1) / MODEL_STRONG_STEP;
    return scorecard->offset_count + steps * MODEL_STRONG_STEP;
}

static uint32_t term_entry(const struct model_term *term, const uint8_t *row)
{
    uint32_t index = row[term->column_a];
    if (term->column_b != MODEL_NO_COLUMN) {
        index = index * term->bins_b + row[term->column_b];
    }
    return term->table_offset + index;
}

/* All contributions, in the order of terms and with zeros between; returns their sum. */
static int64_t entries_fill(const struct model_scorecard *scorecard, const uint8_t *row,
                            int32_t *entries)
{
    int64_t sum = 0;
    size_t at = scorecard->offset_count;
    if (at > 0) {
        sum = scorecard->strong->spread(scorecard->tables, scorecard->offsets, at, row, entries);
    }
    for (size_t t = scorecard->walked; t < scorecard->term_count; t++) {
        entries[at] = scorecard->tables[term_entry(&scorecard->terms[t], row)];
        sum += entries[at++];
    }
    for (; at % MODEL_STRONG_STEP != 0; at++) {
        entries[at] = 0;
    }
    return sum;
}

/* Ordered as parts are: larger first, and of equal ones the one that stands first. */
static uint64_t key_of(int32_t entry, size_t place)
{
    uint32_t size = (uint32_t)(entry < 0 ? -entry : entry);
    return (uint64_t)size << 32 | (UINT32_MAX - (uint32_t)place);
}

static size_t key_place(uint64_t key)
{
    return UINT32_MAX - (uint32_t)key;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* A list of the largest keys, in descending order. */
struct best {
    uint64_t keys[MODEL_STRONG_MOST];
    size_t count;
};

static void best_add(struct best *best, unsigned most, uint64_t key)
{
    size_t at = best->count;
    if (at == most) {
        if (key < best->keys[most - 1]) {
            return;
        }
        at--;
    } else {
        best->count++;
    }
    for (; at > 0 && best->keys[at - 1] < key; at--) {
        best->keys[at] = best->keys[at - 1];
    }
    best->keys[at] = key;
}

/* Few of each sign: marked entries go into two short lists, which are merged. */
static size_t choose_few(const struct model_strong_scratch *scratch, size_t steps, unsigned most)
{
    struct best best[2] = {{.count = 0}, {.count = 0}};
    for (size_t step = 0; step < steps; step++) {
        for (unsigned bits = scratch->marks[step]; bits != 0; bits &= bits - 1) {
            size_t place = step * MODEL_STRONG_STEP + (size_t)__builtin_ctz(bits);
            int32_t entry = scratch->entries[place];
            best_add(&best[entry < 0], most, key_of(entry, place));
        }
    }
    size_t count = 0;
    for (size_t p = 0, n = 0; p < best[0].count || n < best[1].count;) {
        bool positive =
            n == best[1].count || (p < best[0].count && best[0].keys[p] > best[1].keys[n]);
        scratch->keys[count++] = positive ? best[0].keys[p++] : best[1].keys[n++];
    }
    return count;
}

/* Many of each sign: all that is marked is sorted. */
static size_t choose_many(const struct model_strong_scratch *scratch, size_t steps, unsigned most)
{
    size_t marked = 0;
    for (size_t step = 0; step < steps; step++) {
        for (unsigned bits = scratch->marks[step]; bits != 0; bits &= bits - 1) {
            size_t place = step * MODEL_STRONG_STEP + (size_t)__builtin_ctz(bits);
            scratch->keys[marked++] = key_of(scratch->entries[place], place);
        }
    }
    qsort(scratch->keys, marked, sizeof *scratch->keys, compare_keys);
    unsigned given[2] = {0, 0};
    size_t count = 0;
    for (size_t i = 0; i < marked; i++) {
        bool negative = scratch->entries[key_place(scratch->keys[i])] < 0;
        if (given[negative] < most) {
            given[negative]++;
            scratch->keys[count++] = scratch->keys[i];
        }
    }
    return count;
}

static struct model_part part_at(const struct model_scorecard *scorecard, const uint8_t *row,
                                 size_t place)
{
    if (place < scorecard->offset_count) {
        uint32_t entry = scorecard->offsets[place] + row[place];
        return (struct model_part){.entry = entry,
                                   .contribution = scorecard->tables[entry],
                                   .column_a = (uint16_t)place,
                                   .column_b = MODEL_NO_COLUMN};
    }
    const struct model_term *term =
        &scorecard->terms[scorecard->walked + (place - scorecard->offset_count)];
    uint32_t entry = term_entry(term, row);
    return (struct model_part){.entry = entry,
                               .contribution = scorecard->tables[entry],
                               .column_a = term->column_a,
                               .column_b = term->column_b};
}

size_t model_strongest(const struct model_scorecard *scorecard, const uint8_t *row, unsigned most,
                       const struct model_strong_scratch *scratch, struct model_part *parts,
                       int64_t *raw)
{
    assert(scorecard->strong != NULL && most > 0); /* sealed */
    size_t room = model_strong_room(scorecard);
    size_t steps = room / MODEL_STRONG_STEP;
    *raw = scorecard->intercept + entries_fill(scorecard, row, scratch->entries);
    scorecard->strong->mark(scratch->entries, room, most, scratch->marks);
    size_t count = most <= MODEL_STRONG_MOST ? choose_few(scratch, steps, most)
                                             : choose_many(scratch, steps, most);
    for (size_t i = 0; i < count; i++) {
        parts[i] = part_at(scorecard, row, key_place(scratch->keys[i]));
    }
    return count;
}
