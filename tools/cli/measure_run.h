/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each measure of measure.def: reads its files, calls it, shows its table; and
 * parameters as the options give them, within the bounds of measure.def. Ownership: borrows the
 * call; texts are the command line's. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_MEASURE_RUN_H
#define CLI_MEASURE_RUN_H

#include "server/measure/measure.h"
#include "server/measure/metric_registry.h"
#include "tools/cli/cli.h"

struct measure_call {
    const struct cli *cli;
    enum measure_id id;
    struct measure_rules rules;
};

int measure_run_mrr(const struct measure_call *call);
int measure_run_retention(const struct measure_call *call);
int measure_run_survival(const struct measure_call *call);
int measure_run_clv_sbg(const struct measure_call *call);
int measure_run_clv_purchases(const struct measure_call *call);
int measure_run_bridge(const struct measure_call *call);
int measure_run_readiness(const struct measure_call *call);
int measure_run_attribution(const struct measure_call *call);
int measure_run_handoffs(const struct measure_call *call);
int measure_run_gap(const struct measure_call *call);
/* lift, rate, forecast and promise. */
int measure_run_list(const struct measure_call *call);
int measure_run_erosion(const struct measure_call *call);
int measure_run_focus(const struct measure_call *call);
int measure_run_referral(const struct measure_call *call);
int measure_run_patterns(const struct measure_call *call);
/* adherence, divergence and resources. */
int measure_run_keep(const struct measure_call *call);

/* The usual rules, or those of --definition, with those of --rule on top. The definition's version
 * is 0 if none is named. */
int measure_rules_told(const struct cli *cli, struct measure_rules *rules,
                       struct measure_definition *definition);
/* The metric of a bridge: --metric, or that of a definition that is named, or mrr. */
int measure_metric_told(const struct cli *cli, enum measure_metric *metric);

/* The second definition of a bridge: --against-definition, and --against on top. */
int measure_against_read(const struct cli *cli, const struct measure_rules *first,
                         enum measure_metric metric, struct measure_rules *second);
/* Says which rules are not the usual. */
void measure_rules_tell(const struct measure_call *call);

/* The text of a parameter, or its default. */
const char *measure_text(const struct measure_call *call, const char *name);
bool measure_number(const struct measure_call *call, const char *name, double *number);
bool measure_count(const struct measure_call *call, const char *name, unsigned *count);
/* --from and --to. */
bool measure_days(const struct measure_call *call, int64_t *from_ms, int64_t *to_ms);

#endif
