/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of erosion. */
#include <math.h>

#include "server/math/special.h"
#include "server/term/term_erosion.h"
#include "server/term/term_rate.h"
#include "server/verdict/verdict_table.h"

/* Of the share so far: narrowest around so many pieces of work, whatever comes. */
#define BEST_AT 500.0
#define SHARE_ALPHA 0.05

bool verdict_erosion_add(struct measure_table *table, const struct verdict_work *weeks,
                         size_t count, double committed, double false_alarm, uint64_t *alarms,
                         struct proto_fault *fault)
{
    struct term_erosion erosion;
    uint64_t on = 0;
    uint64_t all = 0;
    term_erosion_begin(&erosion, committed, false_alarm);
    for (size_t i = 0; i < count; i++) {
        const struct verdict_work *week = &weeks[i];
        double low;
        double high;
        double log_r;
        bool alarm = term_erosion_add(&erosion, week->on, week->all, &log_r);
        on += week->on;
        all += week->all;
        term_rate_interval(on, all, SHARE_ALPHA, BEST_AT, &low, &high);
        if (week->week_ms == VERDICT_NEVER) {
            measure_add_absent(table);
        } else {
            measure_add_whole(table, week->week_ms);
        }
        measure_add_whole(table, (int64_t)i + 1);
        measure_add_whole(table, (int64_t)week->on);
        measure_add_whole(table, (int64_t)week->all);
        measure_add_number(table, week->all > 0 ? (double)week->on / (double)week->all : MATH_NAN);
        measure_add_number(table, all > 0 ? (double)on / (double)all : MATH_NAN);
        measure_add_number(table, low);
        measure_add_number(table, high);
        measure_add_number(table, isinf(log_r) != 0 ? MATH_NAN : log_r);
        measure_add_text(table, alarm ? "alarm" : "");
    }
    if (alarms != NULL) {
        *alarms = erosion.alarms;
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
