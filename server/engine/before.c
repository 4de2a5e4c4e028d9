/* SPDX-License-Identifier: Apache-2.0 */
/* First whether the account was there at that moment and whether it is known what it was; then its
 * values as they are, and over them what the first change behind the moment says that they were. */
#include "server/engine/before.h"

#include "server/engine/worker.h"
#include "server/store/store.h"

static bool not_there(const struct feature_record *record, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NOT_FOUND, "", "there was no account \"%.*s\" then",
                           (int)record->id.bytes, (const char *)record->id.data);
}

static bool not_kept(const struct feature_record *record, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                           "what the account \"%.*s\" was then is not kept", (int)record->id.bytes,
                           (const char *)record->id.data);
}

/* begun: the sequence that made the account; 0: it is older than histories are. */
static bool moment_check(const struct engine_worker *worker, const struct engine_moment *moment,
                         uint64_t begun, const struct feature_record *record,
                         struct proto_fault *fault)
{
    int64_t since_ms;
    uint64_t since = store_history_since(worker->view, &since_ms);
    if (moment->seq < begun ||
        (moment->known_ms != INT64_MAX && moment->known_ms / 1000 < record->created_s)) {
        return not_there(record, fault);
    }
    bool before = moment->seq < since ||
                  (moment->known_ms != INT64_MAX && (since_ms == 0 || moment->known_ms < since_ms));
    return begun != 0 || since == 0 || !before || not_kept(record, fault);
}

static bool entry_take(const struct store_past *past, struct engine_past_value *value,
                       struct proto_fault *fault)
{
    *value = (struct engine_past_value){.unkept = past->unkept, .source = past->source};
    if (past->kind == STORE_PAST_ADDED || past->unkept) {
        return true;
    }
    return store_past_value(past, &value->value) ||
           proto_fault_set(fault, PROTO_CORRUPT, "history", "a value that was before is none");
}

static bool changes_take_back(const struct store_history *history, size_t cut, size_t slots,
                              struct engine_past_value *values, bool *done,
                              struct proto_fault *fault)
{
    for (size_t i = cut; i < history->count; i++) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i].entries, &at, &past);) {
            if (past.kind == STORE_PAST_LATE || past.field >= slots || done[past.field]) {
                continue;
            }
            done[past.field] = true;
            if (!entry_take(&past, &values[past.field], fault)) {
                return false;
            }
        }
    }
    return true;
}

static bool values_now(const struct feature_record *record, size_t slots, struct base_arena *arena,
                       struct engine_past_value **values, struct proto_fault *fault)
{
    struct feature_value *stored = base_arena_array(arena, slots + 1, sizeof *stored);
    *values = base_arena_array(arena, slots + 1, sizeof **values);
    if (stored == NULL || *values == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the account");
    }
    feature_record_values(record, stored, slots);
    for (size_t i = 0; i < slots; i++) {
        (*values)[i] = (struct engine_past_value){.value = stored[i]};
        if (stored[i].present) {
            (*values)[i].source = feature_record_source(record, stored[i].source);
        }
    }
    return true;
}

bool engine_history(struct engine_worker *worker, uint32_t slot, struct store_history *history,
                    struct proto_fault *fault)
{
    uint64_t begun;
    return store_history(worker->view, slot, history, &begun, fault);
}

bool engine_account_at(struct engine_worker *worker, uint32_t slot,
                       const struct engine_moment *moment, size_t slots, struct base_arena *arena,
                       struct feature_record *record, struct engine_past_value **values,
                       struct proto_fault *fault)
{
    struct store_history history = {.count = 0};
    uint64_t begun = 0;
    size_t cut = 0;
    if (!engine_record(worker, slot, record, fault) ||
        !values_now(record, slots, arena, values, fault)) {
        return false;
    }
    if (moment->seq == UINT64_MAX && moment->known_ms == INT64_MAX) {
        return true;
    }
    bool *done = base_arena_array(arena, slots + 1, sizeof *done);
    if (done == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the account");
    }
    memset(done, 0, slots + 1);
    bool good = store_history(worker->view, slot, &history, &begun, fault) &&
                moment_check(worker, moment, begun, record, fault);
    if (good && !store_history_cut(&history, moment->seq, moment->known_ms, &cut)) {
        good = not_kept(record, fault);
    }
    good = good && changes_take_back(&history, cut, slots, *values, done, fault);
    store_history_fini(&history);
    return good;
}
