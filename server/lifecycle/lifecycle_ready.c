/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness of the base: each account that matches is a row of the fields of the schema, as old as
 * its newest value, and sighted by each source that told something of it. Timelines are not read.
 * An account that is damaged, memory, more sources than anybody has, and who asked and gives up end
 * it. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"

/* Systems of one company. */
#define SOURCES_MAX 1024
/* As a row of a file without a time: old, whenever one looks. */
#define NO_TIME (INT64_MIN / 2)

struct ready {
    struct engine_worker *worker;
    const struct feature_schema *schema;
    uint64_t *filled; /* by field */
    int64_t *time_ms; /* by account */
    size_t accounts, account_room;
    uint32_t *account, *source; /* by sighting */
    size_t sightings, sighting_room;
    char *names[SOURCES_MAX];
    uint32_t name_count;
    int64_t newest_ms;
};

static bool no_memory(struct proto_fault *fault, const char *what, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu %s", count, what);
}

static bool source_number(struct ready *ready, struct proto_span name, uint32_t *number,
                          struct proto_fault *fault)
{
    for (*number = 0; *number < ready->name_count; (*number)++) {
        if (proto_span_is(name, ready->names[*number])) {
            return true;
        }
    }
    if (ready->name_count == SOURCES_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "the accounts have more than %d sources",
                               SOURCES_MAX);
    }
    ready->names[*number] = feature_text_copy(name);
    if (ready->names[*number] == NULL) {
        return no_memory(fault, "sources", ready->name_count);
    }
    ready->name_count++;
    return true;
}

static bool sighting_add(struct ready *ready, uint32_t source, struct proto_fault *fault)
{
    if (ready->sightings == ready->sighting_room) {
        size_t room = ready->sighting_room * 2 + 1024;
        uint32_t *account = realloc(ready->account, room * sizeof *account);
        ready->account = account != NULL ? account : ready->account;
        uint32_t *sources = realloc(ready->source, room * sizeof *sources);
        ready->source = sources != NULL ? sources : ready->source;
        if (account == NULL || sources == NULL) {
            return no_memory(fault, "sightings", room);
        }
        ready->sighting_room = room;
    }
    ready->account[ready->sightings] = (uint32_t)ready->accounts;
    ready->source[ready->sightings++] = source;
    return true;
}

static bool sources_add(struct ready *ready, const struct feature_record *record,
                        struct proto_fault *fault)
{
    for (size_t i = 0; i < record->source_count; i++) {
        uint32_t number = 0;
        struct proto_span name = feature_record_source(record, (uint8_t)i);
        if (!source_number(ready, name, &number, fault) || !sighting_add(ready, number, fault)) {
            return false;
        }
    }
    return true;
}

static bool account_add(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct ready *ready = context;
    struct feature_record record;
    int64_t newest = NO_TIME;
    (void)raw;
    if (ready->accounts == ready->account_room) {
        size_t room = ready->account_room * 2 + 1024;
        int64_t *times = realloc(ready->time_ms, room * sizeof *times);
        if (times == NULL) {
            return no_memory(fault, "accounts", room);
        }
        ready->time_ms = times;
        ready->account_room = room;
    }
    if (!engine_values(ready->worker, slot, NULL, fault) ||
        !engine_record(ready->worker, slot, &record, fault)) {
        return lifecycle_fault_of(ready->worker, slot, fault);
    }
    for (size_t f = 0; f < ready->schema->field_count; f++) {
        const struct feature_value *value = &ready->worker->values[ready->schema->fields[f].id];
        ready->filled[f] += value->present;
        newest = value->present && value->time_ms > newest ? value->time_ms : newest;
    }
    if (!sources_add(ready, &record, fault)) {
        return false;
    }
    ready->newest_ms = newest > ready->newest_ms ? newest : ready->newest_ms;
    ready->time_ms[ready->accounts++] = newest;
    return true;
}

static bool table_make(const struct ready *ready, struct lifecycle_run *run,
                       struct proto_fault *fault)
{
    struct measure_readiness_options options = run->settings.readiness;
    options.pace = &run->pace;
    size_t fields = ready->schema->field_count;
    const char **names = calloc(fields + 1, sizeof *names);
    if (names == NULL) {
        return no_memory(fault, "fields", fields);
    }
    for (size_t f = 0; f < fields; f++) {
        names[f] = ready->schema->fields[f].name;
    }
    if (options.as_of_ms == INT64_MAX) {
        options.as_of_ms = ready->newest_ms;
    }
    bool sighted = ready->sightings > 0;
    const struct measure_rows rows = {
        .count = ready->accounts,
        .fields = (uint32_t)fields,
        .field_names = names,
        .filled = ready->filled,
        .account = ready->account,
        .accounts = (uint32_t)ready->accounts,
        .time_ms = ready->time_ms,
        .source = ready->source,
        .source_names = (const char *const *)ready->names,
        .sources = ready->name_count,
        .sightings = ready->sightings,
    };
    bool good = sighted || ready->accounts == 0
                    ? measure_readiness_table(&rows, &options, &run->result->table, fault)
                    : proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                                      "nothing is told of the %zu accounts that were looked at",
                                      ready->accounts);
    free(names);
    return good;
}

bool lifecycle_ready_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_readiness_options *options = &settings->readiness;
    if (request->as_of.seq != UINT64_MAX || request->as_of.known_ms != INT64_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD,
                               request->as_of.seq != UINT64_MAX ? "seq" : "known",
                               "readiness is of the accounts as they are now");
    }
    return lifecycle_time_or_none(request, "as-of", &options->as_of_ms, fault) &&
           lifecycle_count(request, "stale-days", &options->stale_days, fault) &&
           lifecycle_number(request, "floor", &options->floor, fault);
}

bool lifecycle_ready_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct ready *ready = calloc(1, sizeof *ready);
    const struct feature_schema *schema = run->worker->state->schema;
    if (schema == NULL) {
        free(ready);
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "there is no schema");
    }
    if (ready == NULL) {
        return no_memory(fault, "fields", schema->field_count);
    }
    *ready = (struct ready){.worker = run->worker, .schema = schema, .newest_ms = NO_TIME};
    ready->filled = calloc(schema->field_count + 1, sizeof *ready->filled);
    bool good = ready->filled != NULL || no_memory(fault, "fields", schema->field_count);
    good = good && lifecycle_walk(run->worker, run->job, run->request, ready, account_add, fault) &&
           table_make(ready, run, fault);
    run->result->accounts = ready->accounts;
    for (uint32_t i = 0; i < ready->name_count; i++) {
        free(ready->names[i]);
    }
    free(ready->filled);
    free(ready->time_ms);
    free(ready->account);
    free(ready->source);
    free(ready);
    return good;
}
