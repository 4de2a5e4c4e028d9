/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys sorted by group; each group's strata are added up and held against the rest or against
 * the period before. Too few journeys give no table but what is missing; memory can run out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/special.h"
#include "server/measure/tenth.h"
#include "server/measure/yield.h"

struct telling {
    struct measure_yields *yields;
    struct measure_table *table;
    const char *const *names;
    uint32_t *order;  /* items by group */
    uint32_t *strata; /* by item */
    size_t *first;    /* by group: its items in order; groups + 1 */
    uint32_t *rank;   /* groups in the order of the rows */
    uint32_t groups;
    size_t stratum_count;
    struct measure_side *a, *b, *all; /* by stratum */
    double z;
};

static void item_add(struct measure_side *side, const struct measure_worked *item)
{
    double touches = item->touches;
    side->n += 1;
    side->sum += touches;
    side->square += touches * touches;
    side->won += item->won;
}

static void group_sum(const struct telling *t, uint32_t group, struct measure_side *side)
{
    memset(side, 0, t->stratum_count * sizeof *side);
    for (size_t i = t->first[group]; i < t->first[group + 1]; i++) {
        uint32_t of = t->order[i];
        item_add(&side[t->strata[of]], &t->yields->items[of]);
    }
}

static struct measure_side total(const struct measure_side *side, size_t count)
{
    struct measure_side sum = {0, 0, 0, 0};
    for (size_t s = 0; s < count; s++) {
        sum.n += side[s].n;
        sum.sum += side[s].sum;
        sum.won += side[s].won;
    }
    return sum;
}

/* Up, down or alike; then how far it is known. */
static const char *verdict_of(const struct telling *t, const struct measure_held *held,
                              char text[80])
{
    double reach = t->z * held->more_error;
    double won = t->z * held->better_error;
    const char *volume = held->more - reach > 0 ? "up" : held->more + reach < 0 ? "down" : "alike";
    const char *outcome = held->better - won > 0 ? "up" : held->better + won < 0 ? "down" : "flat";
    bool flat = outcome[0] == 'f';
    bool moved = volume[0] != 'a';
    double half = held->in_proportion / 2;
    bool excluded = half > 0 ? held->better + won < half : held->better - won > half;
    if (flat && moved && !excluded) { /* false of NAN */
        outcome = "not known yet";
    }
    (void)snprintf(text, 80, "volume %s, outcome %s", volume, outcome);
    return text;
}

static void ends_add(struct measure_table *table, double value, double reach)
{
    measure_add_number(table, value);
    measure_add_number(table, value - reach);
    measure_add_number(table, value + reach);
}

static void row_add(const struct telling *t, const char *name, const char *against)
{
    struct measure_side a = total(t->a, t->stratum_count);
    struct measure_side b = total(t->b, t->stratum_count);
    struct measure_held held;
    char text[80];
    double least = t->yields->options.least;
    measure_yield_of(t->a, t->b, t->stratum_count, &held);
    bool known = a.n >= least && b.n >= least && isfinite(held.more) && isfinite(held.more_error) &&
                 isfinite(held.better_error);
    if (known) {
        (void)verdict_of(t, &held, text);
    } else {
        held =
            (struct measure_held){MEASURE_NAN, MEASURE_NAN, MEASURE_NAN, MEASURE_NAN, MEASURE_NAN};
        (void)snprintf(text, sizeof text, "insufficient: %.0f journeys of equal fit on either side",
                       fmax(least, 2));
    }
    measure_add_text(t->table, name);
    measure_add_text(t->table, against);
    measure_add_whole(t->table, (int64_t)a.n);
    measure_add_whole(t->table, (int64_t)b.n);
    measure_add_number(t->table, a.n > 0 ? a.sum / a.n : MEASURE_NAN);
    ends_add(t->table, held.more, t->z * held.more_error);
    measure_add_number(t->table, a.n > 0 ? a.won / a.n : MEASURE_NAN);
    ends_add(t->table, held.better, t->z * held.better_error);
    measure_add_number(t->table, held.in_proportion);
    measure_add_text(t->table, text);
}

