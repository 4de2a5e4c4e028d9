/* SPDX-License-Identifier: Apache-2.0 */
/* The table of survival: lives of accounts, sorted into cohort and segment, a curve for each group
 * read at its points. Memory can run out; a table beyond its bound is refused. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/measure/long_sort.h"
#include "server/measure/measure_mrr.h"
#include "server/measure/movement.h"
#include "server/measure/survival.h"

/* Some 1 us each, by cohort. */
enum { ACCOUNTS_PER_ASKING = 4096 };

struct member {
    int64_t cohort;   /* first day, 0 without cohorts */
    uint32_t segment; /* its place in the order of names */
    struct measure_life life;
};

static int by_group(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    if (a->cohort != b->cohort) {
        return a->cohort < b->cohort ? -1 : 1;
    }
    return (int)(a->segment > b->segment) - (int)(a->segment < b->segment);
}

/* The first day of the month, quarter or year of a time, counted from a January. */
static int64_t cohort_of(int64_t at_ms, int months)
{
    int64_t january = 0;
    (void)feature_date_of(1, 1, 1, &january);
    int low = 0;
    int high = 9999 * 12 / months;
    while (low + 1 < high) {
        int middle = low + (high - low) / 2;
        int64_t day = 0;
        bool there = measure_months_later(january, middle * months, &day);
        if (there && day <= at_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    int64_t day = january;
    (void)measure_months_later(january, low * months, &day);
    return day;
}

/* How many there are; SIZE_MAX with *fault. */
static size_t members_fill(const struct measure_spells *spells,
                           const struct measure_segments *segments, const uint32_t *order,
                           const struct measure_survival_options *options, struct member *members,
                           struct proto_fault *fault)
{
    uint32_t places[MEASURE_SEGMENTS_MAX] = {0};
    size_t count = 0;
    assert(segments->count <= MEASURE_SEGMENTS_MAX);
    for (uint32_t s = 0; s < segments->count; s++) {
        places[order[s]] = s;
    }
    for (uint32_t a = 0; a < spells->accounts; a++) {
        struct member *member = &members[count];
        if (a % ACCOUNTS_PER_ASKING == 0 && !measure_goes_on(spells->pace, fault)) {
            return SIZE_MAX;
        }
        int64_t start = 0;
        if (measure_life_of(spells, a, options->as_of_ms, options->grace_days * MEASURE_DAY_MS,
                            &start, &member->life)) {
            member->segment = segments->count > 0 ? places[segments->of[a]] : 0;
            member->cohort =
                options->cohort_months > 0 ? cohort_of(start, options->cohort_months) : 0;
            count++;
        }
    }
    return count;
}

static void point_row(struct measure_table *table, const char *cohort, const char *segment,
                      unsigned month, const struct measure_survival_point *point, uint32_t ended,
                      size_t n)
{
    measure_add_text(table, cohort);
    measure_add_text(table, segment);
    measure_add_whole(table, month);
    measure_add_number(table, point->survival);
    measure_add_number(table, point->low);
    measure_add_number(table, point->high);
    measure_add_whole(table, point->at_risk);
    measure_add_whole(table, ended);
    measure_add_whole(table, (int64_t)n);
}

static bool group_rows(struct measure_life *lives, size_t count, const struct measure_pace *pace,
                       const char *cohort, const char *segment,
                       const struct measure_survival_options *options, struct measure_table *table,
                       struct proto_fault *fault)
{
    struct measure_survival curve;
    if (!measure_survival_of(lives, count, pace, &curve, fault)) {
        return false;
    }
    for (unsigned p = 0; p <= options->points; p++) {
        struct measure_survival_point point;
        if (!measure_goes_on(pace, fault)) {
            measure_survival_fini(&curve);
            return false;
        }
        int64_t time = (int64_t)p * options->step_months * MEASURE_MONTH_MS;
        if (!measure_survival_at(&curve, lives, time, &point)) {
            break;
        }
        uint32_t ended = 0;
        for (size_t i = 0; i < curve.count && curve.points[i].time <= time; i++) {
            ended += curve.points[i].ended;
        }
        point_row(table, cohort, segment, p * options->step_months, &point, ended, count);
    }
    measure_survival_fini(&curve);
    return measure_table_rows(table) <= MEASURE_ROWS_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "cohort", "the table has more than %d rows",
                           MEASURE_ROWS_MAX);
}

static bool groups_walk(const struct measure_spells *spells, const struct member *members,
                        size_t count, struct measure_life *lives,
                        const struct measure_segments *segments, const uint32_t *order,
                        const struct measure_survival_options *options, struct measure_table *table,
                        struct proto_fault *fault)
{
    for (size_t i = 0; i < count;) {
        size_t first = i;
        if (!measure_goes_on(spells->pace, fault)) {
            return false;
        }
        for (; i < count && by_group(&members[i], &members[first]) == 0; i++) {
            lives[i - first] = members[i].life;
        }
        char cohort[FEATURE_DATE_TEXT_BYTES] = "all";
        if (options->cohort_months > 0) {
            (void)feature_date_print(members[first].cohort, cohort);
        }
        const char *segment =
            segments->count > 0 ? segments->names[order[members[first].segment]] : "all";
        if (!group_rows(lives, i - first, spells->pace, cohort, segment, options, table, fault)) {
            return false;
        }
    }
    return true;
}

bool measure_survival_table(const struct measure_spells *spells,
                            const struct measure_segments *segments,
                            const struct measure_survival_options *options,
                            struct measure_table *table, struct proto_fault *fault)
{
    measure_table_init(table, MEASURE_ID_SURVIVAL);
    struct member *members = calloc((size_t)spells->accounts + 1, sizeof *members);
    struct measure_life *lives = calloc((size_t)spells->accounts + 1, sizeof *lives);
    uint32_t *order = measure_segments_order(segments, fault);
    bool good = members != NULL && lives != NULL && order != NULL;
    if (!good) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u lives", spells->accounts);
    } else {
        size_t count = members_fill(spells, segments, order, options, members, fault);
        good = count != SIZE_MAX &&
               measure_sort(members, count, sizeof *members, by_group, spells->pace, fault) &&
               groups_walk(spells, members, count, lives, segments, order, options, table, fault);
    }
    free(members);
    free(lives);
    free(order);
    return good && (measure_table_good(table) ||
                    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}
