/* SPDX-License-Identifier: Apache-2.0 */
/* One score: the lead is read, scored and written; with names, the display name of the account that
 * it found behind that. Of many, one that cannot be scored costs itself alone. */
#include "server/rpc/display_name.h"
#include "server/rpc/engaged_write.h"
#include "server/rpc/expected_write.h"
#include "server/rpc/hot/hot.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/score_reply.h"

/* A key of score's reply: score-many gives the same maps. */
static const struct proto_op_info *score_op(void)
{
    return proto_op_find(PROTO_OP_SCORE);
}

/* Writes the answer; names: whether that of the account is wanted. */
static bool answer_write(struct rpc_call *call, const struct engine_query *query,
                         const struct engine_answer *answer, const struct rpc_unknown *unknown,
                         bool names, struct proto_fault *fault)
{
    struct rpc_score_beside beside = {.unknown = unknown, .named = names && answer->found};
    if (beside.named && !rpc_display_name_of(call, answer->slot, &beside.name, fault)) {
        return false;
    }
    rpc_score_reply_write(call->worker->score_reply, call->worker->engine, query, answer, &beside,
                          call->out);
    return true;
}

/* The map of a score that has been written from `start` on, with what the account is worth. */
static bool expected_add(struct rpc_call *call, const struct engine_query *query,
                         const struct engine_answer *answer, size_t start,
                         struct proto_fault *fault)
{
    struct engine_expected expected;
    if (!engine_expected_score(call->worker->engine, query, answer, &expected, fault)) {
        return false;
    }
    rpc_map_grow(call->out, start, RPC_EXPECTED_MEMBERS);
    rpc_expected_put(call->out, score_op(), PROTO_A_SCORE_VALUE, &expected);
    return true;
}

/* The same with how engaged the stored account is; a lead that is nobody's did nothing. */
static bool engaged_add(struct rpc_call *call, const struct engine_answer *answer, size_t start,
                        struct proto_fault *fault)
{
    struct lifecycle_engaged engaged;
    int64_t now_ms = engine_now_ms(call->worker->rpc->options.engine);
    const struct engine_moment moment =
        rpc_moment_read(call->args, PROTO_Q_SCORE_SEQ, PROTO_Q_SCORE_KNOWN, PROTO_Q_SCORE_AT);
    const struct lifecycle_as_of as_of = {moment.seq, moment.known_ms};
    if (!answer->found) {
        return true;
    }
    if (!rpc_engaged_make(call, PROTO_Q_SCORE_ENGAGEMENT, answer->slot, &as_of,
                          engine_moment_ms(&moment, now_ms), &engaged, fault)) {
        return false;
    }
    rpc_map_grow(call->out, start, 1);
    rpc_key(call->out, call->op, PROTO_A_SCORE_ENGAGEMENT);
    rpc_engaged_write(call->out, &engaged);
    return true;
}

enum rpc_outcome rpc_on_SCORE(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_query query;
    struct engine_answer answer;
    struct rpc_unknown unknown;
    if (!rpc_lead_read(call, call->args, &query, &unknown, fault)) {
        return RPC_FAILED;
    }
    query.document =
        engine_state_document(rpc_state(call), rpc_arg_uint(call, PROTO_Q_SCORE_ICP), fault);
    if (!query.document || !engine_score(call->worker->engine, &query, &answer, fault)) {
        return RPC_FAILED;
    }
    rpc_tally(call, BASE_METRIC_SCORES, 1);
    rpc_tally(call, BASE_METRIC_SCORES_UNKNOWN, !answer.found);
    size_t start = call->out->bytes;
    if (!answer_write(call, &query, &answer, &unknown, rpc_names_wanted(call, PROTO_Q_SCORE_NAMES),
                      fault)) {
        return RPC_FAILED;
    }
    bool worth = rpc_arg_flag(call, PROTO_Q_SCORE_VALUE);
    bool engaged = call->args[PROTO_Q_SCORE_ENGAGEMENT].present;
    return (!worth || expected_add(call, &query, &answer, start, fault)) &&
                   (!engaged || engaged_add(call, &answer, start, fault))
               ? RPC_DONE
               : RPC_FAILED;
}

static void write_failed_lead(struct proto_writer *out, const struct proto_fault *fault)
{
    proto_write_map(out, 3);
    rpc_member_text(out, RPC_MEMBER(LEAD_SCORE, ERROR), proto_error_find(fault->code)->name);
    rpc_member_text(out, RPC_MEMBER(LEAD_SCORE, FIELD), fault->field);
    rpc_member_text(out, RPC_MEMBER(LEAD_SCORE, MESSAGE), fault->message);
}

