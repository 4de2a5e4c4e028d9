/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: for each slice the view is let go of and taken anew; each account that matches is packed
 * behind the one before it, into chunks that never move. A case is read as its account was at its
 * moment. An account that is deleted before its
 * slice comes is not there; one that cannot be read ends the reading or is passed over, as the
 * caller wants. */
#include "server/engine/population.h"

#include <stdlib.h>
#include <string.h>

/* Larger than the largest record (PROTO_RECORD_BYTES_MAX) with the headers of its values. */
#define CHUNK_BYTES ((size_t)4 << 20)
_Static_assert(CHUNK_BYTES > 2 * PROTO_RECORD_BYTES_MAX, "a chunk holds any row");

/* A value as it is packed, followed by its text: numbers and flags stand in the head. */
struct packed {
    uint16_t field_id;
    uint8_t type;
    uint8_t reserved;
    uint32_t bytes;
    double number; /* of a flag: 0 or 1 */
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the accounts");
}

void engine_population_fini(struct engine_population *population)
{
    for (size_t i = 0; i < population->chunk_count; i++) {
        free(population->chunks[i]);
    }
    free(population->chunks);
    free(population->rows);
    free(population->slots);
    free(population->cases);
    *population = (struct engine_population){0};
}

static bool chunk_add(struct engine_population *population, struct proto_fault *fault)
{
    if (population->chunk_count >= ENGINE_POPULATION_BYTES_MAX / CHUNK_BYTES) {
        return proto_fault_set(
            fault, PROTO_TOO_LARGE, "",
            "the accounts take more than %zu bytes of memory: narrow the filter, "
            "or leave out fields",
            ENGINE_POPULATION_BYTES_MAX);
    }
    if (population->chunk_count == population->chunk_room) {
        size_t room = population->chunk_room == 0 ? 16 : population->chunk_room * 2;
        uint8_t **chunks = realloc(population->chunks, room * sizeof *chunks);
        if (!chunks) {
            return no_memory(fault);
        }
        population->chunks = chunks;
        population->chunk_room = room;
    }
    uint8_t *chunk = malloc(CHUNK_BYTES);
    if (!chunk) {
        return no_memory(fault);
    }
    population->chunks[population->chunk_count++] = chunk;
    population->used = 0;
    return true;
}

static bool rows_grow(struct engine_population *population, struct proto_fault *fault)
{
    if (population->count < population->row_room) {
        return true;
    }
    size_t room = population->row_room == 0 ? 1024 : population->row_room * 2;
    uint64_t *rows = realloc(population->rows, room * sizeof *rows);
    population->rows = rows ? rows : population->rows;
    uint32_t *slots = realloc(population->slots, room * sizeof *slots);
    population->slots = slots ? slots : population->slots;
    uint32_t *cases = realloc(population->cases, room * sizeof *cases);
    population->cases = cases ? cases : population->cases;
    if (!rows || !slots || !cases) {
        return no_memory(fault);
    }
    population->row_room = room;
    return true;
}

static bool kept(const struct engine_population_options *options,
                 const struct feature_value *values, size_t field_id)
{
    return values[field_id].present && (!options->fields || options->fields[field_id]);
}

static struct proto_span text_of(const struct feature_value *value)
{
    bool plain = feature_type_is_number(value->type) || value->type == FEATURE_FLAG;
    return plain ? (struct proto_span){0} : value->text; /* the spans share their place */
}

/* Bytes of a row: a count, then each value. */
static size_t row_bytes(const struct engine_population_options *options,
                        const struct feature_value *values)
{
    size_t bytes = sizeof(uint32_t);
    for (size_t i = 0; i < options->schema->id_count; i++) {
        if (kept(options, values, i)) {
            bytes += sizeof(struct packed) + text_of(&values[i]).bytes;
        }
    }
    return bytes;
}

static void row_pack(const struct engine_population_options *options,
                     const struct feature_value *values, uint8_t *to)
{
    uint32_t count = 0;
    uint8_t *at = to + sizeof count;
    for (size_t i = 0; i < options->schema->id_count; i++) {
        const struct feature_value *value = &values[i];
        if (!kept(options, values, i)) {
            continue;
        }
        struct proto_span text = text_of(value);
        struct packed head = {
            .field_id = (uint16_t)i,
            .type = (uint8_t)value->type,
            .bytes = (uint32_t)text.bytes,
            .number = feature_type_is_number(value->type) ? value->number
                      : value->type == FEATURE_FLAG       ? value->flag
                                                          : 0,
        };
        memcpy(at, &head, sizeof head);
        at += sizeof head;
        if (text.bytes > 0) {
            memcpy(at, text.data, text.bytes);
            at += text.bytes;
        }
        count++;
    }
    memcpy(to, &count, sizeof count);
}

static bool row_add(struct engine_population *population,
                    const struct engine_population_options *options,
                    const struct feature_value *values, uint32_t slot, size_t place,
                    struct proto_fault *fault)
{
    size_t bytes = row_bytes(options, values);
    bool fits = population->chunk_count > 0 && bytes <= CHUNK_BYTES - population->used;
    if (!rows_grow(population, fault) || (!fits && !chunk_add(population, fault))) {
        return false;
    }
    size_t chunk = population->chunk_count - 1;
    row_pack(options, values, population->chunks[chunk] + population->used);
    population->rows[population->count] = chunk * CHUNK_BYTES + population->used;
    population->cases[population->count] = (uint32_t)place;
    population->slots[population->count++] = slot;
    population->used += bytes;
    return true;
}

/* What a row is read into. */
struct reading {
    struct feature_value *values; /* by field id */
    struct proto_span *sources;   /* of cases */
    struct base_arena arena;
};

