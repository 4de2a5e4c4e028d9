/* SPDX-License-Identifier: Apache-2.0 */
/* The distance of each group, its dealings and resamples, then Holm over the groups. A list that is
 * too small, memory and who asked can end it. */
#include "server/measure/divergence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/order.h"
#include "server/math/random.h"

struct apart {
    size_t group;
    double n, squared, low, high, by_chance, p; /* p NAN: too few */
};

struct comparing {
    const struct measure_crowd *crowd;
    const struct measure_divergence_options *options;
    const struct measure_pace *pace;
    double total;     /* accounts of the list */
    uint32_t *labels; /* segments of group and list, one for each account */
    double *drawn, *rest, *values;
};

static double sum_of(const double *counts, size_t count)
{
    double sum = 0;
    for (size_t s = 0; s < count; s++) {
        sum += counts[s];
    }
    return sum;
}

static double part_of(double p, double q)
{
    double m = (p + q) / 2;
    return (p > 0 ? p / 2 * log2(p / m) : 0) + (q > 0 ? q / 2 * log2(q / m) : 0);
}

double measure_divergence(const double *p, const double *q, size_t segments)
{
    double n = sum_of(p, segments);
    double m = sum_of(q, segments);
    double sum = 0;
    double lost = 0; /* of what was added (Neumaier 1974): segments in any order sum to the same */
    if (n <= 0 || m <= 0) {
        return MEASURE_NAN;
    }
    for (size_t s = 0; s < segments; s++) {
        double part = part_of(p[s] / n, q[s] / m);
        double more = sum + part;
        lost += fabs(sum) >= fabs(part) ? sum - more + part : part - more + sum;
        sum = more;
    }
    return fmax(sum + lost, 0);
}

static size_t labels_fill(uint32_t *labels, const double *counts, size_t segments)
{
    size_t count = 0;
    for (size_t s = 0; s < segments; s++) {
        for (double k = 0; k < counts[s]; k++) {
            labels[count++] = (uint32_t)s;
        }
    }
    return count;
}

/* Deals the accounts of both out anew: the first n are the group's. The order of labels stays one
 * of all, so the next dealing may begin where this ends. */
static double dealt(struct comparing *all, struct math_random *random, size_t n, size_t count)
{
    size_t segments = all->crowd->segments;
    memcpy(all->rest, all->values, segments * sizeof *all->rest);
    memset(all->drawn, 0, segments * sizeof *all->drawn);
    for (size_t i = 0; i < n; i++) {
        size_t at = i + (size_t)math_random_below(random, count - i);
        uint32_t label = all->labels[at];
        all->labels[at] = all->labels[i];
        all->labels[i] = label;
        all->drawn[label] += 1;
        all->rest[label] -= 1;
    }
    return measure_divergence(all->drawn, all->rest, segments);
}

static bool chance_find(struct comparing *all, struct math_random *random, const double *counts,
                        struct apart *apart, struct proto_fault *fault)
{
    const struct measure_crowd *crowd = all->crowd;
    size_t n = labels_fill(all->labels, counts, crowd->segments);
    size_t count = n + labels_fill(all->labels + n, crowd->listed, crowd->segments);
    unsigned as_far = 0;
    double sum = 0;
    for (size_t s = 0; s < crowd->segments; s++) {
        all->values[s] = counts[s] + crowd->listed[s];
    }
    for (unsigned i = 0; i < all->options->permutations; i++) {
        double squared = dealt(all, random, n, count);
        as_far += squared >= apart->squared - 1e-12;
        sum += sqrt(squared);
        if (!measure_goes_on(all->pace, fault)) {
            return false;
        }
    }
    apart->p = (1.0 + as_far) / (1.0 + all->options->permutations);
    apart->by_chance = sum / all->options->permutations;
    return true;
}

