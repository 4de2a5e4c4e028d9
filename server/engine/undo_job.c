/* SPDX-License-Identifier: Apache-2.0 */
/* The log is read for the batches of the import, then each that was not taken back yet, the newest
 * first, becomes a batch that takes it back: counted against what the view shows, applied by the
 * writer to what is there then. At the end the import is noted as taken back, with the operation's
 * id. The store can refuse for a full disk or be stopped: what was taken back stays so. */
#include "server/engine/undo_job.h"

#include <stdio.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/engine/imports.h"
#include "server/engine/ingest.h"
#include "server/engine/job.h"
#include "server/engine/sources.h"
#include "server/engine/submit.h"
#include "server/engine/undo_known.h"
#include "server/engine/worker.h"
#include "server/store/command.h"
#include "server/store/dump.h"
#include "server/store/store_undo.h"

struct undo {
    char import[PROTO_IMPORT_BYTES_MAX + 1];
    bool dry;
    struct engine_operation operation; /* its id points into operation_id */
    uint8_t operation_id[PROTO_OPERATION_BYTES_MAX];
    struct engine_undo_result *result;
    struct engine_job *job;
    struct engine_worker *worker;
    struct engine_imports imports;
    struct engine_undo_known known;
    struct store_batch *batch; /* what is being written; NULL: it is only counted */
    uint64_t seq;              /* of the batch that is being taken back */
    struct proto_fault *fault;
    bool failed;
};

static bool seq_in(const uint64_t *list, size_t count, uint64_t seq)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        low = list[middle] < seq ? middle + 1 : low;
        high = list[middle] < seq ? high : middle;
    }
    return low < count && list[low] == seq;
}

static enum store_whose whose(const void *context, uint64_t seq)
{
    const struct undo *undo = context;
    return engine_undo_whose(&undo->known, seq);
}

static enum store_whose teller(void *context, uint64_t stamp)
{
    struct undo *undo = context;
    return engine_undo_teller(&undo->known, stamp);
}

static bool key_free(void *context, struct proto_span key)
{
    struct undo *undo = context;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t slot = store_find_key(undo->worker->view, key, &fault);
    if (fault.code != PROTO_OK) {
        *undo->fault = fault;
        undo->failed = true;
    }
    return slot == STORE_NO_SLOT;
}

static bool any_event(void *context, const struct event *event)
{
    (void)event;
    *(bool *)context = true;
    return false;
}

static void figure(struct undo *undo, enum engine_undo_figure figure, uint64_t more)
{
    undo->result->figures[figure] += more;
}

static void stay_note(struct undo *undo, struct proto_span id, const struct store_undone *undone)
{
    struct engine_undo_result *result = undo->result;
    bool stays = undone->stays || undone->changed > 0 || undone->late > 0 || undone->not_kept > 0 ||
                 undone->keys_lost > 0;
    if (!stays || result->stay_count == ENGINE_UNDO_STAYS_MAX) {
        return;
    }
    struct engine_undo_stay *stay = &result->stays[result->stay_count++];
    *stay = (struct engine_undo_stay){.changed = undone->changed,
                                      .late = undone->late,
                                      .not_kept = undone->not_kept,
                                      .keys = undone->keys_lost,
                                      .account = undone->stays};
    (void)snprintf(stay->id, sizeof stay->id, "%.*s", (int)id.bytes, (const char *)id.data);
}

/* Whether that the account goes is to be counted at this batch: at the one that made it or, where
 * that is of another import that was taken back before, when it goes; in a dry run at the newest.
 */
static bool counts_whole(const struct undo *undo, const struct store_history *history,
                         uint64_t begun)
{
    if (begun == 0 || engine_undo_whose(&undo->known, begun) != STORE_WHOSE_GONE) {
        return begun == undo->seq;
    }
    size_t at = history->count;
    while (at > 0 &&
           engine_undo_whose(&undo->known, history->list[at - 1].seq) != STORE_WHOSE_IMPORT) {
        at--;
    }
    return !undo->dry || at == 0 || history->list[at - 1].seq == undo->seq;
}

static void undone_count(struct undo *undo, struct proto_span id,
                         const struct store_history *history, uint64_t begun,
                         struct store_undone *undone)
{
    bool changes = undone->values > 0 || undone->keys > 0;
    undone->remove = undone->remove && counts_whole(undo, history, begun);
    undone->stays = undone->stays && begun == undo->seq;
    figure(undo, ENGINE_UNDO_REMOVED, undone->remove);
    figure(undo, ENGINE_UNDO_CHANGED, !undone->remove && changes);
    figure(undo, ENGINE_UNDO_VALUES, undone->values);
    figure(undo, ENGINE_UNDO_KEYS, undone->keys);
    figure(undo, ENGINE_UNDO_STAYING, undone->stays);
    figure(undo, ENGINE_UNDO_VALUES_STAYING, undone->changed);
    figure(undo, ENGINE_UNDO_VALUES_AGAIN, undone->again);
    figure(undo, ENGINE_UNDO_VALUES_LATE, undone->late);
    figure(undo, ENGINE_UNDO_VALUES_NOT_KEPT, undone->not_kept);
    figure(undo, ENGINE_UNDO_KEYS_STAYING, undone->keys_lost);
    stay_note(undo, id, undone);
}

