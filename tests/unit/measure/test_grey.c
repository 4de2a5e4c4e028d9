/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody saw of a way, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/measure/grey.h"

#define DAY MEASURE_DAY_MS

static struct proto_fault fault;

static void add(struct measure_grey *grey, enum measure_journey_end end, int64_t created,
                int64_t ended, const int64_t *days, size_t count, uint64_t seq)
{
    struct event touches[8];
    const struct event *chosen[8];
    const struct event outcome = {.type = EVENT_OUTCOME, .time_ms = ended * DAY, .seq = 5};
    for (size_t i = 0; i < count; i++) {
        touches[i] = (struct event){.type = EVENT_TOUCH, .time_ms = days[i] * DAY, .seq = seq};
        chosen[i] = &touches[i];
    }
    const struct measure_journey journey = {.end = end,
                                            .outcome = &outcome,
                                            .created_ms = created * DAY,
                                            .end_ms = ended * DAY,
                                            .touches = chosen,
                                            .touch_count = count};
    assert_true(measure_grey_add(grey, &journey, &fault));
}

static void row_is(const struct measure_table *table, size_t row, const char *figure, double value,
                   int64_t n)
{
    assert_string_equal(measure_cell_find(table, row, "figure")->text, figure);
    assert_true(fabs(measure_cell_find(table, row, "value")->number - value) < 1e-12);
    assert_int_equal(measure_cell_find(table, row, "n")->whole, n);
}

/* Won: touches on days 10, 12 and 40 until 50, created on 20, told before the outcome; the same
 * without a touch; and touches on 30 alone, created on 30 and ended then, typed in after. */
static void shares_come_out_as_by_hand(void **state)
{
    (void)state;
    struct measure_grey grey = {.options = {90 * DAY, 3 * DAY, 20 * DAY, 3}};
    struct measure_table table;
    const int64_t first[] = {10, 12, 40};
    const int64_t second[] = {30};
    add(&grey, MEASURE_JOURNEY_WON, 20, 50, first, 3, 1);
    add(&grey, MEASURE_JOURNEY_WON, 20, 50, NULL, 0, 0);
    add(&grey, MEASURE_JOURNEY_WON, 30, 30, second, 1, 9);
    add(&grey, MEASURE_JOURNEY_LOST, 5, 15, first, 1, 1);
    add(&grey, MEASURE_JOURNEY_OPEN, 5, 15, first, 1, 1);
    assert_true(measure_grey_table(&grey, &table, &fault));
    row_is(&table, 0, "unseen", 1.0 / 3, 3);
    row_is(&table, 1, "untouched", 1.0 / 3, 3);
    /* 10 to 15 and 37 to 43 of 10 to 50; the third journey has no length */
    row_is(&table, 2, "covered", 11.0 / 40, 2);
    row_is(&table, 3, "silent", 0.5, 2); /* 28 days */
    row_is(&table, 4, "longest silence", 14, 2);
    assert_int_equal(measure_cell_find(&table, 4, "low")->kind, MEASURE_ABSENT);
    row_is(&table, 5, "typed in", 0.25, 4);
    assert_string_equal(measure_cell_find(&table, 6, "of")->text, "lost");
    row_is(&table, 7, "untouched", 1, 1); /* the touch came after the creation */
    row_is(&table, 8, "covered", 3.0 / 5, 1);
    measure_table_fini(&table);
    measure_grey_fini(&grey);
}

static void a_long_row_of_journeys_has_an_interval_of_the_median(void **state)
{
    (void)state;
    struct measure_grey grey = {.options = {0, 0, 0, 1}};
    struct measure_table table;
    for (int64_t i = 1; i <= 100; i++) {
        const int64_t day[] = {0};
        add(&grey, MEASURE_JOURNEY_WON, 0, i, day, 1, 1);
    }
    assert_true(measure_grey_table(&grey, &table, &fault));
    row_is(&table, 4, "longest silence", 50.5, 100);
    assert_true(measure_cell_find(&table, 4, "low")->number == 40);
    assert_true(measure_cell_find(&table, 4, "high")->number == 61);
    measure_table_fini(&table);
    measure_grey_fini(&grey);
}

static void too_few_are_told(void **state)
{
    (void)state;
    struct measure_grey grey = {.options = {.least = 30}};
    struct measure_table table;
    add(&grey, MEASURE_JOURNEY_WON, 0, 1, NULL, 0, 0);
    assert_false(measure_grey_table(&grey, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_string_equal(fault.message, "insufficient: 1 journeys were won, 30 are needed");
    measure_table_fini(&table);
    measure_grey_fini(&grey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_come_out_as_by_hand),
        cmocka_unit_test(a_long_row_of_journeys_has_an_interval_of_the_median),
        cmocka_unit_test(too_few_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
