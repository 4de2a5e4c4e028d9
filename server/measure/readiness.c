/* SPDX-License-Identifier: Apache-2.0 */
/* Shares are counted field by field; rows sorted by account and source give duplicates, links and
 * coverage in one walk. Memory can run out; no rows give no shares. */
#include "server/measure/readiness.h"

#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/measure/long_sort.h"
#include "server/measure/spell.h"

static void share_add(struct measure_table *table, const char *figure, const char *of, size_t part,
                      size_t n, double floor)
{
    double low = 0;
    double high = 1;
    double share = n > 0 ? (double)part / (double)n : 0;
    if (n > 0) {
        math_wilson(part, n, &low, &high);
    }
    measure_add_text(table, figure);
    measure_add_text(table, of);
    measure_add_number(table, share);
    measure_add_number(table, low);
    measure_add_number(table, high);
    measure_add_whole(table, (int64_t)n);
    measure_add_text(table, floor < 0 ? "" : share < floor ? "mend first" : "ready");
}

struct seen {
    uint32_t account;
    uint32_t source;
};

static int by_account_and_source(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    if (a->account != b->account) {
        return a->account < b->account ? -1 : 1;
    }
    return (int)(a->source > b->source) - (int)(a->source < b->source);
}

/* Rows of different account or source, accounts of two sources, accounts of each source. */
static void seen_count(const struct seen *seen, size_t count, size_t *unique, size_t *linked,
                       size_t *covered)
{
    for (size_t i = 0; i < count;) {
        size_t sources = 0;
        size_t first = i;
        for (; i < count && seen[i].account == seen[first].account; i++) {
            if (i == first || seen[i].source != seen[i - 1].source) {
                sources++;
                covered[seen[i].source]++;
            }
        }
        *unique += sources;
        *linked += sources > 1;
    }
}

static bool sources_add(const struct measure_rows *rows,
                        const struct measure_readiness_options *options,
                        struct measure_table *table, struct proto_fault *fault)
{
    double floor = options->floor;
    size_t unique = 0;
    size_t linked = 0;
    size_t sightings = rows->sightings > 0 ? rows->sightings : rows->count;
    uint32_t sources = rows->source != NULL ? rows->sources : 1;
    struct seen *seen = calloc(sightings, sizeof *seen);
    size_t *covered = calloc((size_t)sources + 1, sizeof *covered);
    if (seen == NULL || covered == NULL) {
        free(seen);
        free(covered);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu rows", sightings);
    }
    for (size_t i = 0; i < sightings; i++) {
        seen[i] = (struct seen){rows->account[i], rows->source != NULL ? rows->source[i] : 0};
    }
    if (!measure_sort(seen, sightings, sizeof *seen, by_account_and_source, options->pace, fault)) {
        free(seen);
        free(covered);
        return false;
    }
    seen_count(seen, sightings, &unique, &linked, covered);
    share_add(table, "unique", "", unique, sightings, floor);
    if (rows->source != NULL) {
        share_add(table, "linked", "", linked, rows->accounts, floor);
    }
    for (uint32_t s = 0; s < sources && rows->source != NULL; s++) {
        share_add(table, "covered", rows->source_names[s], covered[s], rows->accounts, -1);
    }
    free(seen);
    free(covered);
    return true;
}

bool measure_readiness_table(const struct measure_rows *rows,
                             const struct measure_readiness_options *options,
                             struct measure_table *table, struct proto_fault *fault)
{
    measure_table_init(table, MEASURE_ID_READINESS);
    if (rows->count == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "", "there are no rows");
    }
    for (uint32_t f = 0; f < rows->fields; f++) {
        size_t present = rows->filled != NULL ? rows->filled[f] : 0;
        for (size_t i = 0; i < rows->count && rows->filled == NULL; i++) {
            present += rows->present[i * rows->fields + f] != 0;
        }
        if (!measure_goes_on(options->pace, fault)) {
            return false;
        }
        share_add(table, "complete", rows->field_names[f], present, rows->count, options->floor);
    }
    if (rows->time_ms != NULL) {
        size_t fresh = 0;
        for (size_t i = 0; i < rows->count; i++) {
            fresh += rows->time_ms[i] >= options->as_of_ms - options->stale_days * MEASURE_DAY_MS;
        }
        share_add(table, "fresh", "", fresh, rows->count, options->floor);
    }
    return sources_add(rows, options, table, fault) &&
           (measure_table_good(table) ||
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}
