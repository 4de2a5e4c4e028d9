/* SPDX-License-Identifier: Apache-2.0 */
/* Conjunctions are walked depth first, conditions in an order that begins with the best, so that
 * the bound soon cuts. The best so far stand in a sorted list; the worst of a full list is what a
 * conjunction, or anything that narrows it, must reach. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/segment/segment_parts.h"

#define BEATS_BY 1.96

struct search {
    const struct segment_data *data;
    const struct segment_options *options;
    struct segment_counts all;
    uint64_t *room[SEGMENT_DEPTH]; /* rows of the conjunction at each depth */
    uint64_t *spare;
    uint32_t *order; /* conditions, by their own quality */
    struct segment_found *found;
    size_t count, most;
    uint64_t tried;
    struct proto_fault *fault;
    bool failed;
};

struct segment_counts segment_count(const struct segment_data *data, const uint64_t *rows)
{
    struct segment_counts counts = {0};
    for (size_t w = 0; w < data->words; w++) {
        counts.accounts += (unsigned)__builtin_popcountll(rows[w]);
        counts.outcomes += (unsigned)__builtin_popcountll(rows[w] & data->outcomes[w]);
    }
    return counts;
}

struct segment_counts segment_and(const struct segment_data *data, const uint64_t *a,
                                  const uint64_t *b, uint64_t *into)
{
    struct segment_counts counts = {0};
    for (size_t w = 0; w < data->words; w++) {
        uint64_t both = a[w] & b[w];
        into[w] = both;
        counts.accounts += (unsigned)__builtin_popcountll(both);
        counts.outcomes += (unsigned)__builtin_popcountll(both & data->outcomes[w]);
    }
    return counts;
}

struct segment_counts segment_gather(const struct segment_data *data, const uint64_t *base,
                                     const struct segment_found *segment, unsigned which,
                                     uint64_t *into)
{
    memcpy(into, base, data->words * sizeof *into);
    for (unsigned d = 0; d < segment->depth; d++) {
        const uint64_t *condition = data->conditions[segment->conditions[d]];
        for (size_t w = 0; (which >> d & 1) != 0 && w < data->words; w++) {
            into[w] &= condition[w];
        }
    }
    return segment_count(data, into);
}

static double power_of(double n, bool pure)
{
    return pure ? sqrt(n) : n;
}

double segment_quality(const struct segment_counts *all, const struct segment_counts *segment,
                       bool pure)
{
    double n = (double)segment->accounts;
    double base = (double)all->outcomes / (double)all->accounts;
    return n > 0 ? power_of(n, pure) * ((double)segment->outcomes / n - base) : 0;
}

/* No part of it can be better. */
static double bound(const struct search *search, const struct segment_counts *counts)
{
    double base = (double)search->all.outcomes / (double)search->all.accounts;
    return power_of((double)counts->outcomes, search->options->pure) * (1 - base);
}

/* Whether the segment's rate is above that of the rest of what it narrows, by more than chance. */
static bool beats(const struct segment_counts *wider, const struct segment_counts *segment)
{
    double n = (double)segment->accounts;
    double m = (double)wider->accounts - n;
    double x = (double)segment->outcomes;
    double y = (double)wider->outcomes - x;
    if (m < 1) {
        return false;
    }
    double both = (x + y) / (n + m);
    double error = sqrt(both * (1 - both) * (1 / n + 1 / m));
    return x / n - y / m > BEATS_BY * error && error > 0;
}

static bool beats_all(struct search *search, const struct segment_found *segment)
{
    const struct segment_counts *own = &segment->searched;
    unsigned whole = (1U << segment->depth) - 1;
    for (unsigned which = 0; which < whole; which++) {
        struct segment_counts wider = which == 0
                                          ? search->all
                                          : segment_gather(search->data, search->data->searched,
                                                           segment, which, search->spare);
        if (!beats(&wider, own)) {
            return false;
        }
    }
    return true;
}

/* Better, or as good with fewer or earlier conditions. */
static bool before(const struct segment_found *a, const struct segment_found *b)
{
    if (a->quality != b->quality) {
        return a->quality > b->quality;
    }
    if (a->depth != b->depth) {
        return a->depth < b->depth;
    }
    return memcmp(a->conditions, b->conditions, sizeof a->conditions) < 0;
}

