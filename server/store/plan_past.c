/* SPDX-License-Identifier: Apache-2.0 */
/* What a command changes of an account's values and keys, as a group of its history: values of the
 * record before and after are walked side by side in the order of their fields. A value that is
 * told again as it was is no change. A dated value that comes late, older than what is stored, is
 * not in the record after, and its group says what it was, unless the history has it already. */
#include <stdlib.h>

#include "server/store/command.h"
#include "server/store/past_table.h"
#include "server/store/plan.h"

enum { VALUE_HEADER_BYTES = 16, VALUE_LENGTH_AT = 12 }; /* server/feature/record.h */

struct item {
    uint16_t field;
    enum feature_type type;
    uint8_t source;
    int64_t time_ms;
    struct proto_span bytes;
};

/* The items of a record: the one at `at`, once items_look has been asked for it. */
struct items {
    const struct feature_record *record;
    size_t at;
    bool there;
    struct item item;
};

static bool items_look(struct items *items)
{
    struct proto_span run = items->record->value_bytes;
    const uint8_t *from = run.data + items->at;
    size_t left = run.bytes - items->at;
    items->there = left >= VALUE_HEADER_BYTES &&
                   disk_get_u32(from + VALUE_LENGTH_AT) <= left - VALUE_HEADER_BYTES;
    if (items->there) {
        items->item = (struct item){
            .field = disk_get_u16(from),
            .type = (enum feature_type)from[2],
            .source = from[3],
            .time_ms = (int64_t)disk_get_u64(from + 4),
            .bytes = {from + VALUE_HEADER_BYTES, disk_get_u32(from + VALUE_LENGTH_AT)}};
    }
    return items->there;
}

/* To the one behind the one that was looked at. */
static void items_pass(struct items *items)
{
    items->at += VALUE_HEADER_BYTES + items->item.bytes.bytes;
}

static bool same(const struct item *a, const struct item *b)
{
    return a->type == b->type && proto_span_equal(a->bytes, b->bytes);
}

/* Passes over what both have alike but for source and time, which is mostly all: as long as items
 * are alike they lie at the same distance. */
static void alike_pass(struct items *a, struct items *b)
{
    const uint32_t field_and_type = 0x00ffffff;
    const uint8_t *x = a->record->value_bytes.data + a->at;
    const uint8_t *y = b->record->value_bytes.data + b->at;
    size_t left = a->record->value_bytes.bytes - a->at;
    size_t other = b->record->value_bytes.bytes - b->at;
    size_t at = 0;
    left = left < other ? left : other;
    while (left - at >= VALUE_HEADER_BYTES &&
           ((disk_get_u32(x + at) ^ disk_get_u32(y + at)) & field_and_type) == 0) {
        size_t bytes = disk_get_u32(x + at + VALUE_LENGTH_AT);
        const uint8_t *value = x + at + VALUE_HEADER_BYTES;
        const uint8_t *beside = y + at + VALUE_HEADER_BYTES;
        if (bytes != disk_get_u32(y + at + VALUE_LENGTH_AT) ||
            bytes > left - at - VALUE_HEADER_BYTES ||
            (bytes == sizeof(uint64_t) ? disk_get_u64(value) != disk_get_u64(beside)
                                       : memcmp(value, beside, bytes) != 0)) {
            break;
        }
        at += VALUE_HEADER_BYTES + bytes;
    }
    a->at += at;
    b->at += at;
}

/* The group that is being made. */
struct making {
    struct store_plan *plan;
    struct store_plan_account *account;
    struct proto_fault *fault;
    size_t bytes; /* of plan->past_room */
    struct store_past_time time;
};

static bool room_reserve(struct making *making, size_t more)
{
    struct store_plan *plan = making->plan;
    size_t need = making->bytes + more;
    if (need <= plan->past_room_bytes) {
        return true;
    }
    size_t room = need < 1024 ? 1024 : 2 * need;
    uint8_t *grown = realloc(plan->past_room, room);
    if (grown == NULL) {
        return proto_fault_set(making->fault, PROTO_NO_MEMORY, "",
                               "no memory for %zu bytes of history", room);
    }
    plan->past_room = grown;
    plan->past_room_bytes = room;
    return true;
}

static struct store_past past_of(enum store_past_kind kind, const struct items *items)
{
    struct store_past past = {.kind = kind, .field = items->item.field, .type = items->item.type};
    past.time_ms = items->item.time_ms;
    if (items->record->source_count > 0) {
        past.source = feature_record_source(items->record, items->item.source);
    }
    past.unkept = items->item.bytes.bytes > PROTO_HISTORY_VALUE_BYTES_MAX;
    past.bytes = past.unkept ? (struct proto_span){NULL, 0} : items->item.bytes;
    return past;
}

static bool past_add(struct making *making, const struct store_past *past)
{
    if (!room_reserve(making, store_past_room(past))) {
        return false;
    }
    making->bytes +=
        store_past_encode_behind(past, &making->time, making->plan->past_room + making->bytes);
    return true;
}

static bool changes_add(struct making *making, const struct feature_record *old,
                        const struct feature_record *now)
{
    struct items before = {.record = old};
    struct items after = {.record = now};
    for (;;) {
        struct store_past past;
        alike_pass(&before, &after);
        bool any = items_look(&before);
        if (!items_look(&after) && !any) {
            return true;
        }
        bool gone = before.there && (!after.there || before.item.field < after.item.field);
        bool fresh = after.there && (!before.there || after.item.field < before.item.field);
        if (fresh) {
            past = (struct store_past){.kind = STORE_PAST_ADDED, .field = after.item.field};
        } else {
            past = past_of(gone ? STORE_PAST_TAKEN : STORE_PAST_CHANGED, &before);
            items_pass(&before);
        }
        if (!gone) {
            items_pass(&after);
        }
        if (!past_add(making, &past)) {
            return false;
        }
    }
}

