/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a set: fits a plan on a sample, turns every account into a vector, partitions. While it
 * runs, changes are noted twice: for the set in use, and to be replayed on the new one. So the
 * accounts need not be of one commit: they are read in slices, each on a newer snapshot, and what
 * changed since the first is replayed in any case. A build that is cancelled, or finds no memory,
 * leaves the set in use as it was. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "server/engine/population.h"
#include "server/engine/walk.h"
#include "server/lookalike/lookalike_parts.h"

static_assert((int)FEATURE_VECTOR_COSINE == (int)SIMILAR_COSINE &&
                  (int)FEATURE_VECTOR_DOT == (int)SIMILAR_DOT &&
                  (int)FEATURE_VECTOR_L2 == (int)SIMILAR_L2,
              "one list of metrics, as two floors know it");
/* Share of a field that the active ICP does not use, against one of the most important. */
#define WEIGHT_LEAST 0.25

/* A build under way. */
struct building {
    const struct lookalike_build *options;
    struct lookalike *lookalike;
    struct engine_worker *worker; /* its own */
    struct lookalike_set *made;
    uint32_t *slots; /* of living accounts, ascending */
    size_t count;
    float *rows;
    size_t row_bytes; /* of all rows */
};

static bool goes_on(struct building *building, double done, const char *stage,
                    struct proto_fault *fault)
{
    if (!building->options->job) {
        return engine_scan_goes_on(building->options->scan, fault);
    }
    return engine_job_progress(building->options->job, done, stage) ||
           proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static bool slots_collect(struct building *building, struct proto_fault *fault)
{
    struct store_view *view = building->worker->view;
    uint32_t slots = store_view_slots(view);
    building->slots = malloc(((size_t)slots + 1) * sizeof *building->slots);
    if (!building->slots) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %" PRIu32 " slots",
                               slots);
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct proto_span record;
        struct proto_fault local = {0};
        if (slot % ENGINE_SLICE_ROWS == 0 &&
            (!goes_on(building, 0.1 * slot / slots, "reading accounts", fault) ||
             !store_view_refresh(view, fault))) {
            return false;
        }
        if (store_record(view, slot, &record, &local)) {
            building->slots[building->count++] = slot;
        } else if (local.code != PROTO_NOT_FOUND && local.code != PROTO_CORRUPT) {
            *fault = local;
            return false;
        }
    }
    return building->count > 0 ||
           proto_fault_set(fault, PROTO_NO_VECTORS, "", "there are no accounts yet to compare");
}

static bool sample_goes_on(void *context, double done, struct proto_fault *fault)
{
    (void)done;
    return goes_on(context, 0.1, "fitting", fault);
}

/* Every so many accounts, in memory. */
static bool sample_read(struct building *building, struct engine_population *sample,
                        struct proto_fault *fault)
{
    size_t step = 1 + building->count / FEATURE_VECTOR_SAMPLE_MAX;
    size_t count = (building->count + step - 1) / step;
    uint32_t *slots = malloc((count + 1) * sizeof *slots);
    if (!slots) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fit vectors");
    }
    for (size_t i = 0; i < count; i++) {
        slots[i] = building->slots[i * step];
    }
    struct engine_population_options options = {
        .schema = building->worker->state->schema,
        .slots = slots,
        .slot_count = count,
        .pass_damaged = true,
        .on_slice = sample_goes_on,
        .context = building,
    };
    bool good = engine_population_read(sample, building->worker, &options, fault);
    free(slots);
    return good;
}

/* Weights by what the active ICP finds important; NULL without one, or without memory. */
static double *icp_weights(const struct engine_state *state)
{
    const json_t *fields =
        state->active ? json_object_get(json_object_get(state->active->json, "evidence"), "fields")
                      : NULL;
    double most = 0;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        double importance =
            json_number_value(json_object_get(json_array_get(fields, i), "importance"));
        most = importance > most ? importance : most;
    }
    double *weights = most > 0 ? calloc(state->schema->id_count + 1, sizeof *weights) : NULL;
    if (!weights) {
        return NULL;
    }
    for (size_t i = 0; i < state->schema->field_count; i++) {
        weights[state->schema->fields[i].id] = WEIGHT_LEAST;
    }
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *entry = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(entry, "field"));
        const struct feature_field *field =
            name ? feature_schema_find(state->schema, proto_span_text(name)) : NULL;
        if (field) {
            weights[field->id] +=
                (1 - WEIGHT_LEAST) * json_number_value(json_object_get(entry, "importance")) / most;
        }
    }
    return weights;
}

