/* SPDX-License-Identifier: Apache-2.0 */
/* similar, on the lane SEARCH, and recall, on the lane SCAN. */
#include <assert.h>
#include <stdlib.h>

#include "server/lookalike/lookalike.h"
#include "server/rpc/display_name.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/value_write.h"
#include "server/rpc/values.h"

/* Of requests that are read together: their lists, and the values of their examples. */
#define SIMILAR_MEMORY_BYTES ((size_t)64 << 20)

static_assert((int)PROTO_SIMILAR_K_MAX == (int)SIMILAR_K_MAX, "one limit, as two floors know it");
static_assert((int)PROTO_SIMILAR_EXAMPLES_MAX == (int)SIMILAR_EXAMPLES_MAX, "one limit");

/* Values of an example, in the arena, for as long as the request lives. */
static bool example_values(struct rpc_call *call, struct proto_span map,
                           struct lookalike_example *example, struct proto_fault *fault)
{
    struct feature_schema *schema = rpc_state(call)->schema;
    if (!schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "values", "no schema has been put yet");
    }
    struct feature_value *values =
        base_arena_array(&call->worker->arena, schema->id_count + 1, sizeof *values);
    if (!values) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "values", "no memory for the values");
    }
    struct rpc_values read = {
        .schema = schema,
        .arena = &call->worker->arena,
        .values = values,
        .skip_unknown = true,
        .time_ms = engine_now_ms(call->worker->rpc->options.engine),
    };
    example->values = values;
    example->value_slots = schema->id_count;
    return rpc_values_read(&read, map, fault);
}

/* An example names an account as score does. */
static bool example_read(struct rpc_call *call, struct proto_span map,
                         struct lookalike_example *example, struct proto_fault *fault)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    const struct proto_op_info *score = proto_op_find(PROTO_OP_SCORE);
    if (!proto_fields_decode(score->request, score->request_count, map, args, fault) ||
        !rpc_name_read(args, PROTO_Q_SCORE_ID, PROTO_Q_SCORE_KEY, PROTO_Q_SCORE_EMAIL,
                       &example->name, fault)) {
        return false;
    }
    if (args[PROTO_Q_SCORE_VALUES].present) {
        return example_values(call, args[PROTO_Q_SCORE_VALUES].value, example, fault);
    }
    return args[PROTO_Q_SCORE_ID].present || args[PROTO_Q_SCORE_KEY].present ||
           args[PROTO_Q_SCORE_EMAIL].present ||
           proto_fault_set(fault, PROTO_MISSING_FIELD, "id", "give id, key or email, or values");
}

static bool examples_read(struct rpc_call *call, int index, const char *what,
                          const struct lookalike_example **examples, size_t *count,
                          struct proto_fault *fault)
{
    struct proto_reader reader;
    struct proto_fault local = {0};
    if (!call->args[index].present) {
        return true;
    }
    proto_reader_init(&reader, call->args[index].value, &local);
    *count = proto_read_array(&reader);
    struct lookalike_example *list =
        base_arena_array(&call->worker->arena, *count + 1, sizeof *list);
    if (!list) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, what, "no memory for the examples");
    }
    *examples = list;
    for (size_t i = 0; i < *count; i++) {
        if (!example_read(call, proto_read_any(&reader), &list[i], fault)) {
            return proto_fault_within(fault, "%s[%zu]", what, i);
        }
    }
    return true;
}

/* Keys to exclude, those of domains among them. */
static bool keys_read(struct rpc_call *call, struct lookalike_similar *query,
                      struct proto_fault *fault)
{
    struct proto_fault local = {0};
    size_t key_count;
    size_t domain_count;
    const struct proto_span *keys =
        rpc_arg_texts(call, PROTO_Q_SIMILAR_EXCLUDE_KEYS, &key_count, &local);
    const struct proto_span *domains =
        rpc_arg_texts(call, PROTO_Q_SIMILAR_EXCLUDE_DOMAINS, &domain_count, &local);
    query->exclude_ids =
        rpc_arg_texts(call, PROTO_Q_SIMILAR_EXCLUDE_IDS, &query->exclude_id_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    struct proto_span *all =
        base_arena_array(&call->worker->arena, key_count + domain_count + 1, sizeof *all);
    if (!all) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "exclude_keys", "no memory for the keys");
    }
    for (size_t i = 0; i < key_count; i++) {
        all[i] = keys[i];
    }
    for (size_t i = 0; i < domain_count; i++) {
        static const char prefix[] = "domain:";
        size_t bytes = sizeof prefix - 1 + domains[i].bytes;
        uint8_t *text = base_arena_take(&call->worker->arena, bytes + 1);
        if (!text) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "exclude_domains",
                                   "no memory for the domains");
        }
        memcpy(text, prefix, sizeof prefix - 1);
        memcpy(text + sizeof prefix - 1, domains[i].data, domains[i].bytes);
        all[key_count + i] = (struct proto_span){text, bytes};
    }
    query->exclude_keys = all;
    query->exclude_key_count = key_count + domain_count;
    query->exclude_family = rpc_arg_flag(call, PROTO_Q_SIMILAR_EXCLUDE_FAMILY);
    query->parent_field = rpc_arg_text(call, PROTO_Q_SIMILAR_PARENT_FIELD);
    query->exclude_parents =
        rpc_arg_texts(call, PROTO_Q_SIMILAR_EXCLUDE_PARENTS, &query->exclude_parent_count, fault);
    return query->exclude_parents || query->exclude_parent_count == 0;
}