/* An import told source records, whatever account they are part of now. */
static uint32_t source_slot(struct undo *undo, uint32_t slot, const struct engine_name *name,
                            struct proto_fault *fault)
{
    return slot == STORE_NO_SLOT ? slot : engine_source_find(undo->worker, slot, name, fault);
}

static bool account_judge(struct undo *undo, uint32_t slot, struct proto_span told,
                          struct proto_span id)
{
    struct store_history history = {.count = 0};
    struct store_undone undone = {.remove = false};
    uint64_t begun = 0;
    bool events = false;
    struct store_view *view = undo->worker->view;
    struct store_source source;
    bool good = store_source(view, slot, &source, undo->fault) &&
                store_timeline(view, slot, any_event, &events, undo->fault) &&
                store_history(view, slot, &history, &begun, undo->fault);
    const struct store_undo ask = {.now = good ? source.record : told,
                                   .told = told,
                                   .history = &history,
                                   .begun = begun,
                                   .events = events,
                                   .forecast = undo->dry,
                                   .whose = whose,
                                   .teller = teller,
                                   .key_free = key_free,
                                   .context = undo};
    engine_undo_known_turn(&undo->known);
    good = good && store_undo(&ask, &undone, undo->fault) && !undo->failed;
    free(undone.record);
    if (good) {
        struct engine_undo_known *known = &undo->known;
        undone_count(undo, id, &history, begun, &undone);
        bool any = undone.remove || undone.values > 0 || undone.keys > 0;
        good = undo->batch == NULL || !any ||
               (engine_undo_known_history(known, &history, begun, undo->fault) &&
                store_batch_undo(undo->batch, told, known->said, known->said_count, undo->fault));
    }
    store_history_fini(&history);
    return good;
}

static bool account_take(struct undo *undo, struct proto_span told)
{
    struct feature_record parts;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!feature_record_open(told, true, &parts, undo->fault)) {
        return false;
    }
    const struct engine_name name = {.id = parts.id};
    uint32_t slot =
        source_slot(undo, store_find_id(undo->worker->view, parts.id, &fault), &name, &fault);
    if (fault.code != PROTO_OK) {
        *undo->fault = fault;
        return false;
    }
    if (slot == STORE_NO_SLOT) {
        figure(undo, ENGINE_UNDO_GONE, 1);
        return true;
    }
    return account_judge(undo, slot, told, parts.id);
}

/* An event as its account has it. */
struct event_search {
    const struct event *told;
    uint64_t seq; /* 0: it is not there */
    bool retracted;
};

static bool event_look(void *context, const struct event *event)
{
    struct event_search *search = context;
    const struct event *told = search->told;
    if (!proto_span_equal(event->source, told->source)) {
        return true;
    }
    search->seq = proto_span_equal(event->id, told->id) ? event->seq : search->seq;
    search->retracted |=
        event->type == EVENT_RETRACTION && proto_span_equal(event->retracts, told->id);
    return true;
}

static bool retraction_add(struct undo *undo, struct proto_span account, bool key,
                           const struct event *told)
{
    char id[EVENT_ID_BYTES_MAX + 1];
    char label[EVENT_ID_BYTES_MAX + 1];
    uint64_t hash = XXH3_64bits(told->id.data, told->id.bytes);
    (void)snprintf(label, sizeof label, "import %s taken back", undo->import);
    (void)snprintf(id, sizeof id, "undo:%s:%016llx", undo->import, (unsigned long long)hash);
    const struct event event = {.type = EVENT_RETRACTION,
                                .time_ms = engine_now_ms(undo->job->engine),
                                .source = told->source,
                                .id = proto_span_text(id),
                                .retracts = told->id,
                                .label = proto_span_text(label),
                                .has = EVENT_HAS_RETRACTS | EVENT_HAS_LABEL};
    return event_check(&event, event.time_ms, undo->fault) &&
           store_batch_event(undo->batch, account, key, &event, undo->fault);
}

