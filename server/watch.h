/* SPDX-License-Identifier: Apache-2.0 */
/* What those see who watch icpd over HTTP: figures for Prometheus, and whether the process lives
 * and is ready. The server's parts are joined here; server/http knows only paths.
 *
 * Threads: `ready` may be asked on the HTTP thread at any time. Ownership: all is borrowed until
 * watch_stop. */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "server/auth/auth.h"
#include "server/auth/token_book.h"
#include "server/base/config.h"
#include "server/http/http.h"
#include "server/stats.h"

struct watch_options {
    const struct base_config *config;
    struct auth_tokens tokens;
    struct auth_book *book; /* of named tokens; NULL: there are none */
    int64_t (*now_ms)(void *context);
    void *now_context;
    void *context;
    void (*figures)(void *context, struct server_figures *figures);
    bool (*draining)(void *context);
};

struct watch;
struct watch *watch_start(const struct watch_options *options, struct proto_fault *fault);
uint16_t watch_port(const struct watch *watch);
void watch_stop(struct watch *watch); /* NULL is fine */

#endif
