/* SPDX-License-Identifier: Apache-2.0 */
/* What a router is made of, from its begin to its end; router_way.c has the way of a lead, and
 * router_held.c its last step. */
#include "client/router/router_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/router/router_words.h"

enum { RULES_BYTES_MAX = 64 << 20 };

const struct router_decision *router_work_why(const struct router_work *work, const char *id)
{
    return router_recent_find(work->recent, id);
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

static void turn_end(struct router_work *work)
{
    router_work_flush(work);
    if (work->on_turn != NULL) {
        work->on_turn(work->turn_context);
    }
}

static void on_before_wait(uv_prepare_t *handle)
{
    turn_end(handle->data);
}

/* What the turn took is what it was not waiting. */
static void on_after_wait(uv_check_t *handle)
{
    struct router_work *work = handle->data;
    uint64_t idle_ns = uv_metrics_idle_time(work->loop);
    turn_end(work);
    uint64_t now_ns = uv_hrtime();
    router_pace_turn(&work->pace, now_ns - work->turn_ns - (idle_ns - work->turn_idle_ns),
                     work->turn_leads);
    work->turn_ns = now_ns;
    work->turn_idle_ns = idle_ns;
    work->turn_leads = 0;
}

static void turns_begin(struct router_work *work)
{
    work->before_wait.data = work->after_wait.data = work;
    work->turn_ns = uv_hrtime();
    work->turn_idle_ns = uv_metrics_idle_time(work->loop);
    (void)uv_prepare_init(work->loop, &work->before_wait);
    (void)uv_check_init(work->loop, &work->after_wait);
    (void)uv_prepare_start(&work->before_wait, on_before_wait);
    (void)uv_check_start(&work->after_wait, on_after_wait);
}

bool router_work_begin(struct router_work *work, uv_loop_t *loop,
                       const struct router_options *options, struct router_fault *fault)
{
    *work = (struct router_work){.options = *options,
                                 .loop = loop,
                                 .on_trouble = work->on_trouble,
                                 .trouble_context = work->trouble_context,
                                 .on_turn = work->on_turn,
                                 .turn_context = work->turn_context};
    work->recent = router_recent_create();
    work->values = icp_payload_create();
    if (work->recent == NULL || work->values == NULL) {
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
    turns_begin(work);
    return true;
}

static void on_client_closed(struct icp_uv *client)
{
    struct router_work *work = client->data;
    router_spool_close(work->spool);
    router_state_destroy(work->state);
    router_rules_destroy(work->rules);
    icp_payload_destroy(work->values);
    router_recent_destroy(work->recent);
    router_text_fini(&work->text);
    free(work->held);
    work->closed = true;
}

void router_work_end(struct router_work *work)
{
    router_work_flush(work);
    uv_close((uv_handle_t *)&work->before_wait, NULL);
    uv_close((uv_handle_t *)&work->after_wait, NULL);
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
