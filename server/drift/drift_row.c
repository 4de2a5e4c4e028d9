/* SPDX-License-Identifier: Apache-2.0 */
/* Each case is read as of its moment and encoded; what is not kept is counted and left out, so that
 * it never passes for a missing value. Then all are scored, and rows of one account numbered. */
#include "server/drift/drift_row.h"

#include <stdlib.h>

#include "server/engine/as_of.h"

enum { CASES_PER_ASKING = 1024 };

struct reader {
    struct engine_worker *worker;
    const struct drift_reading *reading;
    struct drift_rows *rows;
    struct base_arena arena;
    size_t slots; /* of values */
    bool *fields; /* that are looked at */
    bool *timeless;
    struct feature_value *values;
    struct proto_span *sources;
};

void drift_rows_fini(struct drift_rows *rows)
{
    free(rows->codes);
    free(rows->labels);
    free(rows->raws);
    free(rows->p);
    free(rows->slots);
    free(rows->groups);
    *rows = (struct drift_rows){.count = 0};
}

static bool no_memory(struct proto_fault *fault, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
}

static bool rows_make(struct drift_rows *rows, size_t stride, size_t count,
                      struct proto_fault *fault)
{
    *rows = (struct drift_rows){.stride = stride};
    if (count > DRIFT_BYTES_MAX / stride) {
        return proto_fault_set(
            fault, PROTO_TOO_LARGE, "since",
            "%zu cases of %zu bytes each are more than %zu bytes: say a later day", count, stride,
            DRIFT_BYTES_MAX);
    }
    rows->codes = malloc((count + 1) * stride);
    rows->labels = malloc(count + 1);
    rows->raws = malloc((count + 1) * sizeof *rows->raws);
    rows->p = malloc((count + 1) * sizeof *rows->p);
    rows->slots = malloc((count + 1) * sizeof *rows->slots);
    return (rows->codes && rows->labels && rows->raws && rows->p && rows->slots) ||
           no_memory(fault, count);
}

static void fields_mark(struct reader *reader)
{
    const struct feature_codebook *codebook = reader->reading->document->codebook;
    const struct feature_schema *schema = reader->worker->state->schema;
    const struct measure_policy *policy = reader->reading->policy;
    filter_fields_mark(reader->reading->where, reader->fields);
    for (size_t c = 0; c < codebook->column_count; c++) {
        if (codebook->columns[c].field_id < reader->slots) {
            reader->fields[codebook->columns[c].field_id] = true;
        }
    }
    for (size_t i = 0; policy && i < policy->timeless_count; i++) {
        const struct feature_field *field = feature_schema_find(schema, policy->timeless[i]);
        if (field) {
            reader->timeless[field->id] = true;
        }
    }
    if (reader->reading->stage_field_id >= 0) {
        reader->timeless[reader->reading->stage_field_id] = true; /* it is laid over */
    }
}

static bool reader_open(struct reader *reader, struct proto_fault *fault)
{
    reader->slots = reader->worker->state->schema->id_count;
    base_arena_init(&reader->arena, 0, 0);
    reader->fields = calloc(reader->slots + 1, sizeof *reader->fields);
    reader->timeless = calloc(reader->slots + 1, sizeof *reader->timeless);
    reader->values = calloc(reader->slots + 1, sizeof *reader->values);
    reader->sources = calloc(reader->slots + 1, sizeof *reader->sources);
    if (!reader->fields || !reader->timeless || !reader->values || !reader->sources) {
        return no_memory(fault, reader->slots);
    }
    fields_mark(reader);
    return true;
}

static void reader_close(struct reader *reader)
{
    base_arena_fini(&reader->arena);
    free(reader->fields);
    free(reader->timeless);
    free(reader->values);
    free(reader->sources);
}

static bool as_of_read(struct reader *reader, uint32_t slot, int64_t moment_ms,
                       enum engine_row_kind *kind, struct proto_fault *fault)
{
    const struct engine_as_of as_of = {.moment_ms = moment_ms,
                                       .timeless = reader->timeless,
                                       .fields = reader->fields,
                                       .arena = &reader->arena};
    struct feature_record record;
    return engine_values_as_of(reader->worker, slot, &as_of, &record, reader->values,
                               reader->sources, reader->slots, kind, fault);
}

