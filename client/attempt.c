/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections there are (the roles of core.h). Happy path: none, then MAIN is begun because
 * somebody wants it, becomes ready and stays. Failure paths: it fails (the next host, after a round
 * of all of them a random wait), it is slow or has gone silent (a rival beside it), it creeps (it
 * is left for another), it is lost (the rival or the connection for hedges takes its place, or the
 * same host is tried again at once). */
#include "client/core.h"

#define BACKOFF_MS_FIRST 10
/* How long a connection that was replaced because it said nothing may still begin to speak. */
#define RETIRING_MS 250

static size_t host_index(const struct client_core *core, const struct client_link *link)
{
    return (size_t)(link->host - core->hosts);
}

static void attempt_failed(struct client_core *core, const struct client_link *link, int64_t now_ms)
{
    core->failure = link->pipeline.loss;
    client_host_failed(core, link->host, now_ms);
    core->host_at = client_host_after(core, host_index(core, link), now_ms);
    if (++core->round_failures < core->host_count) {
        return;
    }
    int64_t limit_ms = BACKOFF_MS_FIRST;
    for (unsigned i = 0; i < core->backoff && limit_ms < CLIENT_BACKOFF_MS_MAX; i++) {
        limit_ms *= 2;
    }
    limit_ms = limit_ms < CLIENT_BACKOFF_MS_MAX ? limit_ms : CLIENT_BACKOFF_MS_MAX;
    core->round++;
    core->round_failures = 0;
    core->backoff++;
    core->attempt_ms = now_ms + client_random_below(core, limit_ms + 1);
}

/* A link is out of its role; what it owes without a task is told by client_core_next. */
static void link_let_go(struct client_core *core, struct client_link *link, int64_t now_ms)
{
    client_tasks_lost(core, link, now_ms);
    if (client_pipeline_waiting(&link->pipeline) == 0) {
        client_link_destroy(link);
        return;
    }
    struct client_link **last = &core->lost;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = link;
}

void client_role_lost(struct client_core *core, enum client_role role, int64_t now_ms)
{
    struct client_link *link = core->links[role];
    char where[CLIENT_HOST_TEXT_BYTES];
    core->links[role] = NULL;
    client_log(&core->settings, ICP_LOG_WARNING, "%s: %s",
               client_host_text(link->host, where, sizeof where), link->pipeline.loss.message);
    if (role == CLIENT_HEDGE) {
        core->hedge_ms = now_ms + CLIENT_BACKOFF_MS_MAX;
    } else if (role != CLIENT_RETIRING && (link->state != CLIENT_READY || !link->has_answered)) {
        attempt_failed(core, link, now_ms);
    } else if (role == CLIENT_MAIN) {
        core->host_at = host_index(core, link);
    }
    link_let_go(core, link, now_ms);
}

void client_main_retire(struct client_core *core, int64_t now_ms)
{
    if (core->links[CLIENT_RETIRING] != NULL) {
        client_link_lose(core->links[CLIENT_RETIRING], PROTO_CLOSED,
                         "the connection was given up for a newer one");
        client_role_lost(core, CLIENT_RETIRING, now_ms);
    }
    core->links[CLIENT_RETIRING] = core->links[CLIENT_MAIN];
    core->links[CLIENT_MAIN] = NULL;
    core->retired_ms = now_ms;
}

void client_main_leave(struct client_core *core, int64_t now_ms)
{
    struct client_link *link = core->links[CLIENT_MAIN];
    client_host_failed(core, link->host, now_ms);
    core->host_at = client_host_after(core, host_index(core, link), now_ms);
    client_main_retire(core, now_ms);
}

void client_deadline_passed(struct client_core *core, const struct client_link *link,
                            int64_t now_ms)
{
    if (link == NULL || link != core->links[CLIENT_MAIN] || !client_link_is_useless(link, now_ms)) {
        return;
    }
    char where[CLIENT_HOST_TEXT_BYTES];
    client_log(&core->settings, ICP_LOG_WARNING, "%s: nothing came in time for %d ms",
               client_host_text(link->host, where, sizeof where), CLIENT_USELESS_MS);
    client_main_leave(core, now_ms);
}

