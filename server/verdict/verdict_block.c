/* SPDX-License-Identifier: Apache-2.0 */
/* What takes part is sorted by when its week was known, week, stratum and effort; runs of it become
 * blocks. */
#include "server/verdict/verdict_block.h"

#include <stdlib.h>

struct entry {
    int64_t known_ms, week_ms;
    uint32_t stratum, effort, count;
    bool on, won;
};

const char *verdict_against_name(enum verdict_against against)
{
    static const char *const names[VERDICT_AGAINSTS] = {"equal-effort", "just-missed", "hold-out"};
    return names[against];
}

/* Whether a case takes part. What just missed the list and was drawn for the sample stands for its
 * kind there too. */
static bool takes_part(const struct verdict_case *one, enum verdict_against against)
{
    static const enum verdict_part others[VERDICT_AGAINSTS] = {VERDICT_OTHER, VERDICT_MISSED,
                                                               VERDICT_HELD_OUT};
    bool drawn = against == VERDICT_EQUAL_EFFORT && one->part == VERDICT_MISSED && one->sampled;
    return verdict_counts(one) &&
           (one->part == VERDICT_MEMBER || one->part == others[against] || drawn);
}

static int ordered(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = ordered(x->known_ms, y->known_ms);
    order = order != 0 ? order : ordered(x->week_ms, y->week_ms);
    order = order != 0 ? order : ordered(x->stratum, y->stratum);
    return order != 0 ? order : ordered(x->effort, y->effort);
}

static size_t entries_fill(const struct verdict_case *cases, size_t count,
                           enum verdict_against against, struct entry *entries)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        const struct verdict_case *one = &cases[i];
        if (takes_part(one, against)) {
            entries[taken++] =
                (struct entry){.known_ms = one->known_ms,
                               .week_ms = verdict_week_of(one->moment_ms),
                               .stratum = one->stratum,
                               .effort = against == VERDICT_HOLD_OUT ? 0 : one->effort,
                               .count = one->count,
                               .on = one->part == VERDICT_MEMBER,
                               .won = one->won};
        }
    }
    qsort(entries, taken, sizeof *entries, compare);
    return taken;
}

static void block_add(struct term_block *block, struct verdict_week *week,
                      const struct entry *entry)
{
    uint32_t won = entry->won ? entry->count : 0;
    block->on += entry->on ? entry->count : 0;
    block->off += entry->on ? 0 : entry->count;
    block->won += won;
    block->won_on += entry->on ? won : 0;
    week->on += entry->on ? entry->count : 0;
    week->off += entry->on ? 0 : entry->count;
    week->won_on += entry->on ? won : 0;
    week->won_off += entry->on ? 0 : won;
}

static void blocks_fill(struct verdict_blocks *blocks, const struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        if (i == 0 || compare(&entries[i - 1], entry) != 0) {
            blocks->items[blocks->count++] = (struct term_block){0};
        }
        if (i == 0 || entries[i - 1].week_ms != entry->week_ms) {
            struct verdict_week *next = &blocks->weeks[blocks->week_count++];
            *next = blocks->week_count > 1 ? next[-1] : (struct verdict_week){0};
            next->week_ms = entry->week_ms;
            next->known_ms = entry->known_ms;
        }
        struct verdict_week *week = &blocks->weeks[blocks->week_count - 1];
        block_add(&blocks->items[blocks->count - 1], week, entry);
        week->end = blocks->count;
    }
}

bool verdict_blocks_make(const struct verdict_case *cases, size_t count,
                         enum verdict_against against, struct verdict_blocks *blocks,
                         struct proto_fault *fault)
{
    struct entry *entries = calloc(count + 1, sizeof *entries);
    *blocks = (struct verdict_blocks){.items = calloc(count + 1, sizeof *blocks->items),
                                      .weeks = calloc(count + 1, sizeof *blocks->weeks)};
    bool room = entries != NULL && blocks->items != NULL && blocks->weeks != NULL;
    if (room) {
        blocks_fill(blocks, entries, entries_fill(cases, count, against, entries));
    }
    free(entries);
    return room ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for blocks of %zu cases", count);
}

void verdict_blocks_fini(struct verdict_blocks *blocks)
{
    free(blocks->items);
    free(blocks->weeks);
    *blocks = (struct verdict_blocks){.count = 0};
}
