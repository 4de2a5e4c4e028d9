/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a connection, and the greeting. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/client.h"

#define CONNECT_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS 30000
#define STRING_OF(number) #number
#define STRING(number) STRING_OF(number)
#define VERSION_TEXT                                                                               \
    STRING(ICP_VERSION_MAJOR) "." STRING(ICP_VERSION_MINOR) "." STRING(ICP_VERSION_PATCH)

const char *icp_version(void)
{
    return VERSION_TEXT;
}

unsigned icp_version_number(void)
{
    return ICP_VERSION_NUMBER;
}

static const char *where_text(const struct client_uri *uri, char *text, size_t text_bytes)
{
    if (uri->is_unix)
        snprintf(text, text_bytes, "%s", uri->path);
    else
        snprintf(text, text_bytes, strchr(uri->host, ':') != NULL ? "[%s]:%u" : "%s:%u", uri->host,
                 uri->port);
    return text;
}

static bool connect_fail(const struct client_uri *uri, struct proto_fault *fault,
                         const char *reason)
{
    char where[CLIENT_HOST_BYTES_MAX + 16];
    return proto_fault_set(fault, PROTO_CONNECT, "uri", "cannot connect to %s: %s",
                           where_text(uri, where, sizeof where), reason);
}

/* Waits for a connect under way. Returns 0 or an errno value. */
static int connect_wait(int fd, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - client_now_ms();
        if (left_ms <= 0)
            return ETIMEDOUT;
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        int ready = poll(&waiting, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (ready < 0 && errno != EINTR)
            return errno;
        if (ready > 0)
            break;
    }
    int error = 0;
    socklen_t bytes = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0)
        return errno;
    return error;
}

