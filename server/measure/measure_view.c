/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of all views share, and the grid. A cell with too few cases says so. */
#include "server/measure/measure_view.h"

#include <stdio.h>

#include "server/math/accuracy.h"

static const char *const grade_names[MEASURE_GRADES] = {"A", "B", "C", "D", "-"};

const char *measure_grade_name(unsigned grade)
{
    return grade < MEASURE_GRADES ? grade_names[grade] : "";
}

void measure_add_rate(struct measure_table *table, const struct measure_tally *tally,
                      unsigned least)
{
    double low = 0;
    double high = 0;
    if (tally->n == 0 || tally->n < least) {
        measure_add_absent(table);
        measure_add_absent(table);
        measure_add_absent(table);
        return;
    }
    math_wilson((size_t)tally->hits, (size_t)tally->n, &low, &high);
    measure_add_number(table, (double)tally->hits / (double)tally->n);
    measure_add_number(table, low);
    measure_add_number(table, high);
}

void measure_add_verdict(struct measure_table *table, uint64_t n, unsigned least, const char *what)
{
    char text[96] = "";
    if (n < least) {
        (void)snprintf(text, sizeof text, "insufficient: %llu of %u %s", (unsigned long long)n,
                       least, what);
    }
    measure_add_text(table, text);
}

struct here {
    uint64_t accounts, customers;
};

static void grid_row(const struct measure_view *view, unsigned grade, unsigned band,
                     const struct here *here, struct measure_table *table)
{
    const struct measure_tally *cell = &view->cells[grade][band];
    measure_add_text(table, grade_names[grade]);
    measure_add_text(table, measure_band_name((enum measure_band)band));
    measure_add_whole(table, (int64_t)here->accounts);
    measure_add_whole(table, (int64_t)here->customers);
    measure_add_whole(table, (int64_t)cell->n);
    measure_add_whole(table, (int64_t)cell->hits);
    measure_add_rate(table, cell, view->least);
    measure_add_verdict(table, cell->n, view->least, "mature cases");
}

bool measure_grid_table(const struct measure_view *view, struct measure_table *table,
                        struct proto_fault *fault)
{
    struct here here[MEASURE_GRADES][MEASURE_BANDS] = {{{0, 0}}};
    for (uint32_t a = 0; a < view->count; a++) {
        const struct measure_standing *account = &view->accounts[a];
        here[account->grade][account->band].accounts++;
        here[account->grade][account->band].customers += account->customer;
    }
    /* Without a version there is one row of bands, with one there are four. */
    unsigned first = view->scored ? 0 : MEASURE_UNGRADED;
    unsigned end = view->scored ? MEASURE_UNGRADED : MEASURE_GRADES;
    for (unsigned grade = first; grade < end; grade++) {
        for (unsigned band = MEASURE_BANDS; band-- > 0;) {
            grid_row(view, grade, band, &here[grade][band], table);
        }
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
