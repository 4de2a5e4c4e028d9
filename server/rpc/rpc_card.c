/* SPDX-License-Identifier: Apache-2.0 */
/* card, on the lane SCAN: everything of one account in one document. Look-alikes are asked for
 * first, for they take the newest view; all the rest is read from that one. A part that cannot be
 * had (no version, no vectors) is null, and `without` says why; one that is damaged fails all. */
#include <stdlib.h>

#include "server/engine/worker.h"
#include "server/lifecycle/lifecycle_define.h"
#include "server/rpc/card_json.h"
#include "server/rpc/lead.h"

struct card {
    struct rpc_call *call;
    json_t *root, *without;
    uint32_t slot;
    int64_t at_ms;
    struct feature_record record;
    uint32_t icp;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a card");
}

static bool put(struct card *card, const char *name, json_t *value, struct proto_fault *fault)
{
    return json_object_set_new(card->root, name, value) == 0 || no_memory(fault);
}

/* A part that is not there, and why. */
static bool lack(struct card *card, const char *name, const char *why, struct proto_fault *fault)
{
    return put(card, name, json_null(), fault) &&
           (json_object_set_new(card->without, name, json_string(why)) == 0 || no_memory(fault));
}

static bool look_alikes_put(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    struct lookalike_example example = {.name = {.id = {NULL, 0}}};
    struct lookalike_similar query = {.positives = &example, .positive_count = 1};
    struct lookalike_result result;
    struct proto_fault why = {.code = PROTO_OK};
    query.k = (uint32_t)rpc_arg_uint(call, PROTO_Q_CARD_SIMILAR);
    if (!rpc_name_read(call->args, PROTO_Q_CARD_ID, PROTO_Q_CARD_KEY, PROTO_Q_CARD_EMAIL,
                       &example.name, fault)) {
        return false;
    }
    if (query.k == 0) {
        return true;
    }
    if (call->worker->rpc->options.lookalike == NULL ||
        !lookalike_similar(call->worker->rpc->options.lookalike, call->worker->engine, call->scan,
                           &query, &result, &why)) {
        if (why.code == PROTO_CANCELLED || why.code == PROTO_DEADLINE ||
            why.code == PROTO_CORRUPT || why.code == PROTO_NO_MEMORY) {
            *fault = why;
            return false;
        }
        return lack(card, "look_alikes", why.code != PROTO_OK ? why.message : "there are none",
                    fault);
    }
    bool good = put(card, "look_alikes", rpc_card_look_alikes(&result), fault);
    lookalike_similar_free(&result);
    return good;
}

static bool identity_put(struct card *card, struct proto_fault *fault)
{
    const struct feature_schema *schema = rpc_state(card->call)->schema;
    struct feature_value name;
    bool named = schema != NULL && schema->name != NULL &&
                 feature_record_value(&card->record, schema->name->id, &name) &&
                 name.type == FEATURE_CATEGORY;
    return put(card, "id", rpc_card_text(card->record.id), fault) &&
           put(card, "name", named ? rpc_card_text(name.text) : json_null(), fault) &&
           put(card, "keys", rpc_card_keys(&card->record), fault) &&
           put(card, "values",
               rpc_card_values(schema, &card->record,
                               engine_now_ms(card->call->worker->rpc->options.engine)),
               fault);
}

static bool answer_put(struct card *card, const struct learn_document *document,
                       const struct engine_answer *answer, struct proto_fault *fault)
{
    const char grade[2] = {answer->grade, '\0'};
    const char *outcome =
        json_string_value(json_object_get(json_object_get(document->json, "label"), "expression"));
    card->icp = document->version;
    return put(card, "fit", json_real(answer->fit), fault) &&
           put(card, "fit_in_words",
               json_sprintf("better than %.0f %% of the accounts that the version was measured on",
                            answer->fit),
               fault) &&
           put(card, "grade", json_string(grade), fault) &&
           put(card, "p", json_real(answer->p), fault) &&
           put(card, "outcome",
               outcome != NULL ? json_string(outcome) : json_string("as its policy says"), fault) &&
           put(card, "why", rpc_card_reasons(answer), fault) &&
           put(card, "missing", rpc_card_texts(answer->missing, answer->missing_count), fault) &&
           put(card, "stale", rpc_card_texts(answer->stale, answer->stale_count), fault) &&
           put(card, "fit_low", json_real(answer->fit_low), fault) &&
           put(card, "fit_high", json_real(answer->fit_high), fault);
}

static bool score_put(struct card *card, struct proto_fault *fault)
{
    static const char *const parts[] = {"fit", "fit_in_words", "grade", "p",       "outcome",
                                        "why", "missing",      "stale", "fit_low", "fit_high"};
    struct engine_worker *worker = card->call->worker->engine;
    struct proto_fault why = {.code = PROTO_OK};
    struct engine_answer answer;
    const struct learn_document *document = engine_state_document(rpc_state(card->call), 0, &why);
    if (document == NULL) {
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (!lack(card, parts[i], why.message, fault)) {
                return false;
            }
        }
        return true;
    }
    const struct engine_query query = {
        .name.id = card->record.id, .document = document, .reasons = CARD_REASONS};
    return engine_score(worker, &query, &answer, fault) &&
           answer_put(card, document, &answer, fault);
}

