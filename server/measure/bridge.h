/* SPDX-License-Identifier: Apache-2.0 */
/* Why two definitions of one metric give different numbers: what each rule that differs adds, free
 * of the order in which rules are changed, down to the accounts.
 *
 * Shapley's value over the rules that differ: with v(S) the metric under the first definition with
 * the rules of S taken from the second, rule j has
 *   φ_j = Σ_S |S|! (k − |S| − 1)! / k! · (v(S ∪ j) − v(S))
 * and Σ_j φ_j = second − first. An account's part of a step from v(S) = N/D to v(S ∪ j) = N'/D' is
 * ((b' − b) − N/D · (a' − a)) / D' for a ratio, b' − b for a sum: 0 for an account whose figures a
 * rule leaves as they are, and together the step, exactly. Sums are kept in whole numbers times k!,
 * so that they add up to the last unit; ratios in doubles, to 1e-12.
 *
 * Shapes: at most MEASURE_BRIDGE_RULES_MAX rules may differ (2^k measurements). Ownership:
 * measure_bridge_fini frees. Errors: LIMIT for more rules or sums beyond 2^62 / k!, those of
 * metric_registry.h, NO_EVIDENCE where a ratio has no denominator on the way. Threads: pure. Cost:
 * 2^k measurements, twice that for ratios. Source: Shapley 1953; docs/methods/bridge.md. */
#ifndef MEASURE_BRIDGE_H
#define MEASURE_BRIDGE_H

#include "server/measure/measure.h"
#include "server/measure/metric_registry.h"

#define MEASURE_BRIDGE_RULES_MAX 8

struct measure_bridge {
    enum measure_metric metric;
    uint32_t accounts;
    uint32_t count; /* rules that differ */
    enum measure_rule rules[MEASURE_BRIDGE_RULES_MAX];
    double first, second;
    int64_t first_whole, second_whole; /* of a sum */
    double total[MEASURE_BRIDGE_RULES_MAX];
    uint32_t moved[MEASURE_BRIDGE_RULES_MAX]; /* accounts with a part that is not 0 */
    double *part;                             /* [rule · accounts + account] */
    int64_t *scaled; /* the same times divisor, of a sum; NULL for ratios */
    int64_t divisor; /* k! */
};

bool measure_bridge_make(const struct measure_company *company, enum measure_metric metric,
                         const struct measure_rules *first, const struct measure_rules *second,
                         struct measure_bridge *bridge, struct proto_fault *fault);
void measure_bridge_fini(struct measure_bridge *bridge);
/* Which accounts the table names under each rule: `top` at most behind `skip`, those that it moves
 * most first and then in their order, and none that it leaves as they are. */
struct measure_bridge_told {
    unsigned top, skip;
    enum measure_rule rule; /* of this rule alone; MEASURE_RULES: of all */
};
/* The table of measure.def; names by account, NULL where none is told. Money is in units. False: no
 * memory. */
bool measure_bridge_table(const struct measure_bridge *bridge, const struct measure_rules *first,
                          const struct measure_rules *second, const char *const *names,
                          const struct measure_bridge_told *told, struct measure_table *table);

#endif
