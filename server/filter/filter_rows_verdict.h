/* SPDX-License-Identifier: Apache-2.0 */
/* What a condition says of each code of a column, and of which raw scores it is true. The part of
 * filter_rows that knows what bins mean. Threads: pure. */
#ifndef FILTER_FILTER_ROWS_VERDICT_H
#define FILTER_FILTER_ROWS_VERDICT_H

#include "server/filter/filter_program.h"
#include "server/filter/filter_rows.h"

enum filter_says { FILTER_NO = 0, FILTER_YES = 1, FILTER_LOOK = 2 };

/* Raw scores, the end not included. */
struct filter_range {
    int64_t from;
    int64_t end;
};
/* Wider than any raw score (model/scorecard.h: 2^43). */
#define FILTER_RAW_END (INT64_C(1) << 44)

/* For a number, category or flag column: the test, without "negated", on each code. */
void filter_says_fill(const struct filter *filter, const struct filter_condition *condition,
                      const struct feature_column *column, uint8_t says[256]);

/* Ranges of raw where the test, without "negated", is true: at most one an operand, ascending.
 * Returns how many. `ranges` has room for operand_count, at least 1. */
size_t filter_ranges_fill(const struct filter *filter, const struct filter_condition *condition,
                          const struct filter_facts *facts, struct filter_range *ranges);

/* filter.c: the test on a value that is present and of the condition's type. */
bool filter_condition_test(const struct filter *filter, const struct filter_condition *condition,
                           const struct feature_value *value);

#endif