static void offer(struct search *search, const struct segment_found *segment)
{
    size_t at = search->count;
    if (at == search->most) {
        if (!before(segment, &search->found[at - 1])) {
            return;
        }
        at--;
    } else {
        search->count++;
    }
    for (; at > 0 && before(segment, &search->found[at - 1]); at--) {
        search->found[at] = search->found[at - 1];
    }
    search->found[at] = *segment;
}

static double threshold(const struct search *search)
{
    return search->count == search->most ? search->found[search->most - 1].quality : 0;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool column_taken(const struct search *search, const struct segment_found *segment,
                         uint32_t condition)
{
    for (unsigned d = 0; d < segment->depth; d++) {
        if (search->data->columns[segment->conditions[d]] == search->data->columns[condition]) {
            return true;
        }
    }
    return false;
}

static void judge(struct search *search, const struct segment_found *segment)
{
    struct segment_found own = *segment;
    own.quality = segment_quality(&search->all, &own.searched, search->options->pure);
    qsort(own.conditions, own.depth, sizeof *own.conditions, ascending);
    bool may = own.quality > 0 && own.quality >= threshold(search);
    if (may && beats_all(search, &own)) {
        offer(search, &own);
    }
}

/* All conjunctions of `segment`, whose rows are `rows`, and conditions from place `from` on.
 * NOLINTNEXTLINE(misc-no-recursion): SEGMENT_DEPTH deep */
static void walk(struct search *search, const struct segment_found *segment, const uint64_t *rows,
                 size_t from)
{
    const struct segment_options *options = search->options;
    for (size_t i = from; i < search->data->condition_count && !search->failed; i++) {
        struct segment_found next = *segment;
        uint32_t condition = search->order[i];
        uint64_t *into = search->room[segment->depth];
        if (column_taken(search, segment, condition)) {
            continue;
        }
        if (options->goes_on && !options->goes_on(options->context, search->fault)) {
            search->failed = true;
            return;
        }
        next.conditions[next.depth++] = condition;
        next.searched = segment_and(search->data, rows, search->data->conditions[condition], into);
        search->tried++;
        if (next.searched.accounts < options->accounts_min || next.searched.accounts == 0 ||
            bound(search, &next.searched) < threshold(search)) {
            continue;
        }
        judge(search, &next);
        if (next.depth < options->depth) {
            walk(search, &next, into, i + 1);
        }
    }
}

struct ranked {
    double quality;
    uint32_t condition;
};

static int best_first(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->quality != y->quality) {
        return x->quality < y->quality ? 1 : -1;
    }
    return (x->condition > y->condition) - (x->condition < y->condition);
}

static bool order_make(struct search *search)
{
    size_t count = search->data->condition_count;
    struct ranked *ranked = calloc(count + 1, sizeof *ranked);
    search->order = calloc(count + 1, sizeof *search->order);
    if (!ranked || !search->order) {
        free(ranked);
        return false;
    }
    for (uint32_t c = 0; c < count; c++) {
        struct segment_counts counts = segment_and(search->data, search->data->searched,
                                                   search->data->conditions[c], search->spare);
        ranked[c] =
            (struct ranked){segment_quality(&search->all, &counts, search->options->pure), c};
    }
    qsort(ranked, count, sizeof *ranked, best_first);
    for (size_t i = 0; i < count; i++) {
        search->order[i] = ranked[i].condition;
    }
    free(ranked);
    return true;
}

bool segment_search(const struct segment_data *data, const struct segment_options *options,
                    struct segment_found *found, size_t most, size_t *count, uint64_t *tried,
                    struct proto_fault *fault)
{
    struct search search = {.data = data,
                            .options = options,
                            .all = segment_count(data, data->searched),
                            .found = found,
                            .most = most,
                            .fault = fault};
    bool ok = true;
    search.spare = calloc(data->words + 1, sizeof *search.spare);
    ok = search.spare != NULL;
    for (unsigned d = 0; d < SEGMENT_DEPTH; d++) {
        search.room[d] = calloc(data->words + 1, sizeof *search.room[d]);
        ok = ok && search.room[d] != NULL;
    }
    ok = ok && order_make(&search);
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to look for segments");
    } else if (search.all.outcomes > 0 && search.all.outcomes < search.all.accounts) {
        walk(&search, &(struct segment_found){0}, data->searched, 0);
    }
    free(search.spare);
    for (unsigned d = 0; d < SEGMENT_DEPTH; d++) {
        free(search.room[d]);
    }
    free(search.order);
    *count = search.count;
    *tried = search.tried;
    return ok && !search.failed;
}
