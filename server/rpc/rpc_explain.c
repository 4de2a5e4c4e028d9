/* SPDX-License-Identifier: Apache-2.0 */
/* explain: the request is read as score's is, the engine makes the explanation, and it is written
 * head first: the numbers of the score, then what made them, then what is to be doubted. */
#include "server/engine/labels.h"
#include "server/rpc/engaged_write.h"
#include "server/rpc/expected_write.h"
#include "server/rpc/explain_write.h"
#include "server/rpc/lead.h"
#include "server/rpc/rpc_member.h"

/* rpc_lead_read reads these by the positions that they have in score. */
_Static_assert((int)PROTO_Q_EXPLAIN_ID == (int)PROTO_Q_SCORE_ID &&
                   (int)PROTO_Q_EXPLAIN_KEY == (int)PROTO_Q_SCORE_KEY &&
                   (int)PROTO_Q_EXPLAIN_EMAIL == (int)PROTO_Q_SCORE_EMAIL &&
                   (int)PROTO_Q_EXPLAIN_VALUES == (int)PROTO_Q_SCORE_VALUES &&
                   (int)PROTO_Q_EXPLAIN_SEQ == (int)PROTO_Q_SCORE_SEQ &&
                   (int)PROTO_Q_EXPLAIN_KNOWN == (int)PROTO_Q_SCORE_KNOWN &&
                   (int)PROTO_Q_EXPLAIN_AT == (int)PROTO_Q_SCORE_AT,
               "a lead is read as in score");

enum { MEMBERS = 20 }; /* that are always there */

static void texts_put(struct rpc_call *call, int index, const struct proto_span *texts,
                      size_t count)
{
    rpc_key(call->out, call->op, index);
    proto_write_array(call->out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_str(call->out, texts[i]);
    }
}

static uint64_t label_count(const struct learn_document *document, const char *name)
{
    json_int_t count =
        json_integer_value(json_object_get(json_object_get(document->json, "label"), name));
    return count > 0 ? (uint64_t)count : 0;
}

static const char *label_text(const struct learn_document *document)
{
    const json_t *label = json_object_get(document->json, "label");
    const char *text = json_string_value(json_object_get(label, "expression"));
    return text && !json_object_get(label, "policy") ? text : "";
}

