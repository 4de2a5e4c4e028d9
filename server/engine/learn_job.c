/* SPDX-License-Identifier: Apache-2.0 */
/* Learning as a job: reads the accounts that it learns from into memory, in slices that pin no page
 * of the store for long (learn_reading.h), hands them to learn_run, stores the document as a new
 * version. A job that is cancelled, whose accounts are not ready to be learned from, or that finds
 * no evidence, stores nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/engine/engine_internal.h"
#include "server/engine/learn_names.h"
#include "server/engine/learn_reading.h"
#include "server/engine/version_job.h"
#include "server/learn/learn.h"

#define READ_SHARE 0.1 /* of the time that a job shows */
#define LEARN_SHARE 0.88

struct learn {
    struct feature_schema *schema;
    struct filter *label;             /* NULL: cases */
    struct engine_case_source source; /* read NULL: none */
    struct measure_floors floors;
    bool despite_readiness;
    struct filter *where;
    char *label_text;
    char *where_text;
    char *name;
    uint16_t *field_ids;
    size_t field_count;
    uint16_t same_field_ids[2]; /* the account's name and its parent, if the schema has them */
    size_t same_field_count;
    int32_t time_field_id;
    int32_t stage_field_id;   /* of cases by stage; else -1 */
    uint16_t weight_field_id; /* if weighted */
    bool weighted;
    uint16_t value_field_id; /* if valued */
    bool valued;
    uint64_t seed;
    unsigned pairs_max;
    uint16_t *keep_field_ids; /* suspected leaks that are learned from all the same */
    size_t keep_field_count;
    int8_t *directions; /* by field id */
    struct engine_version_end end;
};

static void learn_destroy(void *context)
{
    struct learn *learn = context;
    if (!learn) {
        return;
    }
    if (learn->source.read) {
        learn->source.destroy(learn->source.context);
    }
    feature_schema_release(learn->schema);
    filter_destroy(learn->label);
    filter_destroy(learn->where);
    free(learn->label_text);
    free(learn->where_text);
    free(learn->name);
    free(learn->field_ids);
    free(learn->keep_field_ids);
    free(learn->directions);
    free(learn);
}

static bool span_in(struct proto_span text, const struct proto_span *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (proto_span_equal(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* Why a field says nothing of what an account is like; NULL if it may. */
static const char *not_like(const struct feature_schema *schema, const struct feature_field *field)
{
    return field->type == FEATURE_DATE ? "is a date: it says when, not what like,"
           : field == schema->name     ? "names the account: it says who, not what like,"
                                       : NULL;
}

/* Every field may explain the outcome but those that define it, those left out, and vectors, which
 * have no bins. */
static bool choose_fields(struct learn *learn, const struct engine_learn *request,
                          struct proto_fault *fault)
{
    const struct feature_schema *schema = learn->schema;
    if (!engine_names_known(schema, request->fields, request->field_count, "fields", fault) ||
        !engine_names_known(schema, request->exclude, request->exclude_count, "exclude", fault)) {
        return false;
    }
    learn->field_ids = calloc(schema->field_count + 1, sizeof *learn->field_ids);
    if (!learn->field_ids) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct feature_field *field = &schema->fields[i];
        struct proto_span name = proto_span_text(field->name);
        bool asked = !request->fields || span_in(name, request->fields, request->field_count) ||
                     field->id == learn->stage_field_id;
        bool excluded = span_in(name, request->exclude, request->exclude_count);
        const char *reason = not_like(schema, field);
        if (asked && request->fields && !excluded && reason) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "fields",
                                   "\"%s\" %s and is not learned from", field->name, reason);
        }
        if (asked && !excluded && field->type != FEATURE_VECTOR && !reason &&
            !filter_reads(learn->label, field->id) && field->id != learn->time_field_id &&
            !(learn->weighted && field->id == learn->weight_field_id) &&
            !(learn->valued && field->id == learn->value_field_id)) {
            learn->field_ids[learn->field_count++] = field->id;
        }
    }
    return learn->field_count > 0 ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "fields", "no field is left to learn from");
}

/* What is positive: a label over the accounts as they are, or cases that somebody gives. */
static bool choose_label(struct learn *learn, struct proto_span label, struct proto_fault *fault)
{
    if (learn->source.read) {
        return engine_reading_timeless_known(learn->schema, &learn->source, fault) &&
               engine_names_stage(learn->schema, learn->source.stage_field, &learn->stage_field_id,
                                  fault);
    }
    learn->stage_field_id = -1;
    learn->label = engine_named_filter(learn->schema, label, "label", fault);
    return learn->label != NULL;
}

