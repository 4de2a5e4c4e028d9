/* SPDX-License-Identifier: Apache-2.0 */
/* A table of hashes over rows, then the rows in the order of their names. Memory can run out, and
 * there can be more rows than anybody reads. */
#include "server/lifecycle/lifecycle_group.h"

#include <stdlib.h>

#include "server/math/accuracy.h"

static uint32_t hash_of(const struct lifecycle_group_key *key)
{
    uint64_t hash = key->segment * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ (uint32_t)key->cohort) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 29) ^ (uint32_t)key->period) * UINT64_C(0x94d049bb133111eb);
    for (size_t i = 0; i < PROTO_QUERY_MEMBERS_MAX; i++) {
        hash = (hash ^ (hash >> 31) ^ key->members[i]) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return (uint32_t)(hash >> 32);
}

static bool same(const struct lifecycle_group_key *a, const struct lifecycle_group_key *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* 32-bit words without gaps */
}

static bool groups_grow(struct lifecycle_groups *groups, struct proto_fault *fault)
{
    uint32_t room = groups->room == 0 ? 256 : groups->room * 2;
    struct lifecycle_group *rows = realloc(groups->rows, room * sizeof *rows);
    groups->rows = rows != NULL ? rows : groups->rows;
    uint32_t *cells = calloc((size_t)room * 2, sizeof *cells);
    if (rows == NULL || cells == NULL) {
        free(cells);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u rows", room);
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        uint32_t at = hash_of(&rows[i].key) & (room * 2 - 1);
        while (cells[at] != 0) {
            at = (at + 1) & (room * 2 - 1);
        }
        cells[at] = i + 1;
    }
    free(groups->cells);
    groups->cells = cells;
    groups->cell_count = room * 2;
    groups->room = room;
    return true;
}

struct lifecycle_group *lifecycle_group_find(struct lifecycle_groups *groups,
                                             const struct lifecycle_group_key *key,
                                             struct proto_fault *fault)
{
    if (groups->count == groups->room && !groups_grow(groups, fault)) {
        return NULL;
    }
    uint32_t at = hash_of(key) & (groups->cell_count - 1);
    for (; groups->cells[at] != 0; at = (at + 1) & (groups->cell_count - 1)) {
        struct lifecycle_group *row = &groups->rows[groups->cells[at] - 1];
        if (same(&row->key, key)) {
            return row;
        }
    }
    if (groups->count == PROTO_QUERY_ROWS_MAX) {
        (void)proto_fault_set(fault, PROTO_LIMIT, "rows",
                              "the table has more than %d rows: ask for fewer members, a longer "
                              "period, or fewer events",
                              PROTO_QUERY_ROWS_MAX);
        return NULL;
    }
    groups->rows[groups->count] = (struct lifecycle_group){.key = *key};
    groups->cells[at] = ++groups->count;
    return &groups->rows[groups->count - 1];
}

const struct lifecycle_group *lifecycle_group_look(const struct lifecycle_groups *groups,
                                                   const struct lifecycle_group_key *key)
{
    uint32_t at = groups->count > 0 ? hash_of(key) & (groups->cell_count - 1) : 0;
    for (; groups->count > 0 && groups->cells[at] != 0; at = (at + 1) & (groups->cell_count - 1)) {
        const struct lifecycle_group *row = &groups->rows[groups->cells[at] - 1];
        if (same(&row->key, key)) {
            return row;
        }
    }
    return NULL;
}

void lifecycle_groups_fini(struct lifecycle_groups *groups)
{
    free(groups->rows);
    free(groups->cells);
    *groups = (struct lifecycle_groups){.count = 0};
}

struct named {
    const char *text;
    uint32_t number;
};

static int by_text(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->text, ((const struct named *)right)->text);
}

/* The place of each name in their order; the first, which stands for none, stays the first. */
static uint32_t *ranks_make(const struct lifecycle_names *names)
{
    struct named *named = calloc((size_t)names->count + 1, sizeof *named);
    uint32_t *ranks = calloc((size_t)names->count + 1, sizeof *ranks);
    for (uint32_t i = 0; i < names->count && named != NULL; i++) {
        named[i] = (struct named){names->texts[i], i};
    }
    if (names->count > 2 && named != NULL) {
        qsort(named + 1, names->count - 1, sizeof *named, by_text);
    }
    for (uint32_t i = 0; i < names->count && named != NULL && ranks != NULL; i++) {
        ranks[named[i].number] = i;
    }
    if (named == NULL) {
        free(ranks);
        ranks = NULL;
    }
    free(named);
    return ranks;
}

/* What rows are sorted by: numbers whose order is that of what they stand for. */
struct ranked {
    int64_t key[3 + PROTO_QUERY_MEMBERS_MAX];
    uint32_t row;
};

static int by_rank(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    size_t i = 0;
    while (i < sizeof a->key / sizeof *a->key - 1 && a->key[i] == b->key[i]) {
        i++;
    }
    return (a->key[i] > b->key[i]) - (a->key[i] < b->key[i]);
}

static struct lifecycle_query_row row_of(const struct lifecycle_group *group,
                                         const struct lifecycle_groups *bases)
{
    const struct lifecycle_group_key key = {.segment = group->key.segment,
                                            .cohort = group->key.cohort};
    const struct lifecycle_group *base = lifecycle_group_look(bases, &key);
    struct lifecycle_query_row row = {.segment = group->key.segment,
                                      .cohort = group->key.cohort,
                                      .period = group->key.period,
                                      .events = group->events,
                                      .accounts = group->accounts,
                                      .of = base != NULL ? base->accounts : group->accounts,
                                      .sum = group->sum};
    memcpy(row.members, group->key.members, sizeof row.members);
    row.rate = (double)row.accounts / (double)row.of;
    math_wilson(row.accounts, row.of, &row.low, &row.high);
    return row;
}

bool lifecycle_groups_rows(const struct lifecycle_groups *groups,
                           const struct lifecycle_groups *bases,
                           struct lifecycle_query_result *result, struct proto_fault *fault)
{
    uint32_t *segments = ranks_make(&result->segments);
    uint32_t *texts = ranks_make(&result->texts);
    struct ranked *order = calloc((size_t)groups->count + 1, sizeof *order);
    result->rows = calloc((size_t)groups->count + 1, sizeof *result->rows);
    bool good = segments != NULL && texts != NULL && order != NULL && result->rows != NULL;
    for (uint32_t i = 0; i < groups->count && good; i++) {
        const struct lifecycle_group_key *key = &groups->rows[i].key;
        order[i] = (struct ranked){.key = {result->segments.count > 0 ? segments[key->segment] : 0,
                                           key->cohort, key->period},
                                   .row = i};
        for (size_t m = 0; m < PROTO_QUERY_MEMBERS_MAX; m++) {
            order[i].key[3 + m] = texts[key->members[m]];
        }
    }
    if (good && groups->count > 1) {
        qsort(order, groups->count, sizeof *order, by_rank);
    }
    for (uint32_t i = 0; i < groups->count && good; i++) {
        result->rows[result->count++] = row_of(&groups->rows[order[i].row], bases);
        result->events += groups->rows[order[i].row].events;
    }
    free(segments);
    free(texts);
    free(order);
    return good ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u rows", groups->count);
}