static void head_put(struct rpc_call *call, const struct engine_explanation *explanation)
{
    const struct engine_answer *answer = &explanation->answer;
    const struct learn_document *document = explanation->document;
    const char grade[2] = {answer->grade, '\0'};
    rpc_put_uint(call->out, call->op, PROTO_A_EXPLAIN_ICP, document->version);
    rpc_put_uint(call->out, call->op, PROTO_A_EXPLAIN_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_flag(call->out, call->op, PROTO_A_EXPLAIN_FOUND, answer->found);
    if (answer->found) {
        rpc_put_str(call->out, call->op, PROTO_A_EXPLAIN_ID, answer->id);
    }
    rpc_put_number(call->out, call->op, PROTO_A_EXPLAIN_FIT, answer->fit);
    rpc_put_number(call->out, call->op, PROTO_A_EXPLAIN_P, answer->p);
    rpc_put_text(call->out, call->op, PROTO_A_EXPLAIN_GRADE, grade);
    rpc_put_int(call->out, call->op, PROTO_A_EXPLAIN_RAW, answer->raw);
    if (answer->label >= ENGINE_LABEL_FIRST) {
        rpc_put_str(call->out, call->op, PROTO_A_EXPLAIN_SEGMENT,
                    engine_labels_name(rpc_state(call)->labels, answer->label));
    }
    rpc_put_int(call->out, call->op, PROTO_A_EXPLAIN_INTERCEPT, document->scorecard->intercept);
    rpc_put_text(call->out, call->op, PROTO_A_EXPLAIN_OUTCOME, label_text(document));
    rpc_put_uint(call->out, call->op, PROTO_A_EXPLAIN_ACCOUNTS,
                 label_count(document, "population"));
    rpc_put_uint(call->out, call->op, PROTO_A_EXPLAIN_OUTCOMES, label_count(document, "positives"));
}

/* expected, engaged NULL: nobody asks. */
static void explanation_put(struct rpc_call *call, const struct engine_explanation *explanation,
                            const struct rpc_unknown *unknown,
                            const struct engine_expected *expected,
                            const struct lifecycle_engaged *engaged)
{
    struct proto_writer *out = call->out;
    const struct engine_answer *answer = &explanation->answer;
    struct rpc_explain_form form = {
        .around = (unsigned)rpc_arg_uint(call, PROTO_Q_EXPLAIN_AROUND),
        .shapes = (size_t)rpc_arg_uint(call, PROTO_Q_EXPLAIN_SHAPES),
    };
    proto_write_map(out, (size_t)MEMBERS + answer->found + (unknown->count > 0) +
                             (answer->label >= ENGINE_LABEL_FIRST) +
                             (expected ? RPC_EXPECTED_MEMBERS : 0U) + (engaged != NULL));
    head_put(call, explanation);
    rpc_key(out, call->op, PROTO_A_EXPLAIN_CONTRIBUTIONS);
    rpc_write_contributions(out, explanation, &form);
    rpc_key(out, call->op, PROTO_A_EXPLAIN_FAMILIES);
    rpc_write_families(out, explanation);
    rpc_key(out, call->op, PROTO_A_EXPLAIN_UP);
    rpc_write_changes(out, explanation, explanation->up, explanation->up_count);
    rpc_key(out, call->op, PROTO_A_EXPLAIN_DOWN);
    rpc_write_changes(out, explanation, explanation->down, explanation->down_count);
    texts_put(call, PROTO_A_EXPLAIN_MISSING, answer->missing, answer->missing_count);
    rpc_put_number(out, call->op, PROTO_A_EXPLAIN_FIT_LOW, answer->fit_low);
    rpc_put_number(out, call->op, PROTO_A_EXPLAIN_FIT_HIGH, answer->fit_high);
    texts_put(call, PROTO_A_EXPLAIN_UNSEEN, explanation->unseen, explanation->unseen_count);
    texts_put(call, PROTO_A_EXPLAIN_STALE, answer->stale, answer->stale_count);
    if (unknown->count > 0) {
        rpc_key(out, call->op, PROTO_A_EXPLAIN_UNKNOWN);
        rpc_write_unknown(out, unknown);
    }
    if (expected) {
        rpc_expected_put(call->out, call->op, PROTO_A_EXPLAIN_VALUE, expected);
    }
    if (engaged) {
        rpc_key(out, call->op, PROTO_A_EXPLAIN_ENGAGEMENT);
        rpc_engaged_write(out, engaged);
    }
}

static bool engaged_make(struct rpc_call *call, uint32_t slot, struct lifecycle_engaged *engaged,
                         struct proto_fault *fault)
{
    int64_t now_ms = engine_now_ms(call->worker->rpc->options.engine);
    const struct engine_moment moment =
        rpc_moment_read(call->args, PROTO_Q_EXPLAIN_SEQ, PROTO_Q_EXPLAIN_KNOWN, PROTO_Q_EXPLAIN_AT);
    const struct lifecycle_as_of as_of = {moment.seq, moment.known_ms};
    return rpc_engaged_make(call, PROTO_Q_EXPLAIN_ENGAGEMENT, slot, &as_of,
                            engine_moment_ms(&moment, now_ms), engaged, fault);
}

enum rpc_outcome rpc_on_EXPLAIN(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_query query;
    struct engine_explanation explanation;
    struct rpc_unknown unknown;
    size_t changes = (size_t)rpc_arg_uint(call, PROTO_Q_EXPLAIN_CHANGES);
    if (!rpc_lead_read(call, call->args, &query, &unknown, fault)) {
        return RPC_FAILED;
    }
    query.reasons = 0; /* its place in score is another field's here */
    query.document =
        engine_state_document(rpc_state(call), rpc_arg_uint(call, PROTO_Q_EXPLAIN_ICP), fault);
    if (!query.document || !engine_explanation_make(call->worker->engine, &query, changes,
                                                    &call->worker->arena, &explanation, fault)) {
        return RPC_FAILED;
    }
    struct engine_expected expected;
    bool worth = rpc_arg_flag(call, PROTO_Q_EXPLAIN_VALUE);
    if (worth && !engine_expected_of(query.document, explanation.codes, explanation.answer.p,
                                     &expected, fault)) {
        return RPC_FAILED;
    }
    struct lifecycle_engaged engaged;
    const struct engine_answer *answer = &explanation.answer;
    bool asked = call->args[PROTO_Q_EXPLAIN_ENGAGEMENT].present && answer->found;
    if (asked && !engaged_make(call, answer->slot, &engaged, fault)) {
        return RPC_FAILED;
    }
    explanation_put(call, &explanation, &unknown, worth ? &expected : NULL,
                    asked ? &engaged : NULL);
    return RPC_DONE;
}
