/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts are counted by stratum and by whether they were referred. Memory can run out; what rests
 * on too few accounts says so. */
#include "server/measure/referral_outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"

void measure_referral_row(struct measure_table *table, const char *figure, const char *of,
                          const double value[3], int64_t n, const char *verdict)
{
    measure_add_text(table, figure);
    measure_add_text(table, of);
    for (int i = 0; i < 3; i++) {
        measure_add_number(table, value[i]);
    }
    measure_add_number(table, MEASURE_NAN);
    measure_add_whole(table, n);
    measure_add_text(table, verdict);
}

static const char *insufficient(char text[64], unsigned least)
{
    (void)snprintf(text, 64, "insufficient: %u are needed", least);
    return text;
}

void measure_referral_rate(struct measure_table *table, const char *figure, const char *of,
                           double part, double n, unsigned least)
{
    char text[64];
    double value[3] = {MEASURE_NAN, MEASURE_NAN, MEASURE_NAN};
    if (n > 0) {
        value[0] = part / n;
        math_wilson((size_t)part, (size_t)n, &value[1], &value[2]);
    }
    measure_referral_row(table, figure, of, value, (int64_t)n,
                         n < least ? insufficient(text, least) : "");
}

/* n and won of the referred and of the others. */
struct stratum {
    double n[2], won[2];
};

static void reproduction_tell(const struct measure_network *network,
                              const struct measure_referral_options *options, const double *brought,
                              struct measure_table *table)
{
    char text[64];
    double n = 0;
    double sum = 0;
    double squares = 0;
    for (uint32_t a = 0; a < network->account_count; a++) {
        if (network->accounts[a].won) {
            n++;
            sum += brought[a];
            squares += brought[a] * brought[a];
        }
    }
    double mean = n > 0 ? sum / n : MEASURE_NAN;
    double error = n > 1 ? sqrt(fmax(squares - n * mean * mean, 0) / (n - 1) / n) : MEASURE_NAN;
    double low = mean - MATH_Z_95 * error;
    measure_referral_row(table, "reproduction", "",
                         (const double[]){mean, low < 0 ? 0 : low, mean + MATH_Z_95 * error},
                         (int64_t)n, n < options->least ? insufficient(text, options->least) : "");
}

/* The difference over strata that have both, and its variance. */
static void lift_tell(const struct measure_network *network, const struct stratum *strata,
                      const double n[2], const struct measure_referral_options *options,
                      struct measure_table *table)
{
    char text[64];
    double weight = 0;
    double sum = 0;
    double variance = 0;
    for (size_t s = 0; s < network->stratum_count; s++) {
        const double *of = strata[s].n;
        const double *won = strata[s].won;
        double all = of[0] + of[1];
        if (of[0] <= 0 || of[1] <= 0) {
            continue;
        }
        weight += of[0] * of[1] / all;
        sum += (won[0] * of[1] - won[1] * of[0]) / all;
        variance += (won[0] * (of[0] - won[0]) * of[1] * of[1] * of[1] +
                     won[1] * (of[1] - won[1]) * of[0] * of[0] * of[0]) /
                    (of[0] * of[1] * all * all);
    }
    double value = weight > 0 ? sum / weight : MEASURE_NAN;
    double error = weight > 0 ? sqrt(variance) / weight : MEASURE_NAN;
    bool few = n[0] < options->least || n[1] < options->least;
    measure_referral_row(
        table, "lift", "",
        (const double[]){value, value - MATH_Z_95 * error, value + MATH_Z_95 * error},
        (int64_t)(n[0] + n[1]),
        few                   ? insufficient(text, options->least)
        : weight <= 0         ? "no stratum has both"
        : network->by_segment ? "at equal segment: no ICP version is active"
                              : "");
}

bool measure_referral_outcomes(const struct measure_network *network,
                               const struct measure_referral_options *options,
                               struct measure_table *table, struct proto_fault *fault)
{
    static const char *const names[2] = {"referred", "others"};
    double n[2] = {0, 0};
    double won[2] = {0, 0};
    struct stratum *strata = calloc((size_t)network->stratum_count + 1, sizeof *strata);
    bool *referred = calloc((size_t)network->account_count + 1, sizeof *referred);
    double *brought = calloc((size_t)network->account_count + 1, sizeof *brought);
    bool good = strata != NULL && referred != NULL && brought != NULL;
    for (size_t i = 0; i < network->count && good; i++) {
        const struct measure_referral *referral = &network->referrals[i];
        const struct measure_referred *to = &network->accounts[referral->to];
        /* One who was referred by several was brought by the first of them. */
        brought[referral->from] += to->known && to->won && !referred[referral->to];
        referred[referral->to] = true;
    }
    for (uint32_t a = 0; a < network->account_count && good; a++) {
        const struct measure_referred *account = &network->accounts[a];
        int side = referred[a] ? 0 : 1;
        if (account->known) {
            n[side]++;
            won[side] += account->won;
            strata[account->stratum].n[side]++;
            strata[account->stratum].won[side] += account->won;
        }
    }
    if (good) {
        reproduction_tell(network, options, brought, table);
        for (int side = 0; side < 2; side++) {
            measure_referral_rate(table, "rate", names[side], won[side], n[side], options->least);
        }
        lift_tell(network, strata, n, options, table);
    }
    free(strata);
    free(referred);
    free(brought);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                                   network->account_count);
}
