/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/lists.h"

#include <stdlib.h>
#include <string.h>

#include "server/engine/slots.h"

const struct engine_list *engine_lists_find(const struct engine_lists *lists,
                                            struct proto_span name, struct proto_fault *fault)
{
    for (size_t i = 0; lists && i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        if (list && list->head && proto_span_equal(proto_span_text(list->name), name)) {
            return list;
        }
    }
    int bytes = (int)(name.bytes < 128 ? name.bytes : 128);
    if (engine_lists_unsure(lists)) {
        proto_fault_set(
            fault, PROTO_CORRUPT, "name",
            "%zu of the target account lists are damaged, and '%.*s' may be one of them",
            lists->damaged, bytes, (const char *)name.data);
    } else {
        proto_fault_set(fault, PROTO_NOT_FOUND, "name", "there is no target account list '%.*s'",
                        bytes, (const char *)name.data);
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
        json_decref(list->head);
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

/* Members that have become one account since are one member. */
static size_t slots_once(uint32_t *slots, size_t count)
{
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (slots[i] != slots[kept - 1]) {
            slots[kept++] = slots[i];
        }
    }
    return kept;
}

struct engine_list *engine_list_create(uint32_t number, json_t *head, struct proto_span slots)
{
    struct engine_list *list = calloc(1, sizeof *list);
    if (!list) {
        json_decref(head);
        return NULL;
    }
    const json_t *icp = json_object_get(head, "icp");
    list->references = 1;
    list->number = number;
    list->head = head;
    list->name = json_string_value(json_object_get(head, "name"));
    list->icp = (uint32_t)json_integer_value(json_object_get(icp, "version"));
    list->count = slots.bytes / sizeof *list->slots;
    list->slots = malloc(slots.bytes + sizeof *list->slots);
    if (!list->name || !list->slots) {
        engine_list_release(list);
        return NULL;
    }
    if (list->count > 0) {
        memcpy(list->slots, slots.data, list->count * sizeof *list->slots);
        engine_slots_sort(list->slots, list->count);
        list->count = slots_once(list->slots, list->count);
    }
    return list;
}

struct engine_list *engine_list_create_given_up(uint32_t number)
{
    struct engine_list *list = calloc(1, sizeof *list);
    if (list) {
        list->references = 1;
        list->number = number;
        list->name = "";
    }
    return list;
}

/* Calls a list's own, if the version built it. */
static bool counts(const struct engine_list *list, uint32_t active)
{
    return list && list->icp == active && list->count > 0;
}

/* Bits of the slots on any list of the version, and those slots in order. */
static bool members_fill(struct engine_lists *lists, uint32_t active)
{
    uint32_t end = 0;
    for (size_t i = 0; i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        if (counts(list, active) && list->slots[list->count - 1] >= end) {
            end = list->slots[list->count - 1] + 1;
        }
    }
    lists->bits = calloc(end / 64 + 1, sizeof *lists->bits);
    if (!lists->bits) {
        return false;
    }
    for (size_t i = 0; i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        for (size_t j = 0; counts(list, active) && j < list->count; j++) {
            uint64_t bit = UINT64_C(1) << (list->slots[j] % 64);
            lists->any_count += (lists->bits[list->slots[j] / 64] & bit) == 0;
            lists->bits[list->slots[j] / 64] |= bit;
        }
    }
    lists->bit_slots = end;
    lists->any = malloc((lists->any_count + 1) * sizeof *lists->any);
    for (uint32_t slot = 0, at = 0; lists->any && slot < end; slot++) {
        if (lists->bits[slot / 64] >> (slot % 64) & 1) {
            lists->any[at++] = slot;
        }
    }
    return lists->any != NULL;
}

struct engine_lists *engine_lists_make(const struct engine_lists *from, struct engine_list *list,
                                       size_t room, bool members, uint32_t active)
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
    for (size_t i = 0; i < room; i++) {
        lists->damaged += items[i] == NULL;
    }
    if (members && !members_fill(lists, active)) {
        engine_lists_release(lists);
        return NULL;
    }
    return lists;
}
