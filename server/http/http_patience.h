/* SPDX-License-Identifier: Apache-2.0 */
/* How long a connection may take. libmicrohttpd ends one that is silent; one that sends a byte now
 * and then it keeps for ever, and with it one of the few places there are. So each connection has a
 * moment by which what is waited for must have come: a request whole, from its beginning or from
 * the end of the one before; or its reply gone out. While a page is worked out it has none. Who is
 * late is shut down, and libmicrohttpd finds it ended. Only server/http includes this.
 *
 * Ownership: create to destroy; a daemon that was given it must have ended before. Errors: a fault
 * where its thread cannot be started. Threads: connections are told of on libmicrohttpd's thread; a
 * thread of its own looks some times in each limit, once a second at the least. */
#ifndef HTTP_HTTP_PATIENCE_H
#define HTTP_HTTP_PATIENCE_H

#include <microhttpd.h>

#include "proto/fault.h"

struct http_patience;

/* 0: HTTP_TIMEOUT_S, HTTP_REPLY_S. */
struct http_patience *http_patience_create(unsigned request_ms, unsigned reply_ms,
                                           struct proto_fault *fault);
void http_patience_destroy(struct http_patience *patience); /* NULL is fine */

/* For MHD_OPTION_NOTIFY_CONNECTION, with the patience as its context. */
void http_patience_connection(void *context, struct MHD_Connection *connection, void **place,
                              enum MHD_ConnectionNotificationCode code);

void http_patience_awaits(struct http_patience *patience, struct MHD_Connection *connection);
void http_patience_works(struct http_patience *patience, struct MHD_Connection *connection);
void http_patience_replies(struct http_patience *patience, struct MHD_Connection *connection);

#endif