static bool ends_find(struct comparing *all, struct math_random *random, const double *counts,
                      struct apart *apart, struct proto_fault *fault)
{
    const struct measure_crowd *crowd = all->crowd;
    unsigned resamples = all->options->permutations;
    size_t n = labels_fill(all->labels, counts, crowd->segments);
    double *seen = calloc(resamples, sizeof *seen);
    bool good = seen != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u resamples", resamples);
    }
    for (unsigned i = 0; i < resamples && good; i++) {
        memset(all->drawn, 0, crowd->segments * sizeof *all->drawn);
        for (size_t k = 0; k < n; k++) {
            all->drawn[all->labels[math_random_below(random, n)]] += 1;
        }
        seen[i] = measure_divergence(all->drawn, crowd->listed, crowd->segments);
        good = measure_goes_on(all->pace, fault);
    }
    if (good) {
        qsort(seen, resamples, sizeof *seen, math_ascending);
        apart->low = fmax(2 * apart->squared - math_quantile(seen, resamples, 0.975), 0);
        apart->high = fmin(fmax(2 * apart->squared - math_quantile(seen, resamples, 0.025), 0), 1);
    }
    free(seen);
    return good;
}

static bool group_compare(struct comparing *all, struct apart *apart, struct proto_fault *fault)
{
    const struct measure_crowd *crowd = all->crowd;
    const double *counts = crowd->counts + apart->group * crowd->segments;
    struct math_random random;
    apart->squared = measure_divergence(counts, crowd->listed, crowd->segments);
    apart->p = apart->by_chance = apart->low = apart->high = MEASURE_NAN;
    if (apart->n < all->options->least) {
        return true;
    }
    math_random_init_part(&random, all->options->seed, apart->group);
    return chance_find(all, &random, counts, apart, fault) &&
           ends_find(all, &random, counts, apart, fault);
}

static int by_accounts(const void *left, const void *right)
{
    const struct apart *a = left;
    const struct apart *b = right;
    if (a->n != b->n) {
        return a->n > b->n ? -1 : 1;
    }
    return (a->group > b->group) - (a->group < b->group);
}

static int by_p(const void *left, const void *right)
{
    const struct apart *a = left;
    const struct apart *b = right;
    double x = isnan(a->p) ? 2 : a->p;
    double y = isnan(b->p) ? 2 : b->p;
    return x != y ? (x > y) - (x < y) : (a->group > b->group) - (a->group < b->group);
}

/* Holm: the k-th smallest of m, times m − k, and never below those before it. */
static void p_correct(struct apart *aparts, size_t count)
{
    size_t tested = 0;
    double least = 0;
    qsort(aparts, count, sizeof *aparts, by_p);
    while (tested < count && !isnan(aparts[tested].p)) {
        tested++;
    }
    for (size_t k = 0; k < tested; k++) {
        least = fmax(least, fmin(aparts[k].p * (double)(tested - k), 1));
        aparts[k].p = least;
    }
    qsort(aparts, count, sizeof *aparts, by_accounts);
}

static void group_add(const struct comparing *all, const struct apart *apart, const char *name,
                      struct measure_table *table)
{
    char verdict[96] = "";
    if (apart->n < all->options->least) {
        (void)snprintf(verdict, sizeof verdict, "insufficient: %.0f accounts, %u are needed",
                       apart->n, all->options->least);
    } else if (apart->p <= 0.05) {
        (void)snprintf(verdict, sizeof verdict, "works other segments than were committed");
    }
    measure_add_text(table, name);
    measure_add_text(table, "all");
    measure_add_whole(table, (int64_t)apart->n);
    measure_add_absent(table);
    measure_add_whole(table, (int64_t)all->total);
    measure_add_absent(table);
    measure_add_number(table, sqrt(apart->squared));
    measure_add_number(table, sqrt(apart->low));
    measure_add_number(table, sqrt(apart->high));
    measure_add_number(table, apart->by_chance);
    measure_add_number(table, apart->p);
    measure_add_text(table, verdict);
}

struct cell {
    size_t segment;
    double part;
};

static int by_part(const void *left, const void *right)
{
    const struct cell *a = left;
    const struct cell *b = right;
    if (a->part != b->part) {
        return a->part > b->part ? -1 : 1;
    }
    return (a->segment > b->segment) - (a->segment < b->segment);
}

