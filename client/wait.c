/* SPDX-License-Identifier: Apache-2.0 */
/* Moving bytes between the pipeline and the socket, with a moment by which it must be done. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "client/client.h"

int64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void output_move(struct icp_client *client)
{
    struct proto_span output = client_pipeline_output(&client->pipeline);
    if (output.bytes == 0 || client->is_deaf)
        return;
    ssize_t sent = send(client->fd, output.data, output.bytes, MSG_NOSIGNAL);
    if (sent >= 0)
        client_pipeline_sent(&client->pipeline, (size_t)sent);
    else if (errno == EPIPE || errno == ECONNRESET)
        client->is_deaf = true; /* what the server said before it closed tells more than EPIPE */
    else if (!is_later(errno))
        client_pipeline_lose(&client->pipeline, PROTO_CLOSED, strerror(errno));
}

static void input_move(struct icp_client *client)
{
    size_t room_bytes = 0;
    uint8_t *room = client_pipeline_room(&client->pipeline, &room_bytes);
    if (room_bytes == 0)
        return;
    ssize_t got = recv(client->fd, room, room_bytes, 0);
    if (got > 0)
        client_pipeline_received(&client->pipeline, (size_t)got);
    else if (got == 0 || errno == ECONNRESET)
        client->is_finished = true;
    else if (!is_later(errno))
        client_pipeline_lose(&client->pipeline, PROTO_CLOSED, strerror(errno));
}

static bool is_lost(struct icp_client *client, struct proto_fault *fault)
{
    if (client->pipeline.lost)
        *fault = client->pipeline.loss;
    return client->pipeline.lost;
}

bool client_pump(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    if (client->is_finished)
        client_pipeline_lose(&client->pipeline, PROTO_CLOSED, "the server closed the connection");
    bool had_output = client_pipeline_output(&client->pipeline).bytes > 0;
    output_move(client);
    if (is_lost(client, fault))
        return false;
    /* That all has left is news: who only wants to send must not wait for a reply. */
    if (had_output && client_pipeline_output(&client->pipeline).bytes == 0)
        return true;
    size_t room_bytes = 0;
    (void)client_pipeline_room(&client->pipeline, &room_bytes);
    bool has_output = client_pipeline_output(&client->pipeline).bytes > 0 && !client->is_deaf;
    struct pollfd waiting = {.fd = client->fd};
    waiting.events = (short)((room_bytes > 0 ? POLLIN : 0) | (has_output ? POLLOUT : 0));
    if (waiting.events == 0)
        return proto_fault_set(fault, PROTO_LIMIT, "",
                               "%zu bytes of replies wait to be received; receive some first",
                               client->pipeline.input_bytes);
    int64_t left_ms = until_ms - client_now_ms();
    int timeout = left_ms <= 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
    int ready = poll(&waiting, 1, timeout);
    if (ready < 0 && errno != EINTR) {
        client_pipeline_lose(&client->pipeline, PROTO_CLOSED, strerror(errno));
        return !is_lost(client, fault);
    }
    if (ready == 0)
        return proto_fault_set(fault, PROTO_TIMEOUT, "", "no reply came in time");
    if (ready > 0 && (waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        input_move(client);
    if (ready > 0 && (waiting.revents & POLLOUT) != 0)
        output_move(client);
    return !is_lost(client, fault);
}
