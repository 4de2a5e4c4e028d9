/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of libicp's pipeline go out and in over one socket, until the reply that is waited for has
 * come. It fails when the server closes, when the time is over, or when the console ends. */
#include "server/console/console_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/icp_async.h"

/* How soon a wait notices that the console ends. */
#define SLICE_MS 200

struct console_link {
    struct console_dial *dial;
    int fd;
    struct icp_wire *wire;
    struct icp_payload *payload;
    char role[16];
    char server[64];
};

static bool fail(struct icp_fault *fault, enum icp_error code, const char *message)
{
    *fault = (struct icp_fault){.code = code};
    snprintf(fault->message, sizeof fault->message, "%s", message);
    return false;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sends what the pipeline holds, as far as the socket takes it. */
static bool send_some(struct console_link *link, struct icp_fault *fault)
{
    size_t bytes;
    const void *output;
    while ((output = icp_wire_output(link->wire, &bytes)) != NULL && bytes > 0) {
        ssize_t sent = send(link->fd, output, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return fail(fault, ICP_CLOSED, "the server closed the connection");
        }
        if (sent < 0) {
            return true;
        }
        icp_wire_sent(link->wire, (size_t)sent);
    }
    return true;
}

static bool receive_some(struct console_link *link, struct icp_fault *fault)
{
    char bytes[16384];
    ssize_t got = recv(link->fd, bytes, sizeof bytes, 0);
    if (got > 0) {
        return icp_wire_feed(link->wire, bytes, (size_t)got, fault);
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        icp_wire_end(link->wire); /* what waits is told by the next look */
    }
    return true;
}

static bool wait_some(struct console_link *link, int64_t until_ms, struct icp_fault *fault)
{
    size_t bytes = 0;
    bool more = icp_wire_output(link->wire, &bytes) != NULL && bytes > 0;
    struct pollfd wanted = {.fd = link->fd, .events = (short)(POLLIN | (more ? POLLOUT : 0))};
    int64_t left_ms = until_ms - now_ms();
    if (atomic_load(&link->dial->stops)) {
        return fail(fault, ICP_SHUTTING_DOWN, "the server is ending");
    }
    if (left_ms <= 0) {
        return fail(fault, ICP_TIMEOUT, "no reply came within 30 seconds");
    }
    (void)poll(&wanted, 1, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS);
    return wanted.revents == 0 || (send_some(link, fault) && receive_some(link, fault));
}

/* Waits for the last reply to the request. */
static bool await(struct console_link *link, uint32_t id, struct icp_reply *reply)
{
    int64_t until_ms = now_ms() + CONSOLE_WAIT_MS;
    struct icp_fault fault;
    if (!send_some(link, &fault)) {
        reply->fault = fault;
        return false;
    }
    for (;;) {
        if (icp_wire_next(link->wire, reply)) {
            if (reply->fault.code != ICP_OK || (reply->request_id == id && !reply->more)) {
                return reply->fault.code == ICP_OK;
            }
        } else if (!wait_some(link, until_ms, &fault)) {
            reply->fault = fault;
            return false;
        }
    }
}

struct icp_payload *console_question(struct console_link *link)
{
    icp_payload_reset(link->payload);
    return link->payload;
}

bool console_ask(struct console_link *link, enum icp_op op, struct icp_reply *reply)
{
    struct icp_fault fault;
    uint32_t id = icp_wire_request(link->wire, op, link->payload, &fault);
    if (id == 0) {
        reply->fault = fault;
        return false;
    }
    return await(link, id, reply);
}

static void keep(char *out, size_t out_bytes, struct icp_text text)
{
    snprintf(out, out_bytes, "%.*s", (int)text.bytes, text.bytes > 0 ? text.data : "");
}

static bool greet(struct console_link *link, const char *token, struct icp_fault *fault)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = console_question(link);
    icp_payload_text(payload, "client", "icpd-console");
    if (token != NULL) {
        icp_payload_text(payload, "token", token);
    }
    bool good = console_ask(link, ICP_OP_HELLO, &reply);
    if (good) {
        keep(link->role, sizeof link->role, icp_reply_text(&reply, "role"));
        keep(link->server, sizeof link->server, icp_reply_text(&reply, "server"));
    } else {
        *fault = reply.fault;
    }
    icp_reply_fini(&reply);
    return good;
}

static bool reach(struct console_link *link, struct icp_fault *fault)
{
    struct icp_options options = {ICP_OPTIONS, .buffer_bytes_max = CONSOLE_REPLY_BYTES_MAX};
    struct proto_fault found = {.code = PROTO_OK};
    link->payload = icp_payload_create();
    if (link->payload == NULL) {
        return fail(fault, ICP_NO_MEMORY, "no memory for this page");
    }
    link->wire = icp_wire_create(&options, fault);
    if (link->wire == NULL) {
        return false;
    }
    link->fd = link->dial->connect(link->dial->context, &found);
    return link->fd >= 0 || fail(fault, (enum icp_error)found.code, found.message);
}

struct console_link *console_link_open(struct console_dial *dial, const char *token,
                                       struct icp_fault *fault)
{
    struct console_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        fail(fault, ICP_NO_MEMORY, "no memory for this page");
        return NULL;
    }
    link->dial = dial;
    link->fd = -1;
    if (!reach(link, fault) || !greet(link, token, fault)) {
        console_link_close(link);
        return NULL;
    }
    return link;
}

void console_link_close(struct console_link *link)
{
    if (link == NULL) {
        return;
    }
    if (link->fd >= 0) {
        close(link->fd);
    }
    icp_wire_destroy(link->wire);
    icp_payload_destroy(link->payload);
    free(link);
}

const char *console_link_role(const struct console_link *link)
{
    return link->role;
}

const char *console_link_server(const struct console_link *link)
{
    return link->server;
}