static bool engagement_put(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    const struct lifecycle_as_of now = {UINT64_MAX, INT64_MAX};
    struct measure_definition *definition =
        base_arena_take(&call->worker->arena, sizeof *definition);
    struct lifecycle_engaged engaged;
    if (definition == NULL) {
        return no_memory(fault);
    }
    if (!lifecycle_engagement_find(rpc_state(call), rpc_arg_text(call, PROTO_Q_CARD_ENGAGEMENT),
                                   definition, fault)) {
        return proto_fault_within(fault, "engagement");
    }
    return lifecycle_engage(call->worker->engine, card->slot, card->at_ms, definition, &now, 0,
                            &engaged, fault) &&
           put(card, "engagement", rpc_card_engagement(&engaged), fault);
}

/* Amounts that the usual rules cannot measure leave the account without figures, not without a
 * card. */
static bool lifecycle_put(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    const struct lifecycle_as_of now = {UINT64_MAX, INT64_MAX};
    struct lifecycle_account account;
    struct measure_rules rules;
    struct proto_fault why = {.code = PROTO_OK};
    measure_rules_default(&rules);
    if (!lifecycle_account(call->worker->engine, card->slot, card->at_ms, &rules, &now,
                           &call->worker->arena, &account, &why)) {
        if (why.code == PROTO_BAD_FIELD) {
            return lack(card, "lifecycle", why.message, fault);
        }
        *fault = why;
        return false;
    }
    return put(card, "lifecycle", rpc_card_lifecycle(&account), fault);
}

static bool events_put(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    struct event_choice choice = event_choice_all();
    struct engine_timeline page;
    choice.newest = true;
    choice.until_ms = card->at_ms < EVENT_MS_MAX ? card->at_ms + 1 : EVENT_MS_MAX;
    return engine_timeline(call->worker->engine, card->slot, &choice, 0,
                           (size_t)rpc_arg_uint(call, PROTO_Q_CARD_EVENTS), &call->worker->arena,
                           &page, fault) &&
           put(card, "events", rpc_card_events(&page), fault) &&
           put(card, "events_in_all", json_integer((json_int_t)page.total), fault);
}

/* Labels of named segments belong here as well, as soon as accounts have them. */
static bool card_fill(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    const struct proto_arg *at = &call->args[PROTO_Q_CARD_AT];
    struct engine_worker *worker = call->worker->engine;
    card->at_ms = at->present ? at->integer : engine_now_ms(call->worker->rpc->options.engine);
    return put(card, "card", json_integer(1), fault) && look_alikes_put(card, fault) &&
           rpc_name_find(call, PROTO_Q_CARD_ID, PROTO_Q_CARD_KEY, PROTO_Q_CARD_EMAIL, &card->slot,
                         fault) &&
           engine_record(worker, card->slot, &card->record, fault) && identity_put(card, fault) &&
           score_put(card, fault) && engagement_put(card, fault) && lifecycle_put(card, fault) &&
           events_put(card, fault) &&
           put(card, "lists", rpc_card_lists(rpc_state(call), card->slot), fault) &&
           put(card, "icp", json_integer(card->icp), fault) &&
           put(card, "seq", json_integer((json_int_t)engine_worker_seq(worker)), fault) &&
           put(card, "at", rpc_card_time(card->at_ms), fault) &&
           put(card, "without", json_incref(card->without), fault);
}

static bool card_write(struct card *card, struct proto_fault *fault)
{
    struct rpc_call *call = card->call;
    char *text = json_dumps(card->root, JSON_COMPACT | JSON_REAL_PRECISION(10));
    if (text == NULL) {
        return no_memory(fault);
    }
    proto_write_map(call->out, 3);
    rpc_put_uint(call->out, call->op, PROTO_A_CARD_ICP, card->icp);
    rpc_put_uint(call->out, call->op, PROTO_A_CARD_SEQ, engine_worker_seq(call->worker->engine));
    rpc_put_text(call->out, call->op, PROTO_A_CARD_CARD, text);
    free(text);
    return true;
}

enum rpc_outcome rpc_on_CARD(struct rpc_call *call, struct proto_fault *fault)
{
    struct card card = {.call = call, .root = json_object(), .without = json_object()};
    bool good = card.root != NULL && card.without != NULL;
    if (!good) {
        (void)no_memory(fault);
    }
    good = good && card_fill(&card, fault) && card_write(&card, fault);
    json_decref(card.without);
    json_decref(card.root);
    return good ? RPC_DONE : RPC_FAILED;
}
