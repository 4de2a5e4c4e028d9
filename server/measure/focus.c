/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by group, figures of them, and the same of each resample. Too few accounts, memory and who
 * asked can end it. */
#include "server/measure/focus.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/random.h"

/* What a group comes to by one weight: accounts, and sums over them of the weight and its square.
 */
struct group {
    double n, sum, squares;
    size_t units;
};

struct sides {
    const struct measure_focus_unit *units;
    size_t count;
    size_t groups;
    bool value;       /* the weight is the amount; else each account is 1 */
    struct group *of; /* by group */
    struct group all;
};

void measure_focus_of(const double *sums, size_t count, double squares, struct measure_focus *focus)
{
    double total = 0;
    double square = 0;
    for (size_t g = 0; g < count; g++) {
        total += sums[g];
        square += sums[g] * sums[g];
    }
    double pairs = total * total - squares;
    focus->hhi = total > 0 ? square / (total * total) : MEASURE_NAN;
    focus->unbiased = total > 0 && pairs > 0 ? (square - squares) / pairs : MEASURE_NAN;
    focus->effective = total > 0 ? 1 / focus->hhi : MEASURE_NAN;
}

double measure_focus_next(double hhi, double total, double share, double deal)
{
    double after = total + deal;
    return (total * total * hhi + 2 * total * share * deal + deal * deal) / (after * after);
}

static double weight_of(const struct measure_focus_unit *unit, bool value)
{
    return value && unit->count > 0 ? unit->amount / unit->count : 1;
}

static void groups_add(struct sides *sides)
{
    for (size_t i = 0; i < sides->count; i++) {
        const struct measure_focus_unit *unit = &sides->units[i];
        double weight = weight_of(unit, sides->value);
        struct group *const both[2] = {&sides->of[unit->group], &sides->all};
        for (int b = 0; b < 2; b++) {
            both[b]->n += unit->count;
            both[b]->sum += unit->count * weight;
            both[b]->squares += unit->count * weight * weight;
            both[b]->units++;
        }
    }
}

/* Large groups by the normal law: the number of accounts drawn, and what that leaves of the sum. */
static double large_draw(const struct group *group, struct math_random *random)
{
    double first = math_random_normal(random);
    double rest = group->squares - group->sum * group->sum / group->n;
    double second = math_random_normal(random);
    double sum = group->sum + group->sum / sqrt(group->n) * first + sqrt(fmax(rest, 0)) * second;
    return fmax(sum, 0);
}

/* Sums by group of one resample; returns the squares of what was drawn. */
static double resample(const struct sides *sides, struct math_random *random, double *sums)
{
    double squares = 0;
    for (size_t g = 0; g < sides->groups; g++) {
        bool large = sides->of[g].units > MEASURE_FOCUS_DRAWN;
        sums[g] = large ? large_draw(&sides->of[g], random) : 0;
        squares += large ? sides->of[g].squares : 0;
    }
    for (size_t i = 0; i < sides->count; i++) {
        const struct measure_focus_unit *unit = &sides->units[i];
        if (sides->of[unit->group].units <= MEASURE_FOCUS_DRAWN) {
            double weight = weight_of(unit, sides->value);
            double drawn = math_random_poisson(random, unit->count) * weight;
            sums[unit->group] += drawn;
            squares += drawn * weight;
        }
    }
    return squares;
}

/* The 95 % interval of HHI. */
static bool ends_find(const struct sides *sides, const struct measure_focus_options *options,
                      const struct measure_pace *pace, double ends[2], struct proto_fault *fault)
{
    struct math_random random;
    size_t kept = 0;
    double *sums = calloc(sides->groups + 1, sizeof *sums);
    double *values = calloc((size_t)options->resamples + 1, sizeof *values);
    bool good = sums != NULL && values != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u resamples",
                              options->resamples);
    }
    math_random_init_part(&random, options->seed, sides->value);
    for (unsigned i = 0; i < options->resamples && good; i++) {
        struct measure_focus focus;
        double squares = resample(sides, &random, sums);
        measure_focus_of(sums, sides->groups, squares, &focus);
        if (isfinite(focus.unbiased)) {
            values[kept++] = fmin(fmax(focus.unbiased, 0), 1);
        }
        good = measure_goes_on(pace, fault);
    }
    if (good && kept > 0) {
        qsort(values, kept, sizeof *values, math_ascending);
    }
    ends[0] = good && kept > 0 ? math_quantile(values, kept, 0.025) : MEASURE_NAN;
    ends[1] = good && kept > 0 ? math_quantile(values, kept, 0.975) : MEASURE_NAN;
    free(sums);
    free(values);
    return good;
}

/* An amount, or nothing where amounts are not told. */
static void amount_add(struct measure_table *table, const struct sides *sides, double amount)
{
    if (sides->value) {
        measure_add_whole(table, (int64_t)llround(amount));
    } else {
        measure_add_absent(table);
    }
}

static void figure_add(struct measure_table *table, const struct sides *sides, const char *row,
                       const double figure[3])
{
    measure_add_text(table, row);
    measure_add_text(table, sides->value ? "value" : "logos");
    measure_add_absent(table);
    for (int i = 0; i < 3; i++) {
        measure_add_number(table, figure[i]);
    }
    measure_add_whole(table, (int64_t)sides->all.n);
    amount_add(table, sides, sides->all.sum);
    measure_add_absent(table);
}

