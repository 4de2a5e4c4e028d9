/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with a deadline. Happy path: enter, sent at once, told its reply. Other paths: it waits
 * for a connection; the connection goes and it is sent again, or told; the server is busy and it is
 * sent again after a random while; a second connection is asked too (hedging); its deadline passes
 * and it is told so. Whatever happens it is told once. */
#include <stdio.h>
#include <sys/random.h>

#include "client/core.h"

#define BUSY_MS_FIRST 10
/* Hedges that may be saved up while all goes well. */
#define HEDGE_CREDIT_MAX 1000
#define HEDGE_COST 100

static void list_remove(struct client_core *core, struct client_task *task)
{
    struct client_task_list *list = task->is_waiting ? &core->waiting : &core->sent;
    if (!task->is_listed) {
        return;
    }
    if (task->before != NULL) {
        task->before->after = task->after;
    } else {
        list->first = task->after;
    }
    if (task->after != NULL) {
        task->after->before = task->before;
    } else {
        list->last = task->before;
    }
    task->is_listed = false;
}

/* In order of deadlines. Most tasks of a client have the same time, so the place is at the end. */
static void list_add(struct client_core *core, struct client_task *task, bool is_waiting)
{
    struct client_task_list *list = is_waiting ? &core->waiting : &core->sent;
    struct client_task *before = list->last;
    while (before != NULL && before->until_ms > task->until_ms) {
        before = before->before;
    }
    task->before = before;
    task->after = before != NULL ? before->after : list->first;
    if (before != NULL) {
        before->after = task;
    } else {
        list->first = task;
    }
    if (task->after != NULL) {
        task->after->before = task;
    } else {
        list->last = task;
    }
    task->is_waiting = is_waiting;
    task->is_listed = true;
}

static void sent_forget(struct client_task *task, size_t slot)
{
    if (task->sent[slot].link != NULL) {
        client_pipeline_forget(&task->sent[slot].link->pipeline, task->sent[slot].id);
    }
    task->sent[slot].link = NULL;
}

void client_core_remove(struct client_core *core, struct client_task *task)
{
    list_remove(core, task);
    sent_forget(task, 0);
    sent_forget(task, 1);
}

static void tell(struct client_core *core, struct client_task *task,
                 const struct proto_fault *fault)
{
    uint32_t id = task->sent[0].link != NULL ? task->sent[0].id : 0;
    client_core_remove(core, task);
    core->has_news = true;
    const struct client_reply reply = {
        .owner = task, .id = id, .op = task->request.op, .fault = *fault};
    task->on_done(task, &reply);
}

static void tell_timeout(struct client_core *core, struct client_task *task)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (task->is_waiting) {
        client_attempt_fault(core, &fault);
    } else {
        proto_fault_set(&fault, PROTO_TIMEOUT, "", "no reply came in time");
    }
    tell(core, task, &fault);
}

/* Preparing. */

static bool operation_make(struct client_task *task, struct proto_fault *fault)
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        return proto_fault_set(fault, PROTO_INTERNAL, "", "no random bits for an operation id");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(task->operation + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}

/* Whether the server knows an operation of this kind by an id: what is not in its table is passed
 * over there, and would be carried out twice. */
static bool operation_taken(const struct proto_op_info *info)
{
    for (size_t i = 0; i < info->request_count; i++) {
        if (strcmp(info->request[i].name, "operation") == 0) {
            return true;
        }
    }
    return false;
}

bool client_task_prepare(struct client_core *core, struct client_task *task,
                         const struct client_request *request, int64_t until_ms,
                         struct proto_fault *fault)
{
    const struct proto_op_info *info = proto_op_find(request->op);
    if (info == NULL) {
        return proto_fault_set(fault, PROTO_USAGE, "", "%u is no operation", (unsigned)request->op);
    }
    client_task_done *on_done = task->on_done;
    *task = (struct client_task){.request = *request, .until_ms = until_ms, .on_done = on_done};
    task->request.operation = NULL;
    task->request.owner = task;
    task->is_safe = info->retry == PROTO_RETRY_SAFE;
    bool is_known = operation_taken(info);
    task->is_named = request->operation != NULL && is_known;
    task->is_hedgeable = task->is_safe && info->role == PROTO_ROLE_READ;
    if (task->is_safe || task->is_named || !is_known || !core->settings.is_patient) {
        return true;
    }
    task->is_named = true;
    return operation_make(task, fault);
}

/* Sending. */