static bool keys_differ_add(struct making *making, enum store_past_kind kind,
                            const struct feature_record *of, const struct feature_record *other)
{
    struct proto_span key;
    for (size_t at = 0; feature_record_key_next(of, &at, &key);) {
        struct proto_span beside;
        bool there = false;
        for (size_t i = 0; !there && feature_record_key_next(other, &i, &beside);) {
            there = proto_span_equal(key, beside);
        }
        const struct store_past past = {.kind = kind, .bytes = key};
        if (!there && !past_add(making, &past)) {
            return false;
        }
    }
    return true;
}

static bool keys_add(struct making *making, const struct feature_record *old,
                     const struct feature_record *now)
{
    return proto_span_equal(old->key_bytes, now->key_bytes) ||
           (keys_differ_add(making, STORE_PAST_KEY_TAKEN, old, now) &&
            keys_differ_add(making, STORE_PAST_KEY_ADDED, now, old));
}

static bool past_equal(const struct store_past *a, const struct store_past *b)
{
    return store_past_has_value(a) && a->field == b->field && a->type == b->type &&
           a->time_ms == b->time_ms && a->unkept == b->unkept &&
           proto_span_equal(a->bytes, b->bytes);
}

static bool run_has(struct proto_span entries, const struct store_past *wanted)
{
    struct store_past past;
    size_t at = 0;
    while (store_past_next(entries, &at, &past)) {
        if (past_equal(&past, wanted)) {
            return true;
        }
    }
    return false;
}

/* Whether the history has that value, by what is stored and by what the batch has brought. */
static bool is_told(struct making *making, const struct store_history *history,
                    const struct store_past *past)
{
    struct store_past_group group = {.seq = 0};
    size_t at = 0;
    while (store_past_group_next(making->account->past, false, &at, &group)) {
        if (run_has(group.entries, past)) {
            return true;
        }
    }
    for (size_t i = 0; i < history->count; i++) {
        if (run_has(history->list[i].entries, past)) {
            return true;
        }
    }
    return false;
}

static bool late_add(struct making *making, const struct items *items,
                     struct store_history *history, bool *read)
{
    struct store_past past = past_of(STORE_PAST_LATE, items);
    struct proto_fault why = {.code = PROTO_OK};
    if (!*read && !making->account->past_anew &&
        !store_history_read(making->plan->sight, making->account->slot, history, &why)) {
        if (why.code != PROTO_CORRUPT) {
            *making->fault = why;
            return false;
        }
        history->count = 0; /* what is damaged keeps no value out */
    }
    *read = true;
    return is_told(making, history, &past) || past_add(making, &past);
}

static bool lates_add(struct making *making, const struct feature_record *old,
                      const struct feature_record *patch)
{
    struct items before = {.record = old};
    struct items told = {.record = patch};
    struct store_history history = {.count = 0};
    bool read = false;
    bool good = true;
    for (; good && items_look(&told); items_pass(&told)) {
        while (items_look(&before) && before.item.field < told.item.field) {
            items_pass(&before);
        }
        bool late = before.there && before.item.field == told.item.field &&
                    before.item.time_ms > told.item.time_ms && !same(&before.item, &told.item);
        good = !late || late_add(making, &told, &history, &read);
    }
    store_history_fini(&history);
    return good;
}

/* The entries become a group behind those that the batch has brought. */
static bool group_end(struct making *making)
{
    struct store_plan_account *account = making->account;
    const struct store_past_group group = {.known_ms = making->plan->now_ms,
                                           .entries = {making->plan->past_room, making->bytes}};
    if (making->bytes == 0) {
        return true;
    }
    size_t room = account->past.bytes + STORE_PAST_GROUP_HEAD_MAX + making->bytes;
    uint8_t *past = malloc(room);
    if (past == NULL) {
        return proto_fault_set(making->fault, PROTO_NO_MEMORY, "",
                               "no memory for %zu bytes of history", room);
    }
    if (account->past.bytes > 0) {
        memcpy(past, account->past.data, account->past.bytes);
    }
    size_t bytes =
        account->past.bytes + store_past_group_encode(&group, false, past + account->past.bytes);
    if (!store_plan_keep(making->plan, past, making->fault)) {
        return false;
    }
    account->past = (struct proto_span){past, bytes};
    return true;
}

bool store_plan_past(struct store_plan *plan, struct store_plan_account *account,
                     struct proto_span now, const struct store_command *patch,
                     struct proto_fault *fault)
{
    struct feature_record old;
    struct feature_record after;
    struct feature_record over;
    struct making making = {.plan = plan, .account = account, .fault = fault};
    if (account->record.bytes == 0) {
        return true;
    }
    bool dated = patch != NULL && (patch->patch & STORE_PATCH_DATED) != 0;
    return feature_record_open(account->record, false, &old, fault) &&
           feature_record_open(now, false, &after, fault) && changes_add(&making, &old, &after) &&
           keys_add(&making, &old, &after) &&
           (!dated || (feature_record_open(patch->text, false, &over, fault) &&
                       lates_add(&making, &old, &over))) &&
           group_end(&making);
}

bool store_plan_past_mark(struct store_plan *plan, struct store_plan_account *account,
                          int64_t known_ms, struct proto_fault *fault)
{
    struct making making = {.plan = plan, .account = account, .fault = fault};
    const struct store_past mark = {.kind = STORE_PAST_MARK};
    int64_t now_ms = plan->now_ms;
    plan->now_ms = known_ms;
    bool good = past_add(&making, &mark) && group_end(&making);
    plan->now_ms = now_ms;
    return good;
}
