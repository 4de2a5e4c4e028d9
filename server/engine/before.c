/* SPDX-License-Identifier: Apache-2.0 */
/* First whether the account was there at that moment and whether it is known what it was; then its
 * values as they are, and over them what the first change behind the moment says that they were.
 * For what was true, what was known until the moment is then gone through in the order in which it
 * was told: a change ends what it says was the value, so that each value is judged at its end. */
#include "server/engine/before.h"

#include <assert.h>

#include "server/engine/sources.h"
#include "server/engine/worker.h"
#include "server/store/store.h"

static bool was_fault(enum engine_was was, const struct feature_record *record,
                      struct proto_fault *fault)
{
    int bytes = (int)record->id.bytes;
    const char *id = (const char *)record->id.data;
    if (was == ENGINE_WAS_UNKNOWN) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "nothing is known that was true of the account \"%.*s\" then", bytes,
                               id);
    }
    if (was == ENGINE_WAS_NOT_YET) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "there was no account \"%.*s\" then",
                               bytes, id);
    }
    return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                           "what the account \"%.*s\" was then is not kept", bytes, id);
}

/* begun: the sequence that made the account; 0: it is older than histories are. */
static enum engine_was moment_check(const struct engine_worker *worker,
                                    const struct engine_moment *moment, uint64_t begun,
                                    const struct feature_record *record)
{
    int64_t since_ms;
    uint64_t since = store_history_since(worker->view, &since_ms);
    if (moment->seq < begun ||
        (moment->known_ms != INT64_MAX && moment->known_ms / 1000 < record->created_s)) {
        return ENGINE_WAS_NOT_YET;
    }
    int64_t least_ms = moment->known_ms < moment->true_ms ? moment->known_ms : moment->true_ms;
    bool before =
        moment->seq < since || (least_ms != INT64_MAX && (since_ms == 0 || least_ms < since_ms));
    return begun != 0 || since == 0 || !before ? ENGINE_WAS_KNOWN : ENGINE_WAS_NOT_KEPT;
}

