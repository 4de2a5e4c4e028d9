/* SPDX-License-Identifier: Apache-2.0 */
/* Each account gives its pair for each of the forms; the ratio estimator does the rest. A period
 * without a whole order and memory can fail. */
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

struct measure_forms measure_forms_of(const struct measure_state *states,
                                      const struct measure_moments *moments, int64_t paid_ms,
                                      const struct measure_rules *rules)
{
    bool within = measure_rules_has(rules, MEASURE_RULE_REACTIVATION, MEASURE_REACTIVATION_WITHIN);
    int64_t a = states[0].mrr;
    int64_t b = states[moments->count - 1].mrr;
    bool back = within && a == 0 && b > 0 && paid_ms < moments->at[0];
    struct measure_movement moves = {0};
    for (size_t i = 0; i + 1 < moments->count; i++) {
        if (states[i].mrr != states[i + 1].mrr) { /* else nothing moved, as in most months */
            (void)measure_state_move(&states[i], &states[i + 1], paid_ms < moments->at[i], &moves);
        }
    }
    int64_t lost = moves.sum[MEASURE_CONTRACTION] + moves.sum[MEASURE_CHURN];
    int64_t won = moves.sum[MEASURE_EXPANSION] + (within ? moves.sum[MEASURE_REACTIVATION] : 0);
    bool moved = a > 0 || won != 0 || lost != 0;
    return (struct measure_forms){
        .now = {a > 0 || back ? b : 0, a < b ? a : b, a + won - lost, a - lost},
        .then = {a, a, a, a},
        .in = {a > 0 || back, a > 0, moved, moved}};
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

/* Sums of the four forms, then what is left of each account: two runs over them for all forms. */
static void ratios_fill(const struct measure_retained *retained, const uint32_t *members,
                        size_t count, struct measure_ratio *const ratios[MEASURE_FORMS])
{
    double squares[MEASURE_FORMS] = {0};
    for (int form = 0; form < MEASURE_FORMS; form++) {
        *ratios[form] = measure_ratio_of(NULL, NULL, 0);
    }
    for (size_t i = 0; i < count; i++) {
        const struct measure_retained *one = &retained[members != NULL ? members[i] : i];
        for (int form = 0; form < MEASURE_FORMS; form++) {
            ratios[form]->numerator += one->in[form] ? one->now[form] : 0;
            ratios[form]->denominator += one->in[form] ? one->start.mrr : 0;
            ratios[form]->n += one->in[form];
        }
    }
    for (int form = 0; form < MEASURE_FORMS; form++) {
        struct measure_ratio *ratio = ratios[form];
        ratio->value = ratio->denominator != 0
                           ? (double)ratio->numerator / (double)ratio->denominator
                           : MEASURE_NAN;
    }
    for (size_t i = 0; i < count; i++) {
        const struct measure_retained *one = &retained[members != NULL ? members[i] : i];
        for (int form = 0; form < MEASURE_FORMS; form++) {
            double rest = (double)one->now[form] - ratios[form]->value * (double)one->start.mrr;
            squares[form] += one->in[form] ? rest * rest : 0;
        }
    }
    for (int form = 0; form < MEASURE_FORMS; form++) {
        ratio_end(ratios[form], squares[form]);
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

static void retained_fill(const struct measure_spells *spells, const struct measure_rules *rules,
                          uint32_t account, const struct measure_moments *moments,
                          struct measure_state *states, struct measure_retained *retained)
{
    int64_t paid_ms = MEASURE_NEVER;
    measure_states_of(spells, account, moments, states, &paid_ms);
    const struct measure_forms forms = measure_forms_of(states, moments, paid_ms, rules);
    *retained = (struct measure_retained){.start = states[0],
                                          .end = states[moments->count - 1],
                                          .paid_before = paid_ms < moments->at[0]};
    memcpy(retained->now, forms.now, sizeof retained->now);
    memcpy(retained->in, forms.in, sizeof retained->in);
}

struct measure_retained *measure_retained_make(const struct measure_spells *spells,
                                               const struct measure_rules *rules, int64_t from_ms,
                                               int64_t to_ms, struct proto_fault *fault)
{
    struct measure_moments moments;
    if (!measure_moments_make(&moments, from_ms, to_ms, 1, true, fault)) {
        return NULL;
    }
    struct measure_retained *retained = calloc((size_t)spells->accounts + 1, sizeof *retained);
    struct measure_state *states = calloc(moments.count, sizeof *states);
    bool good = retained != NULL && states != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                              spells->accounts);
    }
    for (uint32_t a = 0; a < spells->accounts && good; a++) {
        good = a % ACCOUNTS_PER_ASKING != 0 || measure_goes_on(spells->pace, fault);
        if (good) {
            retained_fill(spells, rules, a, &moments, states, &retained[a]);
        }
    }
    free(states);
    measure_moments_fini(&moments);
    if (!good) {
        free(retained);
        return NULL;
    }
    return retained;
}

void measure_retained_sum(const struct measure_retained *retained, const uint32_t *members,
                          size_t count, struct measure_retention *retention)
{
    struct measure_movement ends = {0};
    *retention = (struct measure_retention){.members = (uint32_t)count};
    struct measure_ratio *const ratios[MEASURE_FORMS] = {
        &retention->nrr_cohort, &retention->grr_cohort, &retention->nrr_movement,
        &retention->grr_movement};
    for (size_t i = 0; i < count; i++) {
        const struct measure_retained *one = &retained[members != NULL ? members[i] : i];
        (void)measure_state_move(&one->start, &one->end, one->paid_before, &ends);
    }
    ratios_fill(retained, members, count, ratios);
    retention_fill(retention, &ends);
}

bool measure_retention_of(const struct measure_spells *spells, const struct measure_rules *rules,
                          const uint32_t *groups, uint32_t group, int64_t from_ms, int64_t to_ms,
                          struct measure_retention *retention, struct proto_fault *fault)
{
    struct measure_retained *retained = measure_retained_make(spells, rules, from_ms, to_ms, fault);
    uint32_t *members = calloc((size_t)spells->accounts + 1, sizeof *members);
    bool good = retained != NULL && members != NULL;
    if (retained != NULL && members == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                              spells->accounts);
    }
    size_t count = 0;
    for (uint32_t a = 0; a < spells->accounts && good; a++) {
        members[count] = a;
        count += groups == NULL || groups[a] == group;
    }
    if (good) {
        measure_retained_sum(retained, members, count, retention);
    }
    free(members);
    free(retained);
    return good;
}
