/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking calls on the core: one request and its reply (a task that lives on the stack), or many
 * requests in flight and their replies by id. Replies to other requests that come meanwhile are
 * kept until they are asked for, within a bound. */
#include <assert.h>

#include "client/client.h"

/* Requests gather until there are this many bytes of them: one send for many small ones. */
#define OUTPUT_BYTES_MAX ((size_t)64 << 10)

const char *icp_error_name(enum icp_error code)
{
    return proto_error_find((unsigned)code)->name;
}

void client_fault_export(const struct proto_fault *from, struct icp_fault *to)
{
    static_assert(sizeof to->field == sizeof from->field, "a field fits");
    static_assert(sizeof to->message == sizeof from->message, "a message fits");
    to->code = (enum icp_error)from->code;
    to->retryable = from->code != PROTO_OK && proto_error_find(from->code)->retryable;
    memcpy(to->field, from->field, sizeof to->field);
    memcpy(to->message, from->message, sizeof to->message);
}

bool client_reply_fail(struct icp_reply *reply, uint32_t id, uint8_t op,
                       const struct proto_fault *fault)
{
    reply->request_id = id;
    reply->op = (enum icp_op)op;
    reply->more = false;
    reply->payload = NULL;
    reply->payload_bytes = 0;
    client_fault_export(fault, &reply->fault);
    return false;
}

bool client_reply_fill(const struct icp_allocator *allocator, struct icp_reply *reply,
                       const struct client_reply *from)
{
    if (from->fault.code != PROTO_OK) {
        return client_reply_fail(reply, from->id, from->op, &from->fault);
    }
    if (reply->buffer_bytes < from->payload.bytes) {
        uint8_t *buffer = client_memory_grow(allocator, reply->buffer, from->payload.bytes);
        if (buffer == NULL) {
            struct proto_fault fault = {0};
            proto_fault_set(&fault, PROTO_NO_MEMORY, "", "no memory for a reply of %zu bytes",
                            from->payload.bytes);
            return client_reply_fail(reply, from->id, from->op, &fault);
        }
        reply->buffer = buffer;
        reply->buffer_bytes = from->payload.bytes;
    }
    if (from->payload.bytes > 0) {
        memcpy(reply->buffer, from->payload.data, from->payload.bytes);
    }
    reply->request_id = from->id;
    reply->op = (enum icp_op)from->op;
    reply->more = from->more;
    reply->payload = reply->buffer;
    reply->payload_bytes = from->payload.bytes;
    reply->fault.code = ICP_OK;
    reply->fault.retryable = false;
    reply->fault.field[0] = reply->fault.message[0] = '\0';
    return true;
}

/* Replies that came while another one was waited for. */

static bool kept_add(struct icp_client *client, const struct client_reply *reply,
                     struct proto_fault *fault)
{
    const struct client_settings *settings = &client->core.settings;
    if (client->kept_bytes + reply->payload.bytes > settings->buffer_bytes_max) {
        return proto_fault_set(fault, PROTO_LIMIT, "",
                               "%zu bytes of other replies wait to be received; receive some first",
                               client->kept_bytes);
    }
    struct client_kept *kept =
        client_memory_grow(&settings->allocator, NULL, sizeof *kept + reply->payload.bytes);
    if (kept == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a reply of %zu bytes",
                               reply->payload.bytes);
    }
    uint8_t *payload = (uint8_t *)(kept + 1);
    if (reply->payload.bytes > 0) {
        memcpy(payload, reply->payload.data, reply->payload.bytes);
    }
    kept->next = NULL;
    kept->reply = *reply;
    kept->reply.payload.data = payload;
    if (client->kept_last != NULL) {
        client->kept_last->next = kept;
    } else {
        client->kept_first = kept;
    }
    client->kept_last = kept;
    client->kept_bytes += reply->payload.bytes;
    return true;
}

/* Takes the oldest one kept, of that id if id is not 0. NULL: none. The caller frees it. */
static struct client_kept *kept_take(struct icp_client *client, uint32_t id)
{
    struct client_kept *before = NULL;
    struct client_kept *kept = client->kept_first;
    while (kept != NULL && id != 0 && kept->reply.id != id) {
        before = kept;
        kept = kept->next;
    }
    if (kept == NULL) {
        return NULL;
    }
    if (before != NULL) {
        before->next = kept->next;
    } else {
        client->kept_first = kept->next;
    }
    if (client->kept_last == kept) {
        client->kept_last = before;
    }
    client->kept_bytes -= kept->reply.payload.bytes;
    return kept;
}