static bool plan_fit(struct building *building, struct proto_fault *fault)
{
    const struct engine_state *state = building->worker->state;
    if (!state->schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    assert(building->made); /* made before anything is fitted */
    const json_t *wish = building->made->wish;
    struct engine_population accounts = {0};
    double *own = calloc(state->schema->id_count + 1, sizeof *own);
    if (!own) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fit vectors");
    }
    if (!sample_read(building, &accounts, fault)) {
        free(own);
        return false;
    }
    struct feature_vector_sample sample = {
        .context = &accounts, .rows = accounts.count, .values = engine_population_values};
    double *weights = lookalike_wish_icp_weights(wish) ? icp_weights(state) : NULL;
    struct feature_vectorizer_options options =
        lookalike_wish_options(wish, state->schema, weights, own);
    building->made->plan = feature_vectorizer_fit(state->schema, &sample, &options, fault);
    building->made->schema_version = state->schema->version;
    engine_population_fini(&accounts);
    free(weights);
    free(own);
    return building->made->plan != NULL;
}

/* Every account as a row; memory that the kernel gives back at once when it is freed. */
static bool rows_make(struct building *building, struct proto_fault *fault)
{
    assert(building->made && building->made->plan); /* fitted before */
    const struct feature_vectorizer *plan = building->made->plan;
    building->row_bytes = building->count * plan->dims * sizeof(float);
    void *rows =
        mmap(NULL, building->row_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rows == MAP_FAILED) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "",
                               "no memory for the vectors of %zu "
                               "accounts",
                               building->count);
    }
    building->rows = rows;
    size_t kept = 0;
    for (size_t i = 0; i < building->count; i++) {
        struct proto_fault local = {0};
        if (i % ENGINE_SLICE_ROWS == 0 &&
            (!goes_on(building, 0.15 + 0.25 * (double)i / (double)building->count, "making vectors",
                      fault) ||
             !store_view_refresh(building->worker->view, fault))) {
            return false;
        }
        if (!engine_values(building->worker, building->slots[i], NULL, &local)) {
            if (local.code == PROTO_NO_MEMORY) {
                *fault = local;
                return false;
            }
            continue; /* damaged since it was counted */
        }
        feature_vectorizer_vector(plan, building->worker->values, building->worker->value_slots,
                                  building->rows + kept * plan->dims);
        building->slots[kept++] = building->slots[i];
    }
    building->count = kept;
    engine_worker_rest(building->worker);
    return true;
}

static const float *row_of(void *context, uint64_t index, uint32_t *id)
{
    const struct building *building = context;
    *id = building->slots[index];
    return building->rows + index * building->made->plan->dims;
}

static bool build_cancelled(void *context)
{
    struct building *building = context;
    struct proto_fault ignored = {0};
    return !goes_on(building, 0.6, "partitioning", &ignored);
}

static bool linking_cancelled(void *context)
{
    struct building *building = context;
    struct proto_fault ignored = {0};
    return !goes_on(building, 0.65, "linking", &ignored);
}

/* The graph beside the partitions, if one is wanted. Without memory for it they do alone. */
static enum similar_status graph_make(struct building *building)
{
    struct lookalike_set *made = building->made;
    struct similar_graph_figures figures;
    similar_cancel_set(made->set, linking_cancelled, building);
    enum similar_status status = similar_graph_build(made->set);
    similar_cancel_set(made->set, NULL, NULL);
    similar_graph_figures(made->set, &figures);
    if (made->graph_bytes_max > 0 && !figures.built && status != SIMILAR_ERROR_OPTION) {
        base_log(
            engine_log(building->lookalike->engine), BASE_LOG_WARN, "lookalike",
            "vectors have no graph",
            BASE_FIELDS(base_field_uint("similar_graph_bytes_max", made->graph_bytes_max),
                        base_field_uint("graph_bytes_each", similar_graph_bytes(made->plan->dims)),
                        base_field_uint("vectors", building->count)));
    }
    return status == SIMILAR_ERROR_MEMORY ? SIMILAR_OK : status;
}

static bool set_make(struct building *building, struct proto_fault *fault)
{
    struct lookalike_set *made = building->made;
    enum similar_status status = SIMILAR_ERROR_MEMORY;
    made->graph_bytes_max = building->lookalike->graph_bytes_max;
    made->blocks = lookalike_blocks_create(made->plan->dims);
    if (made->blocks) {
        struct similar_options options = lookalike_options(made);
        options.on_cancel = build_cancelled;
        options.cancel_context = building;
        made->set = similar_create(&options, &status);
    }
    struct similar_input input = {.context = building, .count = building->count, .on_row = row_of};
    if (made->set) {
        status = similar_build(made->set, &input);
    }
    if (status == SIMILAR_OK) {
        status = graph_make(building);
    }
    if (status == SIMILAR_OK) {
        made->scratch = similar_scratch_create(made->set);
        status = made->scratch ? SIMILAR_OK : SIMILAR_ERROR_MEMORY;
    }
    /* A build that was stopped says so by a wrong option. */
    return status == SIMILAR_OK ||
           (goes_on(building, 0.6, "partitioning", fault) && lookalike_fault(status, fault));
}

