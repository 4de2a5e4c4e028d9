/* SPDX-License-Identifier: Apache-2.0 */
/* A turn: tell what is over, keep connections (attempt.c), send what waits (task.c), wait for
 * bytes, move them. Replies are taken between turns, so that one that has come is preferred to a
 * deadline that has passed. A link that is lost gives its tasks back to be sent again or told;
 * requests without a task are told by client_core_next, lowest id first. */
#include "client/core.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Events of one wait; what is beyond comes with the next. */
#define EVENTS_MAX 8
/* A connection that has been quiet for so long is looked at before it is trusted. */
#define STALE_MS 1000

int64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_wake_at(struct client_core *core, int64_t moment_ms)
{
    if (moment_ms < core->wake_ms) {
        core->wake_ms = moment_ms;
    }
}

bool client_core_init(struct client_core *core, const struct client_settings *settings,
                      struct proto_fault *fault)
{
    core->settings = *settings;
    core->ids = 1;
    core->pid = getpid();
    core->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (core->epoll_fd < 0) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no descriptor for the client: %s",
                               strerror(errno));
    }
    if (getrandom(&core->random, sizeof core->random, GRND_NONBLOCK) != sizeof core->random) {
        core->random = (uint64_t)client_now_ms() ^ (uint64_t)(uintptr_t)core;
    }
    return true;
}

static void lost_clear(struct client_core *core)
{
    while (core->lost != NULL) {
        struct client_link *link = core->lost;
        core->lost = link->next;
        client_link_destroy(link);
    }
}

void client_core_fini(struct client_core *core)
{
    bool is_child = core->pid != getpid();
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (core->links[role] != NULL && is_child) {
            client_link_orphan(core->links[role]);
        }
        client_link_destroy(core->links[role]);
        core->links[role] = NULL;
    }
    lost_clear(core);
    for (size_t i = 0; i < core->host_count; i++) {
        if (is_child) {
            client_lookup_orphan(core->hosts[i].lookup);
        } else {
            client_lookup_drop(core->hosts[i].lookup);
        }
        core->hosts[i].lookup = NULL;
    }
    if (core->epoll_fd >= 0) {
        close(core->epoll_fd);
    }
    core->epoll_fd = -1;
}

void client_core_fork_check(struct client_core *core)
{
    if (core->pid == getpid()) {
        return;
    }
    core->pid = getpid();
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (core->links[role] == NULL) {
            continue;
        }
        client_link_orphan(core->links[role]);
        core->links[role]->has_answered = true; /* no failure of the server's */
        client_role_lost(core, (enum client_role)role, core->now_ms);
    }
    for (size_t i = 0; i < core->host_count; i++) {
        client_lookup_orphan(core->hosts[i].lookup);
        core->hosts[i].lookup = NULL;
    }
    close(core->epoll_fd);
    core->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    core->attempt_ms = 0;
}

void client_core_drop(struct client_core *core, const char *reason)
{
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (core->links[role] == NULL) {
            continue;
        }
        client_link_lose(core->links[role], PROTO_CLOSED, reason);
        core->links[role]->has_answered = true;
        core->links[role]->state = CLIENT_READY; /* dropped, not failed */
        client_role_lost(core, (enum client_role)role, core->now_ms);
    }
    core->attempt_ms = 0;
}

/* Requests without a task. */

static void main_look(struct client_core *core, int64_t now_ms)
{
    struct client_link *link = core->links[CLIENT_MAIN];
    struct client_reply ignored;
    if (!client_link_ready(link) || link->pipeline.pending_count > 0 ||
        now_ms - link->heard_ms < STALE_MS) {
        return;
    }
    client_link_look(link, now_ms);
    while (client_link_next(link, now_ms, &ignored))
        ; /* nothing is asked, so nothing can come but a loss */
    if (link->pipeline.lost) {
        client_role_lost(core, CLIENT_MAIN, now_ms);
    }
}

uint32_t client_core_request(struct client_core *core, const struct client_request *request,
                             int64_t now_ms, struct proto_fault *fault)
{
    main_look(core, now_ms);
    struct client_link *link = core->links[CLIENT_MAIN];
    if (!client_link_ready(link)) {
        proto_fault_set(fault, PROTO_CONNECT, "", "there is no connection");
        return 0;
    }
    struct client_request sent = *request;
    sent.min_seq = client_token_wanted(core, link, request);
    return client_link_request(link, &sent, now_ms, fault);
}

