/* SPDX-License-Identifier: Apache-2.0 */
/* A connection reads until a request is whole, asks, and reads on when the answer has left. One
 * that is gone while its lead waits is freed by the answer. */
#include "client/router/router_http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/router/router_page.h"
#include "client/router/router_request.h"
#include "client/router/router_words.h"

static_assert(ROUTER_LEAD_BYTES_MAX == 65536 && ROUTER_HEAD_BYTES_MAX == 16384 &&
                  ROUTER_TARGET_BYTES_MAX == 512,
              "status_reason says them");

enum { IN_BYTES_MAX = ROUTER_HEAD_BYTES_MAX + ROUTER_LEAD_BYTES_MAX, HEAD_ROOM = 256 };

struct router_http {
    struct router_work *work;
    uv_tcp_t listener;
    uv_timer_t sweep;
    struct connection *connections;
    size_t count;
    unsigned handles;
    bool ended;
};

struct connection {
    struct router_http *http;
    uv_tcp_t tcp;
    struct connection *before, *after;
    char *in;
    size_t in_bytes;
    size_t request_bytes; /* of the one that is asked for */
    uint64_t since_ms;    /* nothing whole has come since */
    bool asking, closing, closed, last;
    uv_write_t write;
    char *out;
};

static void connection_read(struct connection *connection);

static void connection_free(struct connection *connection)
{
    free(connection->in);
    free(connection->out);
    free(connection);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    connection->closed = true;
    if (!connection->asking) {
        connection_free(connection);
    }
}

static void connection_close(struct connection *connection)
{
    struct router_http *http = connection->http;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    if (connection->before != NULL) {
        connection->before->after = connection->after;
    } else {
        http->connections = connection->after;
    }
    if (connection->after != NULL) {
        connection->after->before = connection->before;
    }
    http->count--;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static const char *status_words(int status)
{
    return status == 200   ? "OK"
           : status == 404 ? "Not Found"
           : status == 405 ? "Method Not Allowed"
           : status == 411 ? "Length Required"
           : status == 413 ? "Content Too Large"
           : status == 414 ? "URI Too Long"
           : status == 431 ? "Request Header Fields Too Large"
           : status == 503 ? "Service Unavailable"
                           : "Bad Request";
}

/* Why a request is refused before it is looked at, and what would be right. */
static const char *status_reason(int status)
{
    return status == 405 ? "the method is none of GET and POST"
           : status == 411
               ? "Content-Length is missing: a body has a length, and comes in no chunks"
           : status == 413 ? "the body is too large: a lead has 65536 bytes at most"
           : status == 414 ? "the target has more than 511 bytes, or a blank"
           : status == 431 ? "the head is too large: it has 16384 bytes at most"
                           : "this is no request of HTTP/1.0 or HTTP/1.1 that can be read";
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    free(connection->out);
    connection->out = NULL;
    if (connection->closing) {
        return;
    }
    if (status != 0 || connection->last) {
        connection_close(connection);
        return;
    }
    connection->in_bytes -= connection->request_bytes;
    memmove(connection->in, connection->in + connection->request_bytes, connection->in_bytes);
    connection->request_bytes = 0;
    connection->since_ms = uv_now(write->handle->loop);
    connection_read(connection);
}

/* type: of the body, borrowed. */
static void reply(struct connection *connection, int status, const char *type, const char *body,
                  size_t bytes)
{
    size_t room = HEAD_ROOM + bytes;
    connection->out = malloc(room);
    if (connection->out == NULL) {
        connection_close(connection);
        return;
    }
    int used = snprintf(connection->out, room,
                        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s\r\n",
                        status, status_words(status), type, bytes,
                        connection->last ? "Connection: close\r\n" : "");
    memcpy(connection->out + used, body, bytes);
    uv_buf_t buffer = uv_buf_init(connection->out, (unsigned)used + (unsigned)bytes);
    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &buffer, 1, on_written) !=
        0) {
        connection_close(connection);
    }
}

