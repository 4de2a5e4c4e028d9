/* SPDX-License-Identifier: Apache-2.0 */
/* Records are joined in a forest, merges first; nevers are held against the merges, and each link
 * against the nevers before it joins. Ranks come last, by counting who goes before. */
#include "server/identity/identity_fold.h"

#include <string.h>

struct forest {
    uint32_t *parent;
    uint32_t *first; /* of a root: the record that gives the id */
    uint32_t *split; /* number of the newest split of a record, 0: none */
};

static uint32_t root_of(const struct forest *forest, uint32_t record)
{
    while (forest->parent[record] != record) {
        forest->parent[record] = forest->parent[forest->parent[record]];
        record = forest->parent[record];
    }
    return record;
}

static bool counts(const struct forest *forest, const struct identity_edge *edge)
{
    return edge->number > forest->split[edge->a] && edge->number > forest->split[edge->b];
}

/* The root of a stays one, with what it has first. */
static void join(const struct forest *forest, uint32_t a, uint32_t b)
{
    uint32_t into = root_of(forest, a);
    uint32_t other = root_of(forest, b);
    if (into != other) {
        forest->parent[other] = into;
    }
}

/* The never that keeps the accounts of a and b apart; NULL: none does. */
static const struct identity_edge *apart(const struct forest *forest,
                                         const struct identity_edge *edges, size_t count,
                                         uint32_t a, uint32_t b)
{
    uint32_t left = root_of(forest, a);
    uint32_t right = root_of(forest, b);
    for (size_t i = 0; i < count && left != right; i++) {
        if (edges[i].act != IDENTITY_NEVER) {
            continue;
        }
        uint32_t x = root_of(forest, edges[i].a);
        uint32_t y = root_of(forest, edges[i].b);
        if ((x == left && y == right) || (x == right && y == left)) {
            return &edges[i];
        }
    }
    return NULL;
}

static bool goes_before(const struct identity_record *records, uint32_t a, uint32_t b)
{
    if (records[a].account == a || records[b].account == b) {
        return records[a].account == a;
    }
    if (records[a].created_s != records[b].created_s) {
        return records[a].created_s < records[b].created_s;
    }
    size_t least =
        records[a].id.bytes < records[b].id.bytes ? records[a].id.bytes : records[b].id.bytes;
    int order = least == 0 ? 0 : memcmp(records[a].id.data, records[b].id.data, least);
    return order != 0 ? order < 0 : records[a].id.bytes < records[b].id.bytes;
}

static void ranks_set(struct identity_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        records[i].rank = 0;
        for (uint32_t j = 0; j < count; j++) {
            records[i].rank +=
                j != i && records[j].account == records[i].account && goes_before(records, j, i);
        }
    }
}

enum identity_folded identity_fold(struct identity_record *records, uint32_t count,
                                   struct identity_edge *edges, size_t edge_count, uint32_t *room,
                                   uint32_t *never)
{
    struct forest forest = {room, room + count, room + 2 * (size_t)count};
    for (uint32_t i = 0; i < count; i++) {
        forest.parent[i] = forest.first[i] = i;
        forest.split[i] = 0;
    }
    for (size_t i = 0; i < edge_count; i++) {
        edges[i].held = false;
        if (edges[i].act == IDENTITY_SPLIT) {
            forest.split[edges[i].a] = edges[i].number;
        }
    }
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].act == IDENTITY_MERGE && counts(&forest, &edges[i])) {
            join(&forest, edges[i].a, edges[i].b);
        }
    }
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].act == IDENTITY_NEVER &&
            root_of(&forest, edges[i].a) == root_of(&forest, edges[i].b)) {
            *never = edges[i].number;
            return IDENTITY_FOLD_NEVER;
        }
    }
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].act != IDENTITY_LINK || !counts(&forest, &edges[i])) {
            continue;
        }
        edges[i].held = apart(&forest, edges, edge_count, edges[i].a, edges[i].b) != NULL;
        if (!edges[i].held) {
            join(&forest, edges[i].a, edges[i].b);
        }
    }
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].act == IDENTITY_PIN) {
            forest.first[root_of(&forest, edges[i].a)] = edges[i].a;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        records[i].account = forest.first[root_of(&forest, i)];
    }
    ranks_set(records, count);
    return IDENTITY_FOLD_GOOD;
}
