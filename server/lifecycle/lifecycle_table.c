/* SPDX-License-Identifier: Apache-2.0 */
/* The measures that are served. What parameters cannot mean is refused before the walk, what the
 * events cannot give after it. */
#include "server/lifecycle/lifecycle_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/bridge.h"

static const char *const period_words[] = {"month", "quarter", "year"};
static const char *const cohort_words[] = {"none", "month", "quarter", "year"};

static bool mrr_read(const struct lifecycle_request *request, struct lifecycle_settings *settings,
                     struct proto_fault *fault)
{
    size_t place = 0;
    if (!lifecycle_period(request, &settings->from_ms, &settings->to_ms, fault) ||
        !lifecycle_word(request, "period", period_words, 3, &place, fault)) {
        return false;
    }
    settings->period_months = measure_period_months(period_words[place]);
    return true;
}

static bool retention_read(const struct lifecycle_request *request,
                           struct lifecycle_settings *settings, struct proto_fault *fault)
{
    return lifecycle_period(request, &settings->from_ms, &settings->to_ms, fault);
}

static bool survival_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_survival_options *options = &settings->survival;
    size_t place = 0;
    if (!lifecycle_time(request, "as-of", &options->as_of_ms, fault) ||
        !lifecycle_word(request, "cohort", cohort_words, 4, &place, fault) ||
        !lifecycle_count(request, "step", &options->step_months, fault) ||
        !lifecycle_count(request, "points", &options->points, fault) ||
        !lifecycle_count(request, "grace", &options->grace_days, fault)) {
        return false;
    }
    options->cohort_months = measure_period_months(cohort_words[place]);
    return true;
}

/* A bridge is between two definitions of one metric. */
static bool definition_fits(enum measure_metric of, enum measure_metric metric, const char *member,
                            struct proto_fault *fault)
{
    return of == MEASURE_METRICS || of == metric ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, member, "it is a definition of %s, not of %s",
                           measure_metric_info(of)->name, measure_metric_info(metric)->name);
}

/* The rule whose accounts are named; all if none is. */
static bool of_rule_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    const char *names[MEASURE_RULES + 1];
    size_t place = 0;
    for (int rule = 0; rule < MEASURE_RULES; rule++) {
        names[rule] = measure_rule_name((enum measure_rule)rule);
    }
    names[MEASURE_RULES] = "all";
    if (!lifecycle_word(request, "of-rule", names, MEASURE_RULES + 1, &place, fault)) {
        return false;
    }
    settings->of_rule = (enum measure_rule)place;
    return true;
}

/* Without the field nobody would be flagged, and a count of nobody would pass for an answer. */
static bool flag_wanted(const struct measure_rules *rules,
                        const struct lifecycle_settings *settings)
{
    return settings->metric == MEASURE_METRIC_CHURN_COUNT &&
           measure_rules_has(rules, MEASURE_RULE_CHURN_EVIDENCE, MEASURE_CHURN_EVIDENCE_FLAG);
}

static bool bridge_read(const struct lifecycle_request *request,
                        struct lifecycle_settings *settings, struct proto_fault *fault)
{
    const char *names[MEASURE_METRICS_OF_REVENUE];
    size_t place = (size_t)request->metric;
    for (int metric = 0; metric < MEASURE_METRICS_OF_REVENUE; metric++) {
        names[metric] = measure_metric_info((enum measure_metric)metric)->name;
    }
    /* A definition says of which metric it is: it need not be said again. */
    bool defined = request->metric != MEASURE_METRICS || request->against_metric != MEASURE_METRICS;
    if (request->metric == MEASURE_METRICS) {
        place = (size_t)request->against_metric;
    }
    if (!lifecycle_period(request, &settings->from_ms, &settings->to_ms, fault) ||
        ((!defined || lifecycle_given(request, "metric")) &&
         !lifecycle_word(request, "metric", names, MEASURE_METRICS_OF_REVENUE, &place, fault)) ||
        !lifecycle_count(request, "top", &settings->top, fault) ||
        !lifecycle_count(request, "skip", &settings->skip, fault) ||
        !of_rule_read(request, settings, fault)) {
        return false;
    }
    settings->metric = (enum measure_metric)place;
    if (!definition_fits(request->metric, settings->metric, "definition", fault) ||
        !definition_fits(request->against_metric, settings->metric, "against_definition", fault)) {
        return false;
    }
    if (flag_wanted(&request->rules, settings) || flag_wanted(&request->against, settings)) {
        if (request->churn_flag.bytes == 0) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, "churn_flag",
                                   "a definition counts accounts that are flagged as churned: "
                                   "churn_flag names the field that flags them");
        }
    }
    return request->against_given ||
           measure_rules_differ(&request->rules, &request->against) != 0 ||
           proto_fault_set(fault, PROTO_MISSING_FIELD, "against",
                           "the second definition is the first; against says how it differs");
}