static bool similar_read(struct rpc_call *call, struct lookalike_similar *query,
                         struct proto_fault *fault)
{
    query->positives_where = rpc_arg_text(call, PROTO_Q_SIMILAR_POSITIVES_WHERE);
    query->negatives_where = rpc_arg_text(call, PROTO_Q_SIMILAR_NEGATIVES_WHERE);
    query->filter = rpc_arg_text(call, PROTO_Q_SIMILAR_FILTER);
    query->icp = rpc_arg_uint(call, PROTO_Q_SIMILAR_ICP);
    query->k = (uint32_t)rpc_arg_uint(call, PROTO_Q_SIMILAR_K);
    query->shared_max = (uint32_t)rpc_arg_uint(call, PROTO_Q_SIMILAR_REASONS);
    query->recall = rpc_arg_number(call, PROTO_Q_SIMILAR_RECALL);
    if (!examples_read(call, PROTO_Q_SIMILAR_POSITIVES, "positives", &query->positives,
                       &query->positive_count, fault) ||
        !examples_read(call, PROTO_Q_SIMILAR_NEGATIVES, "negatives", &query->negatives,
                       &query->negative_count, fault) ||
        !keys_read(call, query, fault)) {
        return false;
    }
    return query->positive_count > 0 || query->positives_where.bytes > 0 ||
           proto_fault_set(fault, PROTO_MISSING_FIELD, "positives",
                           "give positives or positives_where");
}

static const char *path_name(enum similar_path path)
{
    /* A walk on the graph is a probe too: found among a part of the vectors. */
    static const char *const names[] = {"scan", "matches", "probe", "probe"};
    return names[path];
}

static void write_shared(struct proto_writer *out, const struct feature_vector_shared *shared)
{
    bool word = shared->field->type != FEATURE_NUMBER && shared->field->type != FEATURE_VECTOR;
    bool number = shared->field->type == FEATURE_NUMBER;
    proto_write_map(out, 2 + (word || number ? 2U : 0U));
    rpc_member_text(out, RPC_MEMBER(SHARED, FIELD), shared->field->name);
    rpc_member_number(out, RPC_MEMBER(SHARED, PART), shared->part);
    if (word) {
        rpc_member_str(out, RPC_MEMBER(SHARED, VALUE), shared->word);
        rpc_member_uint(out, RPC_MEMBER(SHARED, ACCOUNTS), shared->rows);
    } else if (number) {
        rpc_member_number(out, RPC_MEMBER(SHARED, VALUE), shared->number_a);
        rpc_member_number(out, RPC_MEMBER(SHARED, EXAMPLE_VALUE), shared->number_b);
    }
}

static void write_optional(struct proto_writer *out, const struct proto_field_info *member,
                           const struct feature_value *value)
{
    rpc_member(out, member);
    if (value->present && value->type != FEATURE_VECTOR) {
        rpc_write_value(out, value);
    } else {
        proto_write_nil(out);
    }
}

