/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of promise: of each group the differences won - p in the order in which they became known.
 * The number of groups is that of the frozen list, so it cannot follow from how cases ended. */
#include <math.h>
#include <stdlib.h>

#include "server/math/sequence.h"
#include "server/math/special.h"
#include "server/verdict/verdict_table.h"

struct found {
    size_t group;
    uint64_t n, won;
    double promised;
    struct math_sequence mean;
    int wrong; /* above 0: too little was promised; below: too much */
};

static int by_known(const void *a, const void *b)
{
    const struct verdict_case *x = *(const struct verdict_case *const *)a;
    const struct verdict_case *y = *(const struct verdict_case *const *)b;
    int order = (x->known_ms > y->known_ms) - (x->known_ms < y->known_ms);
    order = order != 0 ? order : (x->moment_ms > y->moment_ms) - (x->moment_ms < y->moment_ms);
    return order != 0 ? order : (x->account > y->account) - (x->account < y->account);
}

/* Those that are wrong first, then by size; ties by number. */
static int by_weight(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    int order = (y->wrong != 0) - (x->wrong != 0);
    if (order == 0 && x->wrong != 0) {
        double gap = fabs(y->mean.mean) - fabs(x->mean.mean);
        order = (gap > 0) - (gap < 0);
    }
    order = order != 0 ? order : (y->n > x->n) - (y->n < x->n);
    return order != 0 ? order : (x->group > y->group) - (x->group < y->group);
}

static bool is_of(const struct verdict_case *one, size_t group)
{
    for (uint8_t g = 0; g < one->group_count; g++) {
        if (one->groups[g] == group) {
            return true;
        }
    }
    return false;
}

static void group_find(const struct verdict_case **sorted, size_t count, double *differences,
                       const struct math_sequence_options *options, struct found *found)
{
    double promised = 0;
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_of(sorted[i], found->group)) {
            found->won += sorted[i]->won;
            promised += sorted[i]->p;
            differences[taken++] = (sorted[i]->won ? 1 : 0) - sorted[i]->p;
        }
    }
    found->n = taken;
    if (taken > 0) {
        found->promised = promised / (double)taken;
        found->mean = math_sequence_mean(differences, taken, options);
        found->wrong = found->mean.low > 0 ? 1 : found->mean.high < 0 ? -1 : 0;
    }
}

static void row_add(struct measure_table *table, const struct verdict_group *group,
                    const char *outcome, const struct found *found)
{
    measure_add_text(table, outcome);
    measure_add_text(table, group->of);
    measure_add_text(table, group->value);
    measure_add_whole(table, (int64_t)found->n);
    measure_add_whole(table, (int64_t)found->won);
    measure_add_number(table, (double)found->won / (double)found->n);
    measure_add_number(table, found->promised);
    measure_add_number(table, found->mean.mean);
    measure_add_number(table, found->mean.low > -1 ? found->mean.low : -1);
    measure_add_number(table, found->mean.high < 1 ? found->mean.high : 1);
    measure_add_text(table, found->wrong < 0   ? "too much was promised"
                            : found->wrong > 0 ? "too little was promised"
                                               : "");
}

static size_t sorted_fill(const struct verdict_case *cases, size_t count,
                          const struct verdict_case **sorted)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (verdict_counts(&cases[i]) && isnan(cases[i].p) == 0) {
            sorted[taken++] = &cases[i];
        }
    }
    qsort((void *)sorted, taken, sizeof *sorted, by_known);
    return taken;
}

bool verdict_promise_add(struct measure_table *table, const struct verdict_case *cases,
                         size_t count, const struct verdict_group *groups, size_t group_count,
                         size_t family, const struct verdict_options *options, size_t *wrong,
                         struct proto_fault *fault)
{
    const struct verdict_case **sorted = calloc(count + 1, sizeof *sorted);
    double *differences = calloc(count + 1, sizeof *differences);
    struct found *found = calloc(group_count + 1, sizeof *found);
    bool good = sorted != NULL && differences != NULL && found != NULL;
    size_t told = 0;
    size_t known = good ? sorted_fill(cases, count, sorted) : 0;
    const struct math_sequence_options sequence = {.width = 2,
                                                   .best = options->best_at,
                                                   .alpha = options->alpha /
                                                            (family > group_count ? (double)family
                                                             : group_count > 0 ? (double)group_count
                                                                               : 1)};
    for (size_t g = 0; good && g < group_count; g++) {
        found[g].group = g;
        group_find(sorted, known, differences, &sequence, &found[g]);
        told += found[g].wrong != 0;
        good = measure_goes_on(options->pace, fault);
    }
    if (good) {
        qsort(found, group_count, sizeof *found, by_weight);
    }
    for (size_t g = 0; good && g < group_count; g++) {
        if (found[g].n > 0) {
            row_add(table, &groups[found[g].group], options->outcome, &found[g]);
        }
    }
    if (wrong != NULL) {
        *wrong = told;
    }
    bool room = sorted != NULL && differences != NULL && found != NULL && measure_table_good(table);
    free((void *)sorted);
    free(differences);
    free(found);
    return room ? good
                : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
}
