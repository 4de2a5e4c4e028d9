/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way, and the replies of this server: what every one of them says beside its
 * body. Only server/http includes this.
 *
 * Ownership: a visit owns its texts; visit_destroy frees. Threads: one at a time; a visit that is
 * served aside is not touched by the HTTP thread until its connection goes on. */
#ifndef HTTP_HTTP_VISIT_H
#define HTTP_HTTP_VISIT_H

#include <microhttpd.h>

#include "server/http/http.h"

struct http_visit {
    struct http_exchange exchange;
    const struct http_route *route; /* NULL until its head was looked at */
    void *context;                  /* of the route */
    struct MHD_Connection *connection;
    bool too_large; /* more was sent than a form may have */
    bool given;     /* to a thread aside */
    char *query;    /* as it was sent, until it is taken apart */
    char *texts;    /* copies of headers */
    char *sent;     /* the body so far */
    size_t sent_bytes;
    char *body; /* NULL: there was no memory for it */
    size_t body_bytes;
    unsigned status;
};

/* The query is copied; NULL: no memory. */
struct http_visit *http_visit_create(const char *uri);
void http_visit_destroy(struct http_visit *visit); /* NULL is fine */
/* Takes the headers that answers ask for, and the query apart. NULL, or why not. */
const char *http_visit_look(struct http_visit *visit, struct MHD_Connection *connection);
/* Bytes of the body; what is too much is let go of and remembered. False: no memory. */
bool http_visit_feed(struct http_visit *visit, const char *bytes, size_t count);
/* The body is whole: it is taken apart. NULL, or why not. */
const char *http_visit_fed(struct http_visit *visit);
/* Lets the route write its page. */
void http_visit_serve(struct http_visit *visit);
/* Writes a line of text in place of the page. */
void http_visit_refuse(struct http_visit *visit, unsigned status, const char *text);
/* Queues it. */
enum MHD_Result http_visit_reply(struct http_visit *visit);

/* A line of text; `text` is copied. `allow`: of 405, what would be right. */
enum MHD_Result http_refuse(struct MHD_Connection *connection, unsigned status, const char *text);
enum MHD_Result http_refuse_method(struct MHD_Connection *connection, bool posts);

#endif
