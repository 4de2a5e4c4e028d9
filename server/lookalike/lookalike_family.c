/* SPDX-License-Identifier: Apache-2.0 */
/* Exclusion by parent. A parent is an account, or just a name, that the parent field of other
 * accounts holds: an id or a key. All names of one parent count, so that children that a system
 * knows under its key and others under its id are of one family.
 *
 * Who belongs to a family is not known beforehand: reading the parent of every account would cost a
 * microsecond each. So the best k are read, members among them are excluded, and the search is
 * asked again for twice as many until no member is left among the best k. Similarity depends on the
 * pair alone, so the answer is the one of a search that had excluded all members. */
#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/feature/record.h"
#include "server/lookalike/lookalike_query.h"

struct lookalike_family {
    uint16_t field_id;
    struct proto_span *names; /* borrow from request and view; sorted */
    size_t count, room;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a look-alike query");
}

static bool name_add(struct lookalike_family *family, struct proto_span name,
                     struct proto_fault *fault)
{
    if (name.bytes == 0) {
        return true;
    }
    if (family->count == family->room) {
        size_t room = family->room == 0 ? 64 : family->room * 2;
        struct proto_span *names = realloc(family->names, room * sizeof *names);
        if (!names) {
            return no_memory(fault);
        }
        family->names = names;
        family->room = room;
    }
    family->names[family->count++] = name;
    return true;
}

/* A stored account as a parent: its id and all of its keys. */
static bool account_add(struct lookalike_query *query, uint32_t slot, struct proto_fault *fault)
{
    struct proto_span bytes;
    struct proto_span key;
    struct feature_record record;
    size_t at = 0;
    if (!store_record(query->worker->view, slot, &bytes, fault) ||
        !feature_record_open(bytes, false, &record, fault) ||
        !name_add(query->family, record.id, fault)) {
        return false;
    }
    while (feature_record_key_next(&record, &at, &key)) {
        if (!name_add(query->family, key, fault)) {
            return false;
        }
    }
    return true;
}

/* A parent by id or key. It is never a result itself. */
static bool parent_add(struct lookalike_query *query, struct proto_span name,
                       struct proto_fault *fault)
{
    struct proto_fault local = {0};
    uint32_t slot = store_find_id(query->worker->view, name, &local);
    if (slot == STORE_NO_SLOT && local.code == PROTO_OK) {
        slot = store_find_key(query->worker->view, name, &local);
    }
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    return name_add(query->family, name, fault) &&
           (slot == STORE_NO_SLOT ||
            (account_add(query, slot, fault) && lookalike_query_exclude(query, slot, fault)));
}

/* The parent that the worker's values name; empty if they name none. */
static struct proto_span parent_of(const struct lookalike_query *query)
{
    const struct engine_worker *worker = query->worker;
    uint16_t field = query->family->field_id;
    bool named = field < worker->value_slots && worker->values[field].present &&
                 worker->values[field].type == FEATURE_CATEGORY;
    return named ? worker->values[field].text : (struct proto_span){0};
}

/* The examples as parents, and the parents of the examples. */
static bool examples_add(struct lookalike_query *query, struct proto_fault *fault)
{
    for (uint32_t i = 0; i < query->positive_count; i++) {
        uint32_t slot = query->slots[i];
        if (i < query->query->positive_count) {
            if (!lookalike_example_values(query->worker, &query->query->positives[i], &slot,
                                          fault)) {
                return false;
            }
        } else if (!engine_values(query->worker, slot, NULL, fault)) {
            return false;
        }
        struct proto_span parent = parent_of(query);
        if ((parent.bytes > 0 && !parent_add(query, parent, fault)) ||
            (slot != STORE_NO_SLOT && !account_add(query, slot, fault))) {
            return false;
        }
    }
    return true;
}

static int compare_name(const void *a, const void *b)
{
    return proto_span_compare(*(const struct proto_span *)a, *(const struct proto_span *)b);
}

bool lookalike_family_ready(struct lookalike_query *query, struct proto_fault *fault)
{
    const struct lookalike_similar *request = query->query;
    struct proto_span name =
        request->parent_field.bytes > 0 ? request->parent_field : proto_span_text("parent");
    if (request->exclude_parent_count == 0 && !request->exclude_family) {
        return true;
    }
    const struct feature_field *field = feature_schema_find(query->worker->state->schema, name);
    if (!field || field->type != FEATURE_CATEGORY) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parent_field",
                               "the schema has no category field '%.*s' that could name a parent",
                               (int)(name.bytes < 64 ? name.bytes : 64), (const char *)name.data);
    }
    query->family = calloc(1, sizeof *query->family);
    if (!query->family) {
        return no_memory(fault);
    }
    query->family->field_id = field->id;
    for (size_t i = 0; i < request->exclude_parent_count; i++) {
        if (!parent_add(query, request->exclude_parents[i], fault)) {
            return false;
        }
    }
    if (request->exclude_family && !examples_add(query, fault)) {
        return false;
    }
    if (query->family->count > 1) {
        qsort(query->family->names, query->family->count, sizeof *query->family->names,
              compare_name);
    }
    return true;
}

void lookalike_family_destroy(struct lookalike_family *family)
{
    if (family) {
        free(family->names);
        free(family);
    }
}

static bool is_member(const struct lookalike_query *query)
{
    struct proto_span parent = parent_of(query);
    return parent.bytes > 0 && query->family->count > 0 &&
           bsearch(&parent, query->family->names, query->family->count,
                   sizeof *query->family->names, compare_name) != NULL;
}

/* Takes members out of the hits and excludes them, up to the first k others; *kept counts those. */
static bool members_drop(struct lookalike_query *query, uint32_t *kept, uint32_t *dropped,
                         struct proto_fault *fault)
{
    *kept = 0;
    *dropped = 0;
    for (uint32_t i = 0; i < query->hit_count && *kept < query->query->k; i++) {
        struct proto_fault local = {0};
        bool read = engine_values(query->worker, query->hits[i].id, NULL, &local);
        if (!read && local.code != PROTO_NOT_FOUND) {
            *fault = local;
            return false;
        }
        if (read && !is_member(query)) {
            query->hits[(*kept)++] = query->hits[i];
            continue;
        }
        ++*dropped;
        if (!lookalike_query_exclude(query, query->hits[i].id, fault)) {
            return false;
        }
    }
    return true;
}

static bool room_double(struct lookalike_query *query, struct proto_fault *fault)
{
    uint32_t room =
        query->hit_room > SIMILAR_K_MAX / 2 ? (uint32_t)SIMILAR_K_MAX : 2 * query->hit_room;
    struct similar_hit *hits = realloc(query->hits, ((size_t)room + 1) * sizeof *hits);
    if (!hits) {
        return no_memory(fault);
    }
    query->hits = hits;
    query->hit_room = room;
    return true;
}

bool lookalike_family_search(struct lookalike_query *query, struct proto_fault *fault)
{
    for (;;) {
        uint32_t kept;
        uint32_t dropped;
        if (!engine_scan_goes_on(query->job, fault) || !lookalike_query_search(query, fault)) {
            return false;
        }
        uint32_t found = query->hit_count;
        if (!members_drop(query, &kept, &dropped, fault)) {
            return false;
        }
        query->hit_count = kept;
        /* Fewer than were asked for: there are no more. */
        if (kept == query->query->k || found < query->hit_room || dropped == 0) {
            return true;
        }
        lookalike_query_sort(query);
        if (!room_double(query, fault)) {
            return false;
        }
    }
}
