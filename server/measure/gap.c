/* SPDX-License-Identifier: Apache-2.0 */
/* The gap is parted once over the counts and once for each resample of them. Groups that are too
 * small, memory and who asked can end it. */
#include "server/measure/gap.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/random.h"

static void totals_of(const struct measure_stratum *strata, size_t count, double n[2],
                      double won[2])
{
    n[0] = n[1] = won[0] = won[1] = 0;
    for (size_t s = 0; s < count; s++) {
        for (int g = 0; g < 2; g++) {
            n[g] += strata[s].n[g];
            won[g] += strata[s].won[g];
        }
    }
}

/* Rounded each for itself; what is over goes to the part that is furthest from its rounding. */
static void millionths_of(struct measure_gap *gap)
{
    int64_t sum = 0;
    for (int p = 0; p < MEASURE_PARTS; p++) {
        gap->millionths[p] = llround(gap->part[p] * MEASURE_MILLION);
        sum += p != MEASURE_PART_GAP ? gap->millionths[p] : 0;
    }
    while (sum != gap->millionths[MEASURE_PART_GAP]) {
        int step = sum < gap->millionths[MEASURE_PART_GAP] ? 1 : -1;
        int best = MEASURE_PART_FOLLOW_UP;
        double most = -1;
        for (int p = MEASURE_PART_FOLLOW_UP; p < MEASURE_PARTS; p++) {
            double over = step * (gap->part[p] * MEASURE_MILLION - (double)gap->millionths[p]);
            if (gap->part[p] != 0 && over > most) {
                most = over;
                best = p;
            }
        }
        gap->millionths[best] += step;
        sum += step;
    }
}

void measure_gap_of(const struct measure_stratum *strata, size_t count, struct measure_gap *gap)
{
    double n[2];
    double won[2];
    totals_of(strata, count, n, won);
    *gap = (struct measure_gap){.part = {0}};
    if (n[0] <= 0 || n[1] <= 0) {
        for (int p = 0; p < MEASURE_PARTS; p++) {
            gap->part[p] = MEASURE_NAN;
        }
        return;
    }
    for (size_t s = 0; s < count; s++) {
        const struct measure_stratum *at = &strata[s];
        if (at->n[0] > 0 && at->n[1] > 0) {
            double share[2] = {at->n[0] / n[0], at->n[1] / n[1]};
            double rate[2] = {at->won[0] / at->n[0], at->won[1] / at->n[1]};
            gap->part[MEASURE_PART_FOLLOW_UP] += (share[0] + share[1]) / 2 * (rate[0] - rate[1]);
            gap->part[MEASURE_PART_MIX] += (rate[0] + rate[1]) / 2 * (share[0] - share[1]);
        } else {
            gap->part[MEASURE_PART_REST] += at->won[0] / n[0] - at->won[1] / n[1];
        }
    }
    gap->part[MEASURE_PART_GAP] = won[0] / n[0] - won[1] / n[1];
    millionths_of(gap);
}

static void resample(const struct measure_stratum *strata, size_t count, struct math_random *random,
                     struct measure_stratum *drawn)
{
    for (size_t s = 0; s < count; s++) {
        for (int g = 0; g < 2; g++) {
            double rest = strata[s].n[g] - strata[s].won[g];
            drawn[s].won[g] = math_random_poisson(random, strata[s].won[g]);
            drawn[s].n[g] = drawn[s].won[g] + math_random_poisson(random, rest);
        }
    }
}

/* Ends of the 95 % intervals of the parts. */
static bool ends_find(const struct measure_stratum *strata, size_t count,
                      const struct measure_gap_options *options, const struct measure_pace *pace,
                      double ends[MEASURE_PARTS][2], struct proto_fault *fault)
{
    struct math_random random;
    size_t kept = 0;
    struct measure_stratum *drawn = calloc(count + 1, sizeof *drawn);
    double *values = calloc((size_t)options->resamples * MEASURE_PARTS + 1, sizeof *values);
    bool good = drawn != NULL && values != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u resamples",
                              options->resamples);
    }
    math_random_init(&random, options->seed);
    for (unsigned i = 0; i < options->resamples && good; i++) {
        struct measure_gap gap;
        resample(strata, count, &random, drawn);
        measure_gap_of(drawn, count, &gap);
        for (size_t p = 0; p < MEASURE_PARTS && !isnan(gap.part[0]); p++) {
            values[p * options->resamples + kept] = gap.part[p];
        }
        kept += isnan(gap.part[0]) ? 0 : 1;
        good = measure_goes_on(pace, fault);
    }
    for (size_t p = 0; p < MEASURE_PARTS && good; p++) {
        double *of = values + p * options->resamples;
        qsort(of, kept, sizeof *of, math_ascending);
        ends[p][0] = kept > 0 ? math_quantile(of, kept, 0.025) : MEASURE_NAN;
        ends[p][1] = kept > 0 ? math_quantile(of, kept, 0.975) : MEASURE_NAN;
    }
    free(drawn);
    free(values);
    return good;
}

static double ratio(double part, double n)
{
    return n > 0 ? part / n : MEASURE_NAN;
}

static void sides_add(struct measure_table *table, const double n[2], const double won[2])
{
    for (int g = 0; g < 2; g++) {
        measure_add_whole(table, (int64_t)n[g]);
        measure_add_number(table, ratio(won[g], n[g]));
    }
}

static void strata_add(struct measure_table *table, const struct measure_stratum *strata,
                       const char *const *names, size_t count, const double n[2])
{
    for (size_t s = 0; s < count; s++) {
        const struct measure_stratum *at = &strata[s];
        bool both = at->n[0] > 0 && at->n[1] > 0;
        if (at->n[0] + at->n[1] <= 0) {
            continue;
        }
        double weight = (at->n[0] / n[0] + at->n[1] / n[1]) / 2;
        double off = ratio(at->won[0], at->n[0]) - ratio(at->won[1], at->n[1]);
        measure_add_text(table, both ? "stratum" : "not comparable");
        measure_add_text(table, names[s]);
        measure_add_number(table, both ? weight * off : at->won[0] / n[0] - at->won[1] / n[1]);
        measure_add_absent(table);
        measure_add_absent(table);
        measure_add_absent(table);
        sides_add(table, at->n, at->won);
    }
}

bool measure_gap_table(const struct measure_stratum *strata, const char *const *names, size_t count,
                       const struct measure_gap_options *options, const struct measure_pace *pace,
                       struct measure_table *table, struct proto_fault *fault)
{
    static const char *const parts[MEASURE_PARTS] = {"gap", "follow-up", "mix", "not comparable"};
    double ends[MEASURE_PARTS][2] = {{0}};
    double n[2];
    double won[2];
    struct measure_gap gap;
    measure_table_init(table, MEASURE_ID_GAP);
    totals_of(strata, count, n, won);
    if (n[0] < options->least || n[1] < options->least || n[0] < 1 || n[1] < 1) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: a has %.0f cases and b %.0f; %u are needed in each",
                               n[0], n[1], options->least);
    }
    measure_gap_of(strata, count, &gap);
    if (!ends_find(strata, count, options, pace, ends, fault)) {
        return false;
    }
    for (int p = 0; p < MEASURE_PARTS; p++) {
        measure_add_text(table, parts[p]);
        measure_add_text(table, "");
        measure_add_number(table, gap.part[p]);
        measure_add_number(table, ends[p][0]);
        measure_add_number(table, ends[p][1]);
        measure_add_whole(table, gap.millionths[p]);
        sides_add(table, n, won);
    }
    strata_add(table, strata, names, count, n);
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
