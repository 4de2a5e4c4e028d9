/* SPDX-License-Identifier: Apache-2.0 */
/* Each row adds to the counts of its values; the first of an account adds its name and its sources.
 * At the end names are sorted, and those that stand alone are unique. Memory can run out for the
 * names. */
#include "server/engine/learn_ready.h"

#include <stdlib.h>
#include <xxhash.h>

#include "server/feature/json_text.h"
#include "server/identity/name.h"

#define SOURCES_OF_ONE 255

void engine_ready_init(struct engine_ready *ready, const struct feature_schema *schema,
                       const uint16_t *field_ids, size_t field_count)
{
    *ready =
        (struct engine_ready){.schema = schema, .field_ids = field_ids, .field_count = field_count};
}

static uint64_t name_hash(struct proto_span text)
{
    struct identity_name name;
    char joined[IDENTITY_NAME_BYTES];
    if (identity_name_normal(text, &name)) {
        return XXH3_64bits(joined, identity_name_joined(&name, joined));
    }
    return XXH3_64bits(text.data, text.bytes);
}

static bool name_add(struct engine_ready *ready, const struct feature_value *values,
                     struct proto_fault *fault)
{
    const struct feature_field *field = ready->schema->name;
    const struct feature_value *value = field != NULL ? &values[field->id] : NULL;
    if (value == NULL || !value->present || value->type != FEATURE_CATEGORY) {
        return true;
    }
    if (ready->name_count == ready->name_room) {
        size_t room = ready->name_room * 2 + 1024;
        uint64_t *grown = realloc(ready->names, room * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu names", room);
        }
        ready->names = grown;
        ready->name_room = room;
    }
    ready->names[ready->name_count++] = name_hash(value->text);
    return true;
}

static void source_count(struct engine_ready *ready, struct proto_span name, bool shared)
{
    uint64_t hash = XXH3_64bits(name.bytes > 0 ? name.data : (const uint8_t *)"", name.bytes);
    size_t at = 0;
    while (at < ready->source_count && ready->sources[at].hash != hash) {
        at++;
    }
    if (at == sizeof ready->sources / sizeof *ready->sources) {
        return;
    }
    if (at == ready->source_count) {
        ready->sources[ready->source_count++] = (struct engine_ready_source){.hash = hash};
    }
    ready->sources[at].accounts++;
    ready->sources[at].shared += shared;
}

/* The sources that the account's values come from: the place of each in the record, or its name. */
static void sources_add(struct engine_ready *ready, const struct feature_record *record,
                        const struct feature_value *values, const struct proto_span *sources)
{
    struct proto_span met[SOURCES_OF_ONE];
    bool placed[SOURCES_OF_ONE + 1] = {false};
    size_t count = 0;
    for (size_t i = 0; i < ready->schema->id_count; i++) {
        if (!values[i].present || (sources == NULL && placed[values[i].source])) {
            continue;
        }
        struct proto_span name =
            sources != NULL ? sources[i] : feature_record_source(record, values[i].source);
        size_t at = 0;
        placed[values[i].source] = true;
        while (sources != NULL && at < count && !proto_span_equal(met[at], name)) {
            at++;
        }
        at = sources != NULL ? at : count;
        if (at == count && count < SOURCES_OF_ONE) {
            met[count++] = name;
        }
    }
    for (size_t s = 0; s < count; s++) {
        source_count(ready, met[s], count > 1);
    }
}

bool engine_ready_row(struct engine_ready *ready, const struct feature_record *record,
                      const struct feature_value *values, const struct proto_span *sources,
                      int64_t moment_ms, struct proto_fault *fault)
{
    struct measure_ready *counts = &ready->ready;
    uint64_t id = XXH3_64bits(record->id.data, record->id.bytes);
    for (size_t i = 0; i < ready->field_count; i++) {
        const struct feature_value *value = &values[ready->field_ids[i]];
        const struct feature_field *field =
            feature_schema_by_id(ready->schema, ready->field_ids[i]);
        counts->n[MEASURE_READY_COMPLETE]++;
        counts->part[MEASURE_READY_COMPLETE] += value->present;
        if (value->present && field->stale_after_ms > 0) {
            counts->n[MEASURE_READY_FRESH]++;
            counts->part[MEASURE_READY_FRESH] += value->time_ms > moment_ms - field->stale_after_ms;
        }
    }
    bool again = ready->any && id == ready->last;
    ready->any = true;
    ready->last = id;
    if (again) {
        return true;
    }
    sources_add(ready, record, values, sources);
    return name_add(ready, values, fault);
}

static int u64_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void engine_ready_end(struct engine_ready *ready)
{
    struct measure_ready *counts = &ready->ready;
    size_t largest = 0;
    if (ready->name_count > 0) {
        qsort(ready->names, ready->name_count, sizeof *ready->names, u64_order);
    }
    counts->n[MEASURE_READY_UNIQUE] = ready->name_count;
    for (size_t i = 0; i < ready->name_count; i++) {
        bool before = i > 0 && ready->names[i - 1] == ready->names[i];
        bool after = i + 1 < ready->name_count && ready->names[i + 1] == ready->names[i];
        counts->part[MEASURE_READY_UNIQUE] += !before && !after;
    }
    for (size_t s = 1; s < ready->source_count; s++) {
        largest = ready->sources[s].accounts > ready->sources[largest].accounts ? s : largest;
    }
    for (size_t s = 0; s < ready->source_count; s++) {
        if (s != largest) {
            counts->n[MEASURE_READY_LINKED] += ready->sources[s].accounts;
            counts->part[MEASURE_READY_LINKED] += ready->sources[s].shared;
        }
    }
}

char *engine_ready_print(const struct engine_ready *ready)
{
    json_t *array = json_array();
    for (int i = 0; i < MEASURE_READY_COUNT; i++) {
        enum measure_ready_figure figure = (enum measure_ready_figure)i;
        if (ready->ready.n[figure] > 0) {
            feature_json_append(&array,
                                json_pack("{s:s, s:f, s:I}", "figure", measure_ready_name(figure),
                                          "share", measure_ready_share(&ready->ready, figure), "n",
                                          (json_int_t)ready->ready.n[figure]));
        }
    }
    char *text = array != NULL ? json_dumps(array, JSON_COMPACT) : NULL;
    json_decref(array);
    return text;
}

void engine_ready_fini(struct engine_ready *ready)
{
    free(ready->names);
    ready->names = NULL;
    ready->name_count = ready->name_room = 0;
}