/* Of each segment its share of D². */
static bool segments_add(const struct comparing *all, const struct apart *apart, const char *name,
                         const char *const *segments, struct measure_table *table)
{
    const struct measure_crowd *crowd = all->crowd;
    const double *counts = crowd->counts + apart->group * crowd->segments;
    struct cell *cells = calloc(crowd->segments + 1, sizeof *cells);
    if (cells == NULL) {
        return false;
    }
    for (size_t s = 0; s < crowd->segments; s++) {
        double part = part_of(counts[s] / apart->n, crowd->listed[s] / all->total);
        cells[s] = (struct cell){s, apart->squared > 0 ? part / apart->squared : 0};
    }
    qsort(cells, crowd->segments, sizeof *cells, by_part);
    for (size_t i = 0; i < crowd->segments && i < all->options->segments; i++) {
        size_t s = cells[i].segment;
        measure_add_text(table, name);
        measure_add_text(table, segments[s]);
        measure_add_whole(table, (int64_t)counts[s]);
        measure_add_number(table, counts[s] / apart->n);
        measure_add_whole(table, (int64_t)crowd->listed[s]);
        measure_add_number(table, crowd->listed[s] / all->total);
        measure_add_number(table, cells[i].part);
        for (int absent = 0; absent < 4; absent++) {
            measure_add_absent(table);
        }
        measure_add_text(table, "");
    }
    free(cells);
    return true;
}

static bool rows_add(const struct comparing *all, const struct apart *aparts, size_t count,
                     const char *const *groups, const char *const *segments,
                     struct measure_table *table)
{
    bool good = true;
    for (size_t g = 0; g < count && good; g++) {
        const char *name = groups[aparts[g].group];
        group_add(all, &aparts[g], name, table);
        good = aparts[g].n < all->options->least ||
               segments_add(all, &aparts[g], name, segments, table);
    }
    return good && measure_table_good(table);
}

/* Groups that have an account, those with most first. */
static size_t aparts_find(const struct measure_crowd *crowd, struct apart *aparts, size_t top)
{
    size_t count = 0;
    for (size_t g = 0; g < crowd->groups; g++) {
        double n = sum_of(crowd->counts + g * crowd->segments, crowd->segments);
        if (n > 0) {
            aparts[count++] = (struct apart){.group = g, .n = n};
        }
    }
    qsort(aparts, count, sizeof *aparts, by_accounts);
    return count < top ? count : top;
}

static bool room_make(struct comparing *all, double most, struct proto_fault *fault)
{
    size_t segments = all->crowd->segments + 1;
    all->labels = calloc((size_t)(most + all->total) + 1, sizeof *all->labels);
    all->drawn = calloc(3 * segments, sizeof *all->drawn);
    if (all->labels == NULL || all->drawn == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %.0f accounts",
                               most + all->total);
    }
    all->rest = all->drawn + segments;
    all->values = all->rest + segments;
    return true;
}

bool measure_divergence_table(const struct measure_crowd *crowd, const char *const *groups,
                              const char *const *segments,
                              const struct measure_divergence_options *options,
                              const struct measure_pace *pace, struct measure_table *table,
                              struct proto_fault *fault)
{
    struct comparing all = {.crowd = crowd, .options = options, .pace = pace};
    struct apart *aparts = calloc(crowd->groups + 1, sizeof *aparts);
    measure_table_init(table, MEASURE_ID_DIVERGENCE);
    if (aparts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for groups");
    }
    size_t count = aparts_find(crowd, aparts, options->top);
    all.total = sum_of(crowd->listed, crowd->segments);
    bool good = true;
    if (all.total < options->least || count == 0) {
        good = proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: the list has %.0f accounts and %zu groups work any; "
                               "%u accounts of each are needed",
                               all.total, count, options->least);
    }
    good = good && room_make(&all, aparts[0].n, fault);
    for (size_t g = 0; g < count && good; g++) {
        good = group_compare(&all, &aparts[g], fault);
    }
    if (good) {
        p_correct(aparts, count);
        good = rows_add(&all, aparts, count, groups, segments, table) ||
               proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
    }
    free(all.labels);
    free(all.drawn);
    free(aparts);
    return good;
}