static void write_reasons(struct proto_writer *out, const struct lookalike_hit *hit)
{
    rpc_member(out, RPC_MEMBER(SIMILAR, SHARED));
    proto_write_array(out, hit->shared_count);
    for (size_t i = 0; i < hit->shared_count; i++) {
        write_shared(out, &hit->shared[i]);
    }
    rpc_member(out, RPC_MEMBER(SIMILAR, DIFFERENCE));
    if (!hit->difference) {
        proto_write_nil(out);
        return;
    }
    proto_write_map(out, 4);
    rpc_member_text(out, RPC_MEMBER(DIFFERENCE, FIELD), hit->difference->name);
    rpc_member_number(out, RPC_MEMBER(DIFFERENCE, PART), hit->difference_part);
    write_optional(out, RPC_MEMBER(DIFFERENCE, VALUE), &hit->difference_value);
    write_optional(out, RPC_MEMBER(DIFFERENCE, EXAMPLE_VALUE), &hit->difference_example);
}

static void write_score(struct proto_writer *out, const struct engine_state *state,
                        const struct learn_document *document, const struct lookalike_hit *hit)
{
    struct engine_answer answer = {0};
    engine_answer_from_raw(document, hit->raw, &answer);
    const char grade[2] = {answer.grade, '\0'};
    rpc_member_number(out, RPC_MEMBER(SIMILAR, FIT), answer.fit);
    rpc_member_number(out, RPC_MEMBER(SIMILAR, P), answer.p);
    rpc_member_text(out, RPC_MEMBER(SIMILAR, GRADE), grade);
    rpc_member_int(out, RPC_MEMBER(SIMILAR, RAW), answer.raw);
    rpc_member_flag(out, RPC_MEMBER(SIMILAR, TAL), engine_state_on_tal(state, hit->slot));
}

static bool write_hit(struct rpc_call *call, const struct lookalike_similar *query,
                      const struct lookalike_result *result, const struct lookalike_hit *hit,
                      struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    struct proto_span name = {0};
    bool names = rpc_names_wanted(call, PROTO_Q_SIMILAR_NAMES);
    if (names && !rpc_display_name_of(call, hit->slot, &name, fault)) {
        return false;
    }
    proto_write_map(out, 4 + (query->shared_max > 0 ? 2U : 0U) + (hit->scored ? 5U : 0U) + names);
    rpc_member_str(out, RPC_MEMBER(SIMILAR, ID), hit->id);
    rpc_member_number(out, RPC_MEMBER(SIMILAR, SIMILARITY), hit->similarity);
    rpc_member(out, RPC_MEMBER(SIMILAR, EXAMPLE));
    if (hit->example_id.bytes > 0) {
        proto_write_str(out, hit->example_id);
    } else {
        proto_write_nil(out);
    }
    rpc_member_uint(out, RPC_MEMBER(SIMILAR, EXAMPLE_INDEX), hit->example);
    if (query->shared_max > 0) {
        write_reasons(out, hit);
    }
    if (hit->scored) {
        write_score(out, rpc_state(call), result->document, hit);
    }
    if (names) {
        rpc_member_str(out, RPC_MEMBER(SIMILAR, NAME), name);
    }
    return true;
}

static bool similar_write(struct rpc_call *call, const struct lookalike_similar *query,
                          const struct lookalike_result *result, struct proto_fault *fault)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    proto_write_map(out, 10);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_uint(out, op, PROTO_A_SIMILAR_ICP, result->document ? result->document->version : 0);
    rpc_put_flag(out, op, PROTO_A_SIMILAR_EXACT, result->report.exact);
    rpc_put_number(out, op, PROTO_A_SIMILAR_RECALL_EXPECTED, result->report.recall_expected);
    rpc_put_text(out, op, PROTO_A_SIMILAR_METRIC, feature_vector_metric_name(result->metric));
    rpc_put_text(out, op, PROTO_A_SIMILAR_PATH, path_name(result->report.path));
    rpc_put_uint(out, op, PROTO_A_SIMILAR_POSITIVES, result->positives_used);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_POSITIVES_MATCHED, result->positives_matched);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_NEGATIVES, result->negatives_used);
    rpc_key(out, op, PROTO_A_SIMILAR_RESULTS);
    proto_write_array(out, result->count);
    for (size_t i = 0; i < result->count; i++) {
        if (out->bytes > PROTO_FRAME_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, "k",
                                   "%zu results with their reasons do not fit one frame; ask for "
                                   "fewer of either",
                                   result->count);
        }
        if (!write_hit(call, query, result, &result->hits[i], fault)) {
            return false;
        }
    }
    return true;
}

/* Reads one request into memory of its own, in the place of the worker's. */
static bool similar_read_apart(struct rpc_call *call, struct base_arena *arena,
                               struct lookalike_similar *query, struct proto_fault *fault)
{
    struct base_arena *shared = &call->worker->arena;
    struct base_arena kept = *shared;
    *shared = *arena;
    bool ok = similar_read(call, query, fault);
    *arena = *shared;
    *shared = kept;
    return ok;
}

