/* SPDX-License-Identifier: Apache-2.0 */
/* filter and count: on the lane SCAN. */
#include <stdlib.h>

#include "server/listing/listing_page.h"
#include "server/rpc/display_name.h"
#include "server/rpc/value_write.h"

/* A page on its way into the reply. */
struct page_reply {
    struct rpc_call *call;
    const struct engine_expression *expression;
    struct listing_page page;
    const struct feature_field **fields;
    size_t field_count;
    struct feature_value *values; /* by field id */
    uint8_t *columns;             /* fit, p, grade and raw of all, one after another */
};

static bool fields_find(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct proto_fault local = {0};
    const struct proto_span *names =
        rpc_arg_texts(call, PROTO_Q_FILTER_FIELDS, &reply->field_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    reply->fields = base_arena_array(&call->worker->arena, reply->field_count + 1,
                                     sizeof(struct feature_field *));
    reply->values =
        base_arena_array(&call->worker->arena, schema->id_count + 1, sizeof *reply->values);
    if (!reply->fields || !reply->values) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "fields", "no memory for the request");
    }
    bool *named = base_arena_array(&call->worker->arena, schema->id_count + 1, sizeof *named);
    if (!named) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "fields", "no memory for the request");
    }
    memset(named, 0, (schema->id_count + 1) * sizeof *named);
    for (size_t i = 0; i < reply->field_count; i++) {
        char place[32];
        snprintf(place, sizeof place, "fields[%zu]", i);
        reply->fields[i] = feature_schema_find(schema, names[i]);
        if (reply->fields[i] && named[reply->fields[i]->id]) {
            return proto_fault_set(fault, PROTO_DUPLICATE_KEY, place, "'%s' is asked for twice",
                                   reply->fields[i]->name);
        }
        if (reply->fields[i]) {
            named[reply->fields[i]->id] = true;
        } else {
            return proto_fault_set(fault, PROTO_BAD_FIELD, place, "the schema has no field '%.*s'",
                                   (int)(names[i].bytes < 128 ? names[i].bytes : 128),
                                   (const char *)names[i].data);
        }
    }
    return true;
}

static bool write_ids(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    struct feature_record record;
    rpc_key(call->out, call->op, PROTO_A_FILTER_IDS);
    proto_write_array(call->out, reply->page.count);
    for (size_t i = 0; i < reply->page.count; i++) {
        if (!engine_record(call->worker->engine, reply->page.found[i].slot, &record, fault)) {
            return false;
        }
        proto_write_str(call->out, record.id);
    }
    return true;
}

static bool write_names(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    rpc_key(call->out, call->op, PROTO_A_FILTER_NAMES);
    proto_write_array(call->out, reply->page.count);
    for (size_t i = 0; i < reply->page.count; i++) {
        struct proto_span name;
        if (!rpc_display_name_of(call, reply->page.found[i].slot, &name, fault)) {
            return false;
        }
        proto_write_str(call->out, name);
    }
    return true;
}

static void write_account_values(struct page_reply *reply)
{
    struct proto_writer *out = reply->call->out;
    size_t present = 0;
    for (size_t i = 0; i < reply->field_count; i++) {
        present += reply->values[reply->fields[i]->id].present;
    }
    proto_write_map(out, present);
    for (size_t i = 0; i < reply->field_count; i++) {
        const struct feature_value *value = &reply->values[reply->fields[i]->id];
        if (value->present) {
            proto_write_text(out, reply->fields[i]->name);
            rpc_write_value(out, value);
        }
    }
}

static bool write_values(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    struct feature_record record;
    if (reply->field_count == 0) {
        return true;
    }
    rpc_key(call->out, call->op, PROTO_A_FILTER_VALUES);
    proto_write_array(call->out, reply->page.count);
    for (size_t i = 0; i < reply->page.count; i++) {
        if (call->out->bytes > PROTO_FRAME_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, "limit",
                                   "the values of %zu accounts do not fit one frame; ask for fewer",
                                   reply->page.count);
        }
        if (!engine_record(call->worker->engine, reply->page.found[i].slot, &record, fault)) {
            return false;
        }
        feature_record_values(&record, reply->values, rpc_state(call)->schema->id_count);
        write_account_values(reply);
    }
    return true;
}

static void write_column(struct page_reply *reply, int index, const uint8_t *at, size_t each)
{
    rpc_key(reply->call->out, reply->call->op, index);
    proto_write_bin(reply->call->out, (struct proto_span){at, each * reply->page.count});
}

