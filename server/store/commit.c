/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/store/store_parts.h"

enum { ROWS_BUDGET_NS = 1000000 }; /* of encoding within a commit, while there are rows to encode */

static void fail_all(struct store_ticket *list, const struct proto_fault *fault)
{
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        if (ticket->refused)
            continue;
        ticket->result = (struct store_result){.fault = *fault};
    }
}

static bool log_append(struct disk_txn *txn, const struct store_ticket *ticket, int64_t now_ms,
                       struct proto_fault *fault)
{
    struct disk_sealed sealed = {.time_ms = now_ms,
                                 .a = ticket->batch->commands,
                                 .text = {ticket->batch->data, ticket->batch->bytes}};
    uint64_t seq = ++txn->state.seq;
    size_t bytes = disk_seal_bytes(&sealed);
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_LOG, seq, bytes, DISK_PUT_LAST, fault);
    if (at == NULL)
        return false;
    uint64_t check = disk_seal(DISK_TABLE_LOG, seq, &sealed, at);
    disk_sum_change(&txn->state, DISK_TABLE_LOG, false, 0, true, check);
    txn->state.log_bytes += bytes;
    return true;
}

/* Drops the oldest entries. The newest is kept whatever its size. An entry that is missing is
 * damage of the audit trail alone: it must not stop the writing, the scrub will tell. */
static bool log_trim(struct disk_txn *txn, size_t bytes_max, struct proto_fault *fault)
{
    struct disk_state *state = &txn->state;
    while (state->log_bytes > bytes_max && state->log_first < state->seq) {
        struct proto_span value = {0};
        enum disk_got got = disk_txn_get(txn, DISK_TABLE_LOG, state->log_first, &value, fault);
        if (got == DISK_GOT_FAULT)
            return false;
        if (got == DISK_GOT_ONE && value.bytes >= DISK_SEAL_BYTES) {
            size_t bytes = value.bytes < state->log_bytes ? value.bytes : state->log_bytes;
            uint64_t check = disk_get_u64(value.data);
            if (!disk_txn_delete(txn, DISK_TABLE_LOG, state->log_first, fault))
                return false;
            state->log_bytes -= bytes;
            disk_sum_change(state, DISK_TABLE_LOG, true, check, false, 0);
        }
        state->log_first++;
    }
    return true;
}

/* Remembers what on_change has to be told after the commit. */
static bool changes_add(struct store *store, const struct store_plan *plan,
                        struct proto_fault *fault)
{
    size_t need = store->writer.change_count + plan->document_count;
    if (need > store->writer.change_room) {
        struct store_change *changes = realloc(store->writer.changes, need * 2 * sizeof *changes);
        if (changes == NULL)
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu documents", need);
        store->writer.changes = changes;
        store->writer.change_room = need * 2;
    }
    for (size_t i = 0; i < plan->document_count; i++) {
        const struct store_plan_document *document = &plan->documents[i];
        struct store_change *change = &store->writer.changes[store->writer.change_count++];
        (void)store_document_change(document->kind, document->number, &document->sealed, change);
        change->slots = document->slots;
    }
    return true;
}

/* Remembers what on_commit has to be told. */
static bool touched_add(struct store *store, const struct store_plan *plan,
                        struct proto_fault *fault)
{
    size_t need = store->writer.touched_count + plan->account_count;
    if (store->options.on_commit == NULL && !store->writer.vectors.keeping)
        return true;
    if (need > store->writer.touched_room) {
        uint32_t *touched = realloc(store->writer.touched, need * 2 * sizeof *touched);
        if (touched == NULL)
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu slots", need);
        store->writer.touched = touched;
        store->writer.touched_room = need * 2;
    }
    for (size_t i = 0; i < plan->account_count; i++) {
        if (plan->accounts[i].changed)
            store->writer.touched[store->writer.touched_count++] = plan->accounts[i].slot;
    }
    return true;
}

/* Version that a batch stored or made active, for its result. */
static void result_versions(const struct store_plan *plan, struct store_result *result)
{
    result->version = plan->next.active;
    result->previous = plan->next.previous;
    for (size_t i = 0; i < plan->document_count; i++) {
        if (plan->documents[i].kind != STORE_DOCUMENT_SWITCH)
            result->version = plan->documents[i].number;
    }
}

/* A batch that need not be planned: its time is over, or its operation was applied before, by a
 * batch of this very commit perhaps, whose fate it then shares. */
static bool answer_early(struct store *store, struct store_ticket *ticket, int64_t now_ms)
{
    const struct store_batch *batch = ticket->batch;
    struct store_result *result = &ticket->result;
    bool late = batch->deadline_ms != 0 && now_ms >= batch->deadline_ms;
    if (late)
        proto_fault_set(&result->fault, PROTO_DEADLINE, "deadline_ms",
                        "the write waited for its turn until its time was over");
    if (!late && !store_operations_answer(&store->operations, batch, result))
        return false;
    ticket->repeated = result->repeated;
    ticket->refused = !result->repeated;
    store->writer.own.refused += ticket->refused;
    return true;
}