void client_attempt_fault(const struct client_core *core, struct proto_fault *fault)
{
    static const char *const lacks[] = {[CLIENT_RESOLVING] = "its name has not been found",
                                        [CLIENT_CONNECTING] = "it has not taken the connection",
                                        [CLIENT_SECURING] = "it has not answered in TLS",
                                        [CLIENT_GREETING] = "it has not greeted"};
    const struct client_link *link = core->links[CLIENT_MAIN];
    char where[CLIENT_HOST_TEXT_BYTES];
    *fault = core->failure;
    if (fault->code != PROTO_OK) {
        return;
    }
    if (link == NULL || link->state == CLIENT_READY) {
        proto_fault_set(fault, PROTO_TIMEOUT, "", "there was no connection in time");
        return;
    }
    proto_fault_set(fault, PROTO_TIMEOUT, "", "there was no connection to %s in time: %s",
                    client_host_text(link->host, where, sizeof where), lacks[link->state]);
}

static void role_close(struct client_core *core, enum client_role role)
{
    client_link_destroy(core->links[role]);
    core->links[role] = NULL;
}

static void attempt_start(struct client_core *core, enum client_role role, size_t host,
                          int64_t now_ms)
{
    struct client_link *link =
        client_link_create(&core->settings, &core->hosts[host], core->epoll_fd, &core->ids);
    if (link == NULL) {
        proto_fault_set(&core->failure, PROTO_NO_MEMORY, "", "no memory for a connection");
        core->round++;
        core->attempt_ms = now_ms + CLIENT_BACKOFF_MS_MAX;
        return;
    }
    core->links[role] = link;
    client_link_start(link, now_ms, now_ms + core->settings.connect_timeout_ms);
    if (link->pipeline.lost) {
        client_role_lost(core, role, now_ms);
    }
}

void client_hedge_start(struct client_core *core, int64_t now_ms)
{
    if (now_ms < core->hedge_ms || core->links[CLIENT_MAIN] == NULL) {
        return;
    }
    core->hedge_ms = now_ms + CLIENT_RIVAL_MS;
    size_t host = client_host_after(core, host_index(core, core->links[CLIENT_MAIN]), now_ms);
    attempt_start(core, CLIENT_HEDGE, host, now_ms);
}

/* Takes note of a link that has become ready. */
static void ready_note(struct client_core *core, struct client_link *link)
{
    if (link->is_noted) {
        return;
    }
    link->is_noted = true;
    core->failure.code = PROTO_OK;
    core->round_failures = 0;
    core->host_at = host_index(core, link);
    client_host_worked(link->host);
    core->greeting = link->greeting;
    /* The texts were copied along: point into the copy. */
    core->greeting.server.server =
        core->greeting.texts + (link->greeting.server.server - link->greeting.texts);
    core->greeting.server.role =
        core->greeting.texts + (link->greeting.server.role - link->greeting.texts);
    char where[CLIENT_HOST_TEXT_BYTES];
    client_log(&core->settings, ICP_LOG_INFO, "connected to %s",
               client_host_text(link->host, where, sizeof where));
}

static void rival_turn(struct client_core *core, bool is_dead, int64_t now_ms)
{
    struct client_link *rival = core->links[CLIENT_RIVAL];
    struct client_link *main = core->links[CLIENT_MAIN];
    if (rival != NULL && now_ms - rival->started_ms >= CLIENT_RIVAL_MS) {
        client_host_failed(core, rival->host, now_ms);
        role_close(core, CLIENT_RIVAL);
    }
    size_t host = client_host_after(core, host_index(core, main), now_ms);
    /* Where the name is what takes so long, asking for it once more is no use. */
    bool is_useless = main->state == CLIENT_RESOLVING && !is_dead && host == host_index(core, main);
    if (core->links[CLIENT_RIVAL] == NULL && !is_useless) {
        if (now_ms >= core->rival_ms) {
            core->rival_ms = now_ms + CLIENT_RIVAL_MS;
            client_host_failed(core, main->host, now_ms);
            attempt_start(core, CLIENT_RIVAL, host, now_ms);
        }
        client_wake_at(core, core->rival_ms);
    } else if (core->links[CLIENT_RIVAL] != NULL) {
        client_wake_at(core, core->links[CLIENT_RIVAL]->started_ms + CLIENT_RIVAL_MS);
    }
}