static bool role_next(struct client_core *core, enum client_role role, struct client_reply *reply)
{
    struct client_link *link = core->links[role];
    if (link == NULL) {
        return false;
    }
    while (client_link_next(link, core->now_ms, reply)) {
        client_token_note(core, link, reply);
        if (reply->owner == NULL) {
            return true;
        }
        client_task_told(core, reply, core->now_ms);
    }
    /* A reply may have moved the link to another role: its turn comes there. */
    if (link == core->links[role] && link->pipeline.lost) {
        client_role_lost(core, role, core->now_ms);
    }
    return false;
}

bool client_core_next(struct client_core *core, struct client_reply *reply)
{
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (role_next(core, (enum client_role)role, reply)) {
            return true;
        }
    }
    while (core->lost != NULL) {
        struct client_link *link = core->lost;
        *reply = (struct client_reply){.fault = link->pipeline.loss};
        reply->id = client_pipeline_abandon(&link->pipeline, &reply->op);
        if (reply->id != 0) {
            return true;
        }
        core->lost = link->next;
        client_link_destroy(link);
    }
    return false;
}

static struct client_pipeline *link_find(struct client_link *link, uint32_t id, uint8_t *op)
{
    const struct client_pending *pending =
        link != NULL ? client_pipeline_find(&link->pipeline, id) : NULL;
    if (pending == NULL || pending->owner != NULL) {
        return NULL;
    }
    *op = pending->op;
    return &link->pipeline;
}

struct client_pipeline *client_core_find(const struct client_core *core, uint32_t id, uint8_t *op)
{
    struct client_pipeline *found = NULL;
    for (size_t role = 0; role < CLIENT_ROLES && found == NULL; role++) {
        found = link_find(core->links[role], id, op);
    }
    for (struct client_link *link = core->lost; link != NULL && found == NULL; link = link->next) {
        found = link_find(link, id, op);
    }
    return found;
}

size_t client_core_waiting(const struct client_core *core)
{
    size_t count = 0;
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (core->links[role] != NULL) {
            count += client_pipeline_waiting(&core->links[role]->pipeline);
        }
    }
    for (const struct client_link *link = core->lost; link != NULL; link = link->next) {
        count += client_pipeline_waiting(&link->pipeline);
    }
    return count;
}

/* Tasks. */

void client_core_add(struct client_core *core, struct client_task *task, int64_t now_ms)
{
    core->now_ms = now_ms;
    client_core_fork_check(core);
    main_look(core, now_ms);
    task->round = core->round;
    client_tasks_enter(core, task, now_ms);
}

/* Turns. */

/* MAIN, if there is nothing else to wait for. */
static struct client_link *only_link(const struct client_core *core)
{
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (role != CLIENT_MAIN && core->links[role] != NULL) {
            return NULL;
        }
    }
    return core->links[CLIENT_MAIN];
}

static void events_take(struct client_core *core, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    struct client_link *only = wait_ms > 0 ? only_link(core) : NULL;
    bool heard = false;
    if (only != NULL && client_link_wait(only, wait_ms, &heard)) {
        core->now_ms = client_now_ms();
        if (heard) {
            only->heard_ms = core->now_ms;
        }
        return;
    }
    int count = core->epoll_fd >= 0 ? epoll_wait(core->epoll_fd, events, EVENTS_MAX, wait_ms) : 0;
    core->now_ms = client_now_ms();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL) {
            client_link_move(events[i].data.ptr, events[i].events, core->now_ms);
        }
    }
}

void client_core_flush(struct client_core *core)
{
    core->now_ms = client_now_ms();
    core->wake_ms = INT64_MAX;
    core->has_news = false;
    client_core_fork_check(core);
    client_attempts_turn(core, core->now_ms);
    client_tasks_turn(core, core->now_ms);
    for (size_t role = 0; role < CLIENT_ROLES; role++) {
        if (core->links[role] != NULL) {
            client_link_push(core->links[role]);
        }
    }
}

void client_core_turn(struct client_core *core, int64_t until_ms)
{
    client_core_flush(core);
    int64_t wait_ms = (until_ms < core->wake_ms ? until_ms : core->wake_ms) - core->now_ms;
    bool is_served = core->is_wanted && client_link_ready(core->links[CLIENT_MAIN]);
    if (wait_ms < 0 || core->has_news || is_served || core->lost != NULL) {
        wait_ms = 0;
    }
    events_take(core, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
}

int64_t client_core_wake_ms(const struct client_core *core)
{
    return core->wake_ms;
}