static bool begin(struct lookalike *lookalike, struct proto_fault *fault)
{
    pthread_mutex_lock(&lookalike->lock);
    bool free_to_build = !lookalike->building;
    if (free_to_build) {
        lookalike->building = true;
        lookalike->noting = true;
        lookalike->replayed.count = 0;
    }
    pthread_mutex_unlock(&lookalike->lock);
    return free_to_build ||
           proto_fault_set(fault, PROTO_BUSY, "", "vectors are being built already; see job-list");
}

bool lookalike_build(const struct lookalike_build *options, struct proto_fault *fault)
{
    struct building building = {.options = options, .lookalike = options->lookalike};
    struct engine *engine = options->lookalike->engine;
    if (!begin(options->lookalike, fault)) {
        return false;
    }
    uint64_t seq = 0;
    building.made = calloc(1, sizeof *building.made);
    building.worker = engine_worker_create(engine, fault);
    bool good = building.worker != NULL;
    if (building.made) {
        building.made->wish =
            options->wish ? json_deep_copy(options->wish) : lookalike_wish_now(options->lookalike);
        /* Nothing was ever asked for. */
        building.made->wish = building.made->wish ? building.made->wish : json_object();
    }
    if (good && (!building.made || !building.made->wish)) {
        good = proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for look-alike search");
    }
    if (good) {
        seq = store_view_seq(building.worker->view);
        store_view_keep_slots(building.worker->view, seq); /* until the keeper does */
        good = slots_collect(&building, fault) && goes_on(&building, 0.1, "fitting", fault) &&
               plan_fit(&building, fault) && rows_make(&building, fault) &&
               set_make(&building, fault);
    }
    if (building.rows) {
        munmap(building.rows, building.row_bytes);
    }
    if (good) {
        const struct feature_vectorizer *plan = building.made->plan;
        struct similar_graph_figures graph;
        similar_graph_figures(building.made->set, &graph);
        base_log(engine_log(engine), BASE_LOG_INFO, "lookalike", "vectors are built",
                 BASE_FIELDS(base_field_uint("vectors", building.count),
                             base_field_uint("dims", plan->dims),
                             base_field_text("metric", feature_vector_metric_name(plan->metric)),
                             base_field_uint("graph_bytes", graph.bytes)));
        lookalike_wish_note(options->lookalike, building.made->wish);
    } else {
        lookalike_set_destroy(building.made);
        building.made = NULL;
    }
    free(building.slots);
    lookalike_build_end(options->lookalike, building.made, seq);
    engine_worker_destroy(building.worker);
    return good;
}

static bool build_run(struct engine_job *job, struct proto_fault *fault)
{
    struct lookalike_build *build = job->context;
    build->job = job;
    return lookalike_build(build, fault) && lookalike_save(build->lookalike, job, fault);
}

static void build_destroy(void *context)
{
    struct lookalike_build *build = context;
    json_decref(build->wish);
    free(build);
}

/* The wishes in force once the request is granted. */
static json_t *wish_of(struct lookalike *lookalike, const struct lookalike_rebuild *request,
                       struct proto_fault *fault)
{
    json_t *wish = NULL;
    struct engine_state *state = engine_state_get(lookalike->engine);
    json_t *before = lookalike_wish_now(lookalike);
    if (state->schema) {
        wish = lookalike_wish_merge(before, request, state->schema, fault);
    } else {
        proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    json_decref(before);
    engine_state_release(state);
    return wish;
}

uint64_t lookalike_rebuild(struct lookalike *lookalike, const struct lookalike_rebuild *request,
                           struct proto_fault *fault)
{
    json_t *wish = wish_of(lookalike, request, fault);
    struct lookalike_build *build = wish ? calloc(1, sizeof *build) : NULL;
    if (!build) {
        if (wish) {
            json_decref(wish);
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
        }
        return 0;
    }
    build->lookalike = lookalike;
    build->wish = wish;
    struct engine_job job = {
        .deadline_ms = request->deadline_ms,
        .context = build,
        .run = build_run,
        .destroy = build_destroy,
        .on_progress = request->on_progress,
        .on_done = request->on_done,
        .callback_context = request->context,
    };
    return engine_job_submit(lookalike->engine, PROTO_OP_SIMILAR_BUILD, &job, fault);
}
