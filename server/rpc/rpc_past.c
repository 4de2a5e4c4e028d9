/* SPDX-License-Identifier: Apache-2.0 */
/* account-history, on the lane SCAN: a page of what values and keys of an account were before,
 * newest first.
 * The history is at most some hundred changes, so that each page goes through all of it. */
#include "server/engine/before.h"
#include "server/engine/sources.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/value_write.h"

static const char *const kinds[STORE_PAST_KINDS] = {
    [STORE_PAST_CHANGED] = "changed",    [STORE_PAST_ADDED] = "added",
    [STORE_PAST_TAKEN] = "taken",        [STORE_PAST_LATE] = "late",
    [STORE_PAST_MARK] = "unknown",       [STORE_PAST_KEY_ADDED] = "key added",
    [STORE_PAST_KEY_TAKEN] = "key taken"};

/* Which changes of a history are wanted. */
struct wanted {
    const struct feature_schema *schema;
    const struct feature_field *field; /* NULL: all */
    uint64_t seq;
};

/* The changes that are wanted, newest first, with the group of each. */
struct found {
    struct store_past *list;
    const struct store_past_group **groups;
    size_t count;
};

static bool is_wanted(const struct wanted *wanted, const struct store_past *past)
{
    return wanted->field == NULL || past->kind == STORE_PAST_MARK ||
           (!store_past_is_key(past) && past->field == wanted->field->id);
}

/* Entries of a group, and the other way round at the end: of one account there are few. */
static bool group_take(const struct wanted *wanted, const struct store_past_group *group,
                       struct found *found, size_t room)
{
    struct store_past past;
    for (size_t at = 0; store_past_next(group->entries, &at, &past);) {
        if (!is_wanted(wanted, &past)) {
            continue;
        }
        if (found->count == room) {
            return false;
        }
        found->groups[found->count] = group;
        found->list[found->count++] = past;
    }
    return true;
}

static size_t entries_count(const struct store_history *history)
{
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i].entries, &at, &past);) {
            count++;
        }
    }
    return count;
}

static bool changes_find(struct rpc_call *call, const struct store_history *history,
                         const struct wanted *wanted, struct found *found,
                         struct proto_fault *fault)
{
    struct base_arena *arena = &call->worker->arena;
    size_t room = entries_count(history);
    *found = (struct found){.list = base_arena_array(arena, room + 1, sizeof *found->list)};
    found->groups = base_arena_array(arena, room + 1, sizeof *found->groups);
    if (found->list == NULL || found->groups == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu changes", room);
    }
    for (size_t i = history->count; i > 0; i--) {
        if (history->list[i - 1].seq <= wanted->seq &&
            !group_take(wanted, &history->list[i - 1], found, room)) {
            break;
        }
    }
    return true;
}

static void field_write(struct proto_writer *out, const struct feature_schema *schema,
                        const struct store_past *past)
{
    char number[16] = "";
    const struct feature_field *field = feature_schema_by_id(schema, past->field);
    bool mark = past->kind == STORE_PAST_MARK || store_past_is_key(past);
    if (!mark && field == NULL) {
        (void)snprintf(number, sizeof number, "#%u", past->field);
    }
    const char *name = mark || field == NULL ? number : field->name;
    rpc_member_text(out, RPC_MEMBER(PAST_CHANGE, FIELD), name);
}

static void change_write(struct proto_writer *out, const struct feature_schema *schema,
                         const struct store_past *past, const struct store_past_group *group)
{
    struct feature_value value = {.present = false};
    bool has = store_past_has_value(past);
    bool kept = has && !past->unkept && store_past_value(past, &value);
    bool source = has && past->source.bytes > 0;
    bool key = store_past_is_key(past);
    proto_write_map(out, 4U + kept + key + source + has + (has && past->unkept));
    field_write(out, schema, past);
    rpc_member_text(out, RPC_MEMBER(PAST_CHANGE, KIND), kinds[past->kind]);
    if (kept) {
        rpc_member(out, RPC_MEMBER(PAST_CHANGE, VALUE));
        rpc_write_value(out, &value);
    }
    if (key) {
        rpc_member_str(out, RPC_MEMBER(PAST_CHANGE, VALUE), past->bytes);
    }
    if (source) {
        rpc_member_str(out, RPC_MEMBER(PAST_CHANGE, SOURCE), past->source);
    }
    if (has) {
        rpc_member_int(out, RPC_MEMBER(PAST_CHANGE, TIME), past->time_ms);
    }
    if (has && past->unkept) {
        rpc_member_flag(out, RPC_MEMBER(PAST_CHANGE, UNKEPT), true);
    }
    rpc_member_int(out, RPC_MEMBER(PAST_CHANGE, KNOWN), group->known_ms);
    rpc_member_uint(out, RPC_MEMBER(PAST_CHANGE, SEQ), group->seq);
}

