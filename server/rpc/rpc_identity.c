/* SPDX-License-Identifier: Apache-2.0 */
/* identity: entries of a request become those of an ingest, with who says them, answered when they
 * are on disk; identity-list, on the lane SCAN: a page of entries, and the source records of one
 * account. */
#include "server/engine/sources.h"
#include "server/rpc/display_name.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/write.h"

enum { ENTRIES_OF_MOST = 2 * PROTO_IDENTITY_REACH_MAX };

static struct proto_span text_of(const struct proto_arg *arg)
{
    return arg->present ? arg->text : (struct proto_span){NULL, 0};
}

static bool entry_add(struct engine_ingest *ingest, struct proto_span map, struct proto_span author,
                      struct proto_fault *fault)
{
    const struct proto_shape_info *shape = proto_shape_info(PROTO_SHAPE_IDENTITY_SAID);
    struct proto_arg members[PROTO_ARGS_MAX];
    if (!proto_members_decode(shape->members, shape->member_count, map, members, fault)) {
        return false;
    }
    struct proto_span word = members[PROTO_M_IDENTITY_SAID_ACT].text;
    struct identity_entry entry = {
        .act = identity_act_find(word),
        .what = members[PROTO_M_IDENTITY_SAID_ENTRY].present
                    ? (uint32_t)members[PROTO_M_IDENTITY_SAID_ENTRY].uint
                    : 0,
        .ids = {text_of(&members[PROTO_M_IDENTITY_SAID_ACCOUNT]),
                text_of(&members[PROTO_M_IDENTITY_SAID_OTHER])},
        .author = author,
        .reason = text_of(&members[PROTO_M_IDENTITY_SAID_REASON]),
    };
    if (entry.act == IDENTITY_NO_ACT) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "act",
                               "'%.*s' is none of link, merge, split, pin, never and undo",
                               (int)word.bytes, (const char *)word.data);
    }
    return engine_ingest_identity(ingest, &entry, fault);
}

static bool entries_add(struct rpc_call *call, struct engine_ingest *ingest,
                        const struct engine_write *write, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_IDENTITY_ENTRIES].value, &local);
    reader.checked = true; /* with the request */
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        if (!entry_add(ingest, proto_read_any(&reader), proto_span_text(write->operation.author),
                       fault)) {
            return proto_fault_within(fault, "entries[%zu]", i);
        }
    }
    return true;
}

static void identity_reply(struct proto_writer *out, const struct proto_op_info *op,
                           const struct engine_written *written)
{
    proto_write_map(out, 3U + written->repeated);
    rpc_put_uint(out, op, PROTO_A_IDENTITY_COUNT, written->count);
    rpc_put_uint(out, op, PROTO_A_IDENTITY_LAST, written->version);
    rpc_put_uint(out, op, PROTO_A_IDENTITY_SEQ, written->seq);
    rpc_put_repeated(out, op, PROTO_A_IDENTITY_REPEATED, written->repeated);
}

enum rpc_outcome rpc_on_IDENTITY(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_write write = {.operation = rpc_operation(call, PROTO_Q_IDENTITY_OPERATION)};
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (ingest == NULL) {
        return RPC_FAILED;
    }
    if (!entries_add(call, ingest, &write, fault) ||
        !rpc_write_begin(call, PROTO_Q_IDENTITY_OPERATION, identity_reply, &write, fault)) {
        engine_ingest_drop(ingest);
        return RPC_FAILED;
    }
    return rpc_write_end(
        &write, engine_ingest_commit(ingest, call->worker->rpc->options.engine, &write, fault));
}

static void entry_write(struct proto_writer *out, const struct engine_entry *entry)
{
    static const char *const states[] = {[ENGINE_ENTRY_STANDS] = "stands",
                                         [ENGINE_ENTRY_IDLE] = "idle",
                                         [ENGINE_ENTRY_TAKEN] = "taken",
                                         [ENGINE_ENTRY_GONE] = "gone"};
    const struct identity_entry *said = &entry->said;
    const char *word = said->act == IDENTITY_NO_ACT ? "" : identity_act_word(said->act);
    proto_write_map(out, 8U + (said->what != 0) + (said->taken_by != 0));
    rpc_member_uint(out, RPC_MEMBER(IDENTITY_ENTRY, ENTRY), entry->number);
    rpc_member_text(out, RPC_MEMBER(IDENTITY_ENTRY, ACT), word);
    rpc_member_str(out, RPC_MEMBER(IDENTITY_ENTRY, ACCOUNT), said->ids[0]);
    rpc_member_str(out, RPC_MEMBER(IDENTITY_ENTRY, OTHER), said->ids[1]);
    rpc_member_text(out, RPC_MEMBER(IDENTITY_ENTRY, STATE), states[entry->state]);
    if (said->what != 0) {
        rpc_member_uint(out, RPC_MEMBER(IDENTITY_ENTRY, WHAT), said->what);
    }
    if (said->taken_by != 0) {
        rpc_member_uint(out, RPC_MEMBER(IDENTITY_ENTRY, TAKEN), said->taken_by);
    }
    rpc_member_str(out, RPC_MEMBER(IDENTITY_ENTRY, BY), said->author);
    rpc_member_int(out, RPC_MEMBER(IDENTITY_ENTRY, TIME), entry->time_ms);
    rpc_member_str(out, RPC_MEMBER(IDENTITY_ENTRY, REASON), said->reason);
}

/* What is asked for: the numbers of the entries of a page, newest first. */
struct page {
    uint32_t *numbers;
    size_t count;
    size_t total;
    uint32_t next; /* 0: there are no more */
};

