/* SPDX-License-Identifier: Apache-2.0 */
/* The metric is measured once under every mixture of the two definitions. Each measurement enters
 * every rule's value twice, as what a rule was added to and as what came of it, so nothing but its
 * totals has to be kept. More rules than can be mixed, a ratio over nothing, and memory can fail.
 */
#include "server/measure/bridge.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct work {
    const struct measure_company *company;
    const struct measure_rules *first;
    const struct measure_rules *second;
    struct measure_bridge *bridge;
    int64_t *now;
    int64_t *then;
    int64_t now_sum[1 << MEASURE_BRIDGE_RULES_MAX];
    int64_t then_sum[1 << MEASURE_BRIDGE_RULES_MAX];
    int64_t weight[MEASURE_BRIDGE_RULES_MAX]; /* |S|! (k − |S| − 1)!, by |S| */
};

static bool is_ratio(const struct measure_bridge *bridge)
{
    return measure_metric_info(bridge->metric)->kind == MEASURE_METRIC_RATIO;
}

static int64_t factorial(uint32_t n)
{
    int64_t product = 1;
    for (; n > 1; n--) {
        product *= n;
    }
    return product;
}

/* Rules of a set of the k that differ, as bits of enum measure_rule. */
static uint32_t rule_bits(const struct measure_bridge *bridge, uint32_t set)
{
    uint32_t bits = 0;
    for (uint32_t j = 0; j < bridge->count; j++) {
        bits |= (set >> j & 1) << bridge->rules[j];
    }
    return bits;
}

static bool measured(struct work *work, uint32_t set, struct proto_fault *fault)
{
    struct measure_rules mixed =
        measure_rules_mix(work->first, work->second, rule_bits(work->bridge, set));
    return measure_metric_accounts(work->company, work->bridge->metric, &mixed, work->now,
                                   work->then, fault);
}

static bool totals_make(struct work *work, struct proto_fault *fault)
{
    struct measure_bridge *bridge = work->bridge;
    assert(work->now != NULL && work->then != NULL); /* work_begin saw to it */
    for (uint32_t set = 0; set < 1u << bridge->count; set++) {
        if (!measured(work, set, fault)) {
            return false;
        }
        for (uint32_t a = 0; a < bridge->accounts; a++) {
            work->now_sum[set] += work->now[a];
            work->then_sum[set] += work->then[a];
        }
        if (is_ratio(bridge) && work->then_sum[set] == 0) {
            return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                                   "nothing is there at the start under one of the definitions, or "
                                   "a mixture of both: there is no ratio to bridge");
        }
        if (!is_ratio(bridge) && work->now_sum[set] > (INT64_C(1) << 61) / bridge->divisor) {
            return proto_fault_set(fault, PROTO_LIMIT, "", "the sums are too large to bridge");
        }
    }
    return true;
}

/* The measurement of `set` enters rule j. */
static void sum_enter(struct work *work, uint32_t set, uint32_t j, int64_t weight)
{
    int64_t *scaled = work->bridge->scaled + (size_t)j * work->bridge->accounts;
    int64_t by = (set >> j & 1) != 0 ? weight : -weight;
    for (uint32_t a = 0; a < work->bridge->accounts; a++) {
        scaled[a] += by * work->now[a];
    }
}

/* As `with`: (b' − R a') / D'; as `without`: −(b − R a) / D', R the ratio without and D' the
 * denominator with the rule. */
static void ratio_enter(struct work *work, uint32_t set, uint32_t j, double weight)
{
    double *part = work->bridge->part + (size_t)j * work->bridge->accounts;
    bool is_with = (set >> j & 1) != 0;
    uint32_t without = set & ~(1u << j);
    double ratio = (double)work->now_sum[without] / (double)work->then_sum[without];
    double by = (is_with ? weight : -weight) / (double)work->then_sum[set | 1u << j];
    for (uint32_t a = 0; a < work->bridge->accounts; a++) {
        part[a] += by * ((double)work->now[a] - ratio * (double)work->then[a]);
    }
}

