/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: one request and its reply, or many requests in flight and their replies by id. */
#include <assert.h>
#include <stdlib.h>

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

/* Copies a reply into its receiver, whose buffer grows as needed. */
static bool reply_fill(struct icp_reply *reply, const struct client_reply *from)
{
    if (from->fault.code != PROTO_OK)
        return client_reply_fail(reply, from->id, from->op, &from->fault);
    if (reply->buffer_bytes < from->payload.bytes) {
        uint8_t *buffer = realloc(reply->buffer, from->payload.bytes);
        if (buffer == NULL) {
            struct proto_fault fault = {0};
            proto_fault_set(&fault, PROTO_NO_MEMORY, "", "no memory for a reply of %zu bytes",
                            from->payload.bytes);
            return client_reply_fail(reply, from->id, from->op, &fault);
        }
        reply->buffer = buffer;
        reply->buffer_bytes = from->payload.bytes;
    }
    if (from->payload.bytes > 0)
        memcpy(reply->buffer, from->payload.data, from->payload.bytes);
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
    if (client->kept_bytes + reply->payload.bytes > client->pipeline.buffer_bytes_max)
        return proto_fault_set(fault, PROTO_LIMIT, "",
                               "%zu bytes of other replies wait to be received; receive some first",
                               client->kept_bytes);
    struct client_kept *kept = malloc(sizeof *kept + reply->payload.bytes);
    if (kept == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a reply of %zu bytes",
                               reply->payload.bytes);
    uint8_t *payload = (uint8_t *)(kept + 1);
    if (reply->payload.bytes > 0)
        memcpy(payload, reply->payload.data, reply->payload.bytes);
    kept->next = NULL;
    kept->reply = *reply;
    kept->reply.payload.data = payload;
    if (client->kept_last != NULL)
        client->kept_last->next = kept;
    else
        client->kept_first = kept;
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
    if (kept == NULL)
        return NULL;
    if (before != NULL)
        before->next = kept->next;
    else
        client->kept_first = kept->next;
    if (client->kept_last == kept)
        client->kept_last = before;
    client->kept_bytes -= kept->reply.payload.bytes;
    return kept;
}

void client_kept_clear(struct icp_client *client)
{
    struct client_kept *kept;
    while ((kept = kept_take(client, 0)) != NULL)
        free(kept);
}

bool client_kept_abandoned(struct icp_client *client, struct proto_fault *fault)
{
    struct client_reply reply = {.fault = *fault};
    while ((reply.id = client_pipeline_abandon(&client->pipeline, &reply.op)) != 0) {
        if (!kept_add(client, &reply, fault))
            return false;
    }
    return true;
}

/* Sending. */

static uint32_t request_queue(struct icp_client *client, enum icp_op op,
                              const struct icp_payload *payload, struct proto_fault *fault)
{
    size_t pairs = 0;
    struct proto_span body = {0};
    if ((unsigned)op > UINT8_MAX || proto_op_find((uint8_t)op) == NULL) {
        proto_fault_set(fault, PROTO_USAGE, "", "%u is no operation", (unsigned)op);
        return 0;
    }
    if (!client_payload_finish(payload, &pairs, &body, fault))
        return 0;
    return client_pipeline_request(&client->pipeline, (uint8_t)op, pairs, body, fault);
}

static bool output_drain(struct icp_client *client, size_t bytes_left, struct proto_fault *fault)
{
    int64_t until_ms = client_now_ms() + client->call_timeout_ms;
    while (client_pipeline_output(&client->pipeline).bytes > bytes_left) {
        if (!client_pump(client, until_ms, fault))
            return false;
    }
    return true;
}

uint32_t icp_send(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                  struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    uint32_t id = 0;
    if (client_pipeline_output(&client->pipeline).bytes < OUTPUT_BYTES_MAX ||
        output_drain(client, OUTPUT_BYTES_MAX / 2, &found))
        id = request_queue(client, op, payload, &found);
    if (id == 0)
        client_fault_export(&found, fault);
    return id;
}

bool icp_flush(struct icp_client *client, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    if (output_drain(client, 0, &found))
        return true;
    client_fault_export(&found, fault);
    return false;
}

