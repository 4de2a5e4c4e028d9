/* SPDX-License-Identifier: Apache-2.0 */
/* The network's figures, its permutations and resamples. No referral at all, memory and who asked
 * can end it; what rests on too few says so in its row. */
#include "server/measure/referral.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/random.h"
#include "server/measure/long_sort.h"
#include "server/measure/referral_outcome.h"

struct net {
    const struct measure_network *network;
    const struct measure_referral_options *options;
    const struct measure_pace *pace;
    struct measure_referral *referrals; /* by who referred */
    double total;
    uint32_t *nodes; /* accounts of the network */
    size_t node_count;
    uint32_t *segments; /* by account, of the network as it is or shuffled */
    double *from, *to;  /* sums by segment */
    size_t kinds;       /* segments in the network */
};

/* Of counts within segments and sums by segment. */
static double assortativity(double within, const double *from, const double *to, size_t segments,
                            double total)
{
    double chance = 0;
    for (size_t s = 0; s < segments; s++) {
        chance += from[s] / total * (to[s] / total);
    }
    return total > 0 && chance < 1 ? (within / total - chance) / (1 - chance) : MEASURE_NAN;
}

double measure_assortativity(const double *counts, size_t segments)
{
    double total = 0;
    double within = 0;
    double chance = 0;
    for (size_t i = 0; i < segments * segments; i++) {
        total += counts[i];
    }
    for (size_t i = 0; i < segments; i++) {
        double from = 0;
        double to = 0;
        for (size_t j = 0; j < segments; j++) {
            from += counts[i * segments + j];
            to += counts[j * segments + i];
        }
        within += counts[i * segments + i];
        chance += from * to;
    }
    chance /= total * total;
    return total > 0 && chance < 1 ? (within / total - chance) / (1 - chance) : MEASURE_NAN;
}

static int by_from(const void *left, const void *right)
{
    const struct measure_referral *a = left;
    const struct measure_referral *b = right;
    if (a->from != b->from) {
        return a->from < b->from ? -1 : 1;
    }
    return (a->to > b->to) - (a->to < b->to);
}

/* r of the segments as they stand in `segments`; each who refers counts weights[…] times, all once
 * where there are none. */
static double network_r(struct net *net, const double *weights, double *total)
{
    size_t count = net->network->segment_count;
    double within = 0;
    size_t referrer = 0;
    *total = 0;
    memset(net->from, 0, count * sizeof *net->from);
    memset(net->to, 0, count * sizeof *net->to);
    for (size_t i = 0; i < net->network->count; i++) {
        const struct measure_referral *referral = &net->referrals[i];
        referrer += i > 0 && referral->from != net->referrals[i - 1].from;
        double weight = referral->count * (weights != NULL ? weights[referrer] : 1);
        uint32_t from = net->segments[referral->from];
        uint32_t to = net->segments[referral->to];
        net->from[from] += weight;
        net->to[to] += weight;
        within += from == to ? weight : 0;
        *total += weight;
    }
    return assortativity(within, net->from, net->to, count, *total);
}

static bool net_make(struct net *net, struct proto_fault *fault)
{
    const struct measure_network *network = net->network;
    size_t accounts = network->account_count;
    bool *there = calloc(accounts + 1, sizeof *there);
    net->referrals = calloc(network->count + 1, sizeof *net->referrals);
    net->nodes = calloc(accounts + 1, sizeof *net->nodes);
    net->segments = calloc(accounts + 1, sizeof *net->segments);
    net->from = calloc(network->segment_count + 1, sizeof *net->from);
    net->to = calloc(network->segment_count + 1, sizeof *net->to);
    if (there == NULL || net->referrals == NULL || net->nodes == NULL || net->segments == NULL ||
        net->from == NULL || net->to == NULL) {
        free(there);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu referrals",
                               network->count);
    }
    for (size_t i = 0; i < network->count; i++) {
        net->referrals[i] = network->referrals[i];
        there[network->referrals[i].from] = there[network->referrals[i].to] = true;
        net->total += network->referrals[i].count;
    }
    if (!measure_sort(net->referrals, network->count, sizeof *net->referrals, by_from, net->pace,
                      fault)) {
        free(there);
        return false;
    }
    for (uint32_t a = 0; a < accounts; a++) {
        net->segments[a] = network->accounts[a].segment;
        if (there[a]) {
            net->nodes[net->node_count++] = a;
            net->kinds += net->from[net->segments[a]] <= 0;
            net->from[net->segments[a]] = 1;
        }
    }
    free(there);
    return true;
}

static void net_fini(struct net *net)
{
    free(net->referrals);
    free(net->nodes);
    free(net->segments);
    free(net->from);
    free(net->to);
}

/* Segments are dealt out anew over the accounts of the network. */
static bool permuted(struct net *net, double seen, double *p, struct proto_fault *fault)
{
    struct math_random random;
    uint32_t *dealt = calloc(net->node_count + 1, sizeof *dealt);
    unsigned as_much = 0;
    if (dealt == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts",
                               net->node_count);
    }
    bool good = true;
    for (size_t i = 0; good && i < net->node_count; i++) {
        dealt[i] = net->network->accounts[net->nodes[i]].segment;
    }
    math_random_init_part(&random, net->options->seed, 1);
    for (unsigned run = 0; good && run < net->options->permutations; run++) {
        double total = 0;
        math_random_shuffle(&random, dealt, net->node_count);
        for (size_t i = 0; i < net->node_count; i++) {
            net->segments[net->nodes[i]] = dealt[i];
        }
        as_much += network_r(net, NULL, &total) >= seen - 1e-12;
        good = measure_goes_on(net->pace, fault);
    }
    for (size_t i = 0; i < net->node_count; i++) {
        net->segments[net->nodes[i]] = net->network->accounts[net->nodes[i]].segment;
    }
    free(dealt);
    *p = (1.0 + as_much) / (1.0 + net->options->permutations);
    return good;
}

