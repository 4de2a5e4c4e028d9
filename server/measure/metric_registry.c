/* SPDX-License-Identifier: Apache-2.0 */
/* Each metric account by account, from the same spells; churn by whatever the rules take as
 * evidence. What the rules cannot measure fails as in spell.h. */
#include "server/measure/metric_registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/measure/retention.h"

/* Metrics of retention are the forms, in their order. */
#define SAME(FORM)                                                                                 \
    static_assert(                                                                                 \
        (int)MEASURE_METRIC_##FORM - (int)MEASURE_METRIC_NRR_COHORT == (int)MEASURE_##FORM, #FORM)
SAME(NRR_COHORT);
SAME(GRR_COHORT);
SAME(NRR_MOVEMENT);
SAME(GRR_MOVEMENT);
#undef SAME

static const struct measure_metric_info infos[MEASURE_METRICS] = {
#define K(METRIC, name, kind, help) {name, MEASURE_METRIC_##kind, help},
#include "server/measure/measure_metric.def"
#undef K
};

const struct measure_metric_info *measure_metric_info(enum measure_metric metric)
{
    return &infos[metric];
}

enum measure_metric measure_metric_find(const char *name)
{
    int metric = 0;
    while (metric < MEASURE_METRICS && strcmp(infos[metric].name, name) != 0) {
        metric++;
    }
    return (enum measure_metric)metric;
}

double measure_metric_value(enum measure_metric metric, int64_t numerator, int64_t denominator)
{
    if (infos[metric].kind != MEASURE_METRIC_RATIO) {
        return (double)numerator;
    }
    return denominator != 0 ? (double)numerator / (double)denominator : MEASURE_NAN;
}

static bool within(const struct measure_company *company, int64_t at_ms)
{
    return company->from_ms <= at_ms && at_ms < company->to_ms;
}

/* Moments at which an account's last spell with MRR ended, each once. */
static int64_t zeros_of(const struct measure_company *company, const struct measure_spells *spells,
                        uint32_t account)
{
    int64_t count = 0;
    int64_t end = INT64_MIN; /* of those that came before */
    for (size_t i = spells->first[account]; i < spells->first[account + 1]; i++) {
        const struct measure_spell *spell = &spells->items[i];
        if (spell->minor > 0) {
            count += spell->from_ms > end && end != INT64_MIN && within(company, end);
            end = spell->to_ms > end ? spell->to_ms : end;
        }
    }
    return count + (end != INT64_MIN && within(company, end));
}

static void ends_count(const struct measure_company *company, const struct measure_rules *rules,
                       int64_t *numerator)
{
    bool trials = measure_rules_has(rules, MEASURE_RULE_TRIALS, MEASURE_TRIALS_COUNTED);
    bool free_too = measure_rules_has(rules, MEASURE_RULE_FREE, MEASURE_FREE_ACTIVE);
    bool once = measure_rules_has(rules, MEASURE_RULE_ONE_OFF, MEASURE_ONE_OFF_COUNTED);
    for (size_t i = 0; i < company->count; i++) {
        const struct measure_subscription *s = &company->subscriptions[i];
        bool counts = (trials || !s->trial) && (once || !s->one_off) && (free_too || s->amount > 0);
        numerator[s->account] += counts && within(company, measure_subscription_end(s, rules));
    }
}

static void churn_count(const struct measure_company *company, const struct measure_spells *spells,
                        const struct measure_rules *rules, int64_t *numerator)
{
    switch ((enum measure_choice)rules->choice[MEASURE_RULE_CHURN_EVIDENCE]) {
    case MEASURE_CHURN_EVIDENCE_SUBSCRIPTION_END:
        ends_count(company, rules, numerator);
        break;
    case MEASURE_CHURN_EVIDENCE_FLAG:
        for (uint32_t a = 0; a < company->accounts && company->flagged != NULL; a++) {
            numerator[a] = company->flagged[a];
        }
        break;
    case MEASURE_CHURN_EVIDENCE_EVENT:
        for (size_t i = 0; i < company->churned_count; i++) {
            numerator[company->churned[i]] += within(company, company->churned_ms[i]);
        }
        break;
    default:
        for (uint32_t a = 0; a < company->accounts; a++) {
            numerator[a] = zeros_of(company, spells, a);
        }
    }
    bool once = measure_rules_has(rules, MEASURE_RULE_CHURN_UNIT, MEASURE_CHURN_UNIT_ACCOUNT);
    for (uint32_t a = 0; a < company->accounts && once; a++) {
        numerator[a] = numerator[a] > 0;
    }
}

static void logos(const struct measure_company *company, const struct measure_spells *spells,
                  int64_t *numerator, int64_t *denominator)
{
    for (uint32_t a = 0; a < company->accounts; a++) {
        struct measure_movement ends = {0};
        (void)measure_movement_add(spells, a, company->from_ms, company->to_ms, &ends);
        numerator[a] = ends.customers_kept;
        denominator[a] = ends.customers_start;
    }
}

static bool forms(const struct measure_company *company, const struct measure_spells *spells,
                  const struct measure_rules *rules, enum measure_form form, int64_t *numerator,
                  int64_t *denominator, struct proto_fault *fault)
{
    struct measure_retained *retained =
        measure_retained_make(spells, rules, company->from_ms, company->to_ms, fault);
    for (uint32_t a = 0; a < company->accounts && retained != NULL; a++) {
        bool in = measure_retained_in(&retained[a], form);
        numerator[a] = in ? measure_retained_now(&retained[a], form) : 0;
        denominator[a] = in ? retained[a].start : 0;
    }
    bool good = retained != NULL;
    free(retained);
    return good;
}

bool measure_metric_accounts(const struct measure_company *company, enum measure_metric metric,
                             const struct measure_rules *rules, int64_t *numerator,
                             int64_t *denominator, struct proto_fault *fault)
{
    struct measure_spells spells;
    bool good = true;
    if (company->to_ms <= company->from_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "to", "a period ends after it starts");
    }
    if (!measure_goes_on(company->pace, fault) ||
        !measure_spells_make(company->subscriptions, company->count, company->accounts, rules,
                             &spells, fault)) {
        return false;
    }
    memset(numerator, 0, company->accounts * sizeof *numerator);
    memset(denominator, 0, company->accounts * sizeof *denominator);
    switch (metric) {
    case MEASURE_METRIC_MRR:
        for (uint32_t a = 0; a < company->accounts; a++) {
            numerator[a] = measure_account_at(&spells, a, company->to_ms, NULL);
        }
        break;
    case MEASURE_METRIC_LOGO_RETENTION:
        logos(company, &spells, numerator, denominator);
        break;
    case MEASURE_METRIC_CHURN_COUNT:
        churn_count(company, &spells, rules, numerator);
        break;
    default:
        good =
            forms(company, &spells, rules, (enum measure_form)(metric - MEASURE_METRIC_NRR_COHORT),
                  numerator, denominator, fault);
    }
    measure_spells_fini(&spells);
    return good;
}
