/* SPDX-License-Identifier: Apache-2.0 */
/* A lead waits for its score as one allocation; everything that is decided is decided when that has
 * come, by the rules as they are then. */
#include "client/router/router_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "client/router/router_decision.h"
#include "client/router/router_words.h"

enum { RECENT_MAX = 65536, RULES_BYTES_MAX = 64 << 20 };

struct waiting {
    struct router_work *work;
    struct router_lead lead;
    uint64_t came_ns;
    bool dry;
    router_answer *answer;
    void *context;
};

static void answer_fault(router_answer *answer, void *context, int status, const char *id,
                         const struct router_fault *fault)
{
    json_t *json = json_pack("{s:s}", "error", fault->message);
    if (id != NULL) {
        (void)json_object_set_new(json, "id", json_string(id));
    }
    if (fault->line > 0) {
        (void)json_object_set_new(json, "line", json_integer((json_int_t)fault->line));
        (void)json_object_set_new(json, "column", json_integer((json_int_t)fault->column));
    }
    answer(context, status, json);
    json_decref(json);
}

/* The oldest is forgotten. */
static void recent_put(struct router_work *work, const char *id, json_t *decision)
{
    char *copy = strdup(id);
    char **place = &work->recent_ids[work->recent_next];
    if (copy == NULL || json_object_set(work->recent, id, decision) != 0) {
        free(copy);
        return; /* it is decided all the same; only why is not known here */
    }
    if (*place != NULL) {
        (void)json_object_del(work->recent, *place);
        free(*place);
    }
    *place = copy;
    work->recent_next = (work->recent_next + 1) % RECENT_MAX;
}

static bool repeated_answer(struct router_work *work, const char *id, router_answer *answer,
                            void *context)
{
    const json_t *before = router_work_why(work, id);
    json_t *again = before == NULL ? NULL : json_copy((json_t *)(uintptr_t)before);
    if (again == NULL) {
        return false;
    }
    work->stats.repeated++;
    (void)json_object_set_new(again, "repeated", json_true());
    answer(context, 200, again);
    json_decref(again);
    return true;
}

static void count(struct router_stats *stats, const struct router_choice *choice, bool is_default)
{
    stats->decided++;
    stats->owner += choice->way == ROUTER_WAY_OWNER;
    stats->nobody += choice->way >= ROUTER_WAY_ALL_BARRED;
    stats->defaults += is_default;
}

