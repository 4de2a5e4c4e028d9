/* SPDX-License-Identifier: Apache-2.0 */
/* A request's way: method, Host, path, whose page the form is of, token; then the body of a form,
 * and the route writes its page into memory, here or on a thread aside while the connection rests.
 * Every refusal is a line of text that says what would be right. */
#include "server/http/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/http_aside.h"
#include "server/http/http_patience.h"
#include "server/http/http_visit.h"

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct http_aside *aside;
    struct http_patience *patience;
    bool loopback;
    uint16_t port;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
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
    for (size_t g = 0; g < server->options.group_count; g++) {
        const struct http_group *group = &server->options.groups[g];
        for (size_t i = 0; i < group->count; i++) {
            const struct http_route *route = &group->routes[i];
            (void)fprintf(out, "%-10s %s\n", route->path, route->help);
        }
    }
    enum MHD_Result result =
        fclose(out) == 0 ? http_refuse(connection, MHD_HTTP_NOT_FOUND, body) : MHD_NO;
    free(body);
    return result;
}

static bool host_is_ours(const struct http_server *server, struct MHD_Connection *connection)
{
    const char *host = header(connection, MHD_HTTP_HEADER_HOST);
    return !server->loopback || (host != NULL && http_host_is_loopback(host));
}

/* Whether the browser says that another site's page asks. Who follows a link to a page of ours may;
 * an old browser says nothing, and then a form is known by its Origin. */
static bool is_foreign(struct MHD_Connection *connection, bool posted)
{
    const char *site = header(connection, "Sec-Fetch-Site");
    const char *mode = header(connection, "Sec-Fetch-Mode");
    const char *origin = header(connection, MHD_HTTP_HEADER_ORIGIN);
    const char *host = header(connection, MHD_HTTP_HEADER_HOST);
    bool follows = !posted && mode != NULL && strcmp(mode, "navigate") == 0;
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0 && !follows) {
        return true;
    }
    if (!posted || origin == NULL) {
        return false;
    }
    const char *place = strstr(origin, "://");
    return place == NULL || host == NULL || strcasecmp(place + 3, host) != 0;
}

static bool route_find(const struct http_server *server, const char *path, struct http_visit *visit)
{
    for (size_t g = 0; g < server->options.group_count; g++) {
        const struct http_group *group = &server->options.groups[g];
        for (size_t i = 0; i < group->count; i++) {
            if (strcmp(group->routes[i].path, path) == 0) {
                visit->route = &group->routes[i];
                visit->context = group->context;
                visit->exchange.path = group->routes[i].path;
                return true;
            }
        }
    }
    return false;
}

/* A form's head: what the body is, and how large. 0, or the status that refuses it. */
static unsigned form_refused(struct MHD_Connection *connection, const char **why)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (type == NULL || strncasecmp(type, form, sizeof form - 1) != 0) {
        *why = "a form is sent as application/x-www-form-urlencoded\n";
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }
    if (length != NULL && strtoull(length, NULL, 10) > HTTP_FORM_BYTES_MAX) {
        *why = "the form is larger than 16 KiB\n";
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

static enum MHD_Result refuse_token(struct MHD_Connection *connection, unsigned status)
{
    return http_refuse(connection, status,
                       status == MHD_HTTP_UNAUTHORIZED
                           ? "send a token that may read: Authorization: Bearer TOKEN\n"
                           : "this address showed too many wrong tokens; try again in a minute\n");
}

/* Whether the head of the request may be answered; false: *result is what came of it. */
static bool admit(struct http_server *server, struct http_visit *visit,
                  struct MHD_Connection *connection, const char *path, const char *method,
                  enum MHD_Result *result)
{
    bool posted = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    bool gets =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    const char *why;
    unsigned status;
    if (!gets && !posted) {
        *result = http_refuse_method(connection, false);
    } else if (!host_is_ours(server, connection)) {
        *result = http_refuse(connection, MHD_HTTP_BAD_REQUEST,
                              "the Host header must name this machine: localhost or a loopback "
                              "address\n");
    } else if (!route_find(server, path, visit)) {
        *result = refuse_path(server, connection);
    } else if (posted && !visit->route->posts) {
        *result = http_refuse_method(connection, false);
    } else if (is_foreign(connection, posted)) {
        *result = http_refuse(connection, MHD_HTTP_FORBIDDEN,
                              "a page of another site asks; open the console by itself\n");
    } else if (posted && (status = form_refused(connection, &why)) != 0) {
        *result = http_refuse(connection, status, why);
    } else if ((why = http_visit_look(visit, connection)) != NULL) {
        *result = http_refuse(connection, MHD_HTTP_BAD_REQUEST, why);
    } else if (!visit->route->open &&
               (status = server->options.allowed(server->options.context, &visit->exchange)) != 0) {
        *result = refuse_token(connection, status);
    } else {
        visit->exchange.posted = posted;
        return true;
    }
    return false;
}

static void serve_aside(struct http_visit *visit)
{
    struct MHD_Connection *connection = visit->connection;
    http_visit_serve(visit);
    MHD_resume_connection(connection); /* from here on the visit is the HTTP thread's again */
}

static enum MHD_Result reply(struct http_server *server, struct http_visit *visit)
{
    http_patience_replies(server->patience, visit->connection);
    return http_visit_reply(visit);
}

static enum MHD_Result serve(struct http_server *server, struct http_visit *visit)
{
    http_patience_works(server->patience, visit->connection);
    if (!visit->route->aside) {
        http_visit_serve(visit);
        return reply(server, visit);
    }
    visit->given = true;
    MHD_suspend_connection(visit->connection);
    if (http_aside_give(server->aside, visit)) {
        return MHD_YES;
    }
    /* It rests already, so the refusal too goes out when it goes on. */
    http_visit_refuse(visit, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "too many pages wait; try again in a moment\n");
    MHD_resume_connection(visit->connection);
    return MHD_YES;
}

static enum MHD_Result feed(struct http_visit *visit, const char *upload, size_t *upload_bytes)
{
    if (!http_visit_feed(visit, upload, *upload_bytes)) {
        return MHD_NO;
    }
    *upload_bytes = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **state)
{
    struct http_server *server = context;
    struct http_visit *visit = *state;
    const char *why;
    (void)version;
    if (visit == NULL) {
        return MHD_NO; /* no memory when its address came */
    }
    if (visit->given) {
        return reply(server, visit);
    }
    if (visit->connection == NULL) {
        enum MHD_Result result;
        if (!admit(server, visit, connection, path, method, &result)) {
            return result;
        }
        if (visit->exchange.posted) {
            return MHD_YES;
        }
    }
    if (*upload_bytes > 0) {
        return feed(visit, upload, upload_bytes);
    }
    if (visit->too_large) {
        return http_refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                           "the form is larger than 16 KiB\n");
    }
    if ((why = http_visit_fed(visit)) != NULL) {
        return http_refuse(connection, MHD_HTTP_BAD_REQUEST, why);
    }
    return serve(server, visit);
}