static bool rows_add(struct telling *t, struct proto_fault *fault)
{
    bool chained = t->yields->options.chained;
    size_t told = 0;
    for (uint32_t g = 0; g < t->groups; g++) {
        told += t->first[g + 1] - t->first[g] >= t->yields->options.least;
    }
    t->z = math_normal_point(1 - 0.025 / fmax((double)told - chained, 1));
    for (uint32_t r = 0; r < t->groups; r++) {
        uint32_t group = t->rank[r];
        size_t count = t->first[group + 1] - t->first[group];
        if (!measure_goes_on(t->yields->pace, fault)) {
            return false;
        }
        if (count == 0 || (chained && r == 0)) {
            continue;
        }
        group_sum(t, group, t->a);
        if (chained) {
            group_sum(t, t->rank[r - 1], t->b);
        } else {
            for (size_t s = 0; s < t->stratum_count; s++) {
                t->b[s].n = t->all[s].n - t->a[s].n;
                t->b[s].sum = t->all[s].sum - t->a[s].sum;
                t->b[s].square = t->all[s].square - t->a[s].square;
                t->b[s].won = t->all[s].won - t->a[s].won;
            }
        }
        row_add(t, t->names[group], chained ? t->names[t->rank[r - 1]] : "rest");
    }
    return measure_table_good(t->table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

static int64_t key_of(const struct telling *t, uint32_t group)
{
    return t->yields->options.chained ? group : -(int64_t)(t->first[group + 1] - t->first[group]);
}

static bool ranks_make(struct telling *t)
{
    double *keys = calloc((size_t)t->groups + 1, sizeof *keys);
    for (uint32_t g = 0; g < t->groups && keys != NULL; g++) {
        keys[g] = (double)key_of(t, g);
    }
    t->rank = keys != NULL ? math_order_create(keys, t->groups) : NULL;
    free(keys);
    return t->rank != NULL;
}

/* Items by group, by counting. */
static void order_make(struct telling *t)
{
    const struct measure_yields *yields = t->yields;
    for (size_t i = 0; i < yields->count; i++) {
        t->first[yields->items[i].group + 1]++;
    }
    for (uint32_t g = 0; g < t->groups; g++) {
        t->first[g + 1] += t->first[g];
    }
    for (size_t i = 0; i < yields->count; i++) {
        t->order[t->first[yields->items[i].group]++] = (uint32_t)i;
    }
    for (uint32_t g = t->groups; g > 0; g--) { /* each stands where the next begins */
        t->first[g] = t->first[g - 1];
    }
    t->first[0] = 0;
}

static bool strata_make(struct telling *t, struct proto_fault *fault)
{
    const struct measure_yields *yields = t->yields;
    int64_t *fits = malloc((yields->count + 1) * sizeof *fits);
    t->strata = calloc(yields->count + 1, sizeof *t->strata);
    bool good = fits != NULL && t->strata != NULL;
    for (size_t i = 0; i < yields->count && good; i++) {
        fits[i] = yields->items[i].fit;
    }
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys",
                              yields->count);
    } else if (yields->options.tenths) {
        good = measure_tenths(fits, yields->count, t->strata, yields->pace, fault);
    }
    t->stratum_count = 1;
    for (size_t i = 0; i < yields->count && good; i++) {
        t->strata[i] = yields->options.tenths ? t->strata[i] : (uint32_t)fits[i];
        t->stratum_count =
            t->strata[i] >= t->stratum_count ? (size_t)t->strata[i] + 1 : t->stratum_count;
    }
    free(fits);
    return good;
}

static bool sides_make(struct telling *t)
{
    t->a = calloc(t->stratum_count, sizeof *t->a);
    t->b = calloc(t->stratum_count, sizeof *t->b);
    t->all = calloc(t->stratum_count, sizeof *t->all);
    t->order = calloc(t->yields->count + 1, sizeof *t->order);
    t->first = calloc((size_t)t->groups + 2, sizeof *t->first);
    if (t->a == NULL || t->b == NULL || t->all == NULL || t->order == NULL || t->first == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->yields->count; i++) {
        item_add(&t->all[t->strata[i]], &t->yields->items[i]);
    }
    order_make(t);
    return ranks_make(t);
}

/* At least two groups that are large enough, or one and the rest. */
static bool enough(const struct telling *t, struct proto_fault *fault)
{
    const struct measure_yields *yields = t->yields;
    size_t least = yields->options.least > 0 ? yields->options.least : 1;
    size_t large = 0;
    if (yields->count > 0 && total(t->all, t->stratum_count).sum <= 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: of %zu journeys none has a touch that was told, and "
                               "yield holds outcomes against touches",
                               yields->count);
    }
    for (uint32_t g = 0; g < t->groups; g++) {
        size_t count = t->first[g + 1] - t->first[g];
        large += count >= least && (yields->options.chained || yields->count - count >= least);
    }
    return large >= (yields->options.chained ? 2u : 1u) ||
           proto_fault_set(
               fault, PROTO_NO_EVIDENCE, "",
               "insufficient: of %zu journeys (%zu more are too young) no group has %zu "
               "to be held against as many others",
               yields->count, yields->young, least);
}

bool measure_yields_table(struct measure_yields *yields, const char *const *names, uint32_t groups,
                          struct measure_table *table, struct proto_fault *fault)
{
    struct telling t = {.yields = yields, .table = table, .names = names, .groups = groups};
    measure_table_init(table, MEASURE_ID_YIELD);
    *fault = (struct proto_fault){.code = PROTO_OK};
    bool good =
        strata_make(&t, fault) && sides_make(&t) && enough(&t, fault) && rows_add(&t, fault);
    free(t.order);
    free(t.strata);
    free(t.first);
    free(t.rank);
    free(t.a);
    free(t.b);
    free(t.all);
    if (!good && fault->code == PROTO_OK) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
    }
    return good;
}