static bool choose_time(struct learn *learn, struct proto_span name, struct proto_fault *fault)
{
    learn->time_field_id = -1;
    if (name.bytes == 0) {
        return true;
    }
    const struct feature_field *field = feature_schema_find(learn->schema, name);
    if (!field || !feature_type_is_number(field->type)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "time_field",
                               "'%.*s' is not a date or number field of the schema",
                               (int)name.bytes, (const char *)name.data);
    }
    learn->time_field_id = field->id;
    return true;
}

/* *chosen stays false where nothing is named. */
static bool choose_number(const struct learn *learn, struct proto_span name, const char *what,
                          uint16_t *field_id, bool *chosen, struct proto_fault *fault)
{
    if (name.bytes == 0) {
        return true;
    }
    const struct feature_field *field = feature_schema_find(learn->schema, name);
    if (!field || field->type != FEATURE_NUMBER) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, what,
                               "'%.*s' is not a number field of the schema", (int)name.bytes,
                               (const char *)name.data);
    }
    *field_id = field->id;
    *chosen = true;
    return true;
}

/* Rows with one name or one parent are one company, whether or not anything is learned from that.
 */
static void choose_same(struct learn *learn)
{
    const struct feature_schema *schema = learn->schema;
    const struct feature_field *parent = feature_schema_find(schema, proto_span_text("parent"));
    if (schema->name) {
        learn->same_field_ids[learn->same_field_count++] = schema->name->id;
    }
    if (parent && parent != schema->name && parent->type == FEATURE_CATEGORY) {
        learn->same_field_ids[learn->same_field_count++] = parent->id;
    }
}

/* The stage of a case is known at its moment whatever it says of the end, so that it is warned of
 * and not refused. NULL at the end: not all are known, or no memory. */
static void choose_kept(struct learn *learn, const struct engine_learn *request,
                        struct proto_fault *fault)
{
    learn->keep_field_ids =
        engine_names_ids(learn->schema, request->keep, request->keep_count, "keep_leaks", fault);
    learn->keep_field_count = request->keep_count;
    if (learn->keep_field_ids && learn->stage_field_id >= 0) {
        learn->keep_field_ids[learn->keep_field_count++] = (uint16_t)learn->stage_field_id;
    }
}

/* It is taken where nobody keeps it, too. */
static void source_drop(const struct engine_learn *request)
{
    if (request->cases) {
        request->cases->destroy(request->cases->context);
    }
}

static struct learn *learn_create(struct feature_schema *schema, const struct engine_learn *request,
                                  struct proto_fault *fault)
{
    struct learn *learn = calloc(1, sizeof *learn);
    if (!learn) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
        source_drop(request);
        return NULL;
    }
    learn->source = request->cases ? *request->cases : (struct engine_case_source){0};
    learn->despite_readiness = request->despite_readiness;
    measure_floors_default(&learn->floors);
    learn->floors = request->floors ? *request->floors : learn->floors;
    learn->schema = feature_schema_retain(schema);
    learn->seed = request->seed;
    learn->pairs_max = request->pairs_max;
    engine_version_end_init(&learn->end, "learned", request->activate, &request->operation);
    learn->label_text = engine_text_copy(request->cases ? request->cases->name : request->label);
    learn->where_text = engine_text_copy(request->where);
    learn->name = engine_text_copy(request->name);
    if (!learn->label_text || !learn->where_text || !learn->name) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
        goto fail;
    }
    if (!choose_label(learn, request->label, fault)) {
        goto fail;
    }
    if (request->where.bytes > 0) {
        learn->where = engine_named_filter(schema, request->where, "where", fault);
        if (!learn->where) {
            goto fail;
        }
    }
    if (!choose_time(learn, request->time_field, fault) ||
        !choose_number(learn, request->weight_field, "weight", &learn->weight_field_id,
                       &learn->weighted, fault) ||
        !choose_number(learn, request->value_field, "value", &learn->value_field_id, &learn->valued,
                       fault) ||
        !choose_fields(learn, request, fault)) {
        goto fail;
    }
    choose_same(learn);
    choose_kept(learn, request, fault);
    learn->directions = engine_names_directions(schema, request, fault);
    if (!learn->keep_field_ids || !learn->directions) {
        goto fail;
    }
    return learn;

fail:
    learn_destroy(learn);
    return NULL;
}