static void page_write(struct rpc_call *call, struct proto_span id,
                       const struct store_history *history, const struct wanted *wanted,
                       const struct found *found)
{
    struct proto_writer *out = call->out;
    uint64_t skip = rpc_arg_uint(call, PROTO_Q_ACCOUNT_HISTORY_SKIP);
    uint64_t limit = rpc_arg_uint(call, PROTO_Q_ACCOUNT_HISTORY_LIMIT);
    size_t first = skip < found->count ? (size_t)skip : found->count;
    size_t left = found->count - first;
    size_t count = left < limit ? left : (size_t)limit;
    bool more = count > 0 && first + count < found->count;
    uint64_t seq = engine_worker_seq(call->worker->engine);
    proto_write_map(out, 4U + more + history->gone);
    rpc_put_str(out, call->op, PROTO_A_ACCOUNT_HISTORY_ID, id);
    rpc_put_uint(out, call->op, PROTO_A_ACCOUNT_HISTORY_COUNT, found->count);
    rpc_key(out, call->op, PROTO_A_ACCOUNT_HISTORY_CHANGES);
    proto_write_array(out, count);
    for (size_t i = first; i < first + count; i++) {
        change_write(out, wanted->schema, &found->list[i], found->groups[i]);
    }
    if (more) {
        rpc_put_uint(out, call->op, PROTO_A_ACCOUNT_HISTORY_NEXT, first + count);
    }
    if (history->gone) {
        rpc_put_uint(out, call->op, PROTO_A_ACCOUNT_HISTORY_GONE, history->gone_seq);
    }
    rpc_put_uint(out, call->op, PROTO_A_ACCOUNT_HISTORY_SEQ, wanted->seq < seq ? wanted->seq : seq);
}

static bool wanted_read(struct rpc_call *call, struct wanted *wanted, struct proto_fault *fault)
{
    *wanted = (struct wanted){.schema = rpc_state(call)->schema, .seq = UINT64_MAX};
    if (wanted->schema == NULL) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    if (call->args[PROTO_Q_ACCOUNT_HISTORY_SEQ].present) {
        wanted->seq = rpc_arg_uint(call, PROTO_Q_ACCOUNT_HISTORY_SEQ);
    }
    if (!call->args[PROTO_Q_ACCOUNT_HISTORY_FIELD].present) {
        return true;
    }
    struct proto_span name = rpc_arg_text(call, PROTO_Q_ACCOUNT_HISTORY_FIELD);
    wanted->field = feature_schema_find(wanted->schema, name);
    return wanted->field != NULL ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "field", "the schema has no field \"%.*s\"",
                           (int)name.bytes, (const char *)name.data);
}

/* The source record itself, if that is asked for. */
static bool record_choose(struct rpc_call *call, uint32_t *slot, struct proto_fault *fault)
{
    struct engine_name name;
    if (!rpc_arg_flag(call, PROTO_Q_ACCOUNT_HISTORY_RECORD)) {
        return true;
    }
    if (!rpc_name_read(call->args, PROTO_Q_ACCOUNT_HISTORY_ID, PROTO_Q_ACCOUNT_HISTORY_KEY,
                       PROTO_Q_ACCOUNT_HISTORY_EMAIL, &name, fault)) {
        return false;
    }
    *slot = engine_source_find(call->worker->engine, *slot, &name, fault);
    return *slot != ENGINE_NO_SLOT;
}

enum rpc_outcome rpc_on_ACCOUNT_HISTORY(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct store_history history = {.count = 0};
    struct feature_record record = {0};
    struct wanted wanted;
    struct found found;
    uint32_t slot;
    uint32_t newest;
    if (!wanted_read(call, &wanted, fault) ||
        !rpc_name_find(call, PROTO_Q_ACCOUNT_HISTORY_ID, PROTO_Q_ACCOUNT_HISTORY_KEY,
                       PROTO_Q_ACCOUNT_HISTORY_EMAIL, &slot, fault) ||
        !record_choose(call, &slot, fault) ||
        !engine_source_record(engine, slot, &record, &newest, fault)) {
        return RPC_FAILED;
    }
    bool good = engine_history(engine, slot, &history, fault) &&
                changes_find(call, &history, &wanted, &found, fault);
    if (good) {
        page_write(call, record.id, &history, &wanted, &found);
    }
    store_history_fini(&history);
    return good ? RPC_DONE : RPC_FAILED;
}
