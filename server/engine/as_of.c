/* SPDX-License-Identifier: Apache-2.0 */
/* The record is read, then what its history says of the moment; what is called timeless is taken as
 * it is. Where nothing is known that held then, nothing is there. The account can be gone or
 * damaged, and what it was can be out of its history. */
#include "server/engine/as_of.h"

#include "server/engine/before.h"

static struct engine_moment moment_of(const struct engine_as_of *as_of,
                                      const struct feature_record *record)
{
    struct engine_moment moment = engine_moment_now();
    moment.true_ms = as_of->moment_ms;
    if (record->created_s <= as_of->moment_ms / 1000) {
        moment.known_ms = as_of->moment_ms;
    }
    return moment;
}

/* The values of then; false: one that is asked for was too long to be kept. */
static bool past_take(const struct engine_as_of *as_of, const struct engine_past_value *past,
                      size_t slots, struct feature_value *values, struct proto_span *sources)
{
    for (size_t i = 0; i < slots; i++) {
        if (as_of->timeless != NULL && as_of->timeless[i]) {
            continue;
        }
        if (past[i].unkept && (as_of->fields == NULL || as_of->fields[i])) {
            return false;
        }
        values[i] = past[i].value;
        sources[i] = past[i].source;
    }
    return true;
}

/* As they are: where they stand, if they are timeless. */
static void now_take(const struct engine_as_of *as_of, const struct feature_record *record,
                     size_t slots, struct feature_value *values, struct proto_span *sources)
{
    feature_record_values(record, values, slots);
    for (size_t i = 0; i < slots; i++) {
        values[i].present = values[i].present && as_of->timeless != NULL && as_of->timeless[i];
        sources[i] = values[i].present ? feature_record_source(record, values[i].source)
                                       : (struct proto_span){NULL, 0};
    }
}

bool engine_values_as_of(struct engine_worker *worker, uint32_t slot,
                         const struct engine_as_of *as_of, struct feature_record *record,
                         struct feature_value *values, struct proto_span *sources, size_t slots,
                         enum engine_row_kind *kind, struct proto_fault *fault)
{
    struct engine_past_value *past = NULL;
    enum engine_was was = ENGINE_WAS_KNOWN;
    base_arena_reset(as_of->arena);
    if (!engine_record(worker, slot, record, fault)) {
        return false;
    }
    struct engine_moment moment = moment_of(as_of, record);
    if (!engine_account_was(worker, slot, &moment, record, slots, as_of->arena, &past, &was,
                            fault)) {
        return false;
    }
    now_take(as_of, record, slots, values, sources);
    *kind = moment.known_ms != INT64_MAX ? ENGINE_ROW_KNOWN : ENGINE_ROW_TRUE;
    if (was == ENGINE_WAS_NOT_KEPT ||
        (was == ENGINE_WAS_KNOWN && !past_take(as_of, past, slots, values, sources))) {
        *kind = ENGINE_ROW_NOT_KEPT;
    }
    return true;
}
