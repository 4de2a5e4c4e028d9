/* SPDX-License-Identifier: Apache-2.0 */
/* A group of batches: each is planned against what is there, the overlay and the group's own
 * changes included, and linked into the overlay under the sequence that it will have; then all are
 * appended to the log at once, and what readers look at moves on. A batch that is refused leaves
 * nothing behind. If memory is short or the log takes nothing, every link of the group is taken
 * back and every batch of it hears why. */
#include <assert.h>
#include <stdlib.h>

#include "server/store/store_parts.h"

static void fail_all(struct store_ticket *list, const struct proto_fault *fault)
{
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        if (!ticket->refused || ticket->batch->shared_seq != 0) {
            ticket->result = (struct store_result){.fault = *fault};
        }
    }
}

/* Who is an account has changed among those of lists: each list is told again, with the slots that
 * its ids have now. One that is damaged was told so before, and stays. */
static bool lists_tell(struct store *store, struct store_plan *plan, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_sight sight = {
        .base = &writer->base, .newest = writer->active, .seq = UINT64_MAX, .state = &plan->next};
    for (uint32_t number = 1; plan->relist && number <= plan->next.tals; number++) {
        struct store_change *change = &writer->changes[writer->change_count];
        struct proto_fault found = {.code = PROTO_OK};
        uint8_t *slots = NULL;
        bool good = store_document_read(&sight, STORE_DOCUMENT_TAL, number, change, &found) &&
                    !change->given_up &&
                    store_tal_resolve(&sight, &store->hasher, change, &slots, &found);
        if (slots != NULL && !store_plan_hold(plan, slots, fault)) {
            return false;
        }
        if (!good && found.code != PROTO_OK && found.code != PROTO_CORRUPT) {
            *fault = found;
            return false;
        }
        if (good) {
            store_reuse_list(&writer->reuse, change);
            writer->change_count++;
        }
    }
    return true;
}

/* Remembers what on_change has to be told after the commit: the documents as they now lie in the
 * overlay, which outlives the telling. */
static bool changes_add(struct store *store, struct store_plan *plan, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    size_t lists = plan->relist ? plan->next.tals : 0;
    size_t need = writer->change_count + plan->document_count + lists;
    if (need > writer->change_room) {
        struct store_change *changes = realloc(writer->changes, need * 2 * sizeof *changes);
        if (changes == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu documents", need);
        }
        writer->changes = changes;
        writer->change_room = need * 2;
    }
    for (size_t i = 0; i < plan->document_count; i++) {
        const struct store_plan_document *document = &plan->documents[i];
        enum disk_table table = store_document_info(document->kind)->table;
        const struct store_paper *paper =
            store_generation_paper(writer->active, table, document->number, writer->next.seq + 1);
        struct disk_sealed sealed = document->sealed;
        sealed.text.data = paper->value.data + DISK_SEAL_BYTES;
        struct store_change *change = &writer->changes[writer->change_count++];
        (void)store_document_change(document->kind, document->number, &sealed, change);
        change->slots = document->slots;
    }
    return lists_tell(store, plan, fault);
}

/* Remembers what on_commit has to be told. */
static bool touched_add(struct store *store, const struct store_plan *plan,
                        struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    size_t need = writer->touched_count + plan->account_count;
    if (store->options.on_commit == NULL) {
        return true;
    }
    if (need > writer->touched_room) {
        uint32_t *touched = realloc(writer->touched, need * 2 * sizeof *touched);
        if (touched == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu slots", need);
        }
        writer->touched = touched;
        writer->touched_room = need * 2;
    }
    for (size_t i = 0; i < plan->account_count; i++) {
        if (plan->accounts[i].changed) {
            writer->touched[writer->touched_count++] = plan->accounts[i].slot;
        }
    }
    return true;
}

static bool entry_add(struct store_writer *writer, const struct store_batch *batch, int64_t now_ms,
                      struct proto_fault *fault)
{
    if (writer->entry_count == writer->entry_room) {
        size_t room = writer->entry_room == 0 ? 64 : writer->entry_room * 2;
        struct log_entry *entries = realloc(writer->entries, room * sizeof *entries);
        if (entries == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu batches", room);
        }
        writer->entries = entries;
        writer->entry_room = room;
    }
    writer->entries[writer->entry_count++] = (struct log_entry){
        .time_ms = now_ms, .commands = batch->commands, .payload = {batch->data, batch->bytes}};
    return true;
}

/* Version that a batch stored or made active, for its result. */
static void result_versions(const struct store_plan *plan, struct store_result *result)
{
    result->version = plan->next.active;
    result->previous = plan->next.previous;
    for (size_t i = 0; i < plan->document_count; i++) {
        if (plan->documents[i].kind != STORE_DOCUMENT_SWITCH) {
            result->version = plan->documents[i].number;
        }
    }
}