static void wait_again(struct client_core *core, struct client_task *task, int64_t now_ms,
                       int64_t delay_ms)
{
    list_remove(core, task);
    task->not_before_ms = now_ms + delay_ms;
    task->connect_until_ms = now_ms + core->settings.connect_timeout_ms;
    if (task->connect_until_ms > task->until_ms) {
        task->connect_until_ms = task->until_ms;
    }
    task->round = core->round;
    list_add(core, task, true);
}

/* Sends a task on a link. False: the task was told that it cannot be. */
static bool task_send(struct client_core *core, struct client_task *task, size_t slot,
                      struct client_link *link, int64_t now_ms)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (task->sends > 0 && !task->is_safe && task->is_named && !link->greeting.has_operations) {
        proto_fault_set(&fault, PROTO_CLOSED, "",
                        "the connection was lost before the reply came, and the server that "
                        "answers now does not know operation ids");
        tell(core, task, &fault);
        return false;
    }
    struct client_request request = task->request;
    request.operation =
        task->operation[0] != '\0' && link->greeting.has_operations ? task->operation : NULL;
    request.min_seq = client_token_wanted(core, link, &request);
    uint32_t id = client_link_request(link, &request, now_ms, &fault);
    if (id == 0) {
        tell(core, task, &fault);
        return false;
    }
    task->sent[slot].link = link;
    task->sent[slot].id = id;
    return true;
}

static void task_place(struct client_core *core, struct client_task *task, int64_t now_ms)
{
    list_remove(core, task);
    if (!task_send(core, task, 0, core->links[CLIENT_MAIN], now_ms)) {
        return;
    }
    task->sends++;
    task->sent_ms = now_ms;
    list_add(core, task, false);
}

void client_tasks_enter(struct client_core *core, struct client_task *task, int64_t now_ms)
{
    if (core->hedge_credit < HEDGE_CREDIT_MAX) {
        core->hedge_credit += core->settings.hedge_percent_max;
    }
    if (client_link_ready(core->links[CLIENT_MAIN]) && core->waiting.first == NULL) {
        task_place(core, task, now_ms);
    } else {
        wait_again(core, task, now_ms, 0);
    }
}

/* Whether waiting on makes no sense, with the fault that says why. */
static bool is_doomed(const struct client_core *core, const struct client_task *task)
{
    if (core->failure.code == PROTO_OK) {
        return false;
    }
    bool is_final = !core->settings.is_patient || !proto_error_find(core->failure.code)->retryable;
    if (is_final && core->round != task->round) {
        return true;
    }
    return core->links[CLIENT_MAIN] == NULL && core->attempt_ms > task->connect_until_ms;
}

static void waiting_turn(struct client_core *core, int64_t now_ms)
{
    struct client_task *after;
    for (struct client_task *task = core->waiting.first; task != NULL; task = after) {
        after = task->after;
        bool is_ready = client_link_ready(core->links[CLIENT_MAIN]);
        if (now_ms >= task->until_ms || (!is_ready && now_ms >= task->connect_until_ms)) {
            tell_timeout(core, task);
        } else if (!is_ready && is_doomed(core, task)) {
            struct proto_fault fault = core->failure;
            tell(core, task, &fault);
        } else if (is_ready && now_ms >= task->not_before_ms) {
            task_place(core, task, now_ms);
        } else {
            client_wake_at(core, is_ready ? task->not_before_ms : task->connect_until_ms);
            client_wake_at(core, task->until_ms);
        }
    }
}

/* Hedging. */

static void hedge_send(struct client_core *core, struct client_task *task, int64_t now_ms)
{
    if (core->hedge_credit < HEDGE_COST) {
        return;
    }
    struct client_link *link = core->links[CLIENT_HEDGE];
    if (link == NULL) {
        client_hedge_start(core, now_ms);
        return;
    }
    if (!client_link_ready(link) || !task_send(core, task, 1, link, now_ms)) {
        return;
    }
    core->hedge_credit -= HEDGE_COST;
    task->is_hedged = true;
    client_log(&core->settings, ICP_LOG_DEBUG, "a read was sent to a second connection as well");
}

static void hedges_turn(struct client_core *core, int64_t now_ms)
{
    if (core->settings.hedge_ms == 0) {
        return;
    }
    struct client_task *after;
    for (struct client_task *task = core->sent.first; task != NULL; task = after) {
        after = task->after;
        if (!task->is_hedgeable || task->is_hedged || task->sends != 1) {
            continue;
        }
        int64_t due_ms = task->sent_ms + core->settings.hedge_ms;
        if (now_ms >= due_ms) {
            hedge_send(core, task, now_ms);
        } else {
            client_wake_at(core, due_ms);
        }
    }
}

