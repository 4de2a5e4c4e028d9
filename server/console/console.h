/* SPDX-License-Identifier: Apache-2.0 */
/* The console: pages for people about a running server, in HTML without scripts.
 *
 * Purpose: what the server does, which profile is in force and why, what an account scores and why,
 * its timeline, lists and measures. Nothing is changed by any page. Who looks signs in with a token
 * that may read; the pages then ask the server over its own protocol with that token
 * (console_link.h), so a page may do what the token may and no more.
 *
 * Ownership: options are borrowed until console_destroy; routes are the console's. Errors: NULL
 * with *fault at the start; afterwards pages say what is wrong. Threads: pages run on the threads
 * of server/http that may wait; a thread of its own keeps the history of figures. Bounds: 64
 * sessions (console_session.h), the forms of server/http. Cost: a page is a connection and one to
 * five requests; nothing while nobody looks, but one look at the figures in five seconds. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "server/console/console_history.h"
#include "server/http/http.h"

struct console_options {
    bool open;     /* nobody needs a token */
    unsigned port; /* that the pages are served on: it names the cookie; 0: not known */
    /* A socket that does not block and that the server's protocol is spoken on; taken by the
     * console. -1 with *fault. */
    int (*connect)(void *context, struct proto_fault *fault);
    /* Whether a token that comes from there may be looked at; and that it was wrong. */
    bool (*may_try)(void *context, const struct sockaddr *from);
    void (*was_wrong)(void *context, const struct sockaddr *from);
    void (*look)(void *context, struct console_look *look); /* fills all but at_ns */
    void *context;
};

struct console;

struct console *console_create(const struct console_options *options, struct proto_fault *fault);
/* The pages for server/http; their context is the console. */
struct http_group console_pages(struct console *console);
/* From here on pages that wait end at once. */
void console_stop(struct console *console);
void console_destroy(struct console *console); /* NULL is fine */

#endif