/* The index of ids, if it equals what is committed. */
static const struct store_index_table *index_exact(const struct store *store)
{
    const struct store_index *index = &store->index;
    return atomic_load_explicit(&index->stable, memory_order_relaxed) == store->writer.state.seq
               ? atomic_load_explicit(&index->table, memory_order_relaxed)
               : NULL;
}

/* Works out one batch over all that was accepted so far; `again`: it is one of the log. */
static bool batch_plan(struct store *store, struct proto_span commands, int64_t now_ms, bool again,
                       struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_sight sight = {.base = &writer->base,
                                .newest = writer->active,
                                .seq = UINT64_MAX,
                                .state = &writer->next,
                                .index = index_exact(store)};
    writer->plan.reuse = again ? NULL : &writer->reuse;
    store_reuse_plan(&writer->reuse);
    return store_plan_batch(&writer->plan, &sight, &writer->next, commands, now_ms, fault);
}

/* Links the plan under the next sequence. */
static bool plan_link(struct store *store, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_apply apply = {.generation = writer->active,
                                .rows = &writer->rows,
                                .stamps = &store->stamps,
                                .tolds = &store->tolds,
                                .links = &writer->links,
                                .edits = &writer->edits,
                                .seq = writer->next.seq + 1};
    return store_apply(&apply, &writer->plan, fault);
}

/* Slots that the plan took, slots that it leaves free, lists that it adds. */
static void slots_accept(struct store_writer *writer, uint64_t seq)
{
    const struct store_plan *plan = &writer->plan;
    store_reuse_accept(&writer->reuse, plan->again_count);
    for (size_t i = 0; plan->reuse != NULL && i < plan->account_count; i++) {
        if (plan->accounts[i].changed && plan->accounts[i].record.bytes == 0) {
            store_reuse_free(&writer->reuse, plan->accounts[i].slot, seq);
        }
    }
    for (size_t i = 0; i < plan->document_count; i++) {
        struct store_change list = {.kind = plan->documents[i].kind,
                                    .time_ms = plan->documents[i].sealed.time_ms,
                                    .slots = plan->documents[i].slots};
        store_reuse_list(&writer->reuse, &list);
    }
}

static void plan_accept(struct store_writer *writer)
{
    uint64_t seq = writer->next.seq + 1;
    writer->next = writer->plan.next;
    writer->next.seq = seq;
    slots_accept(writer, seq);
}

/* Writes the slots of deleted accounts that the plan gives behind its commands. */
static bool slots_say(struct store_writer *writer, struct store_batch *batch,
                      struct proto_fault *fault)
{
    size_t count = writer->plan.again_count;
    struct proto_span slots = {(const uint8_t *)writer->plan.again, count * sizeof(uint32_t)};
    if (count > 0 && !store_batch_slots(batch, slots, fault)) {
        return false;
    }
    writer->slots_said += count > 0;
    return true;
}

/* A batch that need not be planned: its time is over, or its operation was applied before, by a
 * batch of this very group perhaps, whose fate it then shares. */
static bool answer_early(struct store *store, struct store_ticket *ticket, int64_t now_ms)
{
    const struct store_batch *batch = ticket->batch;
    struct store_result *result = &ticket->result;
    bool late = batch->deadline_ms != 0 && now_ms >= batch->deadline_ms;
    if (late) {
        proto_fault_set(&result->fault, PROTO_DEADLINE, "deadline_ms",
                        "the write waited for its turn until its time was over");
    }
    if (!late && !store_operations_answer(&store->operations, batch, now_ms, result)) {
        return false;
    }
    ticket->repeated = result->repeated;
    ticket->refused = !result->repeated;
    store->writer.own.refused += ticket->refused;
    return true;
}

/* What came of the operation, if the batch that was just accepted has an id. */
static void operation_add(struct store *store, int64_t now_ms, const struct store_result *result)
{
    const struct store_plan *plan = &store->writer.plan;
    if (plan->operation.bytes > 0) {
        store_operations_add(&store->operations, plan->operation, plan->operation_digest, now_ms,
                             result);
    }
}

/* What was planned is linked and told of, and goes into the log. */
static bool plan_take(struct store *store, const struct store_batch *batch, int64_t now_ms,
                      struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    return plan_link(store, fault) && changes_add(store, &writer->plan, fault) &&
           touched_add(store, &writer->plan, fault) && entry_add(writer, batch, now_ms, fault);
}

/* An entry of a shared log was refused or repeated: its position alone goes into the log. Unless
 * what refused it is this store's own matter: then it has to come again. False: the group is lost.
 */
