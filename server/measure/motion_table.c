/* SPDX-License-Identifier: Apache-2.0 */
/* Sums as figures, one row each. Too few journeys give no table but what is missing; what a
 * denominator does not allow is refused in its own row. Memory can run out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/special.h"
#include "server/measure/long_sort.h"
#include "server/measure/motion.h"

struct telling {
    const struct measure_motions *motions;
    struct measure_table *table;
    double units;
    double z; /* of drain, for all groups at once */
    bool revenue;
};

static void row_add(const struct telling *t, const char *motion, const char *figure, double value,
                    const double ends[2], size_t n, const char *verdict)
{
    measure_add_text(t->table, motion);
    measure_add_text(t->table, figure);
    measure_add_number(t->table, value);
    measure_add_number(t->table, ends != NULL ? ends[0] : MEASURE_NAN);
    measure_add_number(t->table, ends != NULL ? ends[1] : MEASURE_NAN);
    measure_add_whole(t->table, (int64_t)n);
    measure_add_text(t->table, verdict);
}

static void share_add(const struct telling *t, const char *motion, const char *figure, size_t part,
                      size_t n)
{
    double ends[2] = {MEASURE_NAN, MEASURE_NAN};
    if (n > 0) {
        math_wilson(part, n, &ends[0], &ends[1]);
    }
    row_add(t, motion, figure, n > 0 ? (double)part / (double)n : MEASURE_NAN, ends, n,
            n > 0 ? "" : "insufficient: no journey of it is old enough");
}

/* Cycles are sorted. */
static void cycle_add(const struct telling *t, const char *motion, const struct measure_motion *at)
{
    double median[3];
    if (at->cycle_count == 0) {
        row_add(t, motion, "cycle", MEASURE_NAN, NULL, 0, "insufficient: none was won");
        return;
    }
    math_median(at->cycles, at->cycle_count, median);
    row_add(t, motion, "cycle", median[0], &median[1], at->cycle_count,
            isfinite(median[1]) ? "" : "insufficient: eight are needed for an interval");
}

/* Σ x / Σ y over accounts, by the sums of squares and products; scale is of the figure. */
struct ratio {
    const char *figure, *of; /* what stands below */
    double x, y, xx, xy, yy, scale;
    size_t n;
};

static void ratio_add(const struct telling *t, const char *motion, const struct ratio *ratio)
{
    double n = (double)t->motions->accounts;
    char text[120] = "";
    double ends[2] = {MEASURE_NAN, MEASURE_NAN};
    if (!(ratio->y > 0)) {
        (void)snprintf(text, sizeof text, "refused: %s is not positive", ratio->of);
        row_add(t, motion, ratio->figure, MEASURE_NAN, ends, ratio->n, text);
        return;
    }
    double value = ratio->x / ratio->y;
    double more = n > 1 ? n / (n - 1) : MEASURE_NAN;
    double spread = ratio->xx - 2 * value * ratio->xy + value * value * ratio->yy;
    double below = ratio->y - MATH_Z_95 * sqrt(fmax(ratio->yy - ratio->y * ratio->y / n, 0) * more);
    if (below > 0) {
        double error = sqrt(fmax(spread, 0) * more) / ratio->y;
        ends[0] = fmax(value - MATH_Z_95 * error, 0) * ratio->scale;
        ends[1] = (value + MATH_Z_95 * error) * ratio->scale;
    } else {
        (void)snprintf(text, sizeof text, "insufficient: %s is not sure to be positive", ratio->of);
    }
    row_add(t, motion, ratio->figure, value * ratio->scale, ends, ratio->n, text);
}

static void money_add(const struct telling *t, const char *motion, const struct measure_motion *at)
{
    double spend = (double)at->spend;
    double margin = t->motions->options.margin;
    double arr = 12 * ((double)at->mrr_to - (double)at->mrr_from);
    const struct ratio cac = {"cac",        "the number of new customers",
                              spend,        (double)at->customers,
                              at->ss,       at->sc,
                              at->cc,       1 / t->units,
                              at->customers};
    const struct ratio payback = {"payback",
                                  "new revenue times margin",
                                  spend,
                                  (double)at->fresh_mrr * margin,
                                  at->ss,
                                  at->sr * margin,
                                  at->rr * margin * margin,
                                  1,
                                  at->fresh};
    const struct ratio efficiency = {
        "efficiency", "net new revenue", spend, arr, at->ss, at->sa, at->aa, 1, at->fresh};
    row_add(t, motion, "spend", spend / t->units, NULL, at->spends, "");
    ratio_add(t, motion, &cac);
    if (t->revenue) {
        row_add(t, motion, "net new revenue", arr / t->units, NULL, at->fresh, "");
        ratio_add(t, motion, &payback);
        ratio_add(t, motion, &efficiency);
    }
}