/* Plans and applies one batch. False: the transaction is lost. A refusal is not a failure. */
static bool batch_commit(struct store *store, struct disk_txn *txn, struct store_ticket *ticket,
                         int64_t now_ms, struct proto_fault *fault)
{
    struct store_plan *plan = &store->writer.plan;
    struct store_result *result = &ticket->result;
    struct proto_span commands = {ticket->batch->data, ticket->batch->bytes};
    *result = (struct store_result){.fault.code = PROTO_OK};
    if (answer_early(store, ticket, now_ms))
        return true;
    if (!store_plan_batch(plan, txn, commands, now_ms, &result->fault) ||
        !store_operations_reserve(&store->operations, &result->fault)) {
        ticket->refused = true;
        store->writer.own.refused++;
        if (result->fault.code == PROTO_CORRUPT)
            store_damage(store, &result->fault);
        return true;
    }
    result->count = plan->count;
    result->created = plan->created;
    result_versions(plan, result);
    if (!store_apply(txn, plan, &store->writer.rows, &store->writer.bucket_room,
                     &store->writer.edits, fault) ||
        !changes_add(store, plan, fault) || !touched_add(store, plan, fault) ||
        !log_append(txn, ticket, now_ms, fault))
        return false;
    result->seq = txn->state.seq;
    if (plan->operation.bytes > 0)
        store_operations_add(&store->operations, plan->operation, plan->operation_digest, now_ms,
                             result);
    return true;
}

static void tell_commit(struct store *store, enum store_commit_phase phase, uint64_t number)
{
    if (store->options.on_commit == NULL)
        return;
    struct store_commit commit = {phase, number, store->writer.state.seq, store->writer.touched,
                                  store->writer.touched_count};
    store->options.on_commit(store->options.commit_context, &commit);
}

bool store_commit_txn(struct store *store, struct disk_txn *txn, struct proto_fault *fault)
{
    uint64_t begun = store_clock_ns();
    uint64_t number = disk_txn_number(txn);
    tell_commit(store, STORE_COMMIT_BEGIN, number);
    atomic_store(&store->committing, number);
    if (!disk_txn_commit(txn, fault)) {
        tell_commit(store, STORE_COMMIT_FAILED, number);
        store->writer.touched_count = 0;
        return false;
    }
    store->writer.state = txn->state;
    if (!store_index_change(&store->index, store->writer.edits.list, store->writer.edits.count,
                            number))
        base_log(store->options.log, BASE_LOG_ERROR, "store",
                 "no memory for the index of ids: look-ups go through the file", BASE_NO_FIELDS);
    store->writer.edits.count = 0;
    atomic_store(&store->committed, number);
    tell_commit(store, STORE_COMMIT_DONE, number);
    store->writer.touched_count = 0;
    uint64_t spent = store_clock_ns() - begun;
    store->writer.own.commits++;
    store->writer.own.commit_ns_last = spent;
    store->writer.own.commit_ns_sum += spent;
    if (spent > store->writer.own.commit_ns_max)
        store->writer.own.commit_ns_max = spent;
    return true;
}

static bool list_apply(struct store *store, struct disk_txn *txn, struct store_ticket *list,
                       size_t *accepted, struct proto_fault *fault)
{
    int64_t now_ms = store->options.now_ms(store->options.now_context);
    *accepted = 0;
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        int64_t time_ms = ticket->batch->timed ? ticket->batch->time_ms : now_ms;
        if (!batch_commit(store, txn, ticket, time_ms, fault))
            return false;
        *accepted += !ticket->refused && !ticket->repeated;
    }
    return *accepted == 0 ||
           (store_operations_write(&store->operations, txn, txn->state.seq, now_ms, fault) &&
            store_vectors_touch(store, txn, fault) &&
            log_trim(txn, store->options.log_bytes_max, fault) &&
            store_rows_advance(store, txn, ROWS_BUDGET_NS, false, fault));
}

static void count_accepted(struct store *store, const struct store_ticket *list)
{
    for (const struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        if (ticket->refused || ticket->repeated)
            continue;
        store->writer.own.batches++;
        store->writer.own.commands += ticket->batch->commands;
    }
}

static bool list_commit(struct store *store, struct store_ticket *list, struct proto_fault *fault)
{
    struct disk_txn txn;
    size_t accepted;
    store->writer.edits.count = 0;
    store->writer.change_count = 0;
    store->writer.touched_count = 0;
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next)
        ticket->refused = ticket->repeated = false;
    if (!disk_txn_write(&txn, &store->env, fault))
        return false;
    store->writer.rows.txn = &txn;
    store->writer.rows.loaded = false;
    if (!list_apply(store, &txn, list, &accepted, fault)) {
        disk_txn_abort(&txn);
        return false;
    }
    if (accepted == 0) {
        disk_txn_abort(&txn);
        return true;
    }
    if (!store_commit_txn(store, &txn, fault))
        return false;
    store_operations_written(&store->operations, store->writer.state.seq);
    count_accepted(store, list);
    for (size_t i = 0; i < store->writer.change_count; i++)
        store->options.on_change(store->options.change_context, &store->writer.changes[i]);
    return true;
}

void store_commit(struct store *store, struct store_ticket *list)
{
    struct proto_fault fault = {.code = PROTO_OK};
    bool good = list_commit(store, list, &fault);
    store->writer.edits.count = 0; /* of a failed commit: they did not happen */
    store->writer.touched_count = 0;
    if (good)
        return;
    store_operations_take_back(&store->operations, store->writer.state.seq);
    base_log(store->options.log, BASE_LOG_ERROR, "store", "a commit failed",
             BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    if (fault.code != PROTO_CORRUPT || list->next == NULL) {
        if (fault.code == PROTO_CORRUPT)
            store_damage(store, &fault);
        fail_all(list, &fault);
        return;
    }
    /* One batch touches what is damaged: the others must not suffer for it. */
    for (struct store_ticket *ticket = list; ticket != NULL;) {
        struct store_ticket *next = ticket->next;
        ticket->next = NULL;
        store_commit(store, ticket);
        ticket->next = next;
        ticket = next;
    }
}
