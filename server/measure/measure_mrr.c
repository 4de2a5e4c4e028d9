/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of mrr and retention: the figures of movement.h and retention.h put where measure.def has
 * their columns. A period that is none is refused, as is a table beyond its bound. */
#include "server/measure/measure_mrr.h"

#include <stdlib.h>
#include <string.h>

#include "server/measure/measure_state.h"
#include "server/measure/retention.h"

/* Some 500 ns each, of three years by the month and with segments. */
enum { ACCOUNTS_PER_ASKING = 4096 };

struct named {
    const char *name;
    uint32_t segment;
};

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->name, ((const struct named *)right)->name);
}

uint32_t *measure_segments_order(const struct measure_segments *segments, struct proto_fault *fault)
{
    struct named *named = calloc((size_t)segments->count + 1, sizeof *named);
    uint32_t *order = calloc((size_t)segments->count + 1, sizeof *order);
    if (named == NULL || order == NULL) {
        free(named);
        free(order);
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u segments",
                              segments->count);
        return NULL;
    }
    for (uint32_t s = 0; s < segments->count; s++) {
        named[s] = (struct named){segments->names[s], s};
    }
    if (segments->count > 1) {
        qsort(named + 1, segments->count - 1, sizeof *named, by_name);
    }
    for (uint32_t s = 0; s < segments->count; s++) {
        order[s] = named[s].segment;
    }
    free(named);
    return order;
}

int measure_period_months(const char *word)
{
    if (strcmp(word, "month") == 0) {
        return 1;
    }
    if (strcmp(word, "quarter") == 0) {
        return 3;
    }
    return strcmp(word, "year") == 0 ? 12 : 0;
}

