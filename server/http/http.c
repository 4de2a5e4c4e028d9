/* SPDX-License-Identifier: Apache-2.0 */
/* A request's way: method, Host, path, token, then the route writes its page into memory and it
 * goes out whole. Every refusal is a line of text that says what would be right. */
#include "server/http/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    bool loopback;
    uint16_t port;
};

static const char text_type[] = "text/plain; charset=utf-8";

/* Takes the body. Without memory for a reply the connection is closed, which is all that is left.
 */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             char *body, size_t bytes)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    static const char *const headers[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    };
    bool good = MHD_add_response_header(response, "Content-Type", type) == MHD_YES;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        good = good && MHD_add_response_header(response, headers[i][0], headers[i][1]) == MHD_YES;
    }
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        good = good && MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES;
    }
    if (status == MHD_HTTP_UNAUTHORIZED) {
        good = good && MHD_add_response_header(response, "WWW-Authenticate",
                                               "Bearer realm=\"icpd\"") == MHD_YES;
    }
    enum MHD_Result result = good ? MHD_queue_response(connection, status, response) : MHD_NO;
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    char *body = strdup(text);
    return body == NULL ? MHD_NO : reply(connection, status, text_type, body, strlen(body));
}

static enum MHD_Result refuse_path(const struct http_server *server,
                                   struct MHD_Connection *connection)
{
    char *body = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&body, &bytes);
    if (out == NULL) {
        return MHD_NO;
    }
    (void)fputs("no such path; there are:\n", out);
    for (size_t i = 0; i < server->options.route_count; i++) {
        const struct http_route *route = &server->options.routes[i];
        (void)fprintf(out, "%-10s %s\n", route->path, route->help);
    }
    if (fclose(out) != 0) {
        free(body);
        return MHD_NO;
    }
    return reply(connection, MHD_HTTP_NOT_FOUND, text_type, body, bytes);
}

static enum MHD_Result serve_route(const struct http_server *server,
                                   struct MHD_Connection *connection,
                                   const struct http_route *route)
{
    char *body = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&body, &bytes);
    if (out == NULL) {
        return MHD_NO;
    }
    unsigned status = route->answer(server->options.context, out);
    bool whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(body);
        return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory for this page\n");
    }
    return reply(connection, status, route->type, body, bytes);
}

static struct proto_span bearer_token(struct MHD_Connection *connection)
{
    static const char scheme[] = "Bearer ";
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0) {
        return (struct proto_span){0};
    }
    value += sizeof scheme - 1;
    while (*value == ' ') {
        value++;
    }
    return proto_span_text(value);
}

static bool host_is_ours(const struct http_server *server, struct MHD_Connection *connection)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    return !server->loopback || (host != NULL && http_host_is_loopback(host));
}

static const struct http_route *route_find(const struct http_server *server, const char *path)
{
    for (size_t i = 0; i < server->options.route_count; i++) {
        if (strcmp(server->options.routes[i].path, path) == 0) {
            return &server->options.routes[i];
        }
    }
    return NULL;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **state)
{
    const struct http_server *server = context;
    (void)version;
    (void)upload;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        *upload_bytes = 0;
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n");
    }
    if (!host_is_ours(server, connection)) {
        return refuse(connection, MHD_HTTP_BAD_REQUEST,
                      "the Host header must name this machine: localhost or a loopback address\n");
    }
    const struct http_route *route = route_find(server, path);
    if (route == NULL) {
        return refuse_path(server, connection);
    }
    if (!route->open &&
        !server->options.allowed(server->options.context, bearer_token(connection))) {
        return refuse(connection, MHD_HTTP_UNAUTHORIZED,
                      "send a token that may read: Authorization: Bearer TOKEN\n");
    }
    return serve_route(server, connection, route);
}

static bool address_find(const struct http_options *options, struct addrinfo **found,
                         struct proto_fault *fault)
{
    char port[8];
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    snprintf(port, sizeof port, "%u", options->port);
    int code = getaddrinfo(options->host, port, &hints, found);
    enum proto_error kind = code == EAI_MEMORY ? PROTO_NO_MEMORY : PROTO_BAD_CONFIG;
    return code == 0 ||
           proto_fault_set(fault, kind, "http_host", "'%s': %s", options->host, gai_strerror(code));
}

static bool daemon_start(struct http_server *server, struct proto_fault *fault)
{
    struct addrinfo *address = NULL;
    if (!address_find(&server->options, &address, fault)) {
        return false;
    }
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC;
    if (address->ai_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, server->options.port, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
        address->ai_addr, MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_S, MHD_OPTION_END);
    int code = errno;
    freeaddrinfo(address);
    if (server->daemon != NULL) {
        return true;
    }
    return code == EADDRINUSE
               ? proto_fault_set(fault, PROTO_LOCKED, "http_port",
                                 "port %u of %s is taken; another one, or http_host empty for none",
                                 server->options.port, server->options.host)
               : proto_fault_set(fault, code == ENOMEM ? PROTO_NO_MEMORY : PROTO_BAD_CONFIG,
                                 "http_host", "%s, port %u: %s", server->options.host,
                                 server->options.port,
                                 code != 0 ? strerror(code) : "cannot listen there");
}

struct http_server *http_create(const struct http_options *options, struct proto_fault *fault)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the HTTP server");
        return NULL;
    }
    server->options = *options;
    server->loopback = http_host_is_loopback(options->host);
    if (!daemon_start(server, fault)) {
        free(server);
        return NULL;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info != NULL ? info->port : options->port;
    return server;
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}

void http_destroy(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    MHD_stop_daemon(server->daemon);
    free(server);
}