void client_kept_clear(struct icp_client *client)
{
    struct client_kept *kept;
    while ((kept = kept_take(client, 0)) != NULL) {
        client_memory_free(kept);
    }
}

/* Waiting. */

int64_t client_until_ms(const struct icp_client *client, uint32_t timeout_ms)
{
    uint32_t wait_ms = timeout_ms != 0 ? timeout_ms : client->core.settings.call_timeout_ms;
    return client_now_ms() + wait_ms;
}

/* Keeps what has come. False: a reply could not be kept; *reply says which request failed so. */
static bool replies_keep(struct icp_client *client, struct icp_reply *reply)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct client_reply next;
    while (client_core_next(&client->core, &next)) {
        if (!kept_add(client, &next, &fault)) {
            return client_reply_fail(reply, next.id, next.op, &fault);
        }
    }
    return true;
}

/* A task that does nothing but wait for a connection would be told its deadline; the same here. */
bool client_ready_until(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    struct client_core *core = &client->core;
    struct icp_reply failed = {0};
    core->now_ms = client_now_ms();
    client_core_fork_check(core);
    unsigned round = core->round;
    int64_t limit_ms = client_now_ms() + core->settings.connect_timeout_ms;
    if (limit_ms > until_ms) {
        limit_ms = until_ms;
    }
    core->is_wanted = true;
    for (;;) {
        if (!replies_keep(client, &failed)) {
            proto_fault_set(fault, (enum proto_error)failed.fault.code, "", "%s",
                            failed.fault.message);
            break;
        }
        if (client_link_ready(core->links[CLIENT_MAIN])) {
            break;
        }
        if (core->round != round || client_now_ms() >= limit_ms) {
            client_attempt_fault(core, fault);
            break;
        }
        client_core_turn(core, limit_ms);
    }
    core->is_wanted = false;
    return client_link_ready(core->links[CLIENT_MAIN]);
}

/* Sending. */

static struct proto_span output_of(const struct icp_client *client)
{
    const struct client_link *link = client->core.links[CLIENT_MAIN];
    return link != NULL ? client_pipeline_output(&link->pipeline) : (struct proto_span){0};
}

/* Sends until at most `bytes_left` wait. That all has left is enough: no reply is waited for. */
static bool output_drain(struct icp_client *client, size_t bytes_left, struct proto_fault *fault)
{
    int64_t until_ms = client_until_ms(client, 0);
    struct icp_reply failed = {0};
    for (;;) {
        struct client_link *link = client->core.links[CLIENT_MAIN];
        if (link == NULL || output_of(client).bytes <= bytes_left) {
            return true; /* what was lost is told to those who wait for the replies */
        }
        client_link_push(link);
        if (output_of(client).bytes <= bytes_left) {
            return true;
        }
        if (client_now_ms() >= until_ms) {
            return proto_fault_set(fault, PROTO_TIMEOUT, "", "the server took no request in time");
        }
        if (!replies_keep(client, &failed)) {
            return proto_fault_set(fault, (enum proto_error)failed.fault.code, "", "%s",
                                   failed.fault.message);
        }
        client_core_turn(&client->core, until_ms);
    }
}

uint32_t icp_send(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                  struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct client_core *core = &client->core;
    struct client_request request;
    uint32_t id = 0;
    if (!client_request_fill(op, payload, &request, &found) ||
        (output_of(client).bytes >= OUTPUT_BYTES_MAX &&
         !output_drain(client, OUTPUT_BYTES_MAX / 2, &found))) {
        goto end;
    }
    if (output_of(client).bytes > 0) { /* more of a batch: the connection was looked at just now */
        id = client_core_request(core, &request, core->now_ms, &found);
        goto end;
    }
    core->now_ms = client_now_ms();
    client_core_fork_check(core);
    id = client_core_request(core, &request, core->now_ms, &found);
    if (id == 0 && found.code == PROTO_CONNECT &&
        client_ready_until(client, client_until_ms(client, 0), &found)) {
        id = client_core_request(core, &request, core->now_ms, &found);
    }
end:
    if (id == 0) {
        client_fault_export(&found, fault);
    }
    return id;
}

