/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are read one after another, each account found by the id it had; sorted by slot, what
 * stands twice becomes one; groups that are too small are dropped and the others numbered anew. */
#include "server/trial/trial_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/json_text.h"
#include "server/feature/span_text.h"
#include "server/listing/listing.h"
#include "server/math/special.h"

enum { NAME_BYTES_MAX = 512 };
static const char between = '\x1f';

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
}

/* Puts the account into a group; one that has as many as fit is in no more. */
static bool group_add(struct trial_list *list, struct trial_account *account, const char *of,
                      const json_t *value, struct proto_fault *fault)
{
    char name[NAME_BYTES_MAX];
    const char *text = json_string_value(value);
    if (of == NULL || text == NULL || account->group_count == VERDICT_GROUPS_MOST) {
        return true;
    }
    int bytes = snprintf(name, sizeof name, "%s%c%s", of, between, text);
    size_t used = (size_t)bytes < sizeof name ? (size_t)bytes : sizeof name - 1;
    struct proto_span span = {(const uint8_t *)name, used};
    return lifecycle_name_number(&list->names, span, &account->groups[account->group_count++],
                                 fault);
}

static bool groups_read(struct trial_list *list, const json_t *entry, struct trial_account *account,
                        struct proto_fault *fault)
{
    const json_t *reasons = json_object_get(entry, "reasons");
    bool good = group_add(list, account, "segment", json_object_get(entry, "segment"), fault) &&
                group_add(list, account, "owner", json_object_get(entry, "owner"), fault) &&
                group_add(list, account, "grade", json_object_get(entry, "grade"), fault);
    for (size_t i = 0; good && i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        good = group_add(list, account, json_string_value(json_object_get(reason, "field")),
                         json_object_get(reason, "value"), fault);
    }
    return good;
}

static double number_of(const json_t *entry, const char *member)
{
    const json_t *value = json_object_get(entry, member);
    return json_is_number(value) ? json_number_value(value) : MATH_NAN;
}

static bool entry_read(struct engine_worker *worker, struct trial_list *list, const json_t *entry,
                       enum verdict_part part, struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    struct engine_name name = {.id = feature_json_span(json_object_get(entry, "id"))};
    uint32_t slot = engine_find(worker, &name, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    bool held_out = json_is_true(json_object_get(entry, "held_out"));
    part = part == VERDICT_MEMBER && held_out ? VERDICT_HELD_OUT : part;
    list->parts[part]++;
    if (slot == STORE_NO_SLOT) {
        list->gone++;
        return true;
    }
    struct trial_account *account = &list->accounts[list->count++];
    *account = (struct trial_account){.slot = slot,
                                      .part = (uint8_t)part,
                                      .sampled = part == VERDICT_OTHER,
                                      .p = number_of(entry, "p"),
                                      .last_p = number_of(entry, "p_last")};
    list->has_last = list->has_last || json_is_number(json_object_get(entry, "p_last"));
    return groups_read(list, entry, account, fault);
}

static int by_slot(const void *a, const void *b)
{
    const struct trial_account *x = a;
    const struct trial_account *y = b;
    int order = (x->slot > y->slot) - (x->slot < y->slot);
    return order != 0 ? order : (x->part > y->part) - (x->part < y->part);
}

static void accounts_join(struct trial_list *list)
{
    size_t kept = 0;
    qsort(list->accounts, list->count, sizeof *list->accounts, by_slot);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && list->accounts[kept - 1].slot == list->accounts[i].slot) {
            list->accounts[kept - 1].sampled |= list->accounts[i].sampled;
        } else {
            list->accounts[kept++] = list->accounts[i];
        }
    }
    list->count = kept;
}

static void groups_renumber(struct trial_account *account, const uint32_t *numbers)
{
    uint8_t kept = 0;
    for (uint8_t g = 0; g < account->group_count; g++) {
        uint32_t number = numbers[account->groups[g]];
        if (number != UINT32_MAX) {
            account->groups[kept++] = number;
        }
    }
    account->group_count = kept;
}

/* Splits the text of a name where its two halves meet. */
static struct verdict_group group_named(char *text)
{
    char *middle = strchr(text, between);
    if (middle == NULL) {
        return (struct verdict_group){text, ""};
    }
    *middle = '\0';
    return (struct verdict_group){text, middle + 1};
}

static bool groups_settle(struct trial_list *list, struct proto_fault *fault)
{
    uint32_t *counts = calloc(list->names.count + 1, sizeof *counts);
    list->groups = calloc(list->names.count + 1, sizeof *list->groups);
    if (counts == NULL || list->groups == NULL) {
        free(counts);
        return no_memory(fault);
    }
    for (size_t i = 0; i < list->count; i++) {
        for (uint8_t g = 0; g < list->accounts[i].group_count; g++) {
            counts[list->accounts[i].groups[g]]++;
        }
    }
    for (uint32_t n = 0; n < list->names.count; n++) {
        bool taken = counts[n] >= TRIAL_GROUP_LEAST;
        counts[n] = taken ? (uint32_t)list->group_count : UINT32_MAX;
        if (taken) {
            list->groups[list->group_count++] = group_named(list->names.texts[n]);
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        groups_renumber(&list->accounts[i], counts);
    }
    free(counts);
    return true;
}

static bool parts_read(struct engine_worker *worker, struct trial_list *list,
                       struct proto_fault *fault)
{
    static const struct {
        const char *member;
        enum verdict_part part;
    } parts[] = {
        {"entries", VERDICT_MEMBER}, {"just_missed", VERDICT_MISSED}, {"sample", VERDICT_OTHER}};
    size_t room = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        room += json_array_size(json_object_get(list->document, parts[i].member));
    }
    list->accounts = calloc(room + 1, sizeof *list->accounts);
    if (list->accounts == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const json_t *entries = json_object_get(list->document, parts[i].member);
        for (size_t e = 0; e < json_array_size(entries); e++) {
            if (!entry_read(worker, list, json_array_get(entries, e), parts[i].part, fault)) {
                return false;
            }
        }
    }
    return true;
}

bool trial_list_open(struct engine_worker *worker, struct proto_span name, struct trial_list *list,
                     struct proto_fault *fault)
{
    bool whole_day = false;
    *list = (struct trial_list){.document = listing_open(worker, name, NULL, fault)};
    if (list->document == NULL) {
        return false;
    }
    const json_t *created = json_object_get(list->document, "created");
    list->compares = json_is_array(json_object_get(list->document, "sample"));
    if (!feature_date_read(feature_json_span(created), &list->created_ms, &whole_day)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "tal",
                               "the list does not say when it was made");
    }
    if (!parts_read(worker, list, fault)) {
        return false;
    }
    accounts_join(list);
    return groups_settle(list, fault);
}

void trial_list_fini(struct trial_list *list)
{
    json_decref(list->document);
    free(list->accounts);
    free(list->groups);
    lifecycle_names_fini(&list->names);
    *list = (struct trial_list){.count = 0};
}

const struct trial_account *trial_list_find(const struct trial_list *list, uint32_t slot)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->accounts[middle].slot < slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->count && list->accounts[low].slot == slot ? &list->accounts[low] : NULL;
}