/* Share of spend less share of value: each account moves it by e = (s − pS)/ΣS − (v − qV)/ΣV, so
 * Σe² is a quadratic form of the sums of products. */
static void drain_add(const struct telling *t, const char *motion, const struct measure_motion *at)
{
    const struct measure_motion *all = &t->motions->all;
    double n = (double)t->motions->accounts;
    double spend = (double)all->spend;
    if (!(spend > 0) || !(all->value > 0)) {
        row_add(t, motion, "drain", MEASURE_NAN, NULL, t->motions->accounts,
                spend > 0 ? "refused: no outcome of the period has a value; weigh by count"
                          : "refused: the spend of the period is 0");
        return;
    }
    double p = (double)at->spend / spend;
    double q = at->value / all->value;
    double ss = (at->ss - 2 * p * at->sS + p * p * all->ss) / (spend * spend);
    double vv = (at->vv - 2 * q * at->vV + q * q * all->vv) / (all->value * all->value);
    double sv = (at->sv - q * at->sV - p * at->vS + p * q * all->sv) / (spend * all->value);
    double error = n > 1 ? sqrt(fmax(ss + vv - 2 * sv, 0) * n / (n - 1)) : MEASURE_NAN;
    const double ends[2] = {p - q - t->z * error, p - q + t->z * error};
    bool known = t->motions->accounts >= t->motions->options.least;
    row_add(t, motion, "drain", p - q, known ? ends : NULL, t->motions->accounts,
            !known        ? "insufficient: too few accounts with spend or value"
            : ends[0] > 0 ? "drains"
                          : "");
}

static bool group_add(const struct telling *t, const char *motion, const struct measure_motion *at,
                      bool whole, struct proto_fault *fault)
{
    const struct measure_motion *all = &t->motions->all;
    if (!measure_sort(at->cycles, at->cycle_count, sizeof *at->cycles, math_ascending,
                      t->motions->pace, fault)) {
        return false;
    }
    share_add(t, motion, "share", at->journeys, all->journeys);
    share_add(t, motion, "conversion", at->mature_won, at->mature);
    cycle_add(t, motion, at);
    if (all->spends == 0) {
        if (whole) {
            row_add(t, motion, "spend", MEASURE_NAN, NULL, 0,
                    "no spend is told of the period: cac, payback, efficiency and drain need it");
        }
        return true;
    }
    money_add(t, motion, at);
    if (!whole) {
        drain_add(t, motion, at);
    }
    return true;
}

/* There is something to tell of it, if only the revenue that it lost. */
static bool is_told(const struct measure_motion *at)
{
    return at->journeys > 0 || at->spends > 0 || at->value > 0 || at->mrr_from != 0 ||
           at->mrr_to != 0;
}

static bool groups_add(struct telling *t, const char *const *names, struct proto_fault *fault)
{
    const struct measure_motions *motions = t->motions;
    double *keys = calloc((size_t)motions->count + 1, sizeof *keys);
    uint32_t told = 0;
    for (uint32_t g = 0; g < motions->count && keys != NULL; g++) {
        const struct measure_motion *at = &motions->items[g];
        keys[g] = -(double)at->journeys;
        told += is_told(at);
        t->revenue = t->revenue || at->mrr_from != 0 || at->mrr_to != 0;
    }
    uint32_t *order = keys != NULL ? math_order_create(keys, motions->count) : NULL;
    t->z = math_normal_point(1 - 0.025 / fmax(told, 1));
    bool good = order != NULL || proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                                 "no memory for %u groups", motions->count);
    good = good && group_add(t, "(all)", &motions->all, true, fault);
    for (uint32_t i = 0; order != NULL && i < motions->count && good; i++) {
        const struct measure_motion *at = &motions->items[order[i]];
        good = measure_goes_on(motions->pace, fault) &&
               (!is_told(at) || group_add(t, names[order[i]], at, false, fault));
    }
    free(order);
    free(keys);
    return good && (measure_table_good(t->table) ||
                    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}

bool measure_motions_table(struct measure_motions *motions, const char *const *names, double units,
                           struct measure_table *table, struct proto_fault *fault)
{
    struct telling t = {.motions = motions, .table = table, .units = units};
    measure_table_init(table, MEASURE_ID_MOTIONS);
    if (motions->all.journeys < motions->options.least) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %zu journeys were created in the period, %u are "
                               "needed",
                               motions->all.journeys, motions->options.least);
    }
    return groups_add(&t, names, fault);
}
