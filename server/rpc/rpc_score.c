/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/lead.h"

/* A key of score's reply: score-many gives the same maps. */
static const struct proto_op_info *score_op(void)
{
    return proto_op_find(PROTO_OP_SCORE);
}

static void write_reason(struct proto_writer *out, const struct engine_reason *reason)
{
    proto_write_map(out, 3);
    proto_write_text(out, "field");
    if (reason->field_b) {
        char pair[2 * PROTO_FIELD_NAME_BYTES_MAX + 8];
        snprintf(pair, sizeof pair, "%s × %s", reason->field, reason->field_b);
        proto_write_text(out, pair);
    } else {
        proto_write_text(out, reason->field);
    }
    proto_write_text(out, "value");
    if (reason->field_b) {
        char pair[sizeof reason->value + sizeof reason->value_b + 8];
        snprintf(pair, sizeof pair, "%s × %s", reason->value, reason->value_b);
        proto_write_text(out, pair);
    } else {
        proto_write_text(out, reason->value);
    }
    proto_write_text(out, "contribution");
    proto_write_int(out, reason->contribution);
}

static void write_names(struct proto_writer *out, const struct proto_op_info *op, int index,
                        const char *const *names, size_t count)
{
    rpc_key(out, op, index);
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_text(out, names[i]);
    }
}

static void write_explanation(struct proto_writer *out, const struct proto_op_info *op,
                              const struct engine_query *query, const struct engine_answer *answer)
{
    rpc_put_int(out, op, PROTO_A_SCORE_INTERCEPT, query->document->scorecard->intercept);
    rpc_key(out, op, PROTO_A_SCORE_REASONS);
    proto_write_array(out, answer->reason_count);
    for (size_t i = 0; i < answer->reason_count; i++) {
        write_reason(out, &answer->reasons[i]);
    }
    rpc_put_int(out, op, PROTO_A_SCORE_REST, answer->rest);
    write_names(out, op, PROTO_A_SCORE_MISSING, answer->missing, answer->missing_count);
    write_names(out, op, PROTO_A_SCORE_STALE, answer->stale, answer->stale_count);
    rpc_put_number(out, op, PROTO_A_SCORE_FIT_LOW, answer->fit_low);
    rpc_put_number(out, op, PROTO_A_SCORE_FIT_HIGH, answer->fit_high);
}

/* The reply of score, and one entry of score-many. */
static void write_answer(struct rpc_call *call, const struct engine_query *query,
                         const struct engine_answer *answer)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = score_op();
    const char grade[2] = {answer->grade, '\0'};
    size_t pairs = 8 + (query->reasons > 0 ? 7 + (answer->found ? 1 : 0) : 0);
    proto_write_map(out, pairs);
    rpc_put_uint(out, op, PROTO_A_SCORE_ICP, query->document->version);
    rpc_put_uint(out, op, PROTO_A_SCORE_SEQ,
                 store_view_seq(engine_worker_view(call->worker->engine)));
    rpc_put_flag(out, op, PROTO_A_SCORE_FOUND, answer->found);
    rpc_put_flag(out, op, PROTO_A_SCORE_TAL,
                 answer->found && engine_state_on_tal(rpc_state(call), answer->slot));
    rpc_put_number(out, op, PROTO_A_SCORE_FIT, answer->fit);
    rpc_put_number(out, op, PROTO_A_SCORE_P, answer->p);
    rpc_put_text(out, op, PROTO_A_SCORE_GRADE, grade);
    rpc_put_int(out, op, PROTO_A_SCORE_RAW, answer->raw);
    if (query->reasons > 0) {
        if (answer->found) {
            rpc_put_str(out, op, PROTO_A_SCORE_ID, answer->id);
        }
        write_explanation(out, op, query, answer);
    }
}

enum rpc_outcome rpc_on_SCORE(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_query query;
    struct engine_answer answer;
    if (!rpc_lead_read(call, call->args, &query, fault)) {
        return RPC_FAILED;
    }
    query.document =
        engine_state_document(rpc_state(call), rpc_arg_uint(call, PROTO_Q_SCORE_ICP, 0), fault);
    if (!query.document || !engine_score(call->worker->engine, &query, &answer, fault)) {
        return RPC_FAILED;
    }
    rpc_tally(call, BASE_METRIC_SCORES, 1);
    rpc_tally(call, BASE_METRIC_SCORES_UNKNOWN, !answer.found);
    write_answer(call, &query, &answer);
    return RPC_DONE;
}

static void write_failed_lead(struct proto_writer *out, const struct proto_fault *fault)
{
    proto_write_map(out, 3);
    proto_write_text(out, "error");
    proto_write_text(out, proto_error_find(fault->code)->name);
    proto_write_text(out, "field");
    proto_write_text(out, fault->field);
    proto_write_text(out, "message");
    proto_write_text(out, fault->message);
}

static enum rpc_outcome score_leads(struct rpc_call *call, const struct icp_document *document,
                                    struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_SCORE_MANY_LEADS].value, &local);
    size_t count = proto_read_array(&reader);
    if (count > PROTO_SCORE_LEADS_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "leads", "%zu leads, at most %d are allowed", count,
                        PROTO_SCORE_LEADS_MAX);
        return RPC_FAILED;
    }
    rpc_tally_many(call, count);
    proto_write_map(call->out, 3);
    rpc_put_uint(call->out, call->op, PROTO_A_SCORE_MANY_ICP, document->version);
    rpc_put_uint(call->out, call->op, PROTO_A_SCORE_MANY_SEQ,
                 store_view_seq(engine_worker_view(call->worker->engine)));
    rpc_key(call->out, call->op, PROTO_A_SCORE_MANY_SCORES);
    proto_write_array(call->out, count);
    unsigned reasons = rpc_reasons(&call->args[PROTO_Q_SCORE_MANY_REASONS]);
    /* A reply that does not fit is refused by whoever called: more of it would be work for nothing.
     */
    for (size_t i = 0; i < count && proto_writer_ok(call->out); i++) {
        struct proto_arg args[PROTO_ARGS_MAX];
        struct engine_query query;
        struct engine_answer answer;
        struct proto_fault one = {0};
        struct proto_span lead = proto_read_any(&reader);
        base_arena_reset(&call->worker->arena);
        bool ok =
            proto_fields_decode(score_op()->request, score_op()->request_count, lead, args, &one) &&
            rpc_lead_read(call, args, &query, &one);
        if (ok) {
            query.document = document;
            query.reasons = reasons;
            ok = engine_score(call->worker->engine, &query, &answer, &one);
        }
        if (ok) {
            write_answer(call, &query, &answer);
        } else {
            write_failed_lead(call->out, &one);
        }
    }
    return RPC_DONE;
}

enum rpc_outcome rpc_on_SCORE_MANY(struct rpc_call *call, struct proto_fault *fault)
{
    struct icp_document *document = engine_state_document(
        rpc_state(call), rpc_arg_uint(call, PROTO_Q_SCORE_MANY_ICP, 0), fault);
    if (!document) {
        return RPC_FAILED;
    }
    bool ids = call->args[PROTO_Q_SCORE_MANY_IDS].present;
    bool leads = call->args[PROTO_Q_SCORE_MANY_LEADS].present;
    if (ids == leads) {
        proto_fault_set(fault, ids ? PROTO_BAD_FIELD : PROTO_MISSING_FIELD, "ids",
                        "give either ids or leads");
        return RPC_FAILED;
    }
    return ids ? rpc_score_ids(call, document, fault) : score_leads(call, document, fault);
}
