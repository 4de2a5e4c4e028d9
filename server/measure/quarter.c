/* SPDX-License-Identifier: Apache-2.0 */
/* Deals are added up by when they closed and by when they were created. Too few of them and memory
 * can end it. */
#include "server/measure/quarter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/feature/date_text.h"
#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/measure/movement.h"
#include "server/measure/ratio.h"
#include "server/measure/spell.h"

enum { WEEKS = 14, LAST = 0, BEFORE = 1 };

struct cell {
    size_t n, won, immature;
    struct measure_sums paid;
    size_t watched, left;
};

struct cohort {
    int64_t quarter;
    struct cell cell;
};

struct counts {
    struct cell ends[2]; /* last, before */
    struct cell weeks[WEEKS];
    struct cohort *cohorts; /* by quarter */
    size_t cohort_count, cohort_room;
};

bool measure_deals_add(struct measure_deals *deals, const struct measure_deal *deal,
                       struct proto_fault *fault)
{
    if (!base_grow(&deals->items, &deals->room, deals->count + 1, sizeof *deals->items, "deals",
                   fault)) {
        return false;
    }
    deals->items[deals->count++] = *deal;
    return true;
}

void measure_deals_fini(struct measure_deals *deals)
{
    free(deals->items);
    *deals = (struct measure_deals){.count = 0};
}

