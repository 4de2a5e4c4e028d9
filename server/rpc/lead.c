/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/lead.h"

#include <stdlib.h>

#include "proto/utf8.h"
#include "server/rpc/values.h"

bool rpc_name_read(const struct proto_arg *args, int id, int key, int email,
                   struct engine_name *name, struct proto_fault *fault)
{
    *name = (struct engine_name){0};
    if (args[id].present) {
        name->id = args[id].text;
    }
    if (args[key].present) {
        name->key = args[key].text;
    }
    if (args[email].present) {
        name->email = args[email].text;
    }
    if (args[id].present + args[key].present + args[email].present > 1) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "id", "give one of id, key and email");
    }
    return true;
}

bool rpc_name_find(struct rpc_call *call, int id, int key, int email, uint32_t *slot,
                   struct proto_fault *fault)
{
    struct engine_name name;
    struct proto_fault local = {.code = PROTO_OK};
    if (!rpc_name_read(call->args, id, key, email, &name, fault)) {
        return false;
    }
    if (name.id.bytes + name.key.bytes + name.email.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "id", "give id, key or email");
    }
    *slot = engine_find(call->worker->engine, &name, &local);
    if (*slot != ENGINE_NO_SLOT) {
        return true;
    }
    if (local.code == PROTO_OK) {
        proto_fault_set(&local, PROTO_NOT_FOUND, "", "no account has this id, key or email");
    }
    *fault = local;
    return false;
}

struct engine_moment rpc_moment_read(const struct proto_arg *args, int seq, int known, int at)
{
    struct engine_moment moment = engine_moment_now();
    if (args[seq].present) {
        moment.seq = args[seq].uint;
    }
    if (args[known].present) {
        moment.known_ms = args[known].integer;
    }
    if (args[at].present) {
        moment.true_ms = args[at].integer;
    }
    return moment;
}

/* Values by field id, all absent, in memory that the worker keeps. */
static bool lead_ready(struct rpc_worker *worker, size_t slots, struct proto_fault *fault)
{
    if (slots > worker->lead_slots) {
        struct feature_value *larger = realloc(worker->lead, slots * sizeof *larger);
        if (!larger) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "values", "no memory for the values");
        }
        worker->lead = larger;
        worker->lead_slots = slots;
    }
    for (size_t i = 0; i < slots; i++) {
        worker->lead[i].present = false;
    }
    return true;
}

static bool lead_values(struct rpc_call *call, struct proto_span map, struct engine_query *query,
                        struct rpc_unknown *unknown, struct proto_fault *fault)
{
    struct rpc_worker *worker = call->worker;
    struct feature_schema *schema = rpc_state(call)->schema;
    if (!schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "values", "no schema has been put yet");
    }
    if (!lead_ready(worker, schema->id_count, fault)) {
        return false;
    }
    struct rpc_values values = {
        .schema = schema,
        .arena = &worker->arena,
        .values = worker->lead,
        .skip_unknown = true,
        .unknown = unknown,
        .time_ms = engine_now_ms(worker->rpc->options.engine),
    };
    query->values = worker->lead;
    query->value_slots = schema->id_count;
    return rpc_values_read(&values, map, fault);
}

unsigned rpc_reasons(const struct proto_arg *arg)
{
    uint64_t reasons = arg->present ? arg->uint : 0;
    return reasons > PROTO_COLUMNS_MAX ? PROTO_COLUMNS_MAX : (unsigned)reasons;
}

void rpc_tally_many(const struct rpc_call *call, size_t count)
{
    const struct rpc_worker *worker = call->worker;
    rpc_tally(call, BASE_METRIC_SCORES, count);
    base_metrics_record(base_metrics_block(worker->rpc->options.metrics, worker->index),
                        BASE_DISTRIBUTION_SCORE_MANY_ITEMS, count);
}

/* What the account was at the moment that the lead names. Without a stored account there is none:
 * what a lead says of itself has no past. */
static bool lead_past(struct rpc_call *call, const struct proto_arg *args,
                      struct engine_query *query, struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(call)->schema;
    struct engine_worker *engine = call->worker->engine;
    struct engine_moment moment =
        rpc_moment_read(args, PROTO_Q_SCORE_SEQ, PROTO_Q_SCORE_KNOWN, PROTO_Q_SCORE_AT);
    struct proto_fault local = {.code = PROTO_OK};
    struct feature_record record = {0};
    struct engine_past_value *values;
    if (schema == NULL) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    uint32_t slot = engine_find(engine, &query->name, &local);
    if (slot == ENGINE_NO_SLOT && local.code == PROTO_OK) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "no account has this id, key or email, and only a stored account "
                               "has a past");
    }
    if (slot == ENGINE_NO_SLOT ||
        !engine_account_at(engine, slot, &moment, schema->id_count, &call->worker->arena, &record,
                           &values, &local)) {
        *fault = local;
        return false;
    }
    query->was = values;
    query->was_ms = engine_moment_ms(&moment, engine_now_ms(call->worker->rpc->options.engine));
    return true;
}

bool rpc_lead_read(struct rpc_call *call, const struct proto_arg *args, struct engine_query *query,
                   struct rpc_unknown *unknown, struct proto_fault *fault)
{
    *query = (struct engine_query){.bare = true};
    unknown->count = 0;
    if (!rpc_name_read(args, PROTO_Q_SCORE_ID, PROTO_Q_SCORE_KEY, PROTO_Q_SCORE_EMAIL, &query->name,
                       fault)) {
        return false;
    }
    query->reasons = rpc_reasons(&args[PROTO_Q_SCORE_REASONS]);
    bool past = args[PROTO_Q_SCORE_SEQ].present || args[PROTO_Q_SCORE_KNOWN].present ||
                args[PROTO_Q_SCORE_AT].present;
    if (past && !lead_past(call, args, query, fault)) {
        return false;
    }
    if (args[PROTO_Q_SCORE_VALUES].present) {
        return lead_values(call, args[PROTO_Q_SCORE_VALUES].value, query, unknown, fault);
    }
    return args[PROTO_Q_SCORE_ID].present || args[PROTO_Q_SCORE_KEY].present ||
           args[PROTO_Q_SCORE_EMAIL].present ||
           proto_fault_set(fault, PROTO_MISSING_FIELD, "id",
                           "give id, key or email, or values to score");
}

void rpc_write_unknown(struct proto_writer *out, const struct rpc_unknown *unknown)
{
    proto_write_array(out, unknown->count);
    for (size_t i = 0; i < unknown->count; i++) {
        struct proto_span name = unknown->names[i];
        name.bytes = proto_utf8_cut(name.data, name.bytes, PROTO_FIELD_NAME_BYTES_MAX);
        proto_write_str(out, name);
    }
}
