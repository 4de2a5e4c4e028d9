/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of forecast. What rivals say of a case follows from cases that were known before it, so
 * cases that became known in one moment are predicted before any of them is learned from. */
#include <math.h>
#include <stdlib.h>

#include "server/math/sequence.h"
#include "server/math/special.h"
#include "server/verdict/verdict_table.h"

/* Cases that a rate so far begins with: so many of the rate that is drawn to. */
static const double drawn_to = 2;

static double square(double x)
{
    return x * x;
}

bool verdict_forecast_add(struct measure_table *table, const struct verdict_pair *pairs,
                          size_t count, const char *rival, const struct verdict_options *options,
                          struct proto_fault *fault)
{
    double *differences = calloc(count + 1, sizeof *differences);
    double sums[2] = {0, 0};
    double n = (double)count;
    if (differences == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
    }
    for (size_t i = 0; i < count; i++) {
        double own = square(pairs[i].p - (pairs[i].won ? 1 : 0));
        double other = square(pairs[i].rival - (pairs[i].won ? 1 : 0));
        sums[0] += own;
        sums[1] += other;
        differences[i] = other - own;
    }
    /* A difference of two squared errors lies in -1 … 1. */
    struct math_sequence mean =
        math_sequence_mean(differences, count,
                           &(struct math_sequence_options){
                               .width = 2, .best = options->best_at, .alpha = options->alpha});
    free(differences);
    bool any = count > 0;
    measure_add_text(table, options->outcome);
    measure_add_text(table, rival);
    measure_add_whole(table, (int64_t)count);
    measure_add_number(table, any ? sums[0] / n : MATH_NAN);
    measure_add_number(table, any ? sums[1] / n : MATH_NAN);
    measure_add_number(table, any ? mean.mean : MATH_NAN);
    measure_add_number(table, any ? mean.low : MATH_NAN);
    measure_add_number(table, any ? mean.high : MATH_NAN);
    measure_add_text(table, any && mean.low > 0    ? "better"
                            : any && mean.high < 0 ? "worse"
                                                   : "undecided");
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

static int by_known(const void *a, const void *b)
{
    const struct verdict_case *x = *(const struct verdict_case *const *)a;
    const struct verdict_case *y = *(const struct verdict_case *const *)b;
    int order = (x->known_ms > y->known_ms) - (x->known_ms < y->known_ms);
    order = order != 0 ? order : (x->moment_ms > y->moment_ms) - (x->moment_ms < y->moment_ms);
    return order != 0 ? order : (x->account > y->account) - (x->account < y->account);
}

/* Those of the same points so far; points are few, so they are looked for one after another. */
enum { POINTS_MOST = 64 };
struct sums {
    double n, won;
};
struct learning {
    struct sums all;
    double start; /* the rate before anything is known */
    double points[POINTS_MOST];
    struct sums of[POINTS_MOST];
    size_t count;
};

/* The sums of the points; all of them where there are too many kinds. */
static struct sums *sums_of(struct learning *learning, double points)
{
    size_t i = 0;
    while (i < learning->count && learning->points[i] != points) {
        i++;
    }
    if (i == learning->count && i < POINTS_MOST) {
        learning->points[learning->count++] = points;
    }
    return i < POINTS_MOST ? &learning->of[i] : &learning->all;
}

static double rate_so_far(const struct sums *sums, double towards)
{
    return (sums->won + drawn_to * towards) / (sums->n + drawn_to);
}

/* NAN where the rival says nothing. */
static double rival_says(struct learning *learning, const struct verdict_case *one, unsigned rival)
{
    double base = rate_so_far(&learning->all, learning->start);
    if (rival == 0) {
        return base;
    }
    if (rival == 1) {
        return one->last_p;
    }
    return isnan(one->points) != 0 ? MATH_NAN : rate_so_far(sums_of(learning, one->points), base);
}

static void learn(struct learning *learning, const struct verdict_case *one)
{
    double n = (double)one->count;
    if (isnan(one->points) == 0) {
        struct sums *of = sums_of(learning, one->points);
        if (of != &learning->all) {
            of->n += n;
            of->won += one->won ? n : 0;
        }
    }
    learning->all.n += n;
    learning->all.won += one->won ? n : 0;
}

static size_t pairs_fill(const struct verdict_case **sorted, size_t count, unsigned rival,
                         double start, struct verdict_pair *pairs)
{
    struct learning learning = {.start = start};
    size_t taken = 0;
    for (size_t from = 0, to = 0; from < count; from = to) {
        for (to = from; to < count && sorted[to]->known_ms == sorted[from]->known_ms; to++) {
            double says = rival_says(&learning, sorted[to], rival);
            if (isnan(says) == 0) {
                pairs[taken++] = (struct verdict_pair){sorted[to]->p, says, sorted[to]->won};
            }
        }
        for (size_t i = from; i < to; i++) {
            learn(&learning, sorted[i]);
        }
    }
    return taken;
}

/* The mean p of the sample, or of all where nobody was drawn; one half of nobody. */
static double start_of(const struct verdict_case *cases, size_t count)
{
    struct sums sampled = {0, 0};
    struct sums all = {0, 0};
    for (size_t i = 0; i < count; i++) {
        if (isnan(cases[i].p) == 0) {
            all.n += 1;
            all.won += cases[i].p;
            sampled.n += cases[i].sampled ? 1 : 0;
            sampled.won += cases[i].sampled ? cases[i].p : 0;
        }
    }
    return sampled.n > 0 ? sampled.won / sampled.n : all.n > 0 ? all.won / all.n : .5;
}

bool verdict_rivals_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                        const struct verdict_options *options, struct proto_fault *fault)
{
    const struct verdict_case **sorted = calloc(count + 1, sizeof *sorted);
    struct verdict_pair *pairs = calloc(count + 1, sizeof *pairs);
    bool good = sorted != NULL && pairs != NULL;
    size_t known = 0;
    if (!good) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
    }
    for (size_t i = 0; good && i < count; i++) {
        if (verdict_counts(&cases[i]) && isnan(cases[i].p) == 0) {
            sorted[known++] = &cases[i];
        }
    }
    if (good) {
        qsort((void *)sorted, known, sizeof *sorted, by_known);
    }
    for (unsigned rival = 0; good && rival < VERDICT_RIVALS; rival++) {
        size_t taken = pairs_fill(sorted, known, rival, start_of(cases, count), pairs);
        good = (taken == 0 && rival > 0) ||
               verdict_forecast_add(table, pairs, taken, verdict_rival_name(rival), options, fault);
    }
    free((void *)sorted);
    free(pairs);
    return good;
}
