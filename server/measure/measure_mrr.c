/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of mrr and retention: the figures of movement.h and retention.h put where measure.def has
 * their columns. A period that is none is refused, as is a table beyond its bound. */
#include "server/measure/measure_mrr.h"

#include <stdlib.h>
#include <string.h>

#include "server/measure/retention.h"

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

static bool mrr_row(const struct measure_spells *spells, const struct measure_rules *rules,
                    int64_t from_ms, int64_t to_ms, struct measure_table *table,
                    struct proto_fault *fault)
{
    struct measure_movement m = measure_movement_of(spells, from_ms, to_ms);
    struct measure_retention retention;
    if (!measure_retention_of(spells, rules, NULL, 0, from_ms, to_ms, &retention, fault)) {
        return false;
    }
    measure_add_whole(table, from_ms);
    measure_add_whole(table, to_ms);
    measure_add_whole(table, m.start);
    measure_add_whole(table, m.sum[MEASURE_NEW]);
    measure_add_whole(table, m.sum[MEASURE_REACTIVATION]);
    measure_add_whole(table, m.sum[MEASURE_EXPANSION]);
    measure_add_whole(table, m.sum[MEASURE_CONTRACTION]);
    measure_add_whole(table, m.sum[MEASURE_CHURN]);
    measure_add_whole(table, m.end);
    measure_add_whole(table, m.customers_end);
    measure_add_number(table, retention.nrr_cohort.value);
    measure_add_number(table, retention.grr_cohort.value);
    return true;
}

bool measure_mrr_table(const struct measure_spells *spells, const struct measure_rules *rules,
                       int64_t from_ms, int64_t to_ms, int period_months,
                       struct measure_table *table, struct proto_fault *fault)
{
    int64_t at = from_ms;
    measure_table_init(table, MEASURE_ID_MRR);
    if (!measure_period_check(from_ms, to_ms, fault)) {
        return false;
    }
    for (int period = 1;; period++) {
        int64_t next = 0;
        if (!measure_months_later(from_ms, period * period_months, &next) || next > to_ms) {
            break;
        }
        if (!measure_goes_on(spells->pace, fault) ||
            !mrr_row(spells, rules, at, next, table, fault)) {
            return false;
        }
        at = next;
    }
    if (at == from_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "to",
                               "no whole period lies between the first day and the last");
    }
    return table_end(table, fault);
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
    struct measure_retention retention;
    measure_table_init(table, MEASURE_ID_RETENTION);
    if (!measure_retention_of(spells, rules, NULL, 0, from_ms, to_ms, &retention, fault)) {
        return false;
    }
    retention_rows(table, "all", &retention);
    uint32_t *order = measure_segments_order(segments, fault);
    bool good = order != NULL;
    for (uint32_t s = 0; s < segments->count && good; s++) {
        good = measure_goes_on(spells->pace, fault) &&
               measure_retention_of(spells, rules, segments->of, order[s], from_ms, to_ms,
                                    &retention, fault);
        if (good && retention.members > 0) {
            retention_rows(table, segments->names[order[s]], &retention);
        }
    }
    free(order);
    return good && table_end(table, fault);
}
