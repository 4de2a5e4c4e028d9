/* SPDX-License-Identifier: Apache-2.0 */
/* The list of paths and what stands behind each. A probe must not depend on what it does not ask
 * for: /livez answers as long as this thread does, /readyz asks what a router needs to know. */
#include "server/watch.h"

#include <stdlib.h>

#include "server/metrics_page.h"

struct watch {
    struct watch_options options;
    struct http_server *http;
    bool open; /* no tokens are set */
};

static unsigned answer_metrics(void *context, FILE *out)
{
    const struct watch *watch = context;
    struct server_figures figures;
    watch->options.figures(watch->options.context, &figures);
    server_metrics_page(&figures, out);
    return 200;
}

static unsigned answer_livez(void *context, FILE *out)
{
    (void)context;
    (void)fputs("ok\n", out);
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
static unsigned answer_readyz(void *context, FILE *out)
{
    const struct watch *watch = context;
    struct server_figures figures;
    struct store_stats store;
    watch->options.figures(watch->options.context, &figures);
    store_stats(engine_store(figures.engine), &store);
    bool ready = tell(out, !watch->options.draining(watch->options.context), "serving",
                      "the server is ending");
    ready &= tell(out, store.index_ready != 0, "index",
                  "ids are being read into memory; look-ups go through the file until then");
    return ready ? 200 : 503;
}

static bool may_read(void *context, struct proto_span token)
{
    const struct watch *watch = context;
    const struct watch_options *options = &watch->options;
    return watch->open || auth_role(&options->tokens, token) >= PROTO_ROLE_READ ||
           (options->book != NULL &&
            auth_book_role(options->book, token, options->now_ms(options->now_context)) >=
                PROTO_ROLE_READ);
}

static const struct http_route routes[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", "every figure, for Prometheus", false,
     answer_metrics},
    {"/livez", "text/plain; charset=utf-8", "200 while the process answers", true, answer_livez},
    {"/readyz", "text/plain; charset=utf-8", "200 when it can serve, 503 and why if not", true,
     answer_readyz},
};

struct watch *watch_start(const struct watch_options *options, struct proto_fault *fault)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the HTTP server");
        return NULL;
    }
    watch->options = *options;
    watch->open = auth_is_open(&options->tokens) && options->book == NULL;
    const struct http_options http = {
        .host = options->config->http_host,
        .port = (uint16_t)options->config->http_port,
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .allowed = may_read,
        .context = watch,
    };
    watch->http = http_create(&http, fault);
    if (!watch->http) {
        free(watch);
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
    if (watch) {
        http_destroy(watch->http);
        free(watch);
    }
}