static bool spells_make(const struct lifecycle_run *run, struct measure_spells *spells,
                        struct proto_fault *fault)
{
    const struct lifecycle_gather *gather = run->gather;
    return measure_spells_make_at(gather->subscriptions, gather->count, gather->accounts,
                                  &run->result->rules, &run->pace, spells, fault);
}

static struct measure_segments segments_of(const struct lifecycle_gather *gather)
{
    return (struct measure_segments){gather->segments, (const char *const *)gather->names.texts,
                                     gather->names.count};
}

static bool mrr_fill(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct lifecycle_settings *settings = &run->settings;
    const struct measure_segments segments = segments_of(run->gather);
    struct measure_spells spells = {.accounts = 0};
    bool good =
        spells_make(run, &spells, fault) &&
        measure_mrr_table(&spells, &run->result->rules, &segments, settings->from_ms,
                          settings->to_ms, settings->period_months, &run->result->table, fault);
    measure_spells_fini(&spells);
    return good;
}

static bool retention_fill(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct measure_segments segments = segments_of(run->gather);
    struct measure_spells spells = {.accounts = 0};
    bool good =
        spells_make(run, &spells, fault) &&
        measure_retention_table(&spells, &run->result->rules, &segments, run->settings.from_ms,
                                run->settings.to_ms, &run->result->table, fault);
    measure_spells_fini(&spells);
    return good;
}

static bool survival_fill(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct measure_segments segments = segments_of(run->gather);
    struct measure_spells spells = {.accounts = 0};
    bool good = spells_make(run, &spells, fault) &&
                measure_survival_table(&spells, &segments, &run->settings.survival,
                                       &run->result->table, fault);
    measure_spells_fini(&spells);
    return good;
}

/* About 1 µs each. */
enum { IDS_PER_ASKING = 4096 };

/* Ids of the accounts as texts that end in a zero; NULL with *fault. */
static char **ids_make(const struct lifecycle_gather *gather, struct proto_fault *fault)
{
    char **ids = calloc((size_t)gather->accounts + 1, sizeof *ids);
    bool good = ids != NULL;
    for (uint32_t a = 0; a < gather->accounts && good; a++) {
        struct feature_record record;
        struct proto_fault why = {.code = PROTO_OK};
        good = (a % IDS_PER_ASKING != 0 || engine_scan_goes_on(gather->job, &why)) &&
               engine_record(gather->worker, gather->slots[a], &record, &why) &&
               (ids[a] = feature_text_copy(record.id)) != NULL;
        if (why.code != PROTO_OK) {
            *fault = why;
        }
    }
    if (good) {
        return ids;
    }
    for (uint32_t a = 0; ids != NULL && a < gather->accounts; a++) {
        free(ids[a]);
    }
    free(ids);
    if (fault->code == PROTO_OK) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the ids of accounts");
    }
    return NULL;
}