static bool anything(const struct reader *reader)
{
    for (size_t i = 0; i < reader->slots; i++) {
        if (reader->fields[i] && reader->values[i].present) {
            return true;
        }
    }
    return false;
}

static bool case_read(struct reader *reader, const struct drift_case *one,
                      struct proto_fault *fault)
{
    struct drift_rows *rows = reader->rows;
    const struct filter *where = reader->reading->where;
    enum engine_row_kind kind = ENGINE_ROW_KNOWN;
    if (!as_of_read(reader, one->slot, one->moment_ms, &kind, fault)) {
        return false;
    }
    if (one->or_later && kind != ENGINE_ROW_NOT_KEPT && !anything(reader) &&
        !as_of_read(reader, one->slot, one->outcome_ms, &kind, fault)) {
        return false;
    }
    if (kind == ENGINE_ROW_NOT_KEPT) {
        rows->not_kept++;
        return true;
    }
    if (reader->reading->stage_field_id >= 0) {
        const char *stage = reader->reading->cases->stages.texts[one->stage];
        reader->values[reader->reading->stage_field_id] = (struct feature_value){
            .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(stage)};
    }
    if (where && !filter_match(where, reader->values, reader->slots)) {
        return true;
    }
    feature_codebook_encode(reader->reading->document->codebook, reader->values, reader->slots,
                            rows->codes + rows->count * rows->stride);
    rows->labels[rows->count] = one->positive;
    rows->slots[rows->count] = one->slot;
    rows->positives += one->positive;
    rows->settled += !one->open;
    rows->count++;
    return true;
}

struct slot_row {
    uint32_t slot, row;
};

static int by_slot(const void *a, const void *b)
{
    const struct slot_row *x = a;
    const struct slot_row *y = b;
    return x->slot != y->slot ? (x->slot < y->slot ? -1 : 1) : x->row < y->row ? -1 : 1;
}

static bool rows_group(struct drift_rows *rows, struct proto_fault *fault)
{
    struct slot_row *list = malloc((rows->count + 1) * sizeof *list);
    rows->groups = malloc((rows->count + 1) * sizeof *rows->groups);
    if (!list || !rows->groups) {
        free(list);
        return no_memory(fault, rows->count);
    }
    for (size_t i = 0; i < rows->count; i++) {
        list[i] = (struct slot_row){rows->slots[i], (uint32_t)i};
    }
    qsort(list, rows->count, sizeof *list, by_slot);
    for (size_t i = 0; i < rows->count; i++) {
        rows->group_count += i == 0 || list[i].slot != list[i - 1].slot;
        rows->groups[list[i].row] = (uint32_t)rows->group_count - 1;
    }
    free(list);
    if (rows->group_count == rows->count) {
        free(rows->groups);
        rows->groups = NULL;
    }
    return true;
}

bool drift_rows_read(struct engine_worker *worker, const struct engine_job *job,
                     const struct drift_reading *reading, struct drift_rows *rows,
                     struct proto_fault *fault)
{
    const struct model_scorecard *scorecard = reading->document->scorecard;
    const struct drift_cases *cases = reading->cases;
    struct reader reader = {.worker = worker, .reading = reading, .rows = rows};
    bool good = rows_make(rows, reading->document->codebook->row_bytes, cases->count, fault) &&
                reader_open(&reader, fault);
    for (size_t i = 0; good && i < cases->count; i++) {
        good = (i % CASES_PER_ASKING != 0 || engine_scan_goes_on(job, fault)) &&
               case_read(&reader, &cases->list[i], fault);
    }
    reader_close(&reader);
    if (!good) {
        return false;
    }
    model_raw_many(scorecard, rows->codes, rows->stride, rows->count, rows->raws);
    for (size_t i = 0; i < rows->count; i++) {
        rows->p[i] = model_p(scorecard, rows->raws[i]);
    }
    return rows_group(rows, fault);
}