/* The best of the others takes the place of a MAIN that is not there, not ready or dead. */
static void main_replace(struct client_core *core, bool is_dead, int64_t now_ms)
{
    struct client_link **links = core->links;
    if (client_link_ready(links[CLIENT_MAIN]) && !is_dead) {
        role_close(core, CLIENT_RIVAL);
        return;
    }
    enum client_role from = client_link_ready(links[CLIENT_RIVAL])   ? CLIENT_RIVAL
                            : client_link_ready(links[CLIENT_HEDGE]) ? CLIENT_HEDGE
                                                                     : CLIENT_MAIN;
    if (from == CLIENT_MAIN && links[CLIENT_MAIN] == NULL) {
        from = CLIENT_RIVAL; /* not ready, but on its way */
    }
    if (from == CLIENT_MAIN || links[from] == NULL) {
        return;
    }
    if (is_dead) {
        client_main_retire(core, now_ms);
    } else {
        role_close(core, CLIENT_MAIN);
    }
    links[CLIENT_MAIN] = links[from];
    links[from] = NULL;
}

static void retiring_turn(struct client_core *core, int64_t now_ms)
{
    struct client_link *link = core->links[CLIENT_RETIRING];
    if (link == NULL) {
        return;
    }
    size_t probes = link->probe_id != 0;
    if (link->pipeline.pending_count - link->pipeline.forgotten_count <= probes) {
        role_close(core, CLIENT_RETIRING);
        return;
    }
    client_wake_at(core, core->retired_ms + RETIRING_MS);
    if (now_ms < core->retired_ms + RETIRING_MS ||
        !client_link_is_dead(link, now_ms, &core->wake_ms)) {
        return;
    }
    client_link_lose(link, PROTO_CLOSED, "the server stopped answering");
    client_role_lost(core, CLIENT_RETIRING, now_ms);
}

static bool main_is_dead(struct client_core *core, int64_t now_ms)
{
    struct client_link *link = core->links[CLIENT_MAIN];
    if (!client_link_ready(link) || !client_link_is_dead(link, now_ms, &core->wake_ms)) {
        return false;
    }
    /* Bytes may have come since the last turn, which may have been long ago. */
    client_link_look(link, now_ms);
    return link->heard_ms < now_ms;
}

static void links_step(struct client_core *core, int64_t now_ms)
{
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        struct client_link *link = core->links[role];
        if (link == NULL) {
            continue;
        }
        client_link_step(link, now_ms);
        if (link->pipeline.lost) {
            client_role_lost(core, (enum client_role)role, now_ms);
        } else if (client_link_ready(link)) {
            ready_note(core, link);
        } else if (link->state == CLIENT_CONNECTING) {
            client_wake_at(core, link->address_until_ms);
        } else {
            client_wake_at(core, link->until_ms);
        }
    }
}

void client_attempts_turn(struct client_core *core, int64_t now_ms)
{
    links_step(core, now_ms);
    bool is_dead = main_is_dead(core, now_ms);
    main_replace(core, is_dead, now_ms);
    retiring_turn(core, now_ms);
    struct client_link *main = core->links[CLIENT_MAIN];
    if (client_link_ready(main) && main->has_answered) {
        core->backoff = 0;
    }
    is_dead = is_dead && client_link_ready(main) && main->probed_ms > main->heard_ms;
    bool is_wanted = core->is_wanted || core->waiting.first != NULL || is_dead;
    if (!is_wanted) {
        return;
    }
    if (main == NULL) {
        if (now_ms >= core->attempt_ms) {
            attempt_start(core, CLIENT_MAIN, core->host_at, now_ms);
        }
        client_wake_at(core, core->attempt_ms > now_ms ? core->attempt_ms : INT64_MAX);
        main = core->links[CLIENT_MAIN];
        if (main == NULL) {
            client_wake_at(core, core->attempt_ms);
        } else if (!client_link_ready(main)) {
            client_wake_at(core, main->started_ms + CLIENT_RIVAL_MS);
        }
        return;
    }
    bool is_slow = !client_link_ready(main) && now_ms - main->started_ms >= CLIENT_RIVAL_MS;
    if (is_dead || is_slow) {
        rival_turn(core, is_dead, now_ms);
    } else if (!client_link_ready(main)) {
        client_wake_at(core, main->started_ms + CLIENT_RIVAL_MS);
    }
}