static bool table_end(struct measure_table *table, struct proto_fault *fault)
{
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

/* One account, all periods. */
static void account_add(const struct measure_state *states, size_t periods,
                        const struct measure_moments *moments, int64_t paid_ms, bool within,
                        struct measure_mrr_sums *sums)
{
    for (size_t p = 0; p < periods; p++) {
        int64_t a = states[p].mrr;
        int64_t b = states[p + 1].mrr;
        bool before = paid_ms < moments->at[p];
        (void)measure_state_move(&states[p], &states[p + 1], before, &sums[p].move);
        sums[p].then += a;
        sums[p].net += a > 0 || (within && b > 0 && before) ? b : 0;
        sums[p].gross += a < b ? a : b;
    }
}

static void mrr_row(struct measure_table *table, const char *segment, int64_t from_ms,
                    int64_t to_ms, const struct measure_mrr_sums *sums)
{
    const struct measure_movement *m = &sums->move;
    double then = (double)sums->then;
    measure_add_whole(table, from_ms);
    measure_add_whole(table, to_ms);
    measure_add_whole(table, m->start);
    measure_add_whole(table, m->sum[MEASURE_NEW]);
    measure_add_whole(table, m->sum[MEASURE_REACTIVATION]);
    measure_add_whole(table, m->sum[MEASURE_EXPANSION]);
    measure_add_whole(table, m->sum[MEASURE_CONTRACTION]);
    measure_add_whole(table, m->sum[MEASURE_CHURN]);
    measure_add_whole(table, m->end);
    measure_add_whole(table, m->customers_end);
    measure_add_number(table, sums->then != 0 ? (double)sums->net / then : MEASURE_NAN);
    measure_add_number(table, sums->then != 0 ? (double)sums->gross / then : MEASURE_NAN);
    measure_add_text(table, segment);
}

bool measure_mrr_sums_make(const struct measure_spells *spells, const struct measure_rules *rules,
                           const struct measure_segments *segments,
                           const struct measure_moments *moments, struct measure_mrr_sums *sums,
                           uint32_t *members, struct proto_fault *fault)
{
    bool within = measure_rules_has(rules, MEASURE_RULE_REACTIVATION, MEASURE_REACTIVATION_WITHIN);
    size_t periods = moments->count - 1;
    struct measure_state *states = calloc(moments->count + 1, sizeof *states);
    if (states == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu states", periods + 1);
    }
    bool good = true;
    for (uint32_t a = 0; a < spells->accounts && good; a++) {
        int64_t paid_ms = MEASURE_NEVER;
        measure_states_of(spells, a, moments, states, &paid_ms);
        account_add(states, periods, moments, paid_ms, within, sums);
        if (segments->count > 0) {
            uint32_t segment = segments->of[a];
            members[segment]++;
            account_add(states, periods, moments, paid_ms, within, sums + (segment + 1) * periods);
        }
        good = a % ACCOUNTS_PER_ASKING != 0 || measure_goes_on(spells->pace, fault);
    }
    free(states);
    return good;
}

void measure_mrr_sums_join(struct measure_mrr_sums *to, const struct measure_mrr_sums *from)
{
    measure_movement_join(&to->move, &from->move);
    to->then += from->then;
    to->net += from->net;
    to->gross += from->gross;
}

void measure_mrr_sums_part(struct measure_mrr_sums *from, const struct measure_mrr_sums *part)
{
    measure_movement_part(&from->move, &part->move);
    from->then -= part->then;
    from->net -= part->net;
    from->gross -= part->gross;
}

bool measure_mrr_rows_add(struct measure_table *table, const char *segment,
                          const struct measure_moments *moments,
                          const struct measure_mrr_sums *sums, struct proto_fault *fault)
{
    for (size_t p = 0; p + 1 < moments->count; p++) {
        mrr_row(table, segment, moments->at[p], moments->at[p + 1], &sums[p]);
    }
    return table_end(table, fault);
}

static bool mrr_rows(const struct measure_spells *spells, const struct measure_rules *rules,
                     const struct measure_segments *segments, const struct measure_moments *moments,
                     struct measure_table *table, struct proto_fault *fault)
{
    size_t periods = moments->count - 1;
    struct measure_mrr_sums *sums = calloc((segments->count + 1) * periods + 1, sizeof *sums);
    uint32_t *members = calloc((size_t)segments->count + 1, sizeof *members);
    uint32_t *order = measure_segments_order(segments, fault);
    bool good = false;
    if (sums == NULL || members == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu periods", periods);
    } else if (order != NULL) {
        good = measure_mrr_sums_make(spells, rules, segments, moments, sums, members, fault);
    }
    good = good && measure_mrr_rows_add(table, "all", moments, sums, fault);
    for (uint32_t s = 0; s < segments->count && good; s++) {
        good = members[order[s]] == 0 ||
               measure_mrr_rows_add(table, segments->names[order[s]], moments,
                                    sums + (order[s] + 1) * periods, fault);
    }
    free(sums);
    free(members);
    free(order);
    return good;
}

bool measure_mrr_table(const struct measure_spells *spells, const struct measure_rules *rules,
                       const struct measure_segments *segments, int64_t from_ms, int64_t to_ms,
                       int period_months, struct measure_table *table, struct proto_fault *fault)
{
    struct measure_moments moments;
    measure_table_init(table, MEASURE_ID_MRR);
    if (!measure_moments_make(&moments, from_ms, to_ms, period_months, false, fault)) {
        return false;
    }
    bool good = moments.count > 1 ||
                proto_fault_set(fault, PROTO_BAD_FIELD, "to",
                                "no whole period lies between the first day and the last");
    if (good && (moments.count - 1) * (segments->count + 1) > MEASURE_ROWS_MAX) {
        good = proto_fault_set(fault, PROTO_LIMIT, "period", "the table has more than %d rows",
                               MEASURE_ROWS_MAX);
    }
    good = good && mrr_rows(spells, rules, segments, &moments, table, fault);
    measure_moments_fini(&moments);
    return good;
}

static void ratio_row(struct measure_table *table, const char *segment, const char *metric,
                      const struct measure_ratio *ratio)
{
    measure_add_text(table, segment);
    measure_add_text(table, metric);
    measure_add_number(table, ratio->value);
    measure_add_number(table, ratio->low);
    measure_add_number(table, ratio->high);
    measure_add_whole(table, (int64_t)ratio->n);
}

static void retention_rows(struct measure_table *table, const char *segment,
                           const struct measure_retention *r)
{
    ratio_row(table, segment, "nrr-cohort", &r->nrr_cohort);
    ratio_row(table, segment, "grr-cohort", &r->grr_cohort);
    ratio_row(table, segment, "nrr-movement", &r->nrr_movement);
    ratio_row(table, segment, "grr-movement", &r->grr_movement);
    ratio_row(table, segment, "logo-retention", &r->logo);
}

bool measure_retention_table(const struct measure_spells *spells, const struct measure_rules *rules,
                             const struct measure_segments *segments, int64_t from_ms,
                             int64_t to_ms, struct measure_table *table, struct proto_fault *fault)
{
    measure_table_init(table, MEASURE_ID_RETENTION);
    struct measure_retained *retained = measure_retained_make(spells, rules, from_ms, to_ms, fault);
    uint32_t *order = retained != NULL ? measure_segments_order(segments, fault) : NULL;
    struct measure_retention *retention =
        order != NULL ? measure_retained_sum(retained, spells, segments->of, segments->count, fault)
                      : NULL;
    bool good = retention != NULL;
    if (good) {
        retention_rows(table, "all", &retention[0]);
    }
    for (uint32_t s = 0; s < segments->count && good; s++) {
        const struct measure_retention *one = &retention[order[s] + 1];
        if (one->members > 0) {
            retention_rows(table, segments->names[order[s]], one);
        }
    }
    free(order);
    free(retention);
    free(retained);
    return good && table_end(table, fault);
}