bool icp_flush(struct icp_client *client, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    if (output_drain(client, 0, &found)) {
        return true;
    }
    client_fault_export(&found, fault);
    return false;
}

/* Receiving. */

static bool receive_until(struct icp_client *client, uint32_t id, int64_t until_ms,
                          struct icp_reply *reply)
{
    struct client_core *core = &client->core;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t op = 0;
    struct client_kept *kept = kept_take(client, id);
    if (kept != NULL) {
        bool succeeded = client_reply_fill(&core->settings.allocator, reply, &kept->reply);
        client_memory_free(kept);
        return succeeded;
    }
    for (;;) {
        if (id != 0 ? client_core_find(core, id, &op) == NULL : client_core_waiting(core) == 0) {
            proto_fault_set(&fault, PROTO_USAGE, "", "no such request is in flight");
            return client_reply_fail(reply, id, 0, &fault);
        }
        struct client_reply next;
        while (client_core_next(core, &next)) {
            if (id == 0 || next.id == id) {
                return client_reply_fill(&core->settings.allocator, reply, &next);
            }
            if (!kept_add(client, &next, &fault)) {
                return client_reply_fail(reply, next.id, next.op, &fault);
            }
        }
        if (core->now_ms >= until_ms) {
            proto_fault_set(&fault, PROTO_TIMEOUT, "", "no reply came in time");
            client_deadline_passed(core, core->links[CLIENT_MAIN], core->now_ms);
            return client_reply_fail(reply, id, op, &fault);
        }
        client_core_turn(core, until_ms);
    }
}

bool icp_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                 struct icp_reply *reply)
{
    return receive_until(client, id, client_until_ms(client, timeout_ms), reply);
}

void icp_forget(struct icp_client *client, uint32_t id)
{
    uint8_t op = 0;
    struct client_pipeline *pipeline = client_core_find(&client->core, id, &op);
    if (pipeline != NULL) {
        client_pipeline_forget(pipeline, id);
    }
    struct client_kept *kept;
    while (id != 0 && (kept = kept_take(client, id)) != NULL) {
        client_memory_free(kept);
    }
}

size_t icp_in_flight(const struct icp_client *client)
{
    size_t count = client_core_waiting(&client->core);
    for (const struct client_kept *kept = client->kept_first; kept != NULL; kept = kept->next) {
        count += !kept->reply.more;
    }
    return count;
}

/* One request, one reply. */

struct call {
    struct client_task task; /* first: the core gives this back */
    const struct icp_allocator *allocator;
    struct icp_reply *reply;
    bool is_done;
};

static void call_done(struct client_task *task, const struct client_reply *reply)
{
    struct call *call = (struct call *)task;
    if (reply->more) {
        return;
    }
    (void)client_reply_fill(call->allocator, call->reply, reply);
    call->is_done = true;
}

bool icp_call_within(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                     uint32_t timeout_ms, struct icp_reply *reply)
{
    struct client_core *core = &client->core;
    struct proto_fault fault = {.code = PROTO_OK};
    struct client_request request;
    int64_t now_ms = client_now_ms();
    int64_t until_ms = now_ms + (timeout_ms != 0 ? timeout_ms : core->settings.call_timeout_ms);
    struct call call = {.allocator = &core->settings.allocator, .reply = reply};
    call.task.on_done = call_done;
    if (!client_request_fill(op, payload, &request, &fault) ||
        !client_task_prepare(core, &call.task, &request, until_ms, &fault)) {
        return client_reply_fail(reply, 0, (uint8_t)op, &fault);
    }
    client_core_add(core, &call.task, now_ms);
    for (;;) {
        struct client_reply other;
        while (!call.is_done && client_core_next(core, &other)) {
            if (kept_add(client, &other, &fault)) {
                continue;
            }
            client_core_remove(core, &call.task);
            return client_reply_fail(reply, other.id, other.op, &fault);
        }
        if (call.is_done) {
            return reply->fault.code == ICP_OK;
        }
        client_core_turn(core, INT64_MAX);
    }
}

bool icp_call(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
              struct icp_reply *reply)
{
    return icp_call_within(client, op, payload, 0, reply);
}
