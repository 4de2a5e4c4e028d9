/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peer/peer_echo.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define READ_BYTES ((size_t)1 << 18)

struct echo {
    const struct peer_echo_options *options;
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_pipe_t local;
    uv_signal_t end;
    char *read_buffer; /* of all connections: nothing of it outlives a callback */
    char *replies;     /* as many as one read can ask for */
    size_t replies_bytes;
};

struct echo_conn {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t local;
    };
    size_t held; /* bytes of a request whose end has not come */
};

struct echo_write {
    uv_write_t write;
    char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct echo *echo = handle->loop->data;
    (void)suggested;
    *buf = uv_buf_init(echo->read_buffer, READ_BYTES);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
}

/* What the socket did not take at once. */
static void write_later(struct echo_conn *conn, const char *data, size_t bytes)
{
    struct echo_write *later = malloc(sizeof *later + bytes);
    if (later == NULL) {
        uv_close((uv_handle_t *)&conn->stream, on_closed);
        return;
    }
    memcpy(later->bytes, data, bytes);
    later->write.data = later;
    uv_buf_t buf = uv_buf_init(later->bytes, (unsigned)bytes);
    if (uv_write(&later->write, &conn->stream, &buf, 1, on_written) != 0) {
        free(later);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct echo_conn *conn = stream->data;
    struct echo *echo = stream->loop->data;
    (void)buf;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    size_t have = conn->held + (size_t)count;
    size_t requests = have / echo->options->request_bytes;
    conn->held = have - requests * echo->options->request_bytes;
    if (requests == 0) {
        return;
    }
    uv_buf_t out = uv_buf_init(echo->replies, (unsigned)(requests * echo->options->reply_bytes));
    int sent = uv_try_write(stream, &out, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < out.len) {
        write_later(conn, echo->replies + done, out.len - done);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status != 0) {
        return;
    }
    struct echo_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return;
    }
    bool local = listener->type == UV_NAMED_PIPE;
    int rc = local ? uv_pipe_init(listener->loop, &conn->local, 0)
                   : uv_tcp_init(listener->loop, &conn->tcp);
    if (rc != 0) {
        free(conn);
        return;
    }
    conn->stream.data = conn;
    if (uv_accept(listener, &conn->stream) != 0 || (!local && uv_tcp_nodelay(&conn->tcp, 1) != 0) ||
        uv_read_start(&conn->stream, on_alloc, on_read) != 0) {
        uv_close((uv_handle_t *)&conn->stream, on_closed);
    }
}

static void on_end(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static int listen_tcp(struct echo *echo, uint16_t *port)
{
    struct sockaddr_in address;
    int bytes = sizeof address;
    uv_ip4_addr("127.0.0.1", echo->options->port, &address);
    int rc = uv_tcp_init(&echo->loop, &echo->tcp);
    if (rc == 0) {
        rc = uv_tcp_bind(&echo->tcp, (struct sockaddr *)&address, 0);
    }
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&echo->tcp, 512, on_connection);
    }
    if (rc == 0) {
        rc = uv_tcp_getsockname(&echo->tcp, (struct sockaddr *)&address, &bytes);
    }
    *port = ntohs(address.sin_port);
    return rc;
}

static int listen_local(struct echo *echo)
{
    int rc = uv_pipe_init(&echo->loop, &echo->local, 0);
    if (rc == 0 && echo->options->path != NULL) {
        rc = uv_pipe_bind(&echo->local, echo->options->path);
        if (rc == 0) {
            rc = uv_listen((uv_stream_t *)&echo->local, 512, on_connection);
        }
    }
    return rc;
}

static int serve(struct echo *echo)
{
    uint16_t port = 0;
    int rc = uv_loop_init(&echo->loop);
    if (rc != 0) {
        return rc;
    }
    echo->loop.data = echo;
    rc = listen_tcp(echo, &port);
    if (rc == 0) {
        rc = listen_local(echo);
    }
    if (rc == 0) {
        rc = uv_signal_init(&echo->loop, &echo->end);
    }
    if (rc == 0) {
        rc = uv_signal_start(&echo->end, on_end, SIGTERM);
    }
    if (rc != 0) {
        return rc; /* the process ends with this: nothing is closed one by one */
    }
    echo->options->on_ready(echo->options->context, port);
    uv_run(&echo->loop, UV_RUN_DEFAULT);
    if (echo->options->path != NULL) {
        unlink(echo->options->path);
    }
    return 0;
}

bool peer_echo_serve(const struct peer_echo_options *options, struct proto_fault *fault)
{
    struct echo echo = {.options = options};
    if (options->request_bytes == 0 || options->reply_bytes == 0) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "", "frames must have a size");
    }
    echo.replies_bytes = (READ_BYTES / options->request_bytes + 2) * options->reply_bytes;
    echo.read_buffer = malloc(READ_BYTES);
    echo.replies = malloc(echo.replies_bytes);
    bool ok = echo.read_buffer != NULL && echo.replies != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the echo");
    } else {
        memset(echo.replies, 'e', echo.replies_bytes);
        int rc = serve(&echo);
        ok = rc == 0 || proto_fault_set(fault, PROTO_IO, "", "echo: %s", uv_strerror(rc));
    }
    free(echo.read_buffer);
    free(echo.replies);
    return ok;
}