/* The first that is known of a request. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    return http_visit_create(uri);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *server = context;
    (void)code;
    http_visit_destroy(*state);
    *state = NULL;
    http_patience_awaits(server->patience, connection);
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

/* Where to listen is one option with its value. */
static void daemon_at(struct http_server *server, unsigned more, enum MHD_OPTION option,
                      intptr_t value, void *pointer)
{
    unsigned flags =
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem place[] = {{option, value, pointer},
                                     /* All of loopback is one address. 0: no limit. */
                                     {MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                      server->loopback ? 0 : HTTP_ADDRESS_CONNECTIONS_MAX, NULL},
                                     {MHD_OPTION_END, 0, NULL}};
    server->daemon = MHD_start_daemon(
        flags | more, server->options.port, NULL, NULL, on_request, server, MHD_OPTION_ARRAY, place,
        MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_S,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, http_patience_connection, server->patience,
        MHD_OPTION_END);
}

static bool daemon_start(struct http_server *server, struct proto_fault *fault)
{
    struct addrinfo *address = NULL;
    if (server->options.listen_fd == 0 && !address_find(&server->options, &address, fault)) {
        return false;
    }
    errno = 0;
    if (address == NULL) {
        daemon_at(server, 0, MHD_OPTION_LISTEN_SOCKET, server->options.listen_fd, NULL);
    } else {
        daemon_at(server, address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0, MHD_OPTION_SOCK_ADDR,
                  0, address->ai_addr);
    }
    int code = errno;
    if (address != NULL) {
        freeaddrinfo(address);
    }
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

/* What is known of a socket that was given: whether it is of loopback, and its port. */
static void socket_look(struct http_server *server, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof address;
    char host[64];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&address, &bytes) == 0 &&
        getnameinfo((const struct sockaddr *)&address, bytes, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        server->loopback = http_host_is_loopback(host);
        server->port = (uint16_t)strtoul(port, NULL, 10);
    }
}

static void daemon_look(struct http_server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info != NULL ? info->port : server->options.port;
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
    if (options->listen_fd != 0) {
        socket_look(server, options->listen_fd);
    }
    server->aside = http_aside_create(serve_aside, fault);
    server->patience = server->aside == NULL
                           ? NULL
                           : http_patience_create(options->request_ms, options->reply_ms, fault);
    if (server->patience == NULL || !daemon_start(server, fault)) {
        http_destroy(server);
        return NULL;
    }
    if (options->listen_fd == 0) {
        daemon_look(server);
    }
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
    /* First the threads aside: each connection that rests is woken, which MHD wants of us. */
    http_aside_stop(server->aside);
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    http_aside_destroy(server->aside);
    http_patience_destroy(server->patience);
    free(server);
}
