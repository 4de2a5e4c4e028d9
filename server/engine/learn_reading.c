/* SPDX-License-Identifier: Apache-2.0 */
/* The source is asked for its cases, then they, or all accounts, are read in slices and counted on
 * the way; what is not ready to be learned from ends here, before anything is learned. */
#include "server/engine/learn_reading.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_progress(void *context, double done, struct proto_fault *fault)
{
    const struct engine_reading *reading = context;
    return engine_job_progress(reading->job, reading->options->share * done, "reading accounts") ||
           proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static bool read_row(void *context, const struct feature_record *record,
                     const struct feature_value *values, const struct proto_span *sources,
                     int64_t moment_ms, struct proto_fault *fault)
{
    struct engine_reading *reading = context;
    return engine_ready_row(&reading->ready, record, values, sources, moment_ms, fault);
}

bool engine_reading_timeless_known(const struct feature_schema *schema,
                                   const struct engine_case_source *source,
                                   struct proto_fault *fault)
{
    for (size_t i = 0; i < source->timeless_count; i++) {
        if (feature_schema_find(schema, source->timeless[i]) == NULL) {
            char place[48];
            (void)snprintf(place, sizeof place, "policy.timeless[%zu]", i);
            return proto_fault_set(fault, PROTO_BAD_FIELD, place, "the schema has no field '%.*s'",
                                   (int)source->timeless[i].bytes,
                                   (const char *)source->timeless[i].data);
        }
    }
    return true;
}

static bool timeless_mark(struct engine_reading *reading, struct proto_fault *fault)
{
    const struct feature_schema *schema = reading->options->schema;
    const struct engine_case_source *source = reading->options->source;
    reading->timeless = calloc(schema->id_count + 1, sizeof *reading->timeless);
    if (!reading->timeless) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
    }
    for (size_t i = 0; i < source->timeless_count; i++) {
        const struct feature_field *field = feature_schema_find(schema, source->timeless[i]);
        if (field) {
            reading->timeless[field->id] = true;
        }
    }
    if (reading->options->value_field_id) {
        reading->timeless[*reading->options->value_field_id] = true;
    }
    if (reading->options->stage_field_id >= 0) {
        reading->timeless[reading->options->stage_field_id] = true; /* it is laid over */
    }
    return true;
}

static bool source_read(struct engine_reading *reading, struct engine_worker *worker,
                        struct proto_fault *fault)
{
    const struct engine_case_source *source = reading->options->source;
    if (!source) {
        return true;
    }
    if (!engine_job_progress(reading->job, 0, "reading timelines")) {
        return proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
    }
    return timeless_mark(reading, fault) &&
           source->read(source->context, worker, reading->job, &reading->cases, fault);
}

static bool population_read(struct engine_reading *reading, struct engine_worker *worker,
                            struct proto_fault *fault)
{
    const struct engine_population_options options = {
        .schema = reading->options->schema,
        .fields = reading->options->fields,
        .where = reading->options->where,
        .cases = reading->cases.rows,
        .case_count = reading->cases.count,
        .timeless = reading->timeless,
        .stages = (const char *const *)reading->cases.stages,
        .stage_field_id = reading->options->stage_field_id,
        .on_slice = read_progress,
        .on_row = read_row,
        .context = reading,
    };
    return engine_population_read(&reading->accounts, worker, &options, fault);
}

/* How the rows came about, behind what the source tells of them. */
static bool told_add(struct engine_reading *reading, struct proto_fault *fault)
{
    const struct engine_population *accounts = &reading->accounts;
    json_t *told = json_loads(reading->cases.told, 0, NULL);
    json_t *rows = json_pack("{s:I, s:I, s:I}", "known_then", (json_int_t)accounts->known,
                             "told_later", (json_int_t)(accounts->count - accounts->known),
                             "not_kept", (json_int_t)accounts->not_kept);
    char *text = NULL;
    if (told != NULL && rows != NULL && json_object_set(told, "rows", rows) == 0) {
        text = json_dumps(told, JSON_COMPACT);
    }
    json_decref(rows);
    json_decref(told);
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to tell of the cases");
    }
    free(reading->cases.told);
    reading->cases.told = text;
    return true;
}

/* Labels of the rows, and whose they are if an account has several. */
static bool cases_take(struct engine_reading *reading, struct proto_fault *fault)
{
    const struct engine_population *accounts = &reading->accounts;
    bool several = false;
    if (!reading->options->source) {
        return true;
    }
    reading->labels = malloc(accounts->count + 1);
    reading->accounts_of = malloc((accounts->count + 1) * sizeof *reading->accounts_of);
    if (!reading->labels || !reading->accounts_of) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases",
                               accounts->count);
    }
    for (size_t i = 0; i < accounts->count; i++) {
        reading->labels[i] = reading->cases.rows[accounts->cases[i]].positive;
        reading->accounts_of[i] = accounts->slots[i];
        several = several || (i > 0 && accounts->slots[i] == accounts->slots[i - 1]);
    }
    if (!several) {
        free(reading->accounts_of);
        reading->accounts_of = NULL;
    }
    return told_add(reading, fault);
}

bool engine_reading_read(struct engine_reading *reading, struct engine_job *job,
                         const struct engine_reading_options *options, struct proto_fault *fault)
{
    *reading = (struct engine_reading){.options = options, .job = job};
    engine_ready_init(&reading->ready, options->schema, options->field_ids, options->field_count);
    struct engine_worker *worker = engine_worker_create(job->engine, fault);
    if (!worker) {
        return false;
    }
    bool good = source_read(reading, worker, fault) && population_read(reading, worker, fault);
    engine_worker_destroy(worker);
    if (!good || !cases_take(reading, fault)) {
        return false;
    }
    engine_ready_end(&reading->ready);
    return !options->floors || measure_ready_check(&reading->ready.ready, options->floors, fault);
}

void engine_reading_fini(struct engine_reading *reading)
{
    engine_population_fini(&reading->accounts);
    engine_ready_fini(&reading->ready);
    free(reading->cases.rows);
    for (size_t i = 0; i < reading->cases.stage_count; i++) {
        free(reading->cases.stages[i]);
    }
    free(reading->cases.stages);
    free(reading->cases.told);
    free(reading->labels);
    free(reading->accounts_of);
    free(reading->timeless);
}