static void page_cut(struct page *page, const uint32_t *all, size_t count, uint64_t before,
                     size_t limit)
{
    for (size_t i = 0; i < count && page->next == 0; i++) {
        if (all[i] >= before) {
            continue;
        }
        if (page->count == limit) {
            page->next = page->numbers[page->count - 1];
            break;
        }
        page->numbers[page->count++] = all[i];
    }
}

static bool page_find(struct rpc_call *call, const uint32_t *slot, struct page *page,
                      struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct base_arena *arena = &call->worker->arena;
    size_t limit = (size_t)rpc_arg_uint(call, PROTO_Q_IDENTITY_LIST_LIMIT);
    uint64_t before = call->args[PROTO_Q_IDENTITY_LIST_BEFORE].present
                          ? call->args[PROTO_Q_IDENTITY_LIST_BEFORE].uint
                          : UINT64_MAX;
    page->numbers = base_arena_array(arena, limit, sizeof *page->numbers);
    uint32_t *all = slot == NULL ? NULL : base_arena_array(arena, ENTRIES_OF_MOST, sizeof *all);
    if (page->numbers == NULL || (slot != NULL && all == NULL)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "limit", "no memory for so many entries");
    }
    if (slot != NULL) {
        if (!engine_entries_of(engine, *slot, all, ENTRIES_OF_MOST, &page->total, fault)) {
            return false;
        }
        page_cut(page, all, page->total, before, limit);
        return true;
    }
    uint32_t last = engine_entries(engine);
    page->total = last;
    uint32_t from = before <= last ? (uint32_t)before - 1 : last;
    for (; from > 0 && page->count < limit; from--) {
        page->numbers[page->count++] = from;
    }
    page->next = from > 0 ? from + 1 : 0;
    return true;
}

static bool source_write(struct rpc_call *call, uint32_t slot, struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    struct feature_record record;
    struct proto_span key;
    uint32_t newest;
    bool names = rpc_names_wanted(call, PROTO_Q_IDENTITY_LIST_NAMES);
    size_t at = 0;
    if (!engine_source_record(call->worker->engine, slot, &record, &newest, fault)) {
        return false;
    }
    proto_write_map(out, 2U + names);
    rpc_member_str(out, RPC_MEMBER(IDENTITY_SOURCE, ID), record.id);
    if (names) {
        rpc_member_str(out, RPC_MEMBER(IDENTITY_SOURCE, NAME), rpc_display_name(call, &record));
    }
    rpc_member(out, RPC_MEMBER(IDENTITY_SOURCE, KEYS));
    proto_write_array(out, record.key_count);
    while (feature_record_key_next(&record, &at, &key)) {
        proto_write_str(out, key);
    }
    return true;
}

static bool sources_write(struct rpc_call *call, uint32_t slot, struct proto_fault *fault)
{
    uint32_t slots[PROTO_IDENTITY_SOURCES_MAX];
    uint32_t count = 0;
    if (!engine_sources(call->worker->engine, slot, slots, &count, fault)) {
        return false;
    }
    if (count == 0) {
        slots[count++] = slot;
    }
    rpc_key(call->out, call->op, PROTO_A_IDENTITY_LIST_SOURCES);
    proto_write_array(call->out, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!source_write(call, slots[i], fault)) {
            return false;
        }
    }
    return true;
}

static bool page_write(struct rpc_call *call, const uint32_t *slot, const struct page *page,
                       struct proto_fault *fault)
{
    struct engine_worker *engine = call->worker->engine;
    struct proto_writer *out = call->out;
    proto_write_map(out, 5U + (slot != NULL) + (page->next != 0));
    rpc_key(out, call->op, PROTO_A_IDENTITY_LIST_ENTRIES);
    proto_write_array(out, page->count);
    for (size_t i = 0; i < page->count; i++) {
        struct engine_entry entry;
        if (!engine_entry(engine, page->numbers[i], &entry, fault)) {
            return false;
        }
        entry_write(out, &entry);
    }
    if (slot != NULL && !sources_write(call, *slot, fault)) {
        return false;
    }
    rpc_put_uint(out, call->op, PROTO_A_IDENTITY_LIST_COUNT, page->total);
    rpc_put_uint(out, call->op, PROTO_A_IDENTITY_LIST_RECORDS, engine_records(engine));
    rpc_put_uint(out, call->op, PROTO_A_IDENTITY_LIST_LINKED, engine_records_linked(engine));
    if (page->next != 0) {
        rpc_put_uint(out, call->op, PROTO_A_IDENTITY_LIST_NEXT, page->next);
    }
    rpc_put_uint(out, call->op, PROTO_A_IDENTITY_LIST_SEQ, engine_worker_seq(engine));
    return true;
}

enum rpc_outcome rpc_on_IDENTITY_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct page page = {.count = 0};
    struct engine_name name = {.id = rpc_arg_text(call, PROTO_Q_IDENTITY_LIST_ID),
                               .key = rpc_arg_text(call, PROTO_Q_IDENTITY_LIST_KEY)};
    struct proto_fault local = {.code = PROTO_OK};
    bool one = name.id.bytes + name.key.bytes > 0;
    uint32_t slot = one ? engine_find(call->worker->engine, &name, &local) : ENGINE_NO_SLOT;
    if (one && slot == ENGINE_NO_SLOT) {
        if (local.code == PROTO_OK) {
            proto_fault_set(&local, PROTO_NOT_FOUND, "", "no account has this id or key");
        }
        *fault = local;
        return RPC_FAILED;
    }
    return page_find(call, one ? &slot : NULL, &page, fault) &&
                   page_write(call, one ? &slot : NULL, &page, fault)
               ? RPC_DONE
               : RPC_FAILED;
}