/* The stage comes with the case, from none of the account's sources: it passes for a value of the
 * first of them, so that no further one is counted. */
static void stage_lay(const struct engine_population_options *options, size_t place,
                      struct reading *reading)
{
    int32_t stage_id = options->stage_field_id;
    if (!options->stages || stage_id < 0) {
        return;
    }
    const struct engine_case *one = &options->cases[place];
    struct proto_span source = proto_span_text("");
    for (int32_t i = (int32_t)options->schema->id_count; i-- > 0;) {
        source = i != stage_id && reading->values[i].present ? reading->sources[i] : source;
    }
    reading->values[stage_id] =
        (struct feature_value){.present = true,
                               .type = FEATURE_CATEGORY,
                               .time_ms = one->moment_ms,
                               .text = proto_span_text(options->stages[one->stage])};
    reading->sources[stage_id] = source;
}

/* The account of a place in what is to be read, as it is or as it was at the case's moment. */
static bool values_read(struct engine_worker *worker,
                        const struct engine_population_options *options, size_t place,
                        uint32_t slot, struct feature_record *record, struct reading *reading,
                        enum engine_row_kind *kind, struct proto_fault *fault)
{
    size_t slots = options->schema->id_count;
    if (options->cases) {
        struct engine_as_of as_of = {options->cases[place].moment_ms, options->timeless,
                                     options->fields, &reading->arena};
        bool good = engine_values_as_of(worker, slot, &as_of, record, reading->values,
                                        reading->sources, slots, kind, fault);
        if (good) {
            stage_lay(options, place, reading);
        }
        return good;
    }
    if (!engine_record(worker, slot, record, fault)) {
        return false;
    }
    feature_record_values(record, reading->values, slots);
    return true;
}

static bool account_read(struct engine_population *population, struct engine_worker *worker,
                         const struct engine_population_options *options, size_t place,
                         struct reading *reading, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct feature_record record;
    enum engine_row_kind kind = ENGINE_ROW_TRUE;
    const struct feature_value *values = reading->values;
    const struct proto_span *sources = options->cases ? reading->sources : NULL;
    uint32_t slot = options->cases   ? options->cases[place].slot
                    : options->slots ? options->slots[place]
                                     : (uint32_t)place;
    int64_t moment_ms =
        options->cases ? options->cases[place].moment_ms : engine_now_ms(worker->engine);
    if (!values_read(worker, options, place, slot, &record, reading, &kind, &local)) {
        if (local.code == PROTO_NOT_FOUND ||
            (options->pass_damaged && local.code == PROTO_CORRUPT)) {
            return true;
        }
        *fault = local;
        return false;
    }
    if (kind == ENGINE_ROW_NOT_KEPT) {
        population->not_kept++;
        return true;
    }
    if (options->where && !filter_match(options->where, values, options->schema->id_count)) {
        return true;
    }
    population->known += kind == ENGINE_ROW_KNOWN;
    return (!options->on_row ||
            options->on_row(options->context, &record, values, sources, moment_ms, fault)) &&
           row_add(population, options, values, slot, place, fault);
}

static bool slices_read(struct engine_population *population, struct engine_worker *worker,
                        const struct engine_population_options *options, struct reading *reading,
                        struct proto_fault *fault)
{
    size_t count = options->cases   ? options->case_count
                   : options->slots ? options->slot_count
                                    : store_view_slots(worker->view);
    for (size_t i = 0; i < count; i++) {
        if (i % ENGINE_SLICE_ROWS == 0) {
            double done = (double)i / (double)count;
            if ((options->on_slice && !options->on_slice(options->context, done, fault)) ||
                !store_view_refresh(worker->view, fault)) {
                return false;
            }
        }
        if (!account_read(population, worker, options, i, reading, fault)) {
            return false;
        }
    }
    return true;
}

bool engine_population_read(struct engine_population *population, struct engine_worker *worker,
                            const struct engine_population_options *options,
                            struct proto_fault *fault)
{
    size_t slots = options->schema->id_count;
    struct reading reading = {.values = calloc(slots + 1, sizeof *reading.values),
                              .sources = calloc(slots + 1, sizeof *reading.sources)};
    *population = (struct engine_population){0};
    base_arena_init(&reading.arena, 0, 0);
    bool good = ((reading.values && reading.sources) || no_memory(fault)) &&
                store_view_refresh(worker->view, fault) &&
                slices_read(population, worker, options, &reading, fault);
    engine_worker_rest(worker);
    base_arena_fini(&reading.arena);
    free(reading.values);
    free(reading.sources);
    if (!good) {
        engine_population_fini(population);
    }
    return good;
}

bool engine_population_values(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct engine_population *population = context;
    uint64_t place = population->rows[row];
    const uint8_t *at = population->chunks[place / CHUNK_BYTES] + place % CHUNK_BYTES;
    uint32_t count;
    memcpy(&count, at, sizeof count);
    at += sizeof count;
    memset(values, 0, slots * sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        struct packed head;
        memcpy(&head, at, sizeof head);
        struct proto_span text = {at + sizeof head, head.bytes};
        at += sizeof head + head.bytes;
        if (head.field_id >= slots) {
            continue;
        }
        struct feature_value *value = &values[head.field_id];
        *value = (struct feature_value){.present = true, .type = (enum feature_type)head.type};
        if (feature_type_is_number(value->type)) {
            value->number = head.number;
        } else if (value->type == FEATURE_FLAG) {
            value->flag = head.number != 0;
        } else {
            value->text = text;
        }
    }
    return true;
}
