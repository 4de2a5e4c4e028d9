/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server for those who watch icpd: figures, health, and pages for people. A thread and
 * a port of its own, so that nothing here can hold up a score.
 *
 * Purpose: GET and HEAD of a fixed list of paths, each answered whole from memory.
 * Ownership: routes, options and their contexts are borrowed until http_destroy. Errors: a fault
 * where the address cannot be had; afterwards status codes. 400 a Host that is not ours, 401 no
 * token, 404 no such path, 405 another method, 500 no memory for the page, 503 too many watch.
 * Threads: `answer` and `allowed` run on the HTTP thread, one at a time. Limits: CONNECTIONS
 * connections of 32 KiB each, 10 s for a request, nothing is uploaded. Source: libmicrohttpd; RFC
 * 9110; RFC 6750 for the token.
 *
 * Whoever listens on loopback answers a request only if its Host names loopback: else any page in a
 * browser of this machine could read the answers by a name of its own that points here (DNS
 * rebinding). */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdio.h>

#include "proto/fault.h"
#include "proto/span.h"

#define HTTP_CONNECTIONS_MAX 64u
#define HTTP_CONNECTION_BYTES 32768u
#define HTTP_TIMEOUT_S 10u

struct http_route {
    const char *path; /* "/metrics"; the query is not looked at */
    const char *type; /* Content-Type */
    const char *help; /* one line, for the list of paths */
    bool open;        /* without a token, even where tokens are set */
    /* Writes the body, returns the status (200, 503). */
    unsigned (*answer)(void *context, FILE *out);
};

struct http_options {
    const char *host; /* a numeric address or "localhost" */
    uint16_t port;    /* 0: any free one */
    const struct http_route *routes;
    size_t route_count;
    /* Whether a token (empty: none was sent) may read. */
    bool (*allowed)(void *context, struct proto_span token);
    void *context;
};

struct http_server;

/* NULL with *fault: PROTO_LOCKED (the port is taken), PROTO_BAD_CONFIG (no such address),
 * PROTO_NO_MEMORY. */
struct http_server *http_create(const struct http_options *options, struct proto_fault *fault);
uint16_t http_port(const struct http_server *server);
/* Ends the thread; requests under way are cut. NULL is fine. */
void http_destroy(struct http_server *server);

/* http_host.c: the rules of Host. Loopback: "localhost", 127.0.0.0/8, ::1, with or without a port.
 */
bool http_host_is_loopback(const char *host);

#endif