/* Of logos Wilson's; of value that of a ratio over accounts. */
static void share_ends(const struct sides *sides, const struct group *group, double *low,
                       double *high)
{
    if (!sides->value) {
        math_wilson((size_t)group->n, (size_t)sides->all.n, low, high);
        return;
    }
    double share = group->sum / sides->all.sum;
    double spread = group->squares * (1 - 2 * share) + share * share * sides->all.squares;
    double error = sqrt(fmax(spread, 0)) / sides->all.sum;
    *low = fmax(share - MATH_Z_95 * error, 0);
    *high = fmin(share + MATH_Z_95 * error, 1);
}

static void group_add(struct measure_table *table, const struct sides *sides, const char *row,
                      const char *name, const struct group *group, double next)
{
    double low = MEASURE_NAN;
    double high = MEASURE_NAN;
    share_ends(sides, group, &low, &high);
    measure_add_text(table, row);
    measure_add_text(table, sides->value ? "value" : "logos");
    if (name != NULL) {
        measure_add_text(table, name);
    } else {
        measure_add_absent(table);
    }
    measure_add_number(table, group->sum / sides->all.sum);
    measure_add_number(table, low);
    measure_add_number(table, high);
    measure_add_whole(table, (int64_t)group->n);
    amount_add(table, sides, group->sum);
    measure_add_number(table, next);
}

/* Groups, those with most first, of equal ones the first that came. */
static bool groups_tell(const struct sides *sides, double hhi, const char *const *names,
                        const struct measure_focus_options *options, struct measure_table *table,
                        struct proto_fault *fault)
{
    struct group others = {.n = 0};
    size_t told = 0;
    double deal =
        !sides->value || options->deal <= 0 ? sides->all.sum / sides->all.n : options->deal;
    double *scores = calloc(sides->groups + 1, sizeof *scores);
    uint32_t *order = NULL;
    for (size_t g = 0; scores != NULL && g < sides->groups; g++) {
        scores[g] = -sides->of[g].sum;
    }
    order = scores != NULL ? math_order_create(scores, sides->groups) : NULL;
    for (size_t i = 0; order != NULL && i < sides->groups; i++) {
        const struct group *group = &sides->of[order[i]];
        if (group->n > 0 && told < options->top) {
            double share = group->sum / sides->all.sum;
            double next = measure_focus_next(hhi, sides->all.sum, share, deal) - hhi;
            group_add(table, sides, "group", names[order[i]], group, next);
            told++;
        } else {
            others.n += group->n;
            others.sum += group->sum;
            others.squares += group->squares;
        }
    }
    if (order != NULL && others.n > 0) {
        group_add(table, sides, "others", NULL, &others, MEASURE_NAN);
    }
    bool good = order != NULL;
    free(scores);
    free(order);
    return good ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups", sides->groups);
}

static bool sides_tell(struct sides *sides, const char *const *names,
                       const struct measure_focus_options *options, const struct measure_pace *pace,
                       struct measure_table *table, struct proto_fault *fault)
{
    struct measure_focus focus;
    double ends[2];
    double *sums = calloc(sides->groups + 1, sizeof *sums);
    if (sums == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups",
                               sides->groups);
    }
    groups_add(sides);
    for (size_t g = 0; g < sides->groups; g++) {
        sums[g] = sides->of[g].sum;
    }
    measure_focus_of(sums, sides->groups, sides->all.squares, &focus);
    free(sums);
    if (!(sides->all.sum > 0)) {
        return true; /* nothing is worth anything: there is nothing to share out */
    }
    if (!ends_find(sides, options, pace, ends, fault)) {
        return false;
    }
    /* fmax and fmin of an end that there is none of would be one. */
    double off = focus.unbiased - focus.hhi;
    double most = isnan(ends[0]) ? MEASURE_NAN : fmin(1 / ends[0], (double)sides->groups);
    double least = isnan(ends[0] + off) ? MEASURE_NAN : fmax(ends[0] + off, 0);
    figure_add(table, sides, "hhi", (const double[]){focus.hhi, ends[0], ends[1]});
    figure_add(table, sides, "unbiased", (const double[]){focus.unbiased, least, ends[1] + off});
    figure_add(table, sides, "effective", (const double[]){focus.effective, 1 / ends[1], most});
    return groups_tell(sides, focus.hhi, names, options, table, fault);
}

bool measure_focus_table(const struct measure_focus_unit *units, size_t count,
                         const char *const *names, size_t groups,
                         const struct measure_focus_options *options,
                         const struct measure_pace *pace, struct measure_table *table,
                         struct proto_fault *fault)
{
    double accounts = 0;
    measure_table_init(table, MEASURE_ID_FOCUS);
    for (size_t i = 0; i < count; i++) {
        accounts += units[i].count;
    }
    if (accounts < options->least || accounts < 1) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: there are %.0f accounts, %u are needed", accounts,
                               options->least);
    }
    for (int value = 0; value < (options->units_alone ? 1 : 2); value++) {
        struct sides sides = {
            .units = units, .count = count, .groups = groups, .value = value == 1};
        sides.of = calloc(groups + 1, sizeof *sides.of);
        bool good = sides.of != NULL ? sides_tell(&sides, names, options, pace, table, fault)
                                     : proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                                       "no memory for %zu groups", groups);
        free(sides.of);
        if (!good) {
            return false;
        }
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