static void group_search(struct rpc_call *calls, const struct lookalike_similar *queries,
                         size_t count, bool *oks, struct proto_fault *faults)
{
    struct lookalike_ask asks[SIMILAR_BATCH_MAX];
    size_t indexes[SIMILAR_BATCH_MAX];
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (oks[i]) {
            asks[asked] = (struct lookalike_ask){.job = calls[i].scan, .query = &queries[i]};
            indexes[asked++] = i;
        }
    }
    if (asked > 0) {
        lookalike_similar_many(calls[0].worker->rpc->options.lookalike, calls[0].worker->engine,
                               asks, asked);
    }
    for (size_t a = 0; a < asked; a++) {
        size_t i = indexes[a];
        oks[i] = asks[a].good;
        faults[i] = asks[a].fault;
        if (oks[i]) {
            oks[i] = similar_write(&calls[i], &queries[i], &asks[a].result, &faults[i]);
            lookalike_similar_free(&asks[a].result);
        }
    }
}

/* What those that wait together may take is shared out evenly; more[i]: one needs more than that.
 */
static void similar_group(struct rpc_call *calls, size_t count, bool *oks, bool *more,
                          struct proto_fault *faults)
{
    struct lookalike_similar queries[SIMILAR_BATCH_MAX] = {0};
    struct base_arena arenas[SIMILAR_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        base_arena_init(&arenas[i], 0, SIMILAR_MEMORY_BYTES / count);
        bool asked = oks[i];
        oks[i] = asked && similar_read_apart(&calls[i], &arenas[i], &queries[i], &faults[i]);
        more[i] = asked && !oks[i] && !base_arena_ok(&arenas[i]);
    }
    group_search(calls, queries, count, oks, faults);
    for (size_t i = 0; i < count; i++) {
        base_arena_fini(&arenas[i]);
    }
}

/* Whoever needs more than a share is asked alone afterwards, with all of it, so that it costs
 * nobody else an answer. */
void rpc_similar_many(struct rpc_call *calls, size_t count, bool *oks, struct proto_fault *faults)
{
    bool more[SIMILAR_BATCH_MAX];
    assert(count <= SIMILAR_BATCH_MAX);
    similar_group(calls, count, oks, more, faults);
    for (size_t i = 0; i < count && count > 1; i++) {
        bool still;
        if (more[i]) {
            oks[i] = true;
            faults[i] = (struct proto_fault){0};
            similar_group(&calls[i], 1, &oks[i], &still, &faults[i]);
        }
    }
}

enum rpc_outcome rpc_on_SIMILAR(struct rpc_call *call, struct proto_fault *fault)
{
    bool ok = true;
    rpc_similar_many(call, 1, &ok, fault);
    return ok ? RPC_DONE : RPC_FAILED;
}

enum rpc_outcome rpc_on_RECALL(struct rpc_call *call, struct proto_fault *fault)
{
    struct lookalike_recall recall = {
        .k = (uint32_t)rpc_arg_uint(call, PROTO_Q_RECALL_K),
        .n = (uint32_t)rpc_arg_uint(call, PROTO_Q_RECALL_N),
        .recall = rpc_arg_number(call, PROTO_Q_RECALL_RECALL),
        .seed = rpc_arg_uint(call, PROTO_Q_RECALL_SEED),
    };
    struct proto_writer *out = call->out;
    if (!lookalike_recall(call->worker->rpc->options.lookalike, call->worker->engine, call->scan,
                          &recall, fault)) {
        return RPC_FAILED;
    }
    proto_write_map(out, 7);
    rpc_put_uint(out, call->op, PROTO_A_RECALL_K, recall.k);
    rpc_put_uint(out, call->op, PROTO_A_RECALL_QUERIES, recall.queries);
    rpc_put_number(out, call->op, PROTO_A_RECALL_MEASURED, recall.measured);
    rpc_put_number(out, call->op, PROTO_A_RECALL_EXACT_MS, recall.exact_ms);
    rpc_put_number(out, call->op, PROTO_A_RECALL_APPROXIMATE_MS, recall.approximate_ms);
    rpc_put_uint(out, call->op, PROTO_A_RECALL_VECTORS, recall.vectors);
    rpc_put_uint(out, call->op, PROTO_A_RECALL_LISTS, recall.lists);
    return RPC_DONE;
}
