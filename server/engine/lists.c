/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/lists.h"

#include <stdlib.h>
#include <string.h>

const struct engine_list *engine_lists_find(const struct engine_lists *lists,
                                            struct proto_span name)
{
    for (size_t i = 0; lists && i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        if (list && proto_span_equal(proto_span_text(list->name), name)) {
            return list;
        }
    }
    return NULL;
}

static struct engine_list *list_retain(struct engine_list *list)
{
    __atomic_add_fetch(&list->references, 1, __ATOMIC_RELAXED);
    return list;
}

void engine_list_release(struct engine_list *list)
{
    if (list && __atomic_sub_fetch(&list->references, 1, __ATOMIC_ACQ_REL) == 0) {
        free(list->name);
        free(list->slots);
        free(list);
    }
}

struct engine_lists *engine_lists_retain(struct engine_lists *lists)
{
    if (lists) {
        __atomic_add_fetch(&lists->references, 1, __ATOMIC_RELAXED);
    }
    return lists;
}

void engine_lists_release(struct engine_lists *lists)
{
    if (!lists || __atomic_sub_fetch(&lists->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; lists->items && i < lists->count; i++) {
        engine_list_release(lists->items[i]);
    }
    free(lists->items);
    free(lists->any);
    free(lists->bits);
    free(lists);
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t slots_sort(uint32_t *slots, size_t count)
{
    size_t kept = 0;
    qsort(slots, count, sizeof *slots, compare_slots);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || slots[i] != slots[kept - 1]) {
            slots[kept++] = slots[i];
        }
    }
    return kept;
}

struct engine_list *engine_list_create(uint32_t number, uint32_t icp, struct proto_span name,
                                       const uint32_t *slots, size_t count)
{
    struct engine_list *list = calloc(1, sizeof *list);
    if (!list) {
        return NULL;
    }
    list->references = 1;
    list->number = number;
    list->icp = icp;
    list->name = strndup(name.bytes > 0 ? (const char *)name.data : "", name.bytes);
    list->slots = malloc((count + 1) * sizeof *list->slots);
    if (!list->name || !list->slots) {
        engine_list_release(list);
        return NULL;
    }
    if (count > 0) {
        memcpy(list->slots, slots, count * sizeof *slots);
    }
    list->count = slots_sort(list->slots, count);
    return list;
}

/* Slots on any list of the version, and their bits. */
static bool members_fill(struct engine_lists *lists, uint32_t active)
{
    size_t room = 0;
    for (size_t i = 0; i < lists->count; i++) {
        room += lists->items[i] && lists->items[i]->icp == active ? lists->items[i]->count : 0;
    }
    lists->any = malloc((room + 1) * sizeof *lists->any);
    if (!lists->any) {
        return false;
    }
    for (size_t i = 0; i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        if (list && list->icp == active && list->count > 0) {
            memcpy(lists->any + lists->any_count, list->slots, list->count * sizeof *list->slots);
            lists->any_count += list->count;
        }
    }
    lists->any_count = slots_sort(lists->any, lists->any_count);
    uint32_t last = lists->any_count > 0 ? lists->any[lists->any_count - 1] : 0;
    lists->bits = calloc(last / 64 + 1, sizeof *lists->bits);
    if (!lists->bits) {
        return false;
    }
    for (size_t i = 0; i < lists->any_count; i++) {
        lists->bits[lists->any[i] / 64] |= UINT64_C(1) << (lists->any[i] % 64);
    }
    lists->bit_slots = lists->any_count > 0 ? last + 1 : 0;
    return true;
}

struct engine_lists *engine_lists_make(const struct engine_lists *from, struct engine_list *list,
                                       size_t room, uint32_t active)
{
    struct engine_lists *lists = calloc(1, sizeof *lists);
    struct engine_list **items = calloc(room + 1, sizeof(struct engine_list *));
    if (!lists || !items) {
        free(lists);
        free((void *)items);
        engine_list_release(list);
        return NULL;
    }
    lists->references = 1;
    lists->items = items;
    lists->count = room;
    for (size_t i = 0; from && i < from->count && i < room; i++) {
        items[i] = from->items[i] ? list_retain(from->items[i]) : NULL;
    }
    if (list) {
        engine_list_release(items[list->number - 1]);
        items[list->number - 1] = list;
    }
    if (!members_fill(lists, active)) {
        engine_lists_release(lists);
        return NULL;
    }
    return lists;
}
