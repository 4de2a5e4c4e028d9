/* SPDX-License-Identifier: Apache-2.0 */
/* Each account gives its pair for each of the forms; the ratio estimator does the rest, in two runs
 * over the accounts for all groups and forms at once. A period without a whole order and memory can
 * fail. */
#include "server/measure/retention.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"

/* Some 200 ns each. */
enum { ACCOUNTS_PER_ASKING = 4096 };

/* Error and interval of a ratio whose sums are there, by the squares of what is left. */
static void ratio_end(struct measure_ratio *ratio, double squares)
{
    if (ratio->denominator == 0 || ratio->n < 2) {
        return;
    }
    double n = (double)ratio->n;
    double mean = (double)ratio->denominator / n;
    ratio->error = sqrt(squares / (n * (n - 1) * mean * mean));
    ratio->low = ratio->value - MATH_Z_95 * ratio->error;
    ratio->high = ratio->value + MATH_Z_95 * ratio->error;
}

struct measure_ratio measure_ratio_of(const int64_t *now, const int64_t *then, size_t count)
{
    struct measure_ratio ratio = {.value = MEASURE_NAN,
                                  .error = MEASURE_NAN,
                                  .low = MEASURE_NAN,
                                  .high = MEASURE_NAN,
                                  .n = count};
    for (size_t i = 0; i < count; i++) {
        ratio.numerator += now[i];
        ratio.denominator += then[i];
    }
    if (ratio.denominator == 0) {
        return ratio;
    }
    ratio.value = (double)ratio.numerator / (double)ratio.denominator;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double rest = (double)now[i] - ratio.value * (double)then[i];
        squares += rest * rest;
    }
    ratio_end(&ratio, squares);
    return ratio;
}

/* The account's movements by the month, of the steps that were put. */
static struct measure_retained retained_of(struct measure_turns *steps, int64_t paid_ms,
                                           bool within)
{
    const int64_t *at = steps->moments->at;
    struct measure_movement moves = {0};
    struct measure_turns_walk walk = {.at = 0};
    struct measure_state before = {0, false};
    struct measure_retained one = {.paid_before = paid_ms < at[0]};
    while (measure_turns_next(steps, &walk)) {
        if (walk.at == 0) {
            one.start = walk.state.mrr;
            one.customer_start = walk.state.customer;
        } else if (walk.state.mrr != before.mrr) {
            int64_t size = 0;
            bool paid = before.mrr == 0 && paid_ms < at[walk.at - 1];
            enum measure_move move = measure_move_of(before.mrr, walk.state.mrr, paid, &size);
            moves.sum[move] += size;
        }
        before = walk.state;
    }
    one.end = before.mrr;
    one.customer_end = before.customer;
    one.won = moves.sum[MEASURE_EXPANSION] + (within ? moves.sum[MEASURE_REACTIVATION] : 0);
    one.lost = moves.sum[MEASURE_CONTRACTION] + moves.sum[MEASURE_CHURN];
    one.back = within && one.start == 0 && one.end > 0 && one.paid_before;
    return one;
}

static void logo_fill(struct measure_ratio *logo, const struct measure_movement *ends)
{
    *logo = (struct measure_ratio){.value = MEASURE_NAN,
                                   .error = MEASURE_NAN,
                                   .low = MEASURE_NAN,
                                   .high = MEASURE_NAN,
                                   .n = ends->customers_start,
                                   .numerator = ends->customers_kept,
                                   .denominator = ends->customers_start};
    if (ends->customers_start > 0) {
        double n = ends->customers_start;
        logo->value = ends->customers_kept / n;
        logo->error = sqrt(logo->value * (1 - logo->value) / n);
        math_wilson(ends->customers_kept, ends->customers_start, &logo->low, &logo->high);
    }
}

static void retention_fill(struct measure_retention *out, const struct measure_movement *ends)
{
    struct measure_ratio *const gross[] = {&out->grr_cohort, &out->grr_movement};
    for (int i = 0; i < 2; i++) {
        gross[i]->low = gross[i]->low < 0 ? 0 : gross[i]->low;
        gross[i]->high = gross[i]->high > 1 ? 1 : gross[i]->high;
    }
    logo_fill(&out->logo, ends);
    out->accounts = (uint32_t)out->grr_cohort.n;
    out->mrr_start = ends->start;
    out->mrr_end = ends->end;
    out->arpa = ends->customers_end > 0 ? (double)ends->end / ends->customers_end : MEASURE_NAN;
    out->churn_gross = 1 - out->grr_cohort.value;
    out->churn_net = 1 - out->nrr_cohort.value;
}

struct measure_retained *measure_retained_make(const struct measure_spells *spells,
                                               const struct measure_rules *rules, int64_t from_ms,
                                               int64_t to_ms, struct proto_fault *fault)
{
    bool within = measure_rules_has(rules, MEASURE_RULE_REACTIVATION, MEASURE_REACTIVATION_WITHIN);
    struct measure_moments moments;
    struct measure_turns steps;
    if (!measure_moments_make(&moments, from_ms, to_ms, 1, true, fault)) {
        return NULL;
    }
    if (!measure_turns_make(&steps, &moments, fault)) {
        measure_moments_fini(&moments);
        return NULL;
    }
    struct measure_retained *retained = calloc((size_t)spells->accounts + 1, sizeof *retained);
    bool good = retained != NULL;
    if (!good) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts", spells->accounts);
    }
    for (uint32_t a = 0; a < spells->accounts && good; a++) {
        int64_t paid_ms = MEASURE_NEVER;
        measure_turns_put(&steps, spells, a, &paid_ms);
        retained[a] = retained_of(&steps, paid_ms, within);
        good = a % ACCOUNTS_PER_ASKING != 0 || measure_goes_on(spells->pace, fault);
    }
    measure_turns_fini(&steps);
    measure_moments_fini(&moments);
    if (!good) {
        free(retained);
        return NULL;
    }
    return retained;
}

