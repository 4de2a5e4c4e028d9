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
    if (count < 2) {
        return ratio;
    }
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double rest = (double)now[i] - ratio.value * (double)then[i];
        squares += rest * rest;
    }
    double n = (double)count;
    double mean = (double)ratio.denominator / n;
    ratio.error = sqrt(squares / (n * (n - 1) * mean * mean));
    ratio.low = ratio.value - MATH_Z_95 * ratio.error;
    ratio.high = ratio.value + MATH_Z_95 * ratio.error;
    return ratio;
}

/* Pairs (now, then) of one form. */
struct pairs {
    int64_t *now;
    int64_t *then;
    size_t count;
};

static void pair_add(struct pairs *pairs, int64_t now, int64_t then)
{
    pairs->now[pairs->count] = now;
    pairs->then[pairs->count++] = then;
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

static void retention_fill(struct measure_retention *out, const struct pairs pairs[MEASURE_FORMS],
                           const struct measure_movement *ends)
{
    struct measure_ratio *const ratios[MEASURE_FORMS] = {&out->nrr_cohort, &out->grr_cohort,
                                                         &out->nrr_movement, &out->grr_movement};
    for (int form = 0; form < MEASURE_FORMS; form++) {
        *ratios[form] = measure_ratio_of(pairs[form].now, pairs[form].then, pairs[form].count);
    }
    struct measure_ratio *const gross[] = {&out->grr_cohort, &out->grr_movement};
    for (int i = 0; i < 2; i++) {
        gross[i]->low = gross[i]->low < 0 ? 0 : gross[i]->low;
        gross[i]->high = gross[i]->high > 1 ? 1 : gross[i]->high;
    }
    logo_fill(&out->logo, ends);
    out->accounts = (uint32_t)pairs[MEASURE_GRR_COHORT].count;
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
    *retained =
        (struct measure_retained){.forms = measure_forms_of(states, moments, paid_ms, rules),
                                  .start = states[0],
                                  .end = states[moments->count - 1],
                                  .paid_before = paid_ms < moments->at[0]};
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

/* Pairs of the accounts of the group, and their movement from end to end. */
static void group_fill(const struct measure_retained *retained, uint32_t accounts,
                       const uint32_t *groups, uint32_t group, struct pairs pairs[MEASURE_FORMS],
                       struct measure_movement *ends, uint32_t *members)
{
    for (uint32_t a = 0; a < accounts; a++) {
        const struct measure_retained *one = &retained[a];
        if (groups != NULL && groups[a] != group) {
            continue;
        }
        for (int form = 0; form < MEASURE_FORMS; form++) {
            if (one->forms.in[form]) {
                pair_add(&pairs[form], one->forms.now[form], one->forms.then[form]);
            }
        }
        (void)measure_state_move(&one->start, &one->end, one->paid_before, ends);
        ++*members;
    }
}

bool measure_retained_sum(const struct measure_retained *retained, uint32_t accounts,
                          const uint32_t *groups, uint32_t group,
                          struct measure_retention *retention, struct proto_fault *fault)
{
    size_t room = 1; /* of the group, for segments can be many */
    for (uint32_t a = 0; a < accounts; a++) {
        room += groups == NULL || groups[a] == group;
    }
    int64_t *memory = calloc(room * 2 * MEASURE_FORMS, sizeof *memory);
    if (memory == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts", accounts);
    }
    struct pairs pairs[MEASURE_FORMS];
    for (size_t form = 0; form < MEASURE_FORMS; form++) {
        pairs[form] = (struct pairs){memory + 2 * form * room, memory + (2 * form + 1) * room, 0};
    }
    struct measure_movement ends = {0};
    *retention = (struct measure_retention){.accounts = 0};
    group_fill(retained, accounts, groups, group, pairs, &ends, &retention->members);
    retention_fill(retention, pairs, &ends);
    free(memory);
    return true;
}

bool measure_retention_of(const struct measure_spells *spells, const struct measure_rules *rules,
                          const uint32_t *groups, uint32_t group, int64_t from_ms, int64_t to_ms,
                          struct measure_retention *retention, struct proto_fault *fault)
{
    struct measure_retained *retained = measure_retained_make(spells, rules, from_ms, to_ms, fault);
    bool good = retained != NULL &&
                measure_retained_sum(retained, spells->accounts, groups, group, retention, fault);
    free(retained);
    return good;
}