static bool event_take(struct undo *undo, const struct store_command *command)
{
    struct event told;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *view = undo->worker->view;
    if (!event_decode(command->extra, &told, undo->fault)) {
        return false;
    }
    const struct engine_name name = {
        .id = command->version == 0 ? command->text : (struct proto_span){NULL, 0},
        .key = command->version != 0 ? command->text : (struct proto_span){NULL, 0}};
    uint32_t slot = command->version == 0 ? store_find_id(view, command->text, &fault)
                                          : store_find_key(view, command->text, &fault);
    slot = source_slot(undo, slot, &name, &fault);
    struct event_search search = {.told = &told};
    if (fault.code != PROTO_OK) {
        *undo->fault = fault;
        return false;
    }
    if (slot != STORE_NO_SLOT && !store_timeline(view, slot, event_look, &search, undo->fault)) {
        return false;
    }
    if (search.seq == 0 || search.retracted) {
        figure(undo, ENGINE_UNDO_GONE, 1);
        return true;
    }
    if (search.seq != undo->seq) {
        figure(undo, ENGINE_UNDO_EVENTS_AGAIN, 1);
        return true;
    }
    figure(undo, ENGINE_UNDO_EVENTS, 1);
    return undo->batch == NULL || retraction_add(undo, command->text, command->version != 0, &told);
}

static bool command_take(struct undo *undo, const struct store_command *command)
{
    if (command->kind == STORE_COMMAND_PUT || command->kind == STORE_COMMAND_PATCH) {
        return account_take(undo, command->text);
    }
    return command->kind != STORE_COMMAND_EVENT || event_take(undo, command);
}

/* The last first: an account can stand in a batch twice. */
static bool commands_take(struct undo *undo, const struct store_logged *logged,
                          struct store_command *commands)
{
    struct proto_fault why = {.code = PROTO_OK};
    size_t count = 0;
    for (size_t at = 0; count < logged->commands &&
                        store_command_next(logged->text, &at, &commands[count], &why);) {
        count++;
    }
    if (why.code != PROTO_OK) {
        *undo->fault = why;
        return false;
    }
    while (count > 0) {
        if (!command_take(undo, &commands[--count])) {
            return false;
        }
    }
    return true;
}

static bool batch_take(void *context, const struct store_logged *logged)
{
    struct undo *undo = context;
    struct store_command *commands = calloc(logged->commands + 1U, sizeof *commands);
    bool good = commands != NULL
                    ? commands_take(undo, logged, commands)
                    : proto_fault_set(undo->fault, PROTO_NO_MEMORY, "", "no memory for a batch");
    free(commands);
    undo->failed |= !good;
    return false; /* there is one */
}

/* Takes the batch. */
static bool batch_submit(struct undo *undo, struct store_batch *batch, uint64_t *seq)
{
    struct store_result result;
    if (!engine_submit_wait(undo->job->engine, batch, &result)) {
        *undo->fault = result.fault;
        return false;
    }
    *seq = undo->result->seq = result.seq;
    return true;
}

/* One batch of the import is taken back. */
static bool one_take(struct undo *undo, uint64_t seq)
{
    uint8_t more[sizeof seq];
    struct engine_import_batches *batches = &undo->imports.batches;
    uint64_t written = 0;
    struct engine_operation author = undo->operation;
    author.id = (struct proto_span){NULL, 0}; /* of the last batch alone */
    disk_set_u64(more, seq);
    undo->seq = seq;
    undo->batch = undo->dry ? NULL : store_batch_create();
    if (!undo->dry && undo->batch == NULL) {
        return proto_fault_set(undo->fault, PROTO_NO_MEMORY, "", "no memory for a batch");
    }
    bool good = store_view_refresh(undo->worker->view, undo->fault) &&
                store_log_read(engine_store(undo->job->engine), seq - 1, seq, batch_take, undo,
                               undo->fault) &&
                !undo->failed;
    figure(undo, ENGINE_UNDO_BATCHES, good);
    if (undo->dry) {
        return good;
    }
    good = good &&
           store_batch_import(undo->batch, proto_span_text(undo->import), STORE_IMPORT_UNDO,
                              (struct proto_span){more, sizeof more}, undo->fault) &&
           engine_operation_add(undo->batch, &author, undo->fault);
    if (!good) {
        store_batch_destroy(undo->batch);
        return false;
    }
    return batch_submit(undo, undo->batch, &written) &&
           engine_import_seq_add(&batches->undo, &batches->undo_count, &batches->undo_room, written,
                                 undo->fault);
}

static int seq_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool all_take(struct undo *undo)
{
    struct engine_import_batches *batches = &undo->imports.batches;
    if (batches->back_count > 0) {
        qsort(batches->back, batches->back_count, sizeof *batches->back, seq_order);
    }
    for (size_t i = batches->own_count; i > 0; i--) {
        double done = (double)(batches->own_count - i) / (double)batches->own_count;
        if (!engine_job_progress(undo->job, done, undo->dry ? "counting" : "taking back")) {
            return proto_fault_set(undo->fault, PROTO_CANCELLED, "", "the job was cancelled");
        }
        if (!seq_in(batches->back, batches->back_count, batches->own[i - 1]) &&
            !one_take(undo, batches->own[i - 1])) {
            return false;
        }
    }
    return true;
}

