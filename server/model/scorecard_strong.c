/* SPDX-License-Identifier: Apache-2.0 */
/* The strongest contributions of a row. The columns of the walk (dense.h) are read by a kernel;
 * what stands behind the walk, pairs above all, is looked up term by term and follows them, so that
 * the order of entries is the order of terms. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/model/scorecard.h"

enum { MARKED_MAX = 8 }; /* of one sign, sorted by a network; hardly ever are more marked for few */

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
    if (scorecard->trees != NULL) {
        model_contributions(scorecard, row, entries);
        for (; at < scorecard->term_count; at++) {
            sum += entries[at];
        }
    }
    if (at > 0 && scorecard->trees == NULL) {
        sum = scorecard->strong->spread(scorecard->tables, scorecard->offsets, at, row, entries);
    }
    for (size_t t = scorecard->walked; scorecard->trees == NULL && t < scorecard->term_count; t++) {
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
    assert(most > 0 && most <= MODEL_STRONG_MOST);
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

enum { WORD_STEPS = 64 / MODEL_STRONG_STEP };

/* The marks of four steps in one word, so that they are walked with few loops. */
static uint64_t marks_word(const uint16_t *marks, size_t steps, size_t first)
{
    uint64_t bits = marks[first];
    for (size_t i = 1; i < WORD_STEPS && first + i < steps; i++) {
        bits |= (uint64_t)marks[first + i] << (MODEL_STRONG_STEP * i);
    }
    return bits;
}

/* Marked keys by sign, as long as there are no more than fit. */
struct marked {
    uint64_t keys[2][MARKED_MAX];
    size_t counts[2];
};

static bool marked_take(const struct model_strong_scratch *scratch, size_t steps,
                        struct marked *marked)
{
    /* By halves: compilers make a few wide stores of each, where the whole costs a slow loop. */
    memset(marked->keys[0], 0, sizeof marked->keys[0]);
    memset(marked->keys[1], 0, sizeof marked->keys[1]);
    marked->counts[0] = 0;
    marked->counts[1] = 0;
    for (size_t step = 0; step < steps; step += WORD_STEPS) {
        for (uint64_t bits = marks_word(scratch->marks, steps, step); bits != 0; bits &= bits - 1) {
            size_t place = MODEL_STRONG_STEP * step + (size_t)__builtin_ctzll(bits);
            int32_t entry = scratch->entries[place];
            unsigned negative = entry < 0;
            if (marked->counts[negative] == MARKED_MAX) {
                return false;
            }
            marked->keys[negative][marked->counts[negative]++] = key_of(entry, place);
        }
    }
    return true;
}

static inline void exchange(uint64_t *a, uint64_t *b)
{
    uint64_t larger = *a > *b ? *a : *b;
    *b = *a > *b ? *b : *a;
    *a = larger;
}

/* Sorts eight keys in descending order without a branch that depends on one: the network of 19
 * exchanges (Knuth, vol. 3, 5.3.4), five at a time at most. What is empty is 0 and ends up last. */
static void keys_sort(uint64_t *keys)
{
    static_assert(MARKED_MAX == 8, "the network is for eight");
    uint64_t a = keys[0], b = keys[1], c = keys[2], d = keys[3];
    uint64_t e = keys[4], f = keys[5], g = keys[6], h = keys[7];
    exchange(&a, &c), exchange(&b, &d), exchange(&e, &g), exchange(&f, &h);
    exchange(&a, &e), exchange(&b, &f), exchange(&c, &g), exchange(&d, &h);
    exchange(&a, &b), exchange(&c, &d), exchange(&e, &f), exchange(&g, &h);
    exchange(&c, &e), exchange(&d, &f);
    exchange(&b, &e), exchange(&d, &g);
    exchange(&b, &c), exchange(&d, &e), exchange(&f, &g);
    keys[0] = a, keys[1] = b, keys[2] = c, keys[3] = d;
    keys[4] = e, keys[5] = f, keys[6] = g, keys[7] = h;
}

/* Few of each sign: the two sorted lists are merged, each key to the place that it has in both. */
static size_t merge_few(struct marked *marked, unsigned most, uint64_t *keys)
{
    size_t counts[2];
    for (unsigned sign = 0; sign < 2; sign++) {
        keys_sort(marked->keys[sign]);
        counts[sign] = marked->counts[sign] < most ? marked->counts[sign] : most;
    }
    for (unsigned sign = 0; sign < 2; sign++) {
        const uint64_t *others = marked->keys[1 - sign];
        for (size_t i = 0; i < counts[sign]; i++) {
            uint64_t key = marked->keys[sign][i];
            size_t place = i;
            for (size_t j = 0; j < counts[1 - sign]; j++) {
                place += others[j] > key;
            }
            keys[place] = key;
        }
    }
    return counts[0] + counts[1];
}

/* More are marked than the network takes: into two short lists one by one. */
static size_t insert_few(const struct model_strong_scratch *scratch, size_t steps, unsigned most)
{
    struct best best[2];
    best[0].count = 0;
    best[1].count = 0;
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

static size_t choose_few(const struct model_strong_scratch *scratch, size_t steps, unsigned most)
{
    struct marked marked;
    return marked_take(scratch, steps, &marked) ? merge_few(&marked, most, scratch->keys)
                                                : insert_few(scratch, steps, most);
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
                                 const int32_t *entries, size_t place)
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
                               .contribution = entries[place],
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
        parts[i] = part_at(scorecard, row, scratch->entries, key_place(scratch->keys[i]));
    }
    return count;
}