/* What the accounts of a group come to: sums, then squares of what is left of each. */
struct sums {
    struct measure_movement ends;
    uint32_t members;
    size_t n[MEASURE_FORMS];
    int64_t numerator[MEASURE_FORMS], denominator[MEASURE_FORMS];
    double value[MEASURE_FORMS];
    double squares[MEASURE_FORMS];
};

static void sums_add(struct sums *sums, const struct measure_retained *one)
{
    const struct measure_state start = {one->start, one->customer_start};
    const struct measure_state end = {one->end, one->customer_end};
    (void)measure_state_move(&start, &end, one->paid_before, &sums->ends);
    sums->members++;
    for (enum measure_form form = 0; form < MEASURE_FORMS; form++) {
        bool in = measure_retained_in(one, form);
        sums->n[form] += in;
        sums->numerator[form] += in ? measure_retained_now(one, form) : 0;
        sums->denominator[form] += in ? one->start : 0;
    }
}

static void squares_add(struct sums *sums, const struct measure_retained *one)
{
    for (enum measure_form form = 0; form < MEASURE_FORMS; form++) {
        double rest =
            (double)measure_retained_now(one, form) - sums->value[form] * (double)one->start;
        sums->squares[form] += measure_retained_in(one, form) ? rest * rest : 0;
    }
}

static void sums_join(struct sums *to, const struct sums *from)
{
    measure_movement_join(&to->ends, &from->ends);
    to->members += from->members;
    for (int form = 0; form < MEASURE_FORMS; form++) {
        to->n[form] += from->n[form];
        to->numerator[form] += from->numerator[form];
        to->denominator[form] += from->denominator[form];
    }
}

static void sums_end(const struct sums *sums, struct measure_retention *out)
{
    struct measure_ratio *const ratios[MEASURE_FORMS] = {&out->nrr_cohort, &out->grr_cohort,
                                                         &out->nrr_movement, &out->grr_movement};
    *out = (struct measure_retention){.members = sums->members};
    for (int form = 0; form < MEASURE_FORMS; form++) {
        *ratios[form] = measure_ratio_of(NULL, NULL, 0);
        ratios[form]->n = sums->n[form];
        ratios[form]->numerator = sums->numerator[form];
        ratios[form]->denominator = sums->denominator[form];
        ratios[form]->value = sums->value[form];
        ratio_end(ratios[form], sums->squares[form]);
    }
    retention_fill(out, &sums->ends);
}

/* Both runs; of the first what all come to is what the groups do. */
static bool sums_fill(const struct measure_retained *retained, const struct measure_spells *spells,
                      const uint32_t *groups, uint32_t count, struct sums *sums,
                      struct proto_fault *fault)
{
    for (uint32_t a = 0; a < spells->accounts; a++) {
        sums_add(&sums[count > 0 ? groups[a] + 1 : 0], &retained[a]);
        if (a % ACCOUNTS_PER_ASKING == 0 && !measure_goes_on(spells->pace, fault)) {
            return false;
        }
    }
    for (uint32_t g = 1; g <= count; g++) {
        sums_join(&sums[0], &sums[g]);
    }
    for (uint32_t g = 0; g <= count; g++) {
        for (int form = 0; form < MEASURE_FORMS; form++) {
            sums[g].value[form] =
                sums[g].denominator[form] != 0
                    ? (double)sums[g].numerator[form] / (double)sums[g].denominator[form]
                    : MEASURE_NAN;
        }
    }
    for (uint32_t a = 0; a < spells->accounts; a++) {
        squares_add(&sums[0], &retained[a]);
        if (count > 0) {
            squares_add(&sums[groups[a] + 1], &retained[a]);
        }
        if (a % ACCOUNTS_PER_ASKING == 0 && !measure_goes_on(spells->pace, fault)) {
            return false;
        }
    }
    return true;
}

struct measure_retention *measure_retained_sum(const struct measure_retained *retained,
                                               const struct measure_spells *spells,
                                               const uint32_t *groups, uint32_t count,
                                               struct proto_fault *fault)
{
    struct measure_retention *retention = calloc((size_t)count + 1, sizeof *retention);
    struct sums *sums = calloc((size_t)count + 1, sizeof *sums);
    bool good = retention != NULL && sums != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u groups", count);
    }
    good = good && sums_fill(retained, spells, groups, count, sums, fault);
    for (uint32_t g = 0; g <= count && good; g++) {
        sums_end(&sums[g], &retention[g]);
    }
    free(sums);
    if (!good) {
        free(retention);
        return NULL;
    }
    return retention;
}

bool measure_retention_of(const struct measure_spells *spells, const struct measure_rules *rules,
                          int64_t from_ms, int64_t to_ms, struct measure_retention *retention,
                          struct proto_fault *fault)
{
    struct measure_retained *retained = measure_retained_make(spells, rules, from_ms, to_ms, fault);
    struct measure_retention *all =
        retained != NULL ? measure_retained_sum(retained, spells, NULL, 0, fault) : NULL;
    if (all != NULL) {
        *retention = *all;
    }
    bool good = all != NULL;
    free(all);
    free(retained);
    return good;
}