static bool entry_pass(struct store *store, struct store_ticket *ticket, int64_t now_ms,
                       struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_batch *batch = ticket->batch;
    if (batch->shared_seq == 0 || !store_position_settles(ticket->result.fault.code)) {
        return true;
    }
    store_position_leave(batch);
    store_position_say(batch, &writer->next, &ticket->result, &writer->plan.next);
    if (!batch_plan(store, store_batch_payload(batch), now_ms, true, fault) ||
        !plan_take(store, batch, now_ms, fault)) {
        return false;
    }
    plan_accept(writer);
    ticket->result.settled = true;
    return true;
}

/* Whether the entry is the next; one that is not is refused, whatever it says. So is what is no
 * entry, once the store follows a shared log. */
static bool entry_turn(struct store *store, struct store_ticket *ticket)
{
    const struct store_writer *writer = &store->writer;
    const struct store_batch *batch = ticket->batch;
    uint64_t seq = batch->shared_seq;
    uint64_t next = writer->next.seq + 1;
    bool follows = (writer->next.chain_low | writer->next.chain_high) != 0;
    bool asks = batch->operation_bytes > 0 && batch->commands == 1;
    if (seq == next || (seq == 0 && (batch->timed || asks || !follows))) {
        return true;
    }
    ticket->refused = true;
    if (seq == 0) {
        return proto_fault_set(&ticket->result.fault, PROTO_CONFLICT, "log",
                               "the store follows a shared log, and takes what stands there alone");
    }
    return proto_fault_set(&ticket->result.fault, PROTO_BUSY, "log",
                           "entry %llu of the shared log came, and %llu is the next",
                           (unsigned long long)seq, (unsigned long long)next);
}

/* Plans and links one batch. False: the group is lost. A refusal is not a failure. */
static bool batch_commit(struct store *store, struct store_ticket *ticket, int64_t now_ms,
                         struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_result *result = &ticket->result;
    *result = (struct store_result){.fault.code = PROTO_OK};
    if (!entry_turn(store, ticket)) {
        return true;
    }
    if (answer_early(store, ticket, now_ms)) {
        return entry_pass(store, ticket, now_ms, fault);
    }
    writer->plan.reuse_most =
        store_batch_slots_room(ticket->batch, store_reuse_waiting(&writer->reuse));
    struct proto_span commands = {ticket->batch->data, ticket->batch->bytes};
    if (!batch_plan(store, commands, now_ms, ticket->batch->timed, &result->fault) ||
        !store_operations_reserve(&store->operations, &result->fault) ||
        !slots_say(writer, ticket->batch, &result->fault)) {
        ticket->refused = true;
        writer->own.refused++;
        if (result->fault.code == PROTO_CORRUPT) {
            store_damage(store, &result->fault);
        }
        return entry_pass(store, ticket, now_ms, fault);
    }
    result->count = writer->plan.count;
    result->created = writer->plan.created;
    result_versions(&writer->plan, result);
    if (ticket->batch->shared_seq != 0) {
        store_position_say(ticket->batch, &writer->next, result, &writer->plan.next);
        result->settled = true;
    }
    if (!plan_take(store, ticket->batch, now_ms, fault)) {
        return false;
    }
    plan_accept(writer);
    result->seq = writer->next.seq;
    operation_add(store, now_ms, result);
    return true;
}

static void tell_commit(struct store *store, enum store_commit_phase phase, uint64_t seq)
{
    if (store->options.on_commit == NULL) {
        return;
    }
    struct store_commit commit = {phase, seq, store->writer.touched, store->writer.touched_count};
    store->options.on_commit(store->options.commit_context, &commit);
}

void store_commit_nothing(struct store *store)
{
    store->writer.touched_count = 0;
    tell_commit(store, STORE_COMMIT_BEGIN, store->writer.state.seq);
    tell_commit(store, STORE_COMMIT_DONE, store->writer.state.seq);
}

/* What was committed is there for everybody. */
static void group_publish(struct store *store)
{
    struct store_writer *writer = &store->writer;
    writer->committed_ns = store_clock_ns();
    if (writer->active->begin == writer->state.seq) {
        writer->begun_ns = writer->committed_ns;
    }
    writer->state = writer->next;
    writer->time_ms = writer->entries[writer->entry_count - 1].time_ms;
    store_operations_expire(&store->operations, writer->time_ms);
    writer->links.count = 0;
    if (!writer->filling && !store_index_change(&store->index, writer->edits.list,
                                                writer->edits.count, writer->state.seq)) {
        base_log(store->options.log, BASE_LOG_ERROR, "store",
                 "no memory for the index of ids: look-ups go through the file", BASE_NO_FIELDS);
    }
    store_moment_set(&store->moments, &writer->state, writer->active);
    atomic_fetch_add(&store->turn, 1);
}