static bool write_scores(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    const struct learn_document *document = reply->expression->document;
    size_t count = reply->page.count;
    if (!document) {
        return true;
    }
    uint8_t *fit = base_arena_take(&call->worker->arena, 17 * count + 1);
    if (!fit) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the scores");
    }
    uint8_t *p = fit + 4 * count;
    uint8_t *raw = p + 4 * count;
    uint8_t *grade = raw + 8 * count;
    for (size_t i = 0; i < count; i++) {
        struct engine_answer answer = {0};
        engine_answer_from_raw(document, reply->page.found[i].raw, &answer);
        float narrow[2] = {(float)answer.fit, (float)answer.p};
        memcpy(fit + 4 * i, &narrow[0], 4);
        memcpy(p + 4 * i, &narrow[1], 4);
        memcpy(raw + 8 * i, &answer.raw, 8);
        grade[i] = (uint8_t)answer.grade;
    }
    rpc_put_uint(call->out, call->op, PROTO_A_FILTER_ICP, document->version);
    write_column(reply, PROTO_A_FILTER_FIT, fit, 4);
    write_column(reply, PROTO_A_FILTER_P, p, 4);
    write_column(reply, PROTO_A_FILTER_GRADE, grade, 1);
    write_column(reply, PROTO_A_FILTER_RAW, raw, 8);
    return true;
}

static bool page_write(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    bool more = reply->page.next[0] != '\0';
    bool names = rpc_names_wanted(call, PROTO_Q_FILTER_NAMES);
    size_t pairs = 2 + (size_t)more + names + (reply->field_count > 0) +
                   (reply->expression->document ? 5U : 0U);
    proto_write_map(call->out, pairs);
    rpc_put_uint(call->out, call->op, PROTO_A_FILTER_SEQ, engine_worker_seq(call->worker->engine));
    if (!write_ids(reply, fault)) {
        return false;
    }
    if (more) {
        rpc_put_text(call->out, call->op, PROTO_A_FILTER_NEXT, reply->page.next);
    }
    return write_values(reply, fault) && write_scores(reply, fault) &&
           (!names || write_names(reply, fault));
}

/* Limit, order and cursor. */
static bool page_read(struct page_reply *reply, struct proto_fault *fault)
{
    struct rpc_call *call = reply->call;
    struct proto_span sort = rpc_arg_text(call, PROTO_Q_FILTER_SORT);
    reply->page.limit = (size_t)rpc_arg_uint(call, PROTO_Q_FILTER_LIMIT);
    reply->page.after = rpc_arg_text(call, PROTO_Q_FILTER_AFTER);
    reply->page.best_first = proto_span_equal(sort, proto_span_text("fit"));
    return sort.bytes == 0 || reply->page.best_first ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "sort", "'fit', or leave it out");
}

/* An empty text would match every account, and is more often a variable that was not set. */
static bool expression_given(const struct rpc_call *call, int index, struct proto_fault *fault)
{
    return rpc_arg_text(call, index).bytes > 0 ||
           proto_fault_set(fault, PROTO_BAD_FILTER, "filter",
                           "column 1: the expression is empty; a condition is wanted");
}

enum rpc_outcome rpc_on_FILTER(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_expression expression;
    struct page_reply reply = {.call = call, .expression = &expression};
    if (!expression_given(call, PROTO_Q_FILTER_FILTER, fault) || !page_read(&reply, fault)) {
        return RPC_FAILED;
    }
    bool scores = reply.page.best_first || rpc_arg_flag(call, PROTO_Q_FILTER_SCORES);
    if (!engine_expression_open(call->worker->engine, rpc_arg_text(call, PROTO_Q_FILTER_FILTER),
                                rpc_arg_uint(call, PROTO_Q_FILTER_ICP), scores, &expression,
                                fault)) {
        return RPC_FAILED;
    }
    bool ok = fields_find(&reply, fault) &&
              listing_filter(call->worker->engine, call->scan, &expression, &reply.page, fault) &&
              page_write(&reply, fault);
    free(reply.page.found);
    engine_expression_close(&expression);
    return ok ? RPC_DONE : RPC_FAILED;
}

enum rpc_outcome rpc_on_COUNT(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_expression expression;
    uint64_t count = 0;
    if (!expression_given(call, PROTO_Q_COUNT_FILTER, fault) ||
        !engine_expression_open(call->worker->engine, rpc_arg_text(call, PROTO_Q_COUNT_FILTER),
                                rpc_arg_uint(call, PROTO_Q_COUNT_ICP), false, &expression, fault)) {
        return RPC_FAILED;
    }
    bool ok = listing_count(call->worker->engine, call->scan, &expression, &count, fault);
    engine_expression_close(&expression);
    if (!ok) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 3);
    rpc_put_uint(call->out, call->op, PROTO_A_COUNT_COUNT, count);
    rpc_put_uint(call->out, call->op, PROTO_A_COUNT_OF,
                 engine_worker_accounts(call->worker->engine));
    rpc_put_uint(call->out, call->op, PROTO_A_COUNT_SEQ, engine_worker_seq(call->worker->engine));
    return RPC_DONE;
}
