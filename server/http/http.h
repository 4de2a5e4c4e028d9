/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server for those who watch icpd: figures, health, and pages for people. Threads and
 * a port of its own, so that nothing here can hold up a score.
 *
 * Purpose: GET and HEAD of a fixed list of paths, and forms that are POSTed to some of them; each
 * is answered whole from memory. Ownership: routes, options and their contexts are borrowed until
 * http_destroy; an exchange lives for the call. Errors: a fault where the address cannot be had or
 * threads cannot be started; afterwards status codes. 400 a Host that is not ours, or a form that
 * is not well formed, 401 no token, 403 a form of another site, 404 no such path, 405 another
 * method, 413 a form that is too large, 415 a body that is no form, 500 no memory for the page, 503
 * too many wait or watch.
 *
 * Threads: `allowed` and the `answer` of a route run on the HTTP thread, one at a time; a route
 * that waits for something is `aside` and runs on one of HTTP_ASIDE_THREADS others, so that a probe
 * is answered whatever a page takes.
 *
 * Limits: HTTP_CONNECTIONS_MAX connections of 32 KiB each, of one address
 * HTTP_ADDRESS_CONNECTIONS_MAX unless it is loopback that is listened on; 10 s for a request to be
 * whole, however it trickles, a minute for its reply to go out; forms of HTTP_FORM_BYTES_MAX,
 * HTTP_ASIDE_WAITING pages that wait. Source: libmicrohttpd; RFC 9110; RFC
 * 6750 for the token; RFC 6265 for cookies.
 *
 * Whoever listens on loopback answers a request only if its Host names loopback: else any page in a
 * browser of this machine could read the answers by a name of its own that points here (DNS
 * rebinding). A form is taken only from a page of ours, as far as the browser says where it is
 * from. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdio.h>
#include <sys/socket.h>

#include "proto/fault.h"
#include "proto/span.h"
#include "server/http/http_form.h"

#define HTTP_CONNECTIONS_MAX 64u
#define HTTP_CONNECTION_BYTES 32768u
#define HTTP_ADDRESS_CONNECTIONS_MAX 16u
#define HTTP_TIMEOUT_S 10u
#define HTTP_REPLY_S 60u
#define HTTP_FORM_BYTES_MAX 16384u
#define HTTP_ASIDE_THREADS 2u
#define HTTP_ASIDE_WAITING 16u

/* A request, and what is answered beside the body. */
struct http_exchange {
    const char *path;
    bool posted;                 /* a form was sent; else it is GET or HEAD */
    struct http_form form;       /* of the query, and of the body behind it */
    const char *cookies;         /* the header Cookie; NULL: none */
    struct proto_span token;     /* Authorization: Bearer; empty: none */
    const struct sockaddr *from; /* NULL where the system does not say */

    FILE *out;          /* the body */
    const char *type;   /* Content-Type; at first the route's */
    char location[64];  /* where to go on, with 303; a path of ours, at first empty */
    char cookie[192];   /* Set-Cookie; at first empty */
    unsigned refresh_s; /* the page comes anew by itself after; 0: never */
};

struct http_route {
    const char *path; /* "/metrics" */
    const char *type; /* Content-Type */
    const char *help; /* one line, for the list of paths */
    bool open;        /* without a token, even where tokens are set */
    bool posts;       /* takes forms too */
    bool aside;       /* may wait */
    /* Writes the body, returns the status (200, 503). */
    unsigned (*answer)(void *context, struct http_exchange *exchange);
};

struct http_group {
    const struct http_route *routes;
    size_t count;
    void *context; /* of their answers */
};

struct http_options {
    const char *host; /* a numeric address or "localhost" */
    uint16_t port;    /* 0: any free one */
    int listen_fd;    /* a socket that listens already, in place of these; taken; 0: none */
    const struct http_group *groups;
    size_t group_count;
    unsigned request_ms, reply_ms; /* 0: HTTP_TIMEOUT_S, HTTP_REPLY_S */
    /* Whether who asks may have what is not open: 0, or the status that refuses it (401, 429). */
    unsigned (*allowed)(void *context, const struct http_exchange *exchange);
    void *context;
};

struct http_server;

/* NULL with *fault: PROTO_LOCKED (the port is taken), PROTO_BAD_CONFIG (no such address), PROTO_IO
 * (no thread), PROTO_NO_MEMORY. */
struct http_server *http_create(const struct http_options *options, struct proto_fault *fault);
uint16_t http_port(const struct http_server *server);
/* Ends the threads, when the pages under way have ended; requests are cut. NULL is fine. */
void http_destroy(struct http_server *server);

/* http_host.c: the rules of Host. Loopback: "localhost", 127.0.0.0/8, ::1, with or without a port.
 */
bool http_host_is_loopback(const char *host);

#endif
