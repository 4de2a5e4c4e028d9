/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a lead up to its decision. One that waits for its score is one allocation; everything
 * that is decided is decided when that has come, by the rules as they are then. */
#include <stdio.h>
#include <stdlib.h>

#include "client/router/router_words.h"
#include "client/router/router_work.h"

enum { GROUP_BYTES = 65536, WHY_BYTES = 300 };

struct waiting {
    struct router_work *work;
    struct router_lead lead;
    uint64_t came_ns;
    bool dry;
    router_answer *answer;
    void *context;
};

/* The answer waits with the others of the turn: the decision may not be written yet. */
static bool repeated_answer(struct router_work *work, const char *id, router_answer *answer,
                            void *context)
{
    struct router_fault fault;
    struct router_decision *before = router_recent_find(work->recent, id);
    const struct router_held held = {
        .decision = before, .answer = answer, .context = context, .repeated = true};
    if (before != NULL && !router_held_add(work, &held, &fault)) {
        work->stats.refused++;
        router_answer_fault(work, answer, context, 503, id, &fault);
    }
    return before != NULL;
}

/* In the spool, among the answers that wait, and known. */
static bool decision_keep(struct waiting *waiting, struct router_decision *decision,
                          const struct router_choice *choice, bool is_default,
                          struct router_fault *fault)
{
    struct router_work *work = waiting->work;
    const struct router_held held = {.decision = decision,
                                     .answer = waiting->answer,
                                     .context = waiting->context,
                                     .came_ns = waiting->came_ns,
                                     .way = choice->way,
                                     .is_default = is_default};
    if (!router_held_add(work, &held, fault)) {
        return false;
    }
    if (!router_spool_add(work->spool, decision, fault)) {
        work->held_count--;
        router_decision_drop(decision);
        return false;
    }
    router_recent_put(work->recent, decision);
    return true;
}

static void decide(struct waiting *waiting, const struct icp_score *score, const char *why_default)
{
    struct router_work *work = waiting->work;
    struct router_fault fault;
    struct router_choice choice;
    const struct router_case made = {.rules = work->rules,
                                     .state = work->state,
                                     .lead = &waiting->lead,
                                     .score = score,
                                     .why_default = why_default,
                                     .took_us = (uv_hrtime() - waiting->came_ns) / 1000,
                                     .keep = !waiting->dry};
    struct router_decision *decision = router_decision_make(&made, &work->text, &choice);
    bool good = decision != NULL || router_refuse(&fault, 0, 0, "no memory for a decision");
    if (good && waiting->dry) {
        router_answer_with(work, decision, "dry", waiting->answer, waiting->context);
    } else if (good) {
        good = decision_keep(waiting, decision, &choice, score->is_default, &fault);
    }
    if (!good) {
        work->stats.refused++;
        router_answer_fault(work, waiting->answer, waiting->context, 503, waiting->lead.id, &fault);
    }
    router_decision_drop(decision);
    if (work->spool != NULL && router_spool_fresh_bytes(work->spool) >= GROUP_BYTES) {
        router_work_flush(work);
    }
}

static void default_decide(struct waiting *waiting, const char *why)
{
    const struct router_rules *rules = waiting->work->rules;
    const struct icp_score score = {ICP_SCORE, .is_default = true, .grade = rules->default_grade,
                                    .p = rules->default_p};
    decide(waiting, &score, why);
}

static void waiting_end(struct waiting *waiting)
{
    struct router_work *work = waiting->work;
    router_lead_fini(&waiting->lead);
    free(waiting);
    work->under_way--;
}

static void on_score(void *context, const struct icp_reply *reply)
{
    struct waiting *waiting = context;
    struct router_work *work = waiting->work;
    struct icp_score score = {ICP_SCORE};
    struct icp_fault fault;
    char why[WHY_BYTES];
    bool good = icp_score_read(reply, &score, &fault);
    /* The same lead may have come twice and been decided meanwhile. */
    bool repeated =
        !waiting->dry && repeated_answer(work, waiting->lead.id, waiting->answer, waiting->context);
    if (good && !repeated) {
        decide(waiting, &score, NULL);
    } else if (!repeated) {
        (void)snprintf(why, sizeof why, "%s: %.250s", icp_error_name(fault.code), fault.message);
        default_decide(waiting, why);
    }
    icp_score_fini(&score);
    waiting_end(waiting);
}

static void values_fill(struct icp_payload *values, const json_t *json)
{
    const char *name;
    json_t *value;
    icp_payload_reset(values);
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        if (json_is_string(value)) {
            icp_payload_text(values, name, json_string_value(value));
        } else if (json_is_number(value)) {
            icp_payload_number(values, name, json_number_value(value));
        } else if (json_is_boolean(value)) {
            icp_payload_flag(values, name, json_is_true(value));
        } else if (json_is_array(value)) {
            icp_payload_list_begin(values, name);
            for (size_t i = 0; i < json_array_size(value); i++) {
                icp_payload_text(values, NULL, json_string_value(json_array_get(value, i)));
            }
            icp_payload_list_end(values);
        }
    }
}

/* icpd gets three quarters of the deadline; the rest is for what comes after. */
static bool score_ask(struct waiting *waiting, char why[WHY_BYTES])
{
    struct router_work *work = waiting->work;
    const struct router_lead *lead = &waiting->lead;
    struct icp_query query = {ICP_QUERY, .reasons = 1};
    struct icp_fault fault;
    unsigned wait_ms = work->rules->deadline_ms * 3 / 4;
    size_t before = work->under_way - 1;
    if (before >= router_pace_room(&work->pace, work->rules->deadline_ms)) {
        (void)snprintf(why, WHY_BYTES,
                       "busy: %zu leads wait for icpd, as many as can still be decided in time",
                       before);
        return false;
    }
    query.timeout_ms = wait_ms > 0 ? wait_ms : 1;
    query.id = lead->account;
    query.key = lead->account == NULL ? lead->key : NULL;
    query.email = lead->account == NULL && lead->key == NULL ? lead->email : NULL;
    values_fill(work->values, lead->values);
    query.values = json_object_size(lead->values) > 0 ? work->values : NULL;
    bool good = icp_uv_score(&work->client, &query, on_score, waiting, &fault) != NULL;
    if (!good) {
        (void)snprintf(why, WHY_BYTES, "%.250s", fault.message);
    }
    return good;
}

void router_work_lead(struct router_work *work, const char *text, size_t bytes, bool dry,
                      router_answer *answer, void *context)
{
    struct router_fault fault = {.line = 0};
    struct router_lead lead;
    char why[WHY_BYTES];
    uint64_t came_ns = uv_hrtime();
    dry = dry || work->options.dry_run;
    work->stats.leads++;
    if (!router_lead_read(text, bytes, &lead, &fault)) {
        work->stats.refused++;
        router_answer_fault(work, answer, context, 400, NULL, &fault);
        return;
    }
    if (!dry && repeated_answer(work, lead.id, answer, context)) {
        router_lead_fini(&lead);
        return;
    }
    struct waiting *waiting = malloc(sizeof *waiting);
    if (waiting == NULL) {
        work->stats.refused++;
        (void)router_refuse(&fault, 0, 0, "no memory for a lead");
        router_answer_fault(work, answer, context, 503, lead.id, &fault);
        router_lead_fini(&lead);
        return;
    }
    *waiting = (struct waiting){work, lead, came_ns, dry, answer, context};
    work->under_way++;
    if (!score_ask(waiting, why)) {
        default_decide(waiting, why);
        waiting_end(waiting);
    }
}