static int64_t floored(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

int64_t measure_quarter_of(int64_t at_ms, unsigned first_month)
{
    int year = 0;
    int month = 0;
    int day = 0;
    measure_civil(floored(at_ms, FEATURE_DAY_MS), &year, &month, &day);
    return floored((int64_t)(year - 1970) * 12 + month - (int64_t)first_month, 3);
}

int64_t measure_quarter_start(int64_t quarter, unsigned first_month)
{
    int64_t months = quarter * 3 + (int64_t)first_month - 1;
    int64_t years = floored(months, 12);
    int64_t ms = 0;
    if (!feature_date_of((int)(1970 + years), (int)(months - years * 12) + 1, 1, &ms)) {
        ms = quarter < 0 ? FEATURE_DATE_MS_MIN : FEATURE_DATE_MS_MAX + 1;
    }
    return ms;
}

void measure_difference(size_t a, size_t n, size_t b, size_t m, double ends[2])
{
    double low[2];
    double high[2];
    ends[0] = ends[1] = MEASURE_NAN;
    if (n == 0 || m == 0) {
        return;
    }
    double p = (double)a / (double)n;
    double q = (double)b / (double)m;
    math_wilson(a, n, &low[0], &high[0]);
    math_wilson(b, m, &low[1], &high[1]);
    ends[0] = p - q - hypot(p - low[0], high[1] - q);
    ends[1] = p - q + hypot(high[0] - p, q - low[1]);
}

/* What became of one that was won. */
static void won_count(struct cell *cell, const struct measure_deal *deal)
{
    if (isfinite(deal->amount) && isfinite(deal->list)) {
        measure_sums_add(&cell->paid, deal->amount, deal->list);
    }
    cell->watched += deal->left != MEASURE_LEFT_UNKNOWN;
    cell->left += deal->left == MEASURE_LEFT;
}

static void closed_count(struct cell *cell, const struct measure_deal *deal)
{
    bool won = deal->end == MEASURE_JOURNEY_WON;
    cell->n++;
    cell->won += won;
    if (won) {
        won_count(cell, deal);
    }
}

/* Cohorts are few and mostly come in order, so they are sought from the newest. */
static struct cell *cohort_find(struct counts *counts, int64_t quarter)
{
    size_t at = counts->cohort_count;
    while (at > 0 && counts->cohorts[at - 1].quarter > quarter) {
        at--;
    }
    if (at > 0 && counts->cohorts[at - 1].quarter == quarter) {
        return &counts->cohorts[at - 1].cell;
    }
    if (counts->cohort_count == counts->cohort_room) {
        size_t room = counts->cohort_room * 2 + 16;
        struct cohort *grown = realloc(counts->cohorts, room * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        counts->cohorts = grown;
        counts->cohort_room = room;
    }
    memmove(&counts->cohorts[at + 1], &counts->cohorts[at],
            (counts->cohort_count - at) * sizeof *counts->cohorts);
    counts->cohorts[at] = (struct cohort){.quarter = quarter};
    counts->cohort_count++;
    return &counts->cohorts[at].cell;
}

static void cohort_count(struct cell *cell, const struct measure_deal *deal,
                         const struct measure_quarter_options *options)
{
    if (deal->created_ms > options->as_of_ms - options->mature_ms) {
        cell->immature++;
        return;
    }
    bool won =
        deal->end == MEASURE_JOURNEY_WON && deal->end_ms - deal->created_ms <= options->mature_ms;
    cell->n++;
    cell->won += won;
    if (won) {
        won_count(cell, deal);
    }
}

static bool deal_count(struct counts *counts, const struct measure_deal *deal,
                       const struct measure_quarter_options *options)
{
    if (deal->end != MEASURE_JOURNEY_OPEN && deal->end_ms >= options->from_ms &&
        deal->end_ms < options->to_ms) {
        int64_t quarter = measure_quarter_of(deal->end_ms, options->first_month);
        int64_t start = measure_quarter_start(quarter, options->first_month);
        int64_t next = measure_quarter_start(quarter + 1, options->first_month);
        int64_t day = floored(deal->end_ms, FEATURE_DAY_MS);
        bool last = next / FEATURE_DAY_MS - 1 - day <= (int64_t)options->days;
        closed_count(&counts->ends[last ? LAST : BEFORE], deal);
        closed_count(&counts->weeks[(deal->end_ms - start) / FEATURE_DAY_MS / 7], deal);
    }
    if (deal->created_ms >= options->from_ms && deal->created_ms < options->to_ms) {
        struct cell *cell =
            cohort_find(counts, measure_quarter_of(deal->created_ms, options->first_month));
        if (cell == NULL) {
            return false;
        }
        cohort_count(cell, deal, options);
    }
    return true;
}

static double ratio(size_t part, size_t n)
{
    return n > 0 ? (double)part / (double)n : MEASURE_NAN;
}

static void rate_add(struct measure_table *table, size_t part, size_t n)
{
    double low = MEASURE_NAN;
    double high = MEASURE_NAN;
    if (n > 0) {
        math_wilson(part, n, &low, &high);
    }
    measure_add_number(table, ratio(part, n));
    measure_add_number(table, low);
    measure_add_number(table, high);
}

static void discount_add(struct measure_table *table, double discount, double error)
{
    measure_add_number(table, discount);
    measure_add_number(table, discount - MATH_Z_95 * error);
    measure_add_number(table, discount + MATH_Z_95 * error);
}

static void cell_add(struct measure_table *table, const char *row, const char *of,
                     const struct cell *cell, bool cohort)
{
    double error = MEASURE_NAN;
    double discount = 1 - measure_sums_ratio(&cell->paid, &error);
    measure_add_text(table, row);
    measure_add_text(table, of);
    measure_add_whole(table, (int64_t)cell->n);
    measure_add_whole(table, (int64_t)cell->won);
    rate_add(table, cell->won, cell->n);
    if (cohort) {
        measure_add_whole(table, (int64_t)cell->immature);
    } else {
        measure_add_absent(table);
    }
    discount_add(table, discount, error);
    measure_add_whole(table, (int64_t)cell->paid.n);
    rate_add(table, cell->left, cell->watched);
    measure_add_whole(table, (int64_t)cell->watched);
}

static void difference_add(struct measure_table *table, const struct cell *last,
                           const struct cell *before)
{
    double ends[2];
    double errors[2];
    double discount =
        measure_sums_ratio(&before->paid, &errors[1]) - measure_sums_ratio(&last->paid, &errors[0]);
    measure_add_text(table, "difference");
    measure_add_text(table, "");
    measure_add_whole(table, (int64_t)(last->n + before->n));
    measure_add_whole(table, (int64_t)(last->won + before->won));
    measure_difference(last->won, last->n, before->won, before->n, ends);
    measure_add_number(table, ratio(last->won, last->n) - ratio(before->won, before->n));
    measure_add_number(table, ends[0]);
    measure_add_number(table, ends[1]);
    measure_add_absent(table);
    discount_add(table, discount, hypot(errors[0], errors[1]));
    measure_add_whole(table, (int64_t)(last->paid.n + before->paid.n));
    measure_difference(last->left, last->watched, before->left, before->watched, ends);
    measure_add_number(table,
                       ratio(last->left, last->watched) - ratio(before->left, before->watched));
    measure_add_number(table, ends[0]);
    measure_add_number(table, ends[1]);
    measure_add_whole(table, (int64_t)(last->watched + before->watched));
}

static void counts_tell(const struct counts *counts, unsigned first_month,
                        struct measure_table *table)
{
    cell_add(table, "last", "", &counts->ends[LAST], false);
    cell_add(table, "before", "", &counts->ends[BEFORE], false);
    difference_add(table, &counts->ends[LAST], &counts->ends[BEFORE]);
    for (int week = 0; week < WEEKS; week++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", week + 1);
        if (counts->weeks[week].n > 0) {
            cell_add(table, "week", number, &counts->weeks[week], false);
        }
    }
    for (size_t c = 0; c < counts->cohort_count; c++) {
        char day[FEATURE_DATE_TEXT_BYTES];
        (void)feature_date_print(measure_quarter_start(counts->cohorts[c].quarter, first_month),
                                 day);
        cell_add(table, "cohort", day, &counts->cohorts[c].cell, true);
    }
}

bool measure_quarter_table(const struct measure_deals *deals,
                           const struct measure_quarter_options *options,
                           struct measure_table *table, struct proto_fault *fault)
{
    struct counts counts = {.cohort_count = 0};
    bool good = true;
    measure_table_init(table, MEASURE_ID_QUARTER_END);
    for (size_t i = 0; i < deals->count && good; i++) {
        good = deal_count(&counts, &deals->items[i], options);
    }
    size_t closed = counts.ends[LAST].n + counts.ends[BEFORE].n;
    bool enough = closed >= options->least && closed > 0;
    if (good && enough) {
        counts_tell(&counts, options->first_month, table);
    }
    free(counts.cohorts);
    if (good && !enough) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %zu deals were closed, %u are needed", closed,
                               options->least);
    }
    return (good && measure_table_good(table)) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