static void quantiles(double *values, size_t count, double ends[2])
{
    ends[0] = ends[1] = MEASURE_NAN;
    if (count > 0) {
        qsort(values, count, sizeof *values, math_ascending);
        ends[0] = math_quantile(values, count, 0.025);
        ends[1] = math_quantile(values, count, 0.975);
    }
}

/* Ends of r and of the number of referrals. */
static bool resampled(struct net *net, double r_ends[2], double total_ends[2],
                      struct proto_fault *fault)
{
    enum { RUNS = 1000 };
    struct math_random random;
    size_t kept = 0;
    double *weights = calloc(net->network->count + 1, sizeof *weights);
    double *values = calloc(2 * RUNS, sizeof *values);
    bool good = weights != NULL && values != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for resamples");
    }
    math_random_init_part(&random, net->options->seed, 2);
    for (size_t run = 0; run < RUNS && good; run++) {
        for (size_t i = 0; i < net->network->count; i++) {
            weights[i] = math_random_poisson(&random, 1);
        }
        double r = network_r(net, weights, &values[RUNS + run]);
        if (isfinite(r)) {
            values[kept++] = r;
        }
        good = measure_goes_on(net->pace, fault);
    }
    if (good) {
        quantiles(values, kept, r_ends);
        quantiles(values + RUNS, RUNS, total_ends);
    }
    free(weights);
    free(values);
    return good;
}

static bool assortativity_tell(struct net *net, double r_ends[2], struct measure_table *table,
                               struct proto_fault *fault)
{
    const struct measure_referral_options *options = net->options;
    char verdict[120] = "";
    double total = 0;
    double p = MEASURE_NAN;
    double r = network_r(net, NULL, &total);
    if (net->kinds < options->segments || net->total < options->least) {
        (void)snprintf(verdict, sizeof verdict,
                       "insufficient: %zu segments and %.0f referrals, %u and %u are needed",
                       net->kinds, net->total, options->segments, options->least);
        r = r_ends[0] = r_ends[1] = MEASURE_NAN;
    } else if (isfinite(r) && !permuted(net, r, &p, fault)) {
        return false;
    }
    measure_add_text(table, "assortativity");
    measure_add_text(table, "");
    measure_add_number(table, r);
    measure_add_number(table, r_ends[0]);
    measure_add_number(table, r_ends[1]);
    measure_add_number(table, p);
    measure_add_whole(table, (int64_t)net->total);
    measure_add_text(table, verdict);
    return true;
}

static void within_tell(struct net *net, struct measure_table *table)
{
    const struct measure_network *network = net->network;
    double *within = net->to; /* is no longer of use */
    double total = 0;
    (void)network_r(net, NULL, &total);
    memset(within, 0, network->segment_count * sizeof *within);
    for (size_t i = 0; i < network->count; i++) {
        const struct measure_referral *referral = &net->referrals[i];
        uint32_t from = net->segments[referral->from];
        within[from] += from == net->segments[referral->to] ? referral->count : 0;
    }
    for (uint32_t s = 0; s < network->segment_count; s++) {
        if (net->from[s] > 0) {
            measure_referral_rate(table, "within", network->segments[s], within[s], net->from[s],
                                  net->options->least);
        }
    }
}

bool measure_referral_table(const struct measure_network *network,
                            const struct measure_referral_options *options,
                            const struct measure_pace *pace, struct measure_table *table,
                            struct proto_fault *fault)
{
    struct net net = {.network = network, .options = options, .pace = pace};
    double r_ends[2] = {MEASURE_NAN, MEASURE_NAN};
    double total_ends[2] = {MEASURE_NAN, MEASURE_NAN};
    measure_table_init(table, MEASURE_ID_REFERRAL);
    if (network->count == 0) {
        char unknown[80] = "";
        if (network->unknown > 0) {
            (void)snprintf(unknown, sizeof unknown, "; %zu name nobody who was looked at",
                           network->unknown);
        }
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: no referral between two of the %u accounts is told, "
                               "%u are needed%s",
                               network->account_count, options->least, unknown);
    }
    bool good = net_make(&net, fault) && resampled(&net, r_ends, total_ends, fault) &&
                assortativity_tell(&net, r_ends, table, fault);
    if (good && options->outcomes) {
        double pairs = (double)net.node_count * ((double)net.node_count - 1);
        measure_referral_row(
            table, "density", "",
            (const double[]){net.total / pairs, total_ends[0] / pairs, total_ends[1] / pairs},
            (int64_t)net.total, "");
        good = measure_referral_outcomes(network, options, table, fault);
    }
    if (good && network->unknown > 0) {
        measure_referral_rate(table, "unknown", "", (double)network->unknown,
                              (double)network->unknown + net.total, 0);
    }
    if (good) {
        within_tell(&net, table);
    }
    net_fini(&net);
    return good && (measure_table_good(table) ||
                    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}
