/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/metrics.h"
#include "tools/reference/reference.h"

enum kind { COUNTER, GAUGE };

struct figure {
    const char *name;
    enum kind kind;
    const char *unit;
    const char *help;
};

/* The unit of these is in their name or their meaning. */
static const struct figure net_figures[] = {
#define X(name, kind, help) {#name, kind, NULL, help},
#include "server/net/net_counter.def"
#undef X
};

static const struct figure store_figures[] = {
#define X(name, kind, unit, help) {#name, kind, unit, help},
#include "server/store/store_figure.def"
#undef X
};

static void figures_print(FILE *out, const struct figure *figures, size_t count)
{
    bool units = figures[0].unit != NULL;
    (void)fprintf(out, "| metric | kind |%s what it counts |\n|---|---|%s---|\n",
                  units ? " unit |" : "", units ? "---|" : "");
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| `%s` | %s | ", figures[i].name,
                      figures[i].kind == COUNTER ? "counter" : "gauge");
        if (units) {
            (void)fprintf(out, "%s | ", figures[i].unit);
        }
        reference_cell(out, figures[i].help);
        (void)fputs(" |\n", out);
    }
}

void reference_page_metrics(FILE *out)
{
    reference_title(out, "Figures of the server",
                    "server/base/metric.def, server/net/net_counter.def and "
                    "server/store/store_figure.def");
    (void)fputs(
        "`stats` gives them as a map of maps, `icp stats` by their dotted names "
        "(`store.commits`). A counter only grows while the server runs; a gauge is what is there "
        "now.\n\n"
        "| part | what it holds |\n|---|---|\n"
        "| `uptime_s` | seconds since the start |\n"
        "| `schema`, `icp` | schema version in force and active ICP version, 0 if none |\n"
        "| `server` | [requests and jobs](#server) |\n"
        "| `net` | [connections and bytes](#net) |\n"
        "| `store` | [the store](#store) |\n"
        "| `errors` | by name of the error: requests that were answered so |\n"
        "| `requests` | by operation: requests answered |\n"
        "| `latency_p50_us`, `latency_p99_us`, `latency_p999_us`, `latency_max_us` | by operation: "
        "from the read of the request to its reply being handed to the network, microseconds; "
        "percentiles at most 3.2 % too high |\n"
        "| `lanes_waiting`, `lanes_running` | by [lane](lanes.md): pieces of work that wait, and "
        "that run, now |\n"
        "| a distribution | `count`, `p50`, `p99` and `max` of it, in its unit |\n\n"
        "Errors and operations that have not occurred are left out.\n\n"
        "## server\n\nDistributions stand beside this part, under their own names.\n\n",
        out);
    base_metrics_reference(out);
    (void)fputs("\n## net\n\n", out);
    figures_print(out, net_figures, sizeof net_figures / sizeof net_figures[0]);
    (void)fputs("\n## store\n\n", out);
    figures_print(out, store_figures, sizeof store_figures / sizeof store_figures[0]);
}
