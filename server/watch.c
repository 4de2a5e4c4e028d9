/* SPDX-License-Identifier: Apache-2.0 */
/* The list of paths and what stands behind each. A probe must not depend on what it does not ask
 * for: /livez answers as long as this thread does, /readyz asks what a router needs to know. The
 * console's pages get a connection to the server, and looks at its figures. */
#include "server/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/console/console.h"
#include "server/http/http.h"
#include "server/metrics_page.h"
#include "server/node.h"

struct watch {
    struct watch_options options;
    struct http_server *http;
    struct console *console;
    struct http_group groups[2];
};

static unsigned answer_metrics(void *context, struct http_exchange *exchange)
{
    const struct watch *watch = context;
    struct server_figures figures;
    watch->options.figures(watch->options.context, &figures);
    server_metrics_page(&figures, exchange->out);
    return 200;
}

static unsigned answer_livez(void *context, struct http_exchange *exchange)
{
    (void)context;
    (void)fputs("ok\n", exchange->out);
    return 200;
}

static bool tell(FILE *out, bool good, const char *what, const char *why)
{
    (void)fprintf(out, "[%c] %s%s%s\n", good ? '+' : '-', what, good ? "" : ": ", good ? "" : why);
    return good;
}

/* Ready: new connections are taken and answered from memory. A server without an ICP is ready too:
 * that is the state of its content, and a probe that failed for it would keep the first schema from
 * ever being put. */
static unsigned answer_readyz(void *context, struct http_exchange *exchange)
{
    const struct watch *watch = context;
    struct server_figures figures;
    struct store_stats store;
    watch->options.figures(watch->options.context, &figures);
    store_stats(engine_store(figures.engine), &store);
    bool ready = tell(exchange->out, !watch->options.draining(watch->options.context), "serving",
                      "the server is ending");
    ready &= tell(exchange->out, store.index_ready != 0, "index",
                  "ids are being read into memory; look-ups go through the file until then");
    if (figures.cluster != NULL) {
        char why[NODE_WHY_BYTES];
        ready &= tell(exchange->out, node_is_ready(figures.cluster, why), "cluster", why);
    }
    return ready ? 200 : 503;
}

static uint64_t now_ns(const struct watch *watch)
{
    return watch->options.now_ns(watch->options.now_context);
}

/* A token is looked at for whom the door would let in, as it is over the protocol: who showed too
 * many wrong ones waits. */
static bool may_try(void *context, const struct sockaddr *from)
{
    const struct watch *watch = context;
    struct door *door = watch->options.door;
    struct proto_fault fault;
    uint64_t wait_ns;
    uint32_t guest = 0;
    if (from == NULL) {
        return true;
    }
    if (!door_enter(door, from, now_ns(watch), &guest, &fault)) {
        return false;
    }
    bool may = guest == 0 || auth_guest_may_try(door->addresses, guest, now_ns(watch), &wait_ns);
    door_leave(door, guest);
    return may;
}

static void was_wrong(void *context, const struct sockaddr *from)
{
    const struct watch *watch = context;
    struct door *door = watch->options.door;
    struct proto_fault fault;
    uint32_t guest = 0;
    if (from != NULL && door_enter(door, from, now_ns(watch), &guest, &fault)) {
        if (guest != 0) {
            auth_guest_was_wrong(door->addresses, guest, now_ns(watch));
        }
        door_leave(door, guest);
    }
}

static bool may_read(const struct watch *watch, struct proto_span token)
{
    const struct door *door = watch->options.door;
    return proto_role_allows(auth_role(&door->tokens, token), PROTO_ROLE_METRICS) ||
           (door->book != NULL &&
            proto_role_allows(auth_book_role(door->book, token,
                                             watch->options.now_ms(watch->options.now_context)),
                              PROTO_ROLE_METRICS));
}

static unsigned allowed(void *context, const struct http_exchange *exchange)
{
    struct watch *watch = context;
    if (door_is_open(watch->options.door)) {
        return 0;
    }
    if (exchange->token.bytes == 0) {
        return 401;
    }
    if (!may_try(watch, exchange->from)) {
        return 429;
    }
    if (may_read(watch, exchange->token)) {
        return 0;
    }
    was_wrong(watch, exchange->from);
    return 401;
}