/* Returns a connected socket, or -1 with *error. */
static int socket_open(const struct sockaddr *address, socklen_t bytes, int64_t until_ms,
                       int *error)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    *error = connect(fd, address, bytes) == 0 ? 0 : errno;
    /* A Unix socket whose queue is full says EAGAIN: there is nothing to wait for with poll. */
    if (*error == EINPROGRESS || *error == EINTR)
        *error = connect_wait(fd, until_ms);
    if (*error != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool open_unix(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static_assert(sizeof address.sun_path > CLIENT_PATH_BYTES_MAX, "a path fits with its zero");
    memcpy(address.sun_path, client->uri.path, strlen(client->uri.path) + 1);
    int error = 0;
    client->fd = socket_open((const struct sockaddr *)&address, sizeof address, until_ms, &error);
    return client->fd >= 0 || connect_fail(&client->uri, fault, strerror(error));
}

static bool open_tcp(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    char port[8];
    snprintf(port, sizeof port, "%u", client->uri.port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(client->uri.host, port, &hints, &found);
    if (failure != 0)
        return connect_fail(&client->uri, fault, gai_strerror(failure));
    int error = EADDRNOTAVAIL;
    for (const struct addrinfo *next = found; next != NULL && client->fd < 0; next = next->ai_next)
        client->fd = socket_open(next->ai_addr, next->ai_addrlen, until_ms, &error);
    freeaddrinfo(found);
    if (client->fd < 0)
        return connect_fail(&client->uri, fault, strerror(error));
    int on = 1; /* a request must not wait for the acknowledgement of the one before */
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

bool client_open(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    return client->uri.is_unix ? open_unix(client, until_ms, fault)
                               : open_tcp(client, until_ms, fault);
}

void client_shut(struct icp_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->is_deaf = client->is_finished = false;
}

/* Greeting. */

static const char *greeting_keep(struct icp_client *client, size_t *at, struct icp_text text)
{
    size_t left = sizeof client->greeting - *at - 1;
    size_t bytes = text.bytes < left / 2 ? text.bytes : left / 2;
    char *kept = client->greeting + *at;
    memcpy(kept, text.data, bytes);
    kept[bytes] = '\0';
    *at += bytes + 1;
    return kept;
}

static bool greet(struct icp_client *client, int64_t until_ms, struct proto_fault *fault)
{
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the greeting");
    icp_payload_text(payload, "client", client->name);
    if (client->token != NULL)
        icp_payload_text(payload, "token", client->token);
    struct icp_reply reply = {0};
    bool greeted = client_call_until(client, ICP_OP_HELLO, payload, until_ms, &reply);
    if (greeted) {
        size_t at = 0;
        client->server.server = greeting_keep(client, &at, icp_reply_text(&reply, "server"));
        client->server.role = greeting_keep(client, &at, icp_reply_text(&reply, "role"));
        client->server.protocol = (uint64_t)icp_reply_int(&reply, "protocol", 0);
        client->server.schema = (uint64_t)icp_reply_int(&reply, "schema", 0);
        client->server.icp = (uint64_t)icp_reply_int(&reply, "icp", 0);
    } else {
        proto_fault_set(fault, (enum proto_error)reply.fault.code, reply.fault.field, "%s",
                        reply.fault.code == ICP_TIMEOUT ? "the server did not greet in time"
                                                        : reply.fault.message);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return greeted;
}

static bool client_begin(struct icp_client *client, struct proto_fault *fault)
{
    int64_t until_ms = client_now_ms() + client->connect_timeout_ms;
    client_shut(client);
    client_pipeline_restart(&client->pipeline);
    if (client_open(client, until_ms, fault) && greet(client, until_ms, fault))
        return true;
    client_pipeline_lose(&client->pipeline, fault->code, fault->message);
    client_shut(client);
    return false;
}

static bool client_prepare(struct icp_client *client, const struct icp_options *options,
                           struct proto_fault *fault)
{
    client->connect_timeout_ms =
        options->connect_timeout_ms != 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    client->call_timeout_ms =
        options->call_timeout_ms != 0 ? options->call_timeout_ms : CALL_TIMEOUT_MS;
    client->retry = options->retry;
    client->name = strdup(options->name != NULL ? options->name : "libicp " VERSION_TEXT);
    client->token = options->token != NULL ? strdup(options->token) : NULL;
    if (client->name == NULL || (options->token != NULL && client->token == NULL))
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the client");
    return true;
}

struct icp_client *icp_connect(const char *uri, const struct icp_options *options,
                               struct icp_fault *fault)
{
    static const struct icp_options defaults = {0};
    struct proto_fault found = {.code = PROTO_OK};
    struct client_uri where;
    struct icp_client *client = NULL;
    if (options == NULL)
        options = &defaults;
    if (!client_uri_parse(uri, &where, &found))
        goto failed;
    client = calloc(1, sizeof *client);
    if (client == NULL) {
        proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the client");
        goto failed;
    }
    client->fd = -1;
    client->uri = where;
    client_pipeline_init(&client->pipeline, options->in_flight_max, options->buffer_bytes_max,
                         !options->no_checksum);
    if (client_prepare(client, options, &found) && client_begin(client, &found))
        return client;
failed:
    icp_close(client);
    client_fault_export(&found, fault);
    return NULL;
}

bool icp_reconnect(struct icp_client *client, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    if (!client_reconnect(client, &found)) {
        client_fault_export(&found, fault);
        return false;
    }
    return true;
}

bool client_reconnect(struct icp_client *client, struct proto_fault *fault)
{
    proto_fault_set(fault, PROTO_CLOSED, "", "the connection was opened anew");
    if (!client_kept_abandoned(client, fault))
        return false;
    return client_begin(client, fault);
}

void icp_close(struct icp_client *client)
{
    if (client == NULL)
        return;
    client_shut(client);
    client_kept_clear(client);
    client_pipeline_fini(&client->pipeline);
    icp_payload_destroy(client->query);
    free(client->name);
    free(client->token);
    free(client);
}

const struct icp_server *icp_server_info(const struct icp_client *client)
{
    return &client->server;
}
