/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as files have them, by the evidence of their column: "03/04/2023" is two dates, but a
 * column in which a "25/04/2023" stands has the day first. Beside what feature_date_read takes:
 * days between / - or . (with points the day is always first), years of two digits (69 to 99 are
 * of the last century, as in POSIX), 20230108, milliseconds since 1970 of 13 digits, a month alone
 * (2023-01), a quarter (Q1 2023, 2023-Q1), a day of the year (2023-008), each the first of its
 * days, and days since 1899-12-30 as spreadsheets count them (45000). Shapes: votes are cells.
 * Ownership: values. Errors: none. Threads: pure. */
#ifndef CSV_CSV_DATE_H
#define CSV_CSV_DATE_H

#include "proto/span.h"
#include "server/feature/date_text.h"

enum csv_day_order { CSV_DAY_OPEN, CSV_DAY_FIRST, CSV_MONTH_FIRST };

struct csv_date_votes {
    size_t dates; /* cells that are one, the following included */
    size_t day_first;
    size_t month_first;
    size_t either;
    size_t line; /* of the first that could be either */
};

/* Adds a cell; false if it is no date in any form. A spreadsheet's count of days is none here: by
 * itself it is a number. */
bool csv_date_vote(struct csv_date_votes *votes, struct proto_span cell, size_t times, size_t line);
void csv_date_join(struct csv_date_votes *file, const struct csv_date_votes *column);
/* CSV_DAY_OPEN: some could be either and nothing in the file says which. */
enum csv_day_order csv_date_decide(const struct csv_date_votes *column,
                                   const struct csv_date_votes *file);
/* Whether the column's own cells do not decide. */
bool csv_date_is_open(const struct csv_date_votes *column);

enum csv_date_outcome { CSV_DATE_NONE, CSV_DATE_READ, CSV_DATE_EITHER };
/* A cell as a date. CSV_DATE_EITHER: it could be two, and the order is open. */
enum csv_date_outcome csv_date_read(enum csv_day_order order, struct proto_span cell, int64_t *ms);

#endif