/* What it came to, for whoever asks again under the same id. */
static bool end_note(struct undo *undo)
{
    uint8_t more[sizeof(uint64_t) * ENGINE_UNDO_FIGURES];
    uint64_t seq;
    for (size_t i = 0; i < ENGINE_UNDO_FIGURES; i++) {
        disk_set_u64(more + i * sizeof(uint64_t), undo->result->figures[i]);
    }
    struct store_batch *batch = store_batch_create();
    if (batch == NULL) {
        return proto_fault_set(undo->fault, PROTO_NO_MEMORY, "", "no memory for a batch");
    }
    if (!store_batch_import(batch, proto_span_text(undo->import), STORE_IMPORT_UNDONE,
                            (struct proto_span){more, sizeof more}, undo->fault) ||
        !engine_operation_add(batch, &undo->operation, undo->fault)) {
        store_batch_destroy(batch);
        return false;
    }
    return batch_submit(undo, batch, &seq);
}

static bool figures_take(void *context, const struct store_logged *logged)
{
    struct undo *undo = context;
    struct store_command command;
    struct proto_fault why = {.code = PROTO_OK};
    for (size_t at = 0; store_command_next(logged->text, &at, &command, &why);) {
        if (command.kind == STORE_COMMAND_IMPORT && command.version == STORE_IMPORT_UNDONE &&
            command.extra.bytes == sizeof(uint64_t) * ENGINE_UNDO_FIGURES) {
            for (size_t i = 0; i < ENGINE_UNDO_FIGURES; i++) {
                undo->result->figures[i] = disk_get_u64(command.extra.data + i * sizeof(uint64_t));
            }
        }
    }
    return false;
}

/* It was done before, under this id: what came of it then stands in the log. */
static bool told_again(struct undo *undo, uint64_t seq)
{
    undo->job->info.repeated = true;
    undo->result->seq = seq;
    undo->result->whole = true;
    return seq == 0 || store_log_read(engine_store(undo->job->engine), seq - 1, seq, figures_take,
                                      undo, undo->fault);
}

static bool job_goes_on(void *context, struct proto_fault *fault)
{
    struct undo *undo = context;
    return engine_job_progress(undo->job, 0, "reading the log") ||
           proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static bool imports_take(struct undo *undo)
{
    struct proto_span id = proto_span_text(undo->import);
    if (!engine_imports_read(undo->job->engine, id, job_goes_on, undo, &undo->imports,
                             undo->fault)) {
        return false;
    }
    if (undo->imports.count == 0) {
        return proto_fault_set(undo->fault, PROTO_NOT_FOUND, "import_id",
                               "the log, which reaches back to sequence %llu, has no import '%s'",
                               (unsigned long long)undo->imports.oldest, undo->import);
    }
    undo->result->whole = undo->imports.list[0].begun;
    return engine_undo_known_read(undo->job->engine, &undo->imports, job_goes_on, undo,
                                  &undo->known, undo->fault) &&
           all_take(undo) && (undo->dry || end_note(undo));
}

static bool undo_run(struct engine_job *job, struct proto_fault *fault)
{
    struct undo *undo = job->context;
    struct engine_written before;
    undo->job = job;
    undo->fault = fault;
    *undo->result = (struct engine_undo_result){.seq = 0};
    if (!engine_operation_find(job->engine, &undo->operation, &before, fault)) {
        return false;
    }
    if (before.repeated) {
        return told_again(undo, before.seq);
    }
    job->deadline_ms = 0; /* it has begun in time */
    undo->worker = engine_worker_create(job->engine, fault);
    bool good = undo->worker != NULL && imports_take(undo);
    engine_undo_known_fini(&undo->known);
    engine_imports_fini(&undo->imports);
    if (undo->worker != NULL) {
        engine_worker_destroy(undo->worker);
    }
    return good;
}

uint64_t engine_undo_start(struct engine *engine, const struct engine_undo_request *request,
                           struct proto_fault *fault)
{
    struct undo *undo = calloc(1, sizeof *undo);
    if (undo == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
        return 0;
    }
    (void)snprintf(undo->import, sizeof undo->import, "%.*s", (int)request->import.bytes,
                   (const char *)request->import.data);
    undo->dry = request->dry;
    undo->result = request->result;
    engine_operation_keep(&request->operation, &undo->operation, undo->operation_id);
    const struct engine_job job = {.deadline_ms = request->deadline_ms,
                                   .context = undo,
                                   .run = undo_run,
                                   .destroy = free,
                                   .on_progress = request->on_progress,
                                   .on_done = request->on_done,
                                   .callback_context = request->context};
    return engine_job_submit(engine, PROTO_OP_IMPORT_UNDO, &job, fault);
}