static bool parts_make(struct work *work, struct proto_fault *fault)
{
    struct measure_bridge *bridge = work->bridge;
    assert(work->now != NULL && work->then != NULL); /* work_begin saw to it */
    for (uint32_t set = 0; set < 1u << bridge->count; set++) {
        if (!measured(work, set, fault)) {
            return false;
        }
        uint32_t size = (uint32_t)__builtin_popcount(set);
        for (uint32_t j = 0; j < bridge->count; j++) {
            int64_t weight = work->weight[(set >> j & 1) != 0 ? size - 1 : size];
            if (is_ratio(bridge)) {
                ratio_enter(work, set, j, (double)weight / (double)bridge->divisor);
            } else {
                sum_enter(work, set, j, weight);
            }
        }
    }
    return true;
}

static void bridge_finish(struct work *work)
{
    struct measure_bridge *bridge = work->bridge;
    uint32_t all = (1u << bridge->count) - 1;
    bridge->first_whole = work->now_sum[0];
    bridge->second_whole = work->now_sum[all];
    bridge->first = measure_metric_value(bridge->metric, work->now_sum[0], work->then_sum[0]);
    bridge->second = measure_metric_value(bridge->metric, work->now_sum[all], work->then_sum[all]);
    for (uint32_t j = 0; j < bridge->count; j++) {
        int64_t sum = 0;
        for (uint32_t a = 0; a < bridge->accounts; a++) {
            size_t at = (size_t)j * bridge->accounts + a;
            if (bridge->scaled != NULL) {
                sum += bridge->scaled[at];
                bridge->part[at] = (double)bridge->scaled[at] / (double)bridge->divisor;
            } else if (fabs(bridge->part[at]) < 1e-15) {
                bridge->part[at] = 0; /* rounding of an account that no rule moves */
            }
            bridge->total[j] += bridge->scaled != NULL ? 0 : bridge->part[at];
            bridge->moved[j] += bridge->part[at] != 0;
        }
        bridge->total[j] += (double)sum / (double)bridge->divisor;
    }
}

static bool work_begin(struct work *work, struct proto_fault *fault)
{
    struct measure_bridge *bridge = work->bridge;
    uint32_t bits = measure_rules_differ(work->first, work->second);
    if (__builtin_popcount(bits) > MEASURE_BRIDGE_RULES_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "rules",
                               "%d rules differ; a bridge is made over %d at most: go by a "
                               "definition between the two",
                               __builtin_popcount(bits), MEASURE_BRIDGE_RULES_MAX);
    }
    for (unsigned rule = 0; rule < MEASURE_RULES; rule++) {
        if ((bits >> rule & 1) != 0) {
            bridge->rules[bridge->count++] = (enum measure_rule)rule;
        }
    }
    bridge->divisor = factorial(bridge->count);
    for (uint32_t size = 0; size < bridge->count; size++) {
        work->weight[size] = factorial(size) * factorial(bridge->count - size - 1);
    }
    size_t cells = (size_t)bridge->count * bridge->accounts + 1;
    bridge->part = calloc(cells, sizeof *bridge->part);
    bridge->scaled = is_ratio(bridge) ? NULL : calloc(cells, sizeof *bridge->scaled);
    work->now = calloc((size_t)bridge->accounts + 1, sizeof *work->now);
    work->then = calloc((size_t)bridge->accounts + 1, sizeof *work->then);
    bool scaled = is_ratio(bridge) || bridge->scaled != NULL;
    if (bridge->part == NULL || !scaled || work->now == NULL || work->then == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a bridge of %zu parts",
                              cells);
        return false;
    }
    return true;
}

bool measure_bridge_make(const struct measure_company *company, enum measure_metric metric,
                         const struct measure_rules *first, const struct measure_rules *second,
                         struct measure_bridge *bridge, struct proto_fault *fault)
{
    *bridge = (struct measure_bridge){.metric = metric, .accounts = company->accounts};
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a bridge");
    }
    work->company = company;
    work->first = first;
    work->second = second;
    work->bridge = bridge;
    bool good = work_begin(work, fault) && totals_make(work, fault) && parts_make(work, fault);
    if (good) {
        bridge_finish(work);
    } else {
        measure_bridge_fini(bridge);
    }
    free(work->now);
    free(work->then);
    free(work);
    return good;
}

void measure_bridge_fini(struct measure_bridge *bridge)
{
    free(bridge->part);
    free(bridge->scaled);
    bridge->part = NULL;
    bridge->scaled = NULL;
}