static void decide(struct waiting *waiting, const struct icp_score *score, const char *why_default)
{
    struct router_work *work = waiting->work;
    struct router_fault fault;
    struct router_choice choice;
    json_t *decision = router_decision_make(work->rules, work->state, &waiting->lead, score,
                                            why_default, !waiting->dry, &choice);
    uint64_t took_us = (uv_hrtime() - waiting->came_ns) / 1000;
    bool good = decision != NULL &&
                json_object_set_new(decision, "took_us", json_integer((json_int_t)took_us)) == 0;
    if (!good) {
        (void)router_refuse(&fault, 0, 0, "no memory for a decision");
    } else if (waiting->dry) {
        (void)json_object_set_new(decision, "dry", json_true());
    } else if (work->spool != NULL) {
        good = router_spool_add(work->spool, json_incref(decision), &fault);
    }
    if (!good) {
        work->stats.refused++;
        answer_fault(waiting->answer, waiting->context, 503, waiting->lead.id, &fault);
        json_decref(decision);
        return;
    }
    if (!waiting->dry) {
        count(&work->stats, &choice, score->is_default);
        recent_put(work, waiting->lead.id, decision);
        router_stats_time(&work->stats, took_us);
        work->stats.late += took_us > (uint64_t)work->rules->deadline_ms * 1000;
    }
    waiting->answer(waiting->context, 200, decision);
    json_decref(decision);
    if (work->spool != NULL) {
        router_send_kick(&work->send);
    }
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
    char why[300];
    bool good = icp_score_read(reply, &score, &fault);
    if (!good) {
        icp_score_fini(&score);
        score =
            (struct icp_score){ICP_SCORE, .is_default = true, .grade = work->rules->default_grade,
                               .p = work->rules->default_p};
        (void)snprintf(why, sizeof why, "%s: %.250s", icp_error_name(fault.code), fault.message);
    }
    /* The same lead may have come twice and been decided meanwhile. */
    if (waiting->dry ||
        !repeated_answer(work, waiting->lead.id, waiting->answer, waiting->context)) {
        decide(waiting, &score, good ? NULL : why);
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
static bool score_ask(struct waiting *waiting, struct icp_fault *fault)
{
    struct router_work *work = waiting->work;
    const struct router_lead *lead = &waiting->lead;
    struct icp_query query = {ICP_QUERY, .reasons = 1};
    unsigned wait_ms = work->rules->deadline_ms * 3 / 4;
    query.timeout_ms = wait_ms > 0 ? wait_ms : 1;
    query.id = lead->account;
    query.key = lead->account == NULL ? lead->key : NULL;
    query.email = lead->account == NULL && lead->key == NULL ? lead->email : NULL;
    values_fill(work->values, lead->values);
    query.values = json_object_size(lead->values) > 0 ? work->values : NULL;
    return icp_uv_score(&work->client, &query, on_score, waiting, fault) != NULL;
}

void router_work_lead(struct router_work *work, const char *text, size_t bytes, bool dry,
                      router_answer *answer, void *context)
{
    struct router_fault fault = {.line = 0};
    struct icp_fault away;
    struct router_lead lead;
    uint64_t came_ns = uv_hrtime();
    dry = dry || work->options.dry_run;
    work->stats.leads++;
    if (!router_lead_read(text, bytes, &lead, &fault)) {
        work->stats.refused++;
        answer_fault(answer, context, 400, NULL, &fault);
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
        answer_fault(answer, context, 503, lead.id, &fault);
        router_lead_fini(&lead);
        return;
    }
    *waiting = (struct waiting){work, lead, came_ns, dry, answer, context};
    work->under_way++;
    if (!score_ask(waiting, &away)) {
        struct icp_score score = {ICP_SCORE, .is_default = true,
                                  .grade = work->rules->default_grade, .p = work->rules->default_p};
        decide(waiting, &score, away.message);
        waiting_end(waiting);
    }
}

const json_t *router_work_why(const struct router_work *work, const char *id)
{
    return json_object_get(work->recent, id);
}

static char *file_read(const char *path, size_t *bytes, struct router_fault *fault)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    *bytes = 0;
    while (file != NULL && !feof(file) && !ferror(file) && *bytes <= RULES_BYTES_MAX) {
        if (*bytes == room) {
            char *grown = realloc(text, 2 * room + 65536);
            if (grown == NULL) {
                break;
            }
            text = grown;
            room = 2 * room + 65536;
        }
        *bytes += fread(text + *bytes, 1, room - *bytes, file);
    }
    bool good = file != NULL && feof(file) && !ferror(file);
    if (!good) {
        (void)router_refuse(fault, 0, 0, "%.180s: %s", path,
                            file == NULL || ferror(file) ? strerror(errno) : "too large");
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

bool router_work_reload(struct router_work *work, struct router_fault *fault)
{
    size_t bytes = 0;
    char *text = file_read(work->options.rules_path, &bytes, fault);
    struct router_rules *rules = text == NULL ? NULL : router_rules_read(text, bytes, fault);
    free(text);
    struct router_state *state = rules == NULL ? NULL : router_state_create(rules, work->state);
    if (rules != NULL && state == NULL) {
        (void)router_refuse(fault, 0, 0, "no memory for the rules");
    }
    if (state == NULL) {
        router_rules_destroy(rules);
        return false;
    }
    router_state_destroy(work->state);
    router_rules_destroy(work->rules);
    work->rules = rules;
    work->state = state;
    return true;
}

static bool client_open(struct router_work *work, struct router_fault *fault)
{
    struct icp_fault away;
    struct icp_options options = {ICP_OPTIONS, .name = "icp-router", .connect_later = true};
    options.token = work->options.token;
    return icp_uv_init(&work->client, work->loop, work->options.uri, &options, &away) ||
           router_refuse(fault, 0, 0, "%.250s", away.message);
}

bool router_work_begin(struct router_work *work, uv_loop_t *loop,
                       const struct router_options *options, struct router_fault *fault)
{
    *work = (struct router_work){.options = *options,
                                 .loop = loop,
                                 .on_trouble = work->on_trouble,
                                 .trouble_context = work->trouble_context};
    work->recent = json_object();
    work->recent_ids = calloc(RECENT_MAX, sizeof *work->recent_ids);
    work->values = icp_payload_create();
    if (work->recent == NULL || work->recent_ids == NULL || work->values == NULL) {
        return router_refuse(fault, 0, 0, "no memory");
    }
    if (!router_work_reload(work, fault)) {
        return false;
    }
    if (!options->dry_run) {
        work->spool =
            router_spool_open(options->spool_path, options->spool_bytes_max, options->sync, fault);
        if (work->spool == NULL) {
            return false;
        }
    }
    if (!client_open(work, fault)) {
        return false;
    }
    work->send = (struct router_send){.client = &work->client,
                                      .spool = work->spool,
                                      .stats = &work->stats,
                                      .source = options->source,
                                      .on_trouble = work->on_trouble,
                                      .trouble_context = work->trouble_context};
    if (work->spool != NULL && !router_send_begin(&work->send, loop)) {
        return router_refuse(fault, 0, 0, "no memory");
    }
    if (work->spool != NULL) {
        router_send_kick(&work->send);
    }
    return true;
}

static void on_client_closed(struct icp_uv *client)
{
    struct router_work *work = client->data;
    router_spool_close(work->spool);
    router_state_destroy(work->state);
    router_rules_destroy(work->rules);
    icp_payload_destroy(work->values);
    json_decref(work->recent);
    for (size_t i = 0; i < RECENT_MAX; i++) {
        free(work->recent_ids[i]);
    }
    free(work->recent_ids);
    work->closed = true;
}

void router_work_end(struct router_work *work)
{
    if (work->spool != NULL) {
        router_send_end(&work->send);
    }
    work->client.data = work;
    icp_uv_close(&work->client, on_client_closed);
}

json_t *router_work_figures(const struct router_work *work)
{
    json_t *figures = json_object();
    const struct router_stats *stats = &work->stats;
#define X(name, what)                                                                              \
    (void)json_object_set_new(figures, #name, json_integer((json_int_t)stats->name));
    ROUTER_COUNTERS(X)
#undef X
    size_t wait = work->spool == NULL ? 0 : router_spool_count(work->spool);
    size_t bytes = work->spool == NULL ? 0 : router_spool_bytes(work->spool);
    (void)json_object_set_new(figures, "waiting", json_integer((json_int_t)wait));
    (void)json_object_set_new(figures, "waiting_bytes", json_integer((json_int_t)bytes));
    (void)json_object_set_new(figures, "p50_us",
                              json_integer((json_int_t)router_stats_percentile(stats, .5)));
    (void)json_object_set_new(figures, "p99_us",
                              json_integer((json_int_t)router_stats_percentile(stats, .99)));
    return figures;
}