/* ---- what the console asks of the server ---- */

static int connect_console(void *context, struct proto_fault *fault)
{
    const struct watch *watch = context;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        proto_fault_set(fault, errno == ENOMEM ? PROTO_NO_MEMORY : PROTO_IO, "",
                        "no connection to the server can be made: %s", strerror(errno));
        return -1;
    }
    if (!watch->options.take(watch->options.context, ends[1])) {
        close(ends[0]);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a connection");
        return -1;
    }
    return ends[0];
}

static void look(void *context, struct console_look *seen)
{
    const struct watch *watch = context;
    struct server_figures figures;
    struct net_counters net;
    size_t count;
    watch->options.figures(watch->options.context, &figures);
    const struct base_metrics *metrics = figures.metrics;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        seen->requests += base_metrics_requests(metrics, (uint8_t)ops[i].op);
        if (base_metrics_requests(metrics, (uint8_t)ops[i].op) > 0) {
            base_metrics_latency(metrics, (uint8_t)ops[i].op, &seen->latency);
        }
    }
    const struct proto_error_info *errors = proto_errors(&count);
    for (size_t i = 0; i < count; i++) {
        seen->errors +=
            errors[i].code != PROTO_OK ? base_metrics_errors(metrics, errors[i].code) : 0;
    }
    net_server_counters(figures.net, &net);
    seen->connections = net.connections_open;
    seen->scores = (uint64_t)base_metrics_value(metrics, BASE_METRIC_SCORES);
    seen->written = (uint64_t)base_metrics_value(metrics, BASE_METRIC_ACCOUNTS_WRITTEN) +
                    (uint64_t)base_metrics_value(metrics, BASE_METRIC_EVENTS_WRITTEN);
}

static const char text[] = "text/plain; charset=utf-8";

static const struct http_route routes[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", "every figure, for Prometheus", false,
     false, false, answer_metrics},
    {"/livez", text, "200 while the process answers", true, false, false, answer_livez},
    {"/readyz", text, "200 when it can serve, 503 and why if not", true, false, false,
     answer_readyz},
};

static bool console_open(struct watch *watch, struct proto_fault *fault)
{
    const struct console_options console = {
        .open = door_is_open(watch->options.door),
        .port = (unsigned)watch->options.config->http_port,
        .connect = connect_console,
        .may_try = may_try,
        .was_wrong = was_wrong,
        .look = look,
        .context = watch,
    };
    watch->console = console_create(&console, fault);
    return watch->console != NULL;
}

static bool http_open(struct watch *watch, struct proto_fault *fault)
{
    watch->groups[0] = (struct http_group){routes, sizeof routes / sizeof *routes, watch};
    watch->groups[1] = console_pages(watch->console);
    const struct http_options http = {
        .host = watch->options.config->http_host,
        .port = (uint16_t)watch->options.config->http_port,
        .listen_fd = watch->options.listen_fd,
        .groups = watch->groups,
        .group_count = sizeof watch->groups / sizeof *watch->groups,
        .allowed = allowed,
        .context = watch,
    };
    watch->http = http_create(&http, fault);
    return watch->http != NULL;
}

struct watch *watch_start(const struct watch_options *options, struct proto_fault *fault)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the HTTP server");
        return NULL;
    }
    watch->options = *options;
    if (!console_open(watch, fault) || !http_open(watch, fault)) {
        watch_stop(watch);
        return NULL;
    }
    return watch;
}

uint16_t watch_port(const struct watch *watch)
{
    return http_port(watch->http);
}

void watch_stop(struct watch *watch)
{
    if (!watch) {
        return;
    }
    /* Pages that wait for the server end first: HTTP waits for its threads. */
    if (watch->console) {
        console_stop(watch->console);
    }
    http_destroy(watch->http);
    console_destroy(watch->console);
    free(watch);
}