/* What is said once for all leads cannot be said of one: were it passed over, the lead would be
 * answered by another version than it names, or without the reasons that it asks for. */
static bool lead_alone(const struct proto_arg *args, struct proto_fault *fault)
{
    static const int said_once[] = {PROTO_Q_SCORE_ICP, PROTO_Q_SCORE_REASONS, PROTO_Q_SCORE_NAMES,
                                    PROTO_Q_SCORE_VALUE};
    for (size_t i = 0; i < sizeof said_once / sizeof *said_once; i++) {
        if (args[said_once[i]].present) {
            const char *name = score_op()->request[said_once[i]].name;
            return proto_fault_set(fault, PROTO_BAD_FIELD, name,
                                   "give %s beside leads: it holds for all of them", name);
        }
    }
    return true;
}

/* What score alone says of one account. */
static bool lead_plain(const struct proto_arg *args, struct proto_fault *fault)
{
    if (args[PROTO_Q_SCORE_ENGAGEMENT].present) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "engagement",
                               "how engaged an account is say score, explain and view");
    }
    return true;
}

/* What holds for all leads of a score-many. */
struct leads_ask {
    const struct learn_document *document;
    unsigned reasons;
    bool names, value;
};

/* Reads, scores and answers one lead of a score-many; false if nothing was written. */
static bool score_lead(struct rpc_call *call, struct proto_span lead, const struct leads_ask *ask,
                       struct proto_fault *fault)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct engine_query query;
    struct engine_answer answer;
    struct rpc_unknown unknown;
    if (ask->document == rpc_state(call)->active && !ask->names && !ask->value &&
        rpc_hot_entry(call->worker, lead, ask->reasons, call->out)) {
        return true;
    }
    if (!proto_fields_decode(score_op()->request, score_op()->request_count, lead, args, fault) ||
        !lead_alone(args, fault) || !lead_plain(args, fault) ||
        !rpc_lead_read(call, args, &query, &unknown, fault)) {
        return false;
    }
    query.document = ask->document;
    query.reasons = ask->reasons;
    if (!engine_score(call->worker->engine, &query, &answer, fault)) {
        return false;
    }
    size_t start = call->out->bytes;
    if (!answer_write(call, &query, &answer, &unknown, ask->names, fault)) {
        return false;
    }
    if (ask->value && !expected_add(call, &query, &answer, start, fault)) {
        call->out->bytes = start; /* what is at fault stands in its place */
        return false;
    }
    return true;
}

static enum rpc_outcome score_leads(struct rpc_call *call, const struct learn_document *document,
                                    struct proto_fault *fault)
{
    struct proto_fault local = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, call->args[PROTO_Q_SCORE_MANY_LEADS].value, &local);
    reader.checked = true; /* with the request */
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
                 engine_worker_seq(call->worker->engine));
    rpc_key(call->out, call->op, PROTO_A_SCORE_MANY_SCORES);
    proto_write_array(call->out, count);
    const struct leads_ask ask = {.document = document,
                                  .reasons = rpc_reasons(&call->args[PROTO_Q_SCORE_MANY_REASONS]),
                                  .names = rpc_names_wanted(call, PROTO_Q_SCORE_MANY_NAMES),
                                  .value = rpc_arg_flag(call, PROTO_Q_SCORE_MANY_VALUE)};
    /* A reply that does not fit is refused by whoever called: more of it would be work for nothing.
     */
    for (size_t i = 0; i < count && proto_writer_ok(call->out); i++) {
        struct proto_fault one = {0};
        struct proto_span lead = proto_read_any(&reader);
        base_arena_reset(&call->worker->arena);
        if (!score_lead(call, lead, &ask, &one)) {
            write_failed_lead(call->out, &one);
        }
    }
    return RPC_DONE;
}

enum rpc_outcome rpc_on_SCORE_MANY(struct rpc_call *call, struct proto_fault *fault)
{
    struct learn_document *document =
        engine_state_document(rpc_state(call), rpc_arg_uint(call, PROTO_Q_SCORE_MANY_ICP), fault);
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
    if (ids && rpc_arg_flag(call, PROTO_Q_SCORE_MANY_VALUE)) {
        proto_fault_set(fault, PROTO_BAD_FIELD, "value",
                        "what accounts are worth is told of leads, which may be {id} alone");
        return RPC_FAILED;
    }
    return ids ? rpc_score_ids(call, document, fault) : score_leads(call, document, fault);
}