static void reply_json(struct connection *connection, int status, const json_t *json)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    const char *body = text == NULL ? "{}" : text;
    reply(connection, text == NULL ? 503 : status, "application/json", body, strlen(body));
    free(text);
}

static void reply_error(struct connection *connection, int status, const char *message)
{
    json_t *json = json_pack("{s:s}", "error", message);
    reply_json(connection, status, json);
    json_decref(json);
}

static void on_answer(void *context, int status, const char *json, size_t bytes)
{
    struct connection *connection = context;
    connection->asking = false;
    if (connection->closed) {
        connection_free(connection);
    } else if (!connection->closing) {
        reply(connection, status, "application/json", json, bytes);
    }
}

static void get(struct connection *connection, const char *target)
{
    struct router_work *work = connection->http->work;
    if (strcmp(target, "/livez") == 0) {
        reply(connection, 200, "text/plain", "alive\n", 6);
    } else if (strcmp(target, "/stats") == 0) {
        json_t *figures = router_work_figures(work);
        reply_json(connection, 200, figures);
        json_decref(figures);
    } else if (strcmp(target, "/") == 0) {
        char *page = router_page_make(work);
        reply(connection, page == NULL ? 503 : 200, "text/html; charset=utf-8",
              page == NULL ? "" : page, page == NULL ? 0 : strlen(page));
        free(page);
    } else if (strncmp(target, "/why/", 5) == 0) {
        const struct router_decision *decision = router_work_why(work, target + 5);
        if (decision != NULL) {
            reply(connection, 200, "application/json", decision->text, decision->bytes);
        } else {
            reply_error(
                connection, 404,
                "no decision of that lead was made lately; icpd has all: the events of kind "
                "routed in the timeline of its account");
        }
    } else {
        reply_error(connection, 404,
                    "there are POST /route and /try, and GET /why/ID, /stats, /livez and /");
    }
}

static void request_take(struct connection *connection, const struct router_request *request)
{
    bool dry = strcmp(request->target, "/try") == 0;
    connection->request_bytes = request->head_bytes + request->body_bytes;
    connection->last = connection->last || request->close || connection->http->ended;
    if (!request->post) {
        get(connection, request->target);
    } else if (dry || strcmp(request->target, "/route") == 0) {
        connection->asking = true;
        router_work_lead(connection->http->work, connection->in + request->head_bytes,
                         request->body_bytes, dry, on_answer, connection);
    } else {
        reply_error(connection, 404, "leads are posted to /route or /try");
    }
}

