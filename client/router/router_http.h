/* SPDX-License-Identifier: Apache-2.0 */
/* Leads by HTTP/1.1, for forms and web hooks:
 *
 *     POST /route            a lead (router_lead.h) → its decision; 400 no lead, 503 not kept
 *     POST /try              the same, and nothing of it is kept
 *     GET  /why/ID           the decision of that lead, if it was made lately
 *     GET  /stats            figures as JSON;  GET /  as a page that renews itself;  GET /livez
 *
 * One request of a connection at a time; bodies need Content-Length. It has no TLS and asks for no
 * password: it is to listen on an address that only those reach who may, or behind a proxy.
 *
 * Ownership: router_http_end, then the loop runs until all is closed. Errors: NULL with *fault.
 * Threads: the loop's. Bounds: connections, head, body and idle time, below. */
#ifndef ROUTER_HTTP_H
#define ROUTER_HTTP_H

#include "client/router/router_work.h"

enum {
    ROUTER_CONNECTIONS_MAX = 1024,
    ROUTER_IDLE_MS = 60000 /* a connection without a whole request */
};

struct router_http;
/* address: HOST:PORT, of IPv6 [HOST]:PORT; port 0: any, which *port tells. */
struct router_http *router_http_begin(struct router_work *work, const char *address, int *port,
                                      struct router_fault *fault);
void router_http_end(struct router_http *http); /* NULL is fine */

#endif