/* Receiving. */

/* After a loss every request in flight is answered with it, lowest id first. */
static bool receive_loss(struct icp_client *client, uint32_t id, struct icp_reply *reply)
{
    uint8_t op = 0;
    if (id == 0)
        id = client_pipeline_abandon(&client->pipeline, &op);
    else
        client_pipeline_forget(&client->pipeline, id);
    return client_reply_fail(reply, id, op, &client->pipeline.loss);
}

static bool receive_until(struct icp_client *client, uint32_t id, int64_t until_ms,
                          struct icp_reply *reply)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct client_kept *kept = kept_take(client, id);
    if (kept != NULL) {
        bool succeeded = reply_fill(reply, &kept->reply);
        free(kept);
        return succeeded;
    }
    const struct client_pending *pending = client_pipeline_find(&client->pipeline, id);
    if (id != 0 ? pending == NULL : client_pipeline_waiting(&client->pipeline) == 0) {
        proto_fault_set(&fault, PROTO_USAGE, "", "no such request is in flight");
        return client_reply_fail(reply, id, 0, &fault);
    }
    uint8_t op = pending != NULL ? pending->op : 0;
    for (;;) {
        struct client_reply next;
        while (client_pipeline_next(&client->pipeline, &next)) {
            if (id == 0 || next.id == id)
                return reply_fill(reply, &next);
            if (!kept_add(client, &next, &fault))
                return client_reply_fail(reply, next.id, next.op, &fault);
        }
        if (client->pipeline.lost)
            return receive_loss(client, id, reply);
        if (!client_pump(client, until_ms, &fault) && !client->pipeline.lost)
            return client_reply_fail(reply, id, op, &fault);
    }
}

bool icp_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                 struct icp_reply *reply)
{
    uint32_t wait_ms = timeout_ms != 0 ? timeout_ms : client->call_timeout_ms;
    return receive_until(client, id, client_now_ms() + wait_ms, reply);
}

void icp_forget(struct icp_client *client, uint32_t id)
{
    client_pipeline_forget(&client->pipeline, id);
    struct client_kept *kept;
    while (id != 0 && (kept = kept_take(client, id)) != NULL)
        free(kept);
}

size_t icp_in_flight(const struct icp_client *client)
{
    size_t count = client_pipeline_waiting(&client->pipeline);
    for (const struct client_kept *kept = client->kept_first; kept != NULL; kept = kept->next)
        count += !kept->reply.more;
    return count;
}

/* One request, one reply. */

bool client_call_until(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                       int64_t until_ms, struct icp_reply *reply)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t id = request_queue(client, op, payload, &fault);
    if (id == 0)
        return client_reply_fail(reply, 0, (uint8_t)op, &fault);
    bool succeeded;
    do {
        succeeded = receive_until(client, id, until_ms, reply);
    } while (succeeded && reply->more);
    if (!succeeded)
        icp_forget(client, id);
    return succeeded;
}

/* Only a lost connection is a reason to repeat, and only what the table calls safe may be. */
static bool may_repeat(const struct icp_client *client, enum icp_op op, enum icp_error code)
{
    const struct proto_op_info *info =
        (unsigned)op <= UINT8_MAX ? proto_op_find((uint8_t)op) : NULL;
    return client->retry && info != NULL && info->retry == PROTO_RETRY_SAFE &&
           client->pipeline.lost && (code == ICP_CLOSED || code == ICP_CONNECT);
}

bool icp_call_within(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                     uint32_t timeout_ms, struct icp_reply *reply)
{
    int64_t until_ms = client_now_ms() + (timeout_ms != 0 ? timeout_ms : client->call_timeout_ms);
    if (client_call_until(client, op, payload, until_ms, reply))
        return true;
    if (!may_repeat(client, op, reply->fault.code))
        return false;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!client_reconnect(client, &fault))
        return client_reply_fail(reply, reply->request_id, (uint8_t)op, &fault);
    return client_call_until(client, op, payload, until_ms, reply);
}

bool icp_call(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
              struct icp_reply *reply)
{
    return icp_call_within(client, op, payload, 0, reply);
}
