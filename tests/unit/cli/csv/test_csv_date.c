/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/cli/csv/csv_date.h"

#define CELLS 6

static const struct {
    const char *column[CELLS];
    const char *file[CELLS]; /* another column of it */
    enum csv_day_order order;
    const char *first; /* the first cell as a date; NULL: it could be two */
} columns[] = {
    {{"03/04/2023", "25/04/2023"}, {NULL}, CSV_DAY_FIRST, "2023-04-03"},
    {{"03/04/2023", "04/25/2023"}, {NULL}, CSV_MONTH_FIRST, "2023-03-04"},
    {{"03/04/2023", "05/06/2023"}, {NULL}, CSV_DAY_OPEN, NULL},
    {{"03/04/2023", "05/06/2023"}, {"31-12-22"}, CSV_DAY_FIRST, "2023-04-03"},
    {{"03-04-23 10:30", "12/31/23 1:00 PM"}, {NULL}, CSV_MONTH_FIRST, "2023-03-04T10:30:00Z"},
    /* Points are written where the day goes first. */
    {{"3.4.2023", "5.6.23"}, {NULL}, CSV_DAY_FIRST, "2023-04-03"},
    {{"04/04/2023", "05/05/2023"}, {NULL}, CSV_DAY_OPEN, "2023-04-04"},
    /* A column that is both is neither, whatever the file is. */
    {{"03/04/2023", "25/04/2023", "04/25/2023"}, {"31/12/2022"}, CSV_DAY_OPEN, NULL},
    {{"2023.04.03"}, {NULL}, CSV_DAY_OPEN, "2023-04-03"},
    {{"20230403"}, {NULL}, CSV_DAY_OPEN, "2023-04-03"},
    {{"1680480000000"}, {NULL}, CSV_DAY_OPEN, "2023-04-03"},
    {{"Q2 2023"}, {NULL}, CSV_DAY_OPEN, "2023-04-01"},
    {{"2023-Q4"}, {NULL}, CSV_DAY_OPEN, "2023-10-01"},
    {{"2023-04"}, {NULL}, CSV_DAY_OPEN, "2023-04-01"},
    {{"2024-366"}, {NULL}, CSV_DAY_OPEN, "2024-12-31"},
    {{"03-Apr-23"}, {NULL}, CSV_DAY_OPEN, "2023-04-03"},
    {{"Apr 3, 71 10:00"}, {NULL}, CSV_DAY_OPEN, "1971-04-03T10:00:00Z"},
    {{"45019"}, {NULL}, CSV_DAY_OPEN, "2023-04-03"},
    {{"45019.5"}, {NULL}, CSV_DAY_OPEN, "2023-04-03T12:00:00Z"},
};

static void votes_take(struct csv_date_votes *votes, const char *const cells[CELLS])
{
    for (size_t i = 0; i < CELLS && cells[i] != NULL; i++) {
        (void)csv_date_vote(votes, proto_span_text(cells[i]), 1, i + 2);
    }
}

static void the_column_decides_then_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        struct csv_date_votes own = {0};
        struct csv_date_votes file = {0};
        int64_t ms;
        char text[FEATURE_DATE_TEXT_BYTES];
        votes_take(&own, columns[i].column);
        votes_take(&file, columns[i].file);
        csv_date_join(&file, &own);
        enum csv_day_order order = csv_date_decide(&own, &file);
        enum csv_date_outcome outcome =
            csv_date_read(order, proto_span_text(columns[i].column[0]), &ms);
        if (order != columns[i].order ||
            outcome != (columns[i].first != NULL ? CSV_DATE_READ : CSV_DATE_EITHER)) {
            fail_msg("%s: order %d, outcome %d", columns[i].column[0], (int)order, (int)outcome);
        }
        if (outcome == CSV_DATE_READ) {
            (void)feature_date_print(ms, text);
            assert_string_equal(text, columns[i].first);
        }
    }
}

static void what_is_no_date_in_any_order_is_none(void **state)
{
    (void)state;
    static const char *const none[] = {"13/13/2023", "32.1.2023", "1/2/3",      "1.2",
                                       "2023-367",   "2023-13",   "Q5 2023",    "20231301",
                                       "12345",      "10:30",     "1/2-2023",   "12/2023",
                                       "a/b/c",      "30/02/23",  "01/02/2023x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct csv_date_votes votes = {0};
        if (csv_date_vote(&votes, proto_span_text(none[i]), 1, 2)) {
            fail_msg("%s passes for a date", none[i]);
        }
    }
    /* A count of days is one where a date is wanted, and not before 1954. */
    int64_t ms;
    assert_int_equal(csv_date_read(CSV_DAY_OPEN, proto_span_text("12345"), &ms), CSV_DATE_NONE);
}

static void a_told_order_reads_what_fits_it_and_what_has_one_reading(void **state)
{
    (void)state;
    int64_t ms;
    char text[FEATURE_DATE_TEXT_BYTES];
    assert_int_equal(csv_date_read(CSV_MONTH_FIRST, proto_span_text("03/04/2023"), &ms),
                     CSV_DATE_READ);
    (void)feature_date_print(ms, text);
    assert_string_equal(text, "2023-03-04");
    assert_int_equal(csv_date_read(CSV_MONTH_FIRST, proto_span_text("25/04/2023"), &ms),
                     CSV_DATE_READ);
    (void)feature_date_print(ms, text);
    assert_string_equal(text, "2023-04-25");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_column_decides_then_the_file),
        cmocka_unit_test(what_is_no_date_in_any_order_is_none),
        cmocka_unit_test(a_told_order_reads_what_fits_it_and_what_has_one_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