static bool group_append(struct store *store, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct store_stats *own = &writer->own;
    uint64_t begun = store_clock_ns();
    tell_commit(store, STORE_COMMIT_BEGIN, writer->next.seq);
    if (!log_append(store->log, writer->entries, writer->entry_count, fault)) {
        /* What failed may be found by the next start, and nothing can be said of it before that. */
        if (log_failed(store->log) && store->options.on_lost != NULL) {
            store->options.on_lost(store->options.lost_context, fault);
        }
        tell_commit(store, STORE_COMMIT_FAILED, writer->next.seq);
        return false;
    }
    assert(writer->entries[0].sequence == writer->state.seq + 1);
    group_publish(store);
    tell_commit(store, STORE_COMMIT_DONE, writer->state.seq);
    uint64_t spent = store_clock_ns() - begun;
    own->commits++;
    own->commit_ns_last = spent;
    own->commit_ns_sum += spent;
    if (spent > own->commit_ns_max) {
        own->commit_ns_max = spent;
    }
    return true;
}

static void group_begin(struct store_writer *writer)
{
    writer->next = writer->state;
    writer->edits.count = 0;
    writer->entry_count = 0;
    writer->change_count = 0;
    writer->touched_count = 0;
    writer->slots_said = 0;
}

static bool group_commit(struct store *store, struct store_ticket *list, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    int64_t now_ms = store->options.now_ms(store->options.now_context);
    group_begin(writer);
    store_reuse_begin(&writer->reuse, store_views_seen(store));
    store_plan_turn(&writer->plan);
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        ticket->refused = ticket->repeated = false;
    }
    for (struct store_ticket *ticket = list; ticket != NULL; ticket = ticket->next) {
        int64_t time_ms = ticket->batch->timed ? ticket->batch->time_ms : now_ms;
        if (!batch_commit(store, ticket, time_ms, fault)) {
            return false;
        }
    }
    if (writer->entry_count == 0) {
        return true;
    }
    if (!group_append(store, fault)) {
        return false;
    }
    for (size_t i = 0; i < writer->entry_count; i++) {
        writer->own.commands += writer->entries[i].commands;
    }
    writer->own.commands -= writer->slots_said;
    writer->own.batches += writer->entry_count;
    for (size_t i = 0; i < writer->change_count; i++) {
        store->options.on_change(store->options.change_context, &writer->changes[i]);
    }
    return true;
}

bool store_slice_slots(struct store *store)
{
    struct store_writer *writer = &store->writer;
    struct store_sight sight = {.base = &writer->base,
                                .newest = writer->active,
                                .seq = UINT64_MAX,
                                .state = &writer->state};
    return store_reuse_walk(&writer->reuse, &sight);
}

void store_commit(struct store *store, struct store_ticket *list)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault fault = {.code = PROTO_OK};
    if (group_commit(store, list, &fault)) {
        return;
    }
    store_overlay_undo(writer->active, &writer->links);
    store_reuse_undo(&writer->reuse);
    store_operations_take_back(&store->operations, writer->state.seq);
    group_begin(writer);
    base_log(store->options.log, BASE_LOG_ERROR, "store", "a commit failed",
             BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    fail_all(list, &fault);
}

bool store_replay(struct store *store, const struct log_entry *entry, struct proto_fault *fault)
{
    struct store_writer *writer = &store->writer;
    struct proto_fault refused = {.code = PROTO_OK};
    if (entry->sequence != writer->state.seq + 1) {
        return proto_fault_set(
            fault, PROTO_CORRUPT, "log", "entry %llu of the log follows entry %llu",
            (unsigned long long)entry->sequence, (unsigned long long)writer->state.seq);
    }
    group_begin(writer);
    /* It was accepted once over the same state: it cannot be refused now. */
    if (!batch_plan(store, entry->payload, entry->time_ms, true, &refused)) {
        if (refused.code == PROTO_NO_MEMORY) {
            *fault = refused;
            return false;
        }
        if (store->tuning.on_refused != NULL) {
            store->tuning.on_refused(store->tuning.refused_context, entry, &refused);
            writer->next.seq = entry->sequence;
            writer->state = writer->next;
            store_moment_set(&store->moments, &writer->state, writer->active);
            return true;
        }
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %llu of the log does not fit what is stored: %s",
                               (unsigned long long)entry->sequence, refused.message);
    }
    if (!plan_link(store, fault) || !store_operations_reserve(&store->operations, fault)) {
        return false;
    }
    struct store_result result = {
        .seq = entry->sequence, .count = writer->plan.count, .created = writer->plan.created};
    result_versions(&writer->plan, &result);
    operation_add(store, entry->time_ms, &result);
    plan_accept(writer);
    writer->time_ms = entry->time_ms;
    store_operations_expire(&store->operations, entry->time_ms);
    writer->state = writer->next;
    writer->links.count = 0;
    store_moment_set(&store->moments, &writer->state, writer->active);
    return true;
}