static bool entry_take(const struct store_past *past, struct engine_past_value *value,
                       struct proto_fault *fault)
{
    *value = (struct engine_past_value){.unkept = past->unkept, .source = past->source};
    if (past->kind == STORE_PAST_ADDED || past->unkept) {
        value->value.time_ms = past->time_ms;
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
            if (past.kind == STORE_PAST_LATE || store_past_is_key(&past) || past.field >= slots ||
                done[past.field]) {
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

/* What a field was in truth, as far as it has been gone through. */
struct truth {
    struct engine_past_value value;
    int64_t time_ms;  /* it holds from then */
    int64_t began_ms; /* when the value was told first that the next change ends */
    bool late;
};

/* A value that ended, or is there still. */
static void truth_offer(struct truth *truth, const struct engine_past_value *value, int64_t true_ms)
{
    int64_t stamp_ms = value->value.time_ms;
    int64_t from_ms = stamp_ms < truth->began_ms ? stamp_ms : truth->began_ms;
    bool late_holds = truth->late && truth->time_ms >= from_ms && stamp_ms > true_ms;
    if (from_ms <= true_ms && !late_holds) {
        truth->value = *value;
        truth->time_ms = from_ms;
        truth->late = false;
    }
}

static void truth_late(struct truth *truth, const struct engine_past_value *value, int64_t true_ms)
{
    int64_t stamp_ms = value->value.time_ms;
    if (stamp_ms <= true_ms && stamp_ms >= truth->time_ms) {
        truth->value = *value;
        truth->time_ms = stamp_ms;
        truth->late = true;
    }
}

static void truth_none(struct truth *truth, int64_t known_ms, int64_t true_ms)
{
    if (known_ms <= true_ms) {
        *truth = (struct truth){.time_ms = known_ms};
    }
}

static bool truth_tell(struct truth *truth, const struct store_past *past, int64_t known_ms,
                       int64_t true_ms, struct proto_fault *fault)
{
    struct engine_past_value value;
    if (!entry_take(past, &value, fault)) {
        return false;
    }
    if (past->kind == STORE_PAST_LATE) {
        truth_late(truth, &value, true_ms);
        return true;
    }
    if (past->kind != STORE_PAST_ADDED) {
        truth_offer(truth, &value, true_ms);
    }
    if (past->kind == STORE_PAST_TAKEN) {
        truth_none(truth, known_ms, true_ms);
    }
    truth->began_ms = known_ms;
    return true;
}

static bool truths_go(const struct store_history *history, size_t cut, size_t slots,
                      int64_t true_ms, struct truth *truths, struct proto_fault *fault)
{
    for (size_t i = 0; i < cut; i++) {
        const struct store_past_group *group = &history->list[i];
        struct store_past past;
        for (size_t at = 0; store_past_next(group->entries, &at, &past);) {
            bool told =
                past.kind != STORE_PAST_MARK && !store_past_is_key(&past) && past.field < slots;
            if (told && !truth_tell(&truths[past.field], &past, group->known_ms, true_ms, fault)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether all is kept that was known of that time. */
static bool truth_is_kept(const struct store_history *history, size_t cut, int64_t true_ms)
{
    for (size_t i = 0; i < cut; i++) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i].entries, &at, &past);) {
            if (past.kind == STORE_PAST_MARK && true_ms < history->list[i].known_ms) {
                return false;
            }
        }
    }
    return !history->gone || true_ms >= history->gone_known_ms;
}

/* Values as they were known become those that were true. */
static bool truths_find(const struct store_history *history, size_t cut, int64_t true_ms,
                        const struct feature_record *record, size_t slots, struct base_arena *arena,
                        struct engine_past_value *values, enum engine_was *was,
                        struct proto_fault *fault)
{
    assert(values != NULL);
    struct truth *truths = base_arena_array(arena, slots + 1, sizeof *truths);
    if (truths == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the account");
    }
    if (!truth_is_kept(history, cut, true_ms)) {
        *was = ENGINE_WAS_NOT_KEPT;
        return true;
    }
    for (size_t i = 0; i < slots; i++) {
        truths[i] = (struct truth){.time_ms = INT64_MIN, .began_ms = record->created_s * 1000};
    }
    if (!truths_go(history, cut, slots, true_ms, truths, fault)) {
        return false;
    }
    *was = ENGINE_WAS_UNKNOWN;
    for (size_t i = 0; i < slots; i++) {
        if (values[i].value.present || values[i].unkept) {
            truth_offer(&truths[i], &values[i], true_ms);
        }
        values[i] = truths[i].value;
        if (values[i].value.present || values[i].unkept) {
            *was = ENGINE_WAS_KNOWN;
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

/* The values, as they are, become those of the moment. */
static bool past_find(const struct store_history *history, const struct engine_moment *moment,
                      const struct feature_record *record, size_t slots, struct base_arena *arena,
                      struct engine_past_value *values, enum engine_was *was,
                      struct proto_fault *fault)
{
    size_t cut = 0;
    bool *done = base_arena_array(arena, slots + 1, sizeof *done);
    if (done == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the account");
    }
    if (!store_history_cut(history, moment->seq, moment->known_ms, &cut)) {
        *was = ENGINE_WAS_NOT_KEPT;
        return true;
    }
    return changes_take_back(history, cut, slots, values, done, fault) &&
           (moment->true_ms == INT64_MAX ||
            truths_find(history, cut, moment->true_ms, record, slots, arena, values, was, fault));
}

bool engine_account_was(struct engine_worker *worker, uint32_t slot,
                        const struct engine_moment *moment, const struct feature_record *record,
                        size_t slots, struct base_arena *arena, struct engine_past_value **values,
                        enum engine_was *was, struct proto_fault *fault)
{
    struct store_history history = {.count = 0};
    uint64_t begun = 0;
    *was = ENGINE_WAS_KNOWN;
    if (!values_now(record, slots, arena, values, fault)) {
        return false;
    }
    if (moment->seq == UINT64_MAX && moment->known_ms == INT64_MAX &&
        moment->true_ms == INT64_MAX) {
        return true;
    }
    bool good = store_history(worker->view, slot, &history, &begun, fault);
    if (good) {
        *was = moment_check(worker, moment, begun, record);
    }
    if (good && *was == ENGINE_WAS_KNOWN) {
        good = past_find(&history, moment, record, slots, arena, *values, was, fault);
    }
    store_history_fini(&history);
    return good;
}

/* A source record of another account among them. */
static bool any_record(struct engine_worker *worker, uint32_t slot, struct feature_record *record,
                       struct proto_fault *fault)
{
    uint32_t newest;
    return engine_source_record(worker, slot, record, &newest, fault);
}

bool engine_account_at(struct engine_worker *worker, uint32_t slot,
                       const struct engine_moment *moment, size_t slots, struct base_arena *arena,
                       struct feature_record *record, struct engine_past_value **values,
                       struct proto_fault *fault)
{
    enum engine_was was = ENGINE_WAS_KNOWN;
    return any_record(worker, slot, record, fault) &&
           engine_account_was(worker, slot, moment, record, slots, arena, values, &was, fault) &&
           (was == ENGINE_WAS_KNOWN || was_fault(was, record, fault));
}
