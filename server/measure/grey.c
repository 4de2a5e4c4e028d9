/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys that have ended are added up one by one. Too few of them, and memory, can end it. */
#include "server/measure/grey.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/measure/long_sort.h"

void measure_grey_fini(struct measure_grey *grey)
{
    for (int e = 0; e < 2; e++) {
        free(grey->ends[e].longest);
        grey->ends[e].longest = NULL;
    }
}

static double days(int64_t ms)
{
    return (double)ms / (double)MEASURE_DAY_MS;
}

/* Time within near_ms of a touch, from the first touch to the end: stretches about touches,
 * joined. */
static int64_t covered_ms(const struct measure_journey *journey, int64_t near_ms)
{
    int64_t covered = 0;
    int64_t until = journey->touches[0]->time_ms;
    for (size_t i = 0; i < journey->touch_count; i++) {
        int64_t time = journey->touches[i]->time_ms;
        int64_t from = time - near_ms > until ? time - near_ms : until;
        int64_t to = time + near_ms < journey->end_ms ? time + near_ms : journey->end_ms;
        if (to > from) {
            covered += to - from;
            until = to;
        }
    }
    return covered;
}

static int64_t longest_ms(const struct measure_journey *journey)
{
    int64_t longest = journey->end_ms - journey->touches[journey->touch_count - 1]->time_ms;
    for (size_t i = 1; i < journey->touch_count; i++) {
        int64_t gap = journey->touches[i]->time_ms - journey->touches[i - 1]->time_ms;
        longest = gap > longest ? gap : longest;
    }
    return longest;
}

static bool longest_keep(struct measure_grey_end *end, double longest, struct proto_fault *fault)
{
    if (end->count == end->room) {
        size_t room = end->room * 2 + 256;
        double *grown = realloc(end->longest, room * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys", room);
        }
        end->longest = grown;
        end->room = room;
    }
    end->longest[end->count++] = longest;
    return true;
}

static bool touched_before(const struct measure_journey *journey, int64_t before_ms)
{
    for (size_t i = 0; i < journey->touch_count; i++) {
        int64_t time = journey->touches[i]->time_ms;
        if (time <= journey->created_ms && time >= journey->created_ms - before_ms) {
            return true;
        }
    }
    return false;
}

bool measure_grey_add(void *grey, const struct measure_journey *journey, struct proto_fault *fault)
{
    struct measure_grey *all = grey;
    if (journey->end == MEASURE_JOURNEY_OPEN) {
        return true;
    }
    struct measure_grey_end *end = &all->ends[journey->end == MEASURE_JOURNEY_LOST];
    end->journeys++;
    end->untouched += !touched_before(journey, all->options.before_ms);
    if (journey->touch_count == 0) {
        end->unseen++;
        return true;
    }
    double time = days(journey->end_ms - journey->touches[0]->time_ms);
    double covered = days(covered_ms(journey, all->options.near_ms));
    int64_t longest = longest_ms(journey);
    measure_sums_add(&end->covered, covered, time);
    end->silent += longest > all->options.silent_ms;
    end->touches += journey->touch_count;
    for (size_t i = 0; i < journey->touch_count; i++) {
        end->late += measure_touch_late(journey->touches[i], journey->outcome);
    }
    return longest_keep(end, days(longest), fault);
}

static void row_add(struct measure_table *table, const char *figure, const char *of, double value,
                    double low, double high, size_t n)
{
    measure_add_text(table, figure);
    measure_add_text(table, of);
    measure_add_number(table, value);
    measure_add_number(table, low);
    measure_add_number(table, high);
    measure_add_whole(table, (int64_t)n);
}

static void share_add(struct measure_table *table, const char *figure, const char *of, size_t part,
                      size_t n)
{
    double low = MEASURE_NAN;
    double high = MEASURE_NAN;
    if (n > 0) {
        math_wilson(part, n, &low, &high);
    }
    row_add(table, figure, of, n > 0 ? (double)part / (double)n : MEASURE_NAN, low, high, n);
}

static void covered_add(struct measure_table *table, const char *of,
                        const struct measure_grey_end *end)
{
    double error;
    double ratio = measure_sums_ratio(&end->covered, &error);
    bool known = isfinite(error); /* fmax and fmin would make a bound of NAN */
    row_add(table, "covered", of, ratio, known ? fmax(ratio - MATH_Z_95 * error, 0) : MEASURE_NAN,
            known ? fmin(ratio + MATH_Z_95 * error, 1) : MEASURE_NAN, end->count);
}

/* The longest silences are sorted. */
static void longest_add(struct measure_table *table, const char *of,
                        const struct measure_grey_end *end)
{
    double median[3] = {MEASURE_NAN, MEASURE_NAN, MEASURE_NAN};
    if (end->count > 0) {
        math_median(end->longest, end->count, median);
    }
    row_add(table, "longest silence", of, median[0], median[1], median[2], end->count);
}

bool measure_grey_table(struct measure_grey *grey, struct measure_table *table,
                        struct proto_fault *fault)
{
    static const char *const names[2] = {"won", "lost"};
    measure_table_init(table, MEASURE_ID_GREY);
    if (grey->ends[0].journeys < grey->options.least) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %zu journeys were won, %u are needed",
                               grey->ends[0].journeys, grey->options.least);
    }
    for (int e = 0; e < 2; e++) {
        struct measure_grey_end *end = &grey->ends[e];
        if (!measure_sort(end->longest, end->count, sizeof *end->longest, math_ascending,
                          grey->pace, fault)) {
            return false;
        }
        share_add(table, "unseen", names[e], end->unseen, end->journeys);
        share_add(table, "untouched", names[e], end->untouched, end->journeys);
        covered_add(table, names[e], end);
        share_add(table, "silent", names[e], end->silent, end->count);
        longest_add(table, names[e], end);
        share_add(table, "typed in", names[e], end->late, end->touches);
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