/* Goes on with what has come, if a request is whole. */
static void connection_read(struct connection *connection)
{
    struct router_request request;
    if (connection->in_bytes == 0) {
        return;
    }
    int status = router_request_read(connection->in, connection->in_bytes, &request);
    if (status == 0) {
        return;
    }
    if (status != 200) {
        connection->last = true;
        connection->request_bytes = connection->in_bytes;
        reply_error(connection, status, status_reason(status));
        return;
    }
    if (connection->in_bytes < request.head_bytes + request.body_bytes) {
        static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        uv_buf_t buffer = uv_buf_init(go_on, sizeof go_on - 1);
        if (request.wants_continue && connection->in_bytes == request.head_bytes) {
            (void)uv_try_write((uv_stream_t *)&connection->tcp, &buffer, 1);
        }
        return;
    }
    request_take(connection, &request);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(connection->in + connection->in_bytes,
                          (unsigned)(IN_BYTES_MAX - connection->in_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    (void)buffer;
    if (bytes < 0) {
        connection_close(connection);
        return;
    }
    connection->in_bytes += (size_t)bytes;
    if (connection->request_bytes == 0 && bytes > 0) {
        connection_read(connection);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct router_http *http = listener->data;
    struct connection *connection = calloc(1, sizeof *connection);
    char *in = malloc(IN_BYTES_MAX);
    if (status != 0 || connection == NULL || in == NULL) {
        free(connection);
        free(in);
        return;
    }
    connection->http = http;
    connection->in = in;
    connection->since_ms = uv_now(listener->loop);
    connection->tcp.data = connection;
    (void)uv_tcp_init(listener->loop, &connection->tcp);
    connection->after = http->connections;
    if (http->connections != NULL) {
        http->connections->before = connection;
    }
    http->connections = connection;
    http->count++;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 ||
        http->count > ROUTER_CONNECTIONS_MAX ||
        uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) != 0) {
        connection_close(connection);
        return;
    }
    (void)uv_tcp_nodelay(&connection->tcp, 1);
}

static void on_sweep(uv_timer_t *timer)
{
    struct router_http *http = timer->data;
    uint64_t now_ms = uv_now(timer->loop);
    struct connection *after;
    for (struct connection *one = http->connections; one != NULL; one = after) {
        after = one->after;
        if (one->request_bytes == 0 && now_ms - one->since_ms > ROUTER_IDLE_MS) {
            connection_close(one);
        }
    }
}

/* "HOST:PORT" and "[HOST]:PORT". */
static bool address_read(const char *text, struct sockaddr_storage *address,
                         struct router_fault *fault)
{
    char host[64] = "";
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
    size_t bytes = colon == NULL ? 0 : (size_t)(colon - text);
    bool six = bytes >= 2 && text[0] == '[' && text[bytes - 1] == ']';
    if (port < 0 || port > 65535 || end == colon + 1 || *end != '\0' || bytes == 0 ||
        bytes >= sizeof host) {
        return router_refuse(fault, 0, 0, "'%.100s' is no address such as 127.0.0.1:8080", text);
    }
    memcpy(host, text + six, bytes - 2 * six);
    return (six ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)address)
                : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)address)) == 0 ||
           router_refuse(fault, 0, 0, "'%.100s' is no address of IPv4, nor of IPv6 in []", host);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct router_http *http = handle->data;
    if (--http->handles == 0) {
        free(http);
    }
}

struct router_http *router_http_begin(struct router_work *work, const char *address, int *port,
                                      struct router_fault *fault)
{
    struct sockaddr_storage where;
    int bytes = sizeof where;
    memset(&where, 0, sizeof where);
    if (!address_read(address, &where, fault)) {
        return NULL;
    }
    struct router_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        (void)router_refuse(fault, 0, 0, "no memory");
        return NULL;
    }
    http->work = work;
    http->handles = 2;
    http->listener.data = http->sweep.data = http;
    (void)uv_tcp_init(work->loop, &http->listener);
    (void)uv_timer_init(work->loop, &http->sweep);
    int error = uv_tcp_bind(&http->listener, (const struct sockaddr *)&where, 0);
    error = error == 0 ? uv_listen((uv_stream_t *)&http->listener, 512, on_connection) : error;
    error =
        error == 0 ? uv_tcp_getsockname(&http->listener, (struct sockaddr *)&where, &bytes) : error;
    if (error != 0) {
        (void)router_refuse(fault, 0, 0, "%.100s: %s", address, uv_strerror(error));
        router_http_end(http);
        return NULL;
    }
    *port = ntohs(where.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&where)->sin6_port
                                              : ((struct sockaddr_in *)&where)->sin_port);
    (void)uv_timer_start(&http->sweep, on_sweep, 5000, 5000);
    return http;
}

void router_http_end(struct router_http *http)
{
    struct connection *after;
    if (http == NULL) {
        return;
    }
    http->ended = true;
    for (struct connection *one = http->connections; one != NULL; one = after) {
        after = one->after;
        connection_close(one);
    }
    uv_close((uv_handle_t *)&http->listener, on_handle_closed);
    uv_close((uv_handle_t *)&http->sweep, on_handle_closed);
}
