/* SPDX-License-Identifier: Apache-2.0 */
/* How a list was kept, for pages: adherence and divergence by function, asked of the server. What
 * is no evidence is left out; whatever else is wrong ends it.
 *
 * Ownership: verdict_kept_fini, also after a failure. Errors: exit statuses, messages printed.
 * Threads: one. */
#ifndef CLI_VERDICT_KEPT_H
#define CLI_VERDICT_KEPT_H

#include "server/measure/measure.h"
#include "tools/cli/cli.h"

struct verdict_kept {
    struct measure_table adherence, divergence;
    bool has_adherence, has_divergence;
};

struct verdict_kept_asked {
    const char *list;
    const char *by;          /* field of the segments; NULL: no divergence */
    double committed;        /* share of the work; 0: none */
    int64_t since_ms, at_ms; /* acts from the first on, up to the second */
    uint64_t seq;            /* as it was known then */
};

int verdict_kept_ask(const struct cli *cli, const struct verdict_kept_asked *asked,
                     struct verdict_kept *kept);
void verdict_kept_fini(struct verdict_kept *kept);

#endif