static bool bridge_show(struct lifecycle_run *run, const struct measure_bridge *bridge,
                        struct proto_fault *fault)
{
    const struct lifecycle_gather *gather = run->gather;
    struct lifecycle_result *result = run->result;
    char **ids = NULL;
    const struct measure_bridge_told told = {
        .top = run->settings.top, .skip = run->settings.skip, .rule = run->settings.of_rule};
    *fault = (struct proto_fault){.code = PROTO_OK};
    if (run->settings.top > 0 && (ids = ids_make(gather, fault)) == NULL) {
        return false;
    }
    bool good = measure_bridge_table(bridge, &result->rules, &result->against,
                                     (const char *const *)ids, &told, &result->table);
    for (uint32_t a = 0; ids != NULL && a < gather->accounts; a++) {
        free(ids[a]);
    }
    free(ids);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

static bool bridge_fill(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct lifecycle_gather *gather = run->gather;
    const struct measure_company company = {.subscriptions = gather->subscriptions,
                                            .count = gather->count,
                                            .accounts = gather->accounts,
                                            .flagged =
                                                gather->churn_flag != NULL ? gather->flagged : NULL,
                                            .churned = gather->churned,
                                            .churned_ms = gather->churned_ms,
                                            .churned_count = gather->churned_count,
                                            .from_ms = run->settings.from_ms,
                                            .to_ms = run->settings.to_ms,
                                            .pace = &run->pace};
    struct measure_bridge bridge;
    if (!measure_bridge_make(&company, run->settings.metric, &run->result->rules,
                             &run->result->against, &bridge, fault)) {
        return false;
    }
    bool good = bridge_show(run, &bridge, fault);
    measure_bridge_fini(&bridge);
    return good;
}

static const struct lifecycle_way ways[MEASURE_IDS] = {
    [MEASURE_ID_MRR] = {mrr_read, mrr_fill, NULL, true},
    [MEASURE_ID_RETENTION] = {retention_read, retention_fill, NULL, true},
    [MEASURE_ID_SURVIVAL] = {survival_read, survival_fill, NULL, true},
    [MEASURE_ID_BRIDGE] = {bridge_read, bridge_fill, NULL, false},
    [MEASURE_ID_CLV_SBG] = {lifecycle_contract_read, lifecycle_contract_fill, NULL, false},
    [MEASURE_ID_CLV_PURCHASES] = {lifecycle_purchases_read, NULL, lifecycle_purchases_look, false},
    [MEASURE_ID_READINESS] = {lifecycle_ready_read, NULL, lifecycle_ready_look, false},
    [MEASURE_ID_ATTRIBUTION] = {lifecycle_attribution_read, NULL, lifecycle_attribution_look,
                                false},
    [MEASURE_ID_HANDOFFS] = {lifecycle_handoffs_read, NULL, lifecycle_handoffs_look, false},
    [MEASURE_ID_GREY] = {lifecycle_grey_read, NULL, lifecycle_grey_look, false},
    [MEASURE_ID_GAP] = {lifecycle_gap_read, NULL, lifecycle_gap_look, true},
    [MEASURE_ID_FOCUS] = {lifecycle_focus_read, NULL, lifecycle_focus_look, true},
    [MEASURE_ID_QUARTER_END] = {lifecycle_quarter_read, NULL, lifecycle_quarter_look, false},
    [MEASURE_ID_PRICE] = {lifecycle_price_read, NULL, lifecycle_price_look, true},
    [MEASURE_ID_REFERRAL] = {lifecycle_referral_read, NULL, lifecycle_referral_look, true},
    [MEASURE_ID_CAMPAIGN] = {lifecycle_campaign_read, NULL, lifecycle_campaign_look, true},
    [MEASURE_ID_GRID] = {lifecycle_view_read, NULL, lifecycle_view_look, false},
    [MEASURE_ID_SALES] = {lifecycle_view_read, NULL, lifecycle_view_look, false},
    [MEASURE_ID_MARKETING] = {lifecycle_view_read, NULL, lifecycle_view_look, true},
    [MEASURE_ID_SUCCESS] = {lifecycle_view_read, NULL, lifecycle_view_look, false},
    [MEASURE_ID_PRODUCT] = {lifecycle_view_read, NULL, lifecycle_view_look, false},
    [MEASURE_ID_FINANCE] = {lifecycle_view_read, NULL, lifecycle_view_look, true},
    [MEASURE_ID_PATTERNS] = {lifecycle_patterns_read, NULL, lifecycle_patterns_look, true},
    [MEASURE_ID_MOTIONS] = {lifecycle_motions_read, NULL, lifecycle_motions_look, false},
    [MEASURE_ID_YIELD] = {lifecycle_yield_read, NULL, lifecycle_yield_look, true},
    [MEASURE_ID_ADHERENCE] = {lifecycle_adherence_read, NULL, lifecycle_adherence_look, false},
    [MEASURE_ID_DIVERGENCE] = {lifecycle_divergence_read, NULL, lifecycle_divergence_look, true},
    [MEASURE_ID_RESOURCES] = {lifecycle_resources_read, NULL, lifecycle_resources_look, true},
    [MEASURE_ID_COMPENSATION] = {lifecycle_compensation_read, NULL, lifecycle_compensation_look,
                                 false},
};

const struct lifecycle_way *lifecycle_way(enum measure_id measure)
{
    return &ways[measure];
}

void lifecycle_segmented(enum measure_id first, enum measure_id last, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int id = (int)first; id <= (int)last && used < bytes; id++) {
        if (ways[id].segments) {
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used > 0 ? ", " : "",
                                     measure_info((enum measure_id)id)->name);
        }
    }
}
