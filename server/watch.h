/* SPDX-License-Identifier: Apache-2.0 */
/* What those see who watch icpd over HTTP: figures for Prometheus, whether the process lives and is
 * ready, and the console. The server's parts are joined here; server/http knows only paths, and
 * the console only the server's own protocol.
 *
 * Threads: the callbacks are called on the threads of HTTP and of the console at any time.
 * Ownership: all is borrowed until watch_stop. */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "server/base/config.h"
#include "server/door.h"
#include "server/http/http.h"
#include "server/stats.h"

struct watch_options {
    const struct base_config *config;
    struct door *door;
    int listen_fd; /* of the service manager; taken; 0: none */
    uint64_t (*now_ns)(void *context);
    int64_t (*now_ms)(void *context);
    void *now_context;
    void *context;
    void (*figures)(void *context, struct server_figures *figures);
    bool (*draining)(void *context);
    /* Serves the protocol over one end of a socket pair, which is taken; false: no memory. */
    bool (*take)(void *context, int fd);
};

struct watch;
struct watch *watch_start(const struct watch_options *options, struct proto_fault *fault);
uint16_t watch_port(const struct watch *watch);
void watch_stop(struct watch *watch); /* NULL is fine */

#endif