/* What learning looks at, and nothing else: fields to learn from, of the label, of time. */
static bool rows_read(struct engine_job *job, const struct learn *learn,
                      struct engine_reading *reading, struct proto_fault *fault)
{
    bool *fields = calloc(learn->schema->id_count + 1, sizeof *fields);
    if (!fields) {
        *reading = (struct engine_reading){.job = job};
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn");
    }
    for (size_t i = 0; i < learn->field_count; i++) {
        fields[learn->field_ids[i]] = true;
    }
    for (size_t i = 0; i < learn->same_field_count; i++) {
        fields[learn->same_field_ids[i]] = true;
    }
    if (learn->time_field_id >= 0) {
        fields[learn->time_field_id] = true;
    }
    if (learn->weighted) {
        fields[learn->weight_field_id] = true;
    }
    if (learn->valued) {
        fields[learn->value_field_id] = true;
    }
    filter_fields_mark(learn->label, fields);
    filter_fields_mark(learn->where, fields);
    const struct engine_reading_options options = {
        .schema = learn->schema,
        .fields = fields,
        .field_ids = learn->field_ids,
        .field_count = learn->field_count,
        .where = learn->where,
        .source = learn->source.read ? &learn->source : NULL,
        .floors = learn->despite_readiness ? NULL : &learn->floors,
        .value_field_id = learn->valued ? &learn->value_field_id : NULL,
        .stage_field_id = learn->stage_field_id,
        .share = READ_SHARE,
    };
    bool good = engine_reading_read(reading, job, &options, fault);
    free(fields);
    return good;
}

static bool learn_progress(void *context, double done, const char *stage)
{
    return engine_job_progress(context, READ_SHARE + LEARN_SHARE * done, stage);
}

static unsigned learn_threads(const struct engine *engine)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return engine->options.learn_threads > 0 ? engine->options.learn_threads
                                             : (unsigned)(processors > 0 ? processors : 1);
}

static char *learn_document(struct engine_job *job, struct learn *learn,
                            struct engine_reading *reading, struct proto_fault *fault)
{
    char *readiness = engine_ready_print(&reading->ready);
    if (!readiness) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to tell how ready accounts are");
        return NULL;
    }
    char created[ENGINE_CREATED_BYTES];
    engine_job_created(job, created);
    struct learn_population population = {.context = &reading->accounts,
                                          .rows = reading->accounts.count,
                                          .values = engine_population_values,
                                          .labels = reading->labels,
                                          .accounts = reading->accounts_of};
    struct learn_options options = {
        .schema = learn->schema,
        .name = learn->name,
        .created = created,
        .label = learn->label,
        .label_text = learn->label_text,
        .policy = reading->cases.told,
        .readiness = readiness,
        .where = learn->where,
        .where_text = learn->where_text,
        .field_ids = learn->field_ids,
        .field_count = learn->field_count,
        .time_field_id = learn->time_field_id,
        .weight_field_id = learn->weighted ? &learn->weight_field_id : NULL,
        .value_field_id = learn->valued ? &learn->value_field_id : NULL,
        .seed = learn->seed,
        .pairs_max = learn->pairs_max,
        .threads = learn_threads(job->engine),
        .directions = learn->directions,
        .keep_field_ids = learn->keep_field_ids,
        .keep_field_count = learn->keep_field_count,
        .same_field_ids = learn->same_field_ids,
        .same_field_count = learn->same_field_count,
        .on_progress = learn_progress,
        .progress_context = job,
    };
    char *text = learn_run(&population, &options, fault);
    free(readiness);
    return text;
}

/* What does not hold up is called by its name, and a fault of the label is one of the policy where
 * that says what is positive. */
static void fault_word(const struct learn *learn, struct proto_fault *fault)
{
    char message[sizeof fault->message];
    if (learn->source.read && strcmp(fault->field, "label") == 0) {
        (void)snprintf(fault->field, sizeof fault->field, "policy");
    }
    if (fault->code == PROTO_NO_EVIDENCE) {
        memcpy(message, fault->message, sizeof message);
        (void)snprintf(fault->message, sizeof fault->message, "no evidence: %.490s", message);
    }
}

static char *document_learn(struct engine_job *job, struct proto_fault *fault)
{
    struct learn *learn = job->context;
    struct engine_reading reading;
    bool read = rows_read(job, learn, &reading, fault);
    char *text = read ? learn_document(job, learn, &reading, fault) : NULL;
    engine_reading_fini(&reading);
    if (!text) {
        fault_word(learn, fault);
    }
    return text;
}

static bool run_learn(struct engine_job *job, struct proto_fault *fault)
{
    const struct learn *learn = job->context;
    return engine_version_run(job, &learn->end, document_learn, fault);
}

uint64_t engine_learn(struct engine *engine, const struct engine_learn *request,
                      struct proto_fault *fault)
{
    struct engine_state *state = engine_state_get(engine);
    struct learn *learn = NULL;
    if (!state->schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "put a schema and accounts before learning");
        source_drop(request);
    } else {
        learn = learn_create(state->schema, request, fault);
    }
    engine_state_release(state);
    if (!learn) {
        return 0;
    }
    struct engine_job job = {
        .deadline_ms = request->deadline_ms,
        .context = learn,
        .run = run_learn,
        .destroy = learn_destroy,
        .on_progress = request->on_progress,
        .on_done = request->on_done,
        .callback_context = request->context,
    };
    return engine_job_submit(engine, PROTO_OP_ICP_LEARN, &job, fault);
}
