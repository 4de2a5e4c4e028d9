/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for pages that wait for something, and the queue before them.
 *
 * Ownership: a visit that was given is the queue's until on_done was called with it. Errors: no
 * thread, no memory at the start; a queue that is full says so. Threads: giving from any thread;
 * `serve` and `on_done` run on the threads here. Limits: HTTP_ASIDE_WAITING wait. */
#ifndef HTTP_HTTP_ASIDE_H
#define HTTP_HTTP_ASIDE_H

#include "proto/fault.h"

struct http_aside;
struct http_visit;

struct http_aside *http_aside_create(void (*serve)(struct http_visit *visit),
                                     struct proto_fault *fault);
/* False: as many wait as may, or it ends. */
bool http_aside_give(struct http_aside *aside, struct http_visit *visit);
/* No more is taken; what waits is served, and the threads end. NULL is fine. */
void http_aside_stop(struct http_aside *aside);
void http_aside_destroy(struct http_aside *aside); /* stopped; NULL is fine */

#endif
