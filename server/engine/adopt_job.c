/* SPDX-License-Identifier: Apache-2.0 */
/* A model from elsewhere as a job: accounts that match are read and coded by its codebook, their
 * outcomes are taken if one is named, and the completed document (adopt.h) is stored as a new
 * version. A job that is cancelled or fails stores nothing. */
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/population.h"
#include "server/engine/version_job.h"
#include "server/engine/worker.h"
#include "server/learn/adopt.h"

#define READ_SHARE 0.7 /* of the time that a job shows */

struct adopting {
    struct feature_schema *schema;
    struct learn_document *draft;
    struct filter *label, *where; /* NULL: none */
    char *label_text, *where_text;
    struct engine_version_end end;
};

static void adopting_destroy(void *context)
{
    struct adopting *adopting = context;
    if (adopting) {
        learn_document_release(adopting->draft);
        filter_destroy(adopting->label);
        filter_destroy(adopting->where);
        free(adopting->label_text);
        free(adopting->where_text);
        feature_schema_release(adopting->schema);
        free(adopting);
    }
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the accounts");
}

static bool expression_take(const struct feature_schema *schema, struct proto_span text,
                            const char *what, struct filter **filter, char **copy,
                            struct proto_fault *fault)
{
    *copy = engine_text_copy(text);
    if (!*copy) {
        return no_memory(fault);
    }
    *filter = text.bytes > 0 ? engine_named_filter(schema, text, what, fault) : NULL;
    return *filter || text.bytes == 0;
}

static struct adopting *adopting_create(struct feature_schema *schema,
                                        const struct engine_adopt *request,
                                        struct proto_fault *fault)
{
    struct adopting *adopting = calloc(1, sizeof *adopting);
    if (!adopting) {
        no_memory(fault);
        return NULL;
    }
    adopting->schema = feature_schema_retain(schema);
    engine_version_end_init(&adopting->end, "imported", request->activate, &request->operation);
    adopting->draft = learn_document_parse(request->document, 0, schema, fault);
    if (!adopting->draft ||
        !expression_take(schema, request->label, "label", &adopting->label, &adopting->label_text,
                         fault) ||
        !expression_take(schema, request->where, "where", &adopting->where, &adopting->where_text,
                         fault)) {
        adopting_destroy(adopting);
        return NULL;
    }
    if (json_string_length(json_object_get(adopting->draft->json, "name")) >
        PROTO_ICP_NAME_BYTES_MAX) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "name", "a name has at most %d bytes",
                        PROTO_ICP_NAME_BYTES_MAX);
        adopting_destroy(adopting);
        return NULL;
    }
    return adopting;
}

static bool on_slice(void *context, double done, struct proto_fault *fault)
{
    return engine_job_progress(context, READ_SHARE * done, "reading accounts") ||
           proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static bool accounts_read(struct engine_job *job, const struct adopting *adopting,
                          struct engine_population *accounts, struct proto_fault *fault)
{
    const struct feature_codebook *codebook = adopting->draft->codebook;
    bool *fields = calloc(adopting->schema->id_count + 1, sizeof *fields);
    if (!fields) {
        return no_memory(fault);
    }
    for (size_t c = 0; c < codebook->column_count; c++) {
        fields[codebook->columns[c].field_id] = true;
    }
    filter_fields_mark(adopting->label, fields);
    struct engine_population_options options = {.schema = adopting->schema,
                                                .fields = fields,
                                                .where = adopting->where,
                                                .on_slice = on_slice,
                                                .context = job};
    struct engine_worker *worker = engine_worker_create(job->engine, fault);
    bool good = worker && engine_population_read(accounts, worker, &options, fault);
    if (worker) {
        engine_worker_destroy(worker);
    }
    free(fields);
    return good;
}

/* Codes and labels of all rows; *labels stays NULL where no outcome was named. */
static bool rows_code(const struct adopting *adopting, struct engine_population *accounts,
                      uint8_t **codes, uint8_t **labels, struct proto_fault *fault)
{
    const struct feature_codebook *codebook = adopting->draft->codebook;
    size_t slots = adopting->schema->id_count;
    struct feature_value *values = calloc(slots + 1, sizeof *values);
    *codes = aligned_alloc(64, (accounts->count + 1) * codebook->row_bytes + 64);
    *labels = adopting->label ? malloc(accounts->count + 1) : NULL;
    if (!values || !*codes || (adopting->label && !*labels)) {
        free(values);
        return no_memory(fault);
    }
    for (size_t i = 0; i < accounts->count; i++) {
        (void)engine_population_values(accounts, i, values, slots);
        feature_codebook_encode(codebook, values, slots, *codes + i * codebook->row_bytes);
        if (*labels) {
            (*labels)[i] = filter_match(adopting->label, values, slots);
        }
    }
    free(values);
    return true;
}

static char *document_print(struct engine_job *job, const struct adopting *adopting,
                            struct engine_population *accounts, struct proto_fault *fault)
{
    char created[ENGINE_CREATED_BYTES];
    char *text = NULL;
    uint8_t *codes = NULL;
    uint8_t *labels = NULL;
    engine_job_created(job, created);
    if (!engine_job_progress(job, READ_SHARE, "scoring accounts")) {
        proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
    } else if (rows_code(adopting, accounts, &codes, &labels, fault)) {
        struct learn_adopt adopt = {.codes = codes,
                                    .labels = labels,
                                    .rows = accounts->count,
                                    .label_text = adopting->label_text,
                                    .where_text = adopting->where_text,
                                    .created = created};
        text = learn_adopt_print(adopting->draft, &adopt, fault);
    }
    free(codes);
    free(labels);
    return text;
}

static char *document_make(struct engine_job *job, struct proto_fault *fault)
{
    const struct adopting *adopting = job->context;
    struct engine_population accounts = {0};
    char *text = accounts_read(job, adopting, &accounts, fault)
                     ? document_print(job, adopting, &accounts, fault)
                     : NULL;
    engine_population_fini(&accounts);
    return text;
}

static bool run_adopt(struct engine_job *job, struct proto_fault *fault)
{
    const struct adopting *adopting = job->context;
    return engine_version_run(job, &adopting->end, document_make, fault);
}

uint64_t engine_adopt(struct engine *engine, const struct engine_adopt *request,
                      struct proto_fault *fault)
{
    struct engine_state *state = engine_state_get(engine);
    struct adopting *adopting = NULL;
    if (!state->schema) {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "put a schema and accounts before a model");
    } else {
        adopting = adopting_create(state->schema, request, fault);
    }
    engine_state_release(state);
    if (!adopting) {
        return 0;
    }
    struct engine_job job = {
        .deadline_ms = request->deadline_ms,
        .context = adopting,
        .run = run_adopt,
        .destroy = adopting_destroy,
        .on_progress = request->on_progress,
        .on_done = request->on_done,
        .callback_context = request->context,
    };
    return engine_job_submit(engine, PROTO_OP_ICP_IMPORT, &job, fault);
}