void client_tasks_turn(struct client_core *core, int64_t now_ms)
{
    waiting_turn(core, now_ms);
    while (core->sent.first != NULL && now_ms >= core->sent.first->until_ms) {
        const struct client_link *link = core->sent.first->sent[0].link;
        tell_timeout(core, core->sent.first);
        client_deadline_passed(core, link, now_ms);
    }
    hedges_turn(core, now_ms);
    if (core->sent.first != NULL) {
        client_wake_at(core, core->sent.first->until_ms);
    }
}

/* Being told. */

static bool may_repeat(const struct client_core *core, const struct client_task *task,
                       const struct client_link *link)
{
    bool is_repeatable = task->is_safe || (task->is_named && link->greeting.has_operations);
    return core->settings.is_patient && is_repeatable && task->sends < CLIENT_SENDS_MAX;
}

void client_tasks_lost(struct client_core *core, struct client_link *link, int64_t now_ms)
{
    const struct proto_fault *loss = &link->pipeline.loss;
    struct client_task *after;
    for (struct client_task *task = core->sent.first; task != NULL; task = after) {
        after = task->after;
        bool was_sent = false;
        for (size_t slot = 0; slot < 2; slot++) {
            if (task->sent[slot].link != link) {
                continue;
            }
            sent_forget(task, slot);
            was_sent = true;
        }
        if (!was_sent || task->sent[0].link != NULL || task->sent[1].link != NULL) {
            continue;
        }
        /* What talks garbage is not icpd: whatever is behind it is left alone. */
        if (loss->code != PROTO_BAD_REPLY && may_repeat(core, task, link)) {
            wait_again(core, task, now_ms, 0);
        } else {
            tell(core, task, loss);
        }
    }
}

/* A host has no room for a request that came to it again; another one may. How long a token has to
 * wait, though, it would be told there as well. */
static bool is_crowded(const struct client_core *core, const struct client_task *task,
                       const struct client_reply *reply)
{
    return reply->fault.code == PROTO_BUSY && reply->fault.retry_after_ms == 0 && task->sends > 1 &&
           core->host_count > 1;
}

/* The server says that it did nothing, and that the same may go well later. */
static bool refusal_absorbed(struct client_core *core, struct client_task *task,
                             struct client_link *link, const struct client_reply *reply,
                             int64_t now_ms)
{
    enum proto_error code = reply->fault.code;
    bool is_untouched = code == PROTO_BUSY || code == PROTO_SHUTTING_DOWN || code == PROTO_BEHIND;
    if (link == core->links[CLIENT_MAIN] &&
        (code == PROTO_SHUTTING_DOWN || is_crowded(core, task, reply) ||
         (code == PROTO_BEHIND && core->host_count > 1))) {
        client_main_leave(core, now_ms);
    }
    if (!core->settings.is_patient || task->sends >= CLIENT_SENDS_MAX ||
        !(is_untouched || (code == PROTO_BAD_CHECKSUM && may_repeat(core, task, link)))) {
        return false;
    }
    if (task->sent[0].link != NULL || task->sent[1].link != NULL) {
        return true; /* the other connection may still answer */
    }
    int64_t limit_ms = (int64_t)BUSY_MS_FIRST << task->sends;
    int64_t delay_ms = 1 + client_random_below(core, limit_ms) + reply->fault.retry_after_ms;
    if (now_ms + delay_ms >= task->until_ms) {
        return false;
    }
    wait_again(core, task, now_ms, delay_ms);
    return true;
}

void client_task_told(struct client_core *core, const struct client_reply *reply, int64_t now_ms)
{
    struct client_task *task = reply->owner;
    struct client_link *link = NULL;
    for (size_t slot = 0; slot < 2 && !reply->more; slot++) {
        if (task->sent[slot].link == NULL || task->sent[slot].id != reply->id) {
            continue;
        }
        link = task->sent[slot].link;
        task->sent[slot].link = NULL; /* answered: there is nothing to forget */
    }
    if (reply->fault.code != PROTO_OK && link != NULL &&
        refusal_absorbed(core, task, link, reply, now_ms)) {
        return;
    }
    core->has_news = true;
    if (!reply->more) {
        client_core_remove(core, task);
    }
    task->on_done(task, reply);
}
