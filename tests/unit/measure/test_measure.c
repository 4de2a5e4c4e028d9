/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <string.h>

#include "server/feature/date_text.h"
#include "server/measure/measure.h"
#include "server/measure/measure_mrr.h"

static void every_measure_has_a_table_and_is_found_by_its_name(void **state)
{
    (void)state;
    for (int id = 0; id < MEASURE_IDS; id++) {
        size_t columns = 0;
        size_t parameters = 0;
        const struct measure_info *info = measure_info((enum measure_id)id);
        assert_int_equal(measure_find(info->name), id);
        assert_non_null(measure_columns((enum measure_id)id, &columns));
        (void)measure_parameters((enum measure_id)id, &parameters);
        assert_true(columns >= 2);
        assert_true(info->interval[0] != '\0' && info->correction[0] != '\0');
    }
    assert_int_equal(measure_find("nothing"), MEASURE_IDS);
    assert_non_null(measure_parameter_find(MEASURE_ID_MRR, "period"));
    assert_null(measure_parameter_find(MEASURE_ID_MRR, "grace"));
}

static void a_table_holds_cells_by_the_kinds_of_its_columns(void **state)
{
    (void)state;
    struct measure_table table;
    measure_table_init(&table, MEASURE_ID_RETENTION);
    for (int row = 0; row < 50; row++) {
        measure_add_text(&table, "all");
        measure_add_text(&table, "nrr-cohort");
        measure_add_number(&table, 1.5);
        measure_add_number(&table, __builtin_nan(""));
        assert_false(measure_table_good(&table)); /* the row is not whole */
        measure_add_absent(&table);
        measure_add_whole(&table, row);
    }
    assert_true(measure_table_good(&table));
    assert_int_equal(measure_table_rows(&table), 50);
    assert_int_equal(table.cells[3].kind, MEASURE_ABSENT);
    assert_int_equal(table.cells[6 * 49 + 5].whole, 49);
    measure_table_fini(&table);
}

static int64_t day(int year, int month, int d)
{
    int64_t ms = 0;
    assert_true(feature_date_of(year, month, d, &ms));
    return ms;
}

static struct measure_spells two_accounts(struct measure_rules *rules)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells spells;
    struct measure_subscription subscriptions[] = {
        measure_subscription_open(0, day(2024, 1, 10), 1000, 1),
        measure_subscription_open(1, day(2024, 4, 20), 500, 1),
    };
    subscriptions[0].end_ms = day(2024, 5, 10);
    measure_rules_default(rules);
    assert_true(measure_spells_make(subscriptions, 2, 2, rules, &spells, &fault));
    return spells;
}

static void periods_of_the_mrr_table_join_and_end_by_the_last_day(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_table table;
    struct measure_spells spells = two_accounts(&rules);
    const uint32_t of[] = {0, 1};
    const char *const names[] = {"small", "large", "nobody"};
    const struct measure_segments segments = {of, names, 3};
    const struct measure_segments none = {NULL, NULL, 0};
    assert_true(measure_mrr_table(&spells, &rules, &segments, day(2024, 1, 1), day(2024, 6, 20), 1,
                                  &table, &fault));
    assert_int_equal(measure_table_rows(&table), 15); /* all, then two that have an account */
    assert_string_equal(measure_cell_find(&table, 4, "segment")->text, "all");
    assert_string_equal(measure_cell_find(&table, 9, "segment")->text, "small");
    assert_int_equal(measure_cell_find(&table, 0, "new")->whole, 1000);
    assert_int_equal(measure_cell_find(&table, 5, "new")->whole, 1000);
    assert_int_equal(measure_cell_find(&table, 10, "new")->whole, 0);
    assert_int_equal(measure_cell_find(&table, 13, "new")->whole, 500); /* of April */
    assert_string_equal(measure_cell_find(&table, 14, "segment")->text, "large");
    measure_table_fini(&table);
    assert_true(measure_mrr_table(&spells, &rules, &none, day(2024, 1, 1), day(2024, 6, 20), 1,
                                  &table, &fault));
    assert_int_equal(measure_table_rows(&table), 5);
    for (size_t row = 0; row < 5; row++) {
        const struct measure_cell *cells = table.cells + row * table.columns;
        assert_true(row == 0 || cells[0].whole == cells[0 - (ptrdiff_t)table.columns + 1].whole);
        assert_int_equal(cells[8].whole, cells[2].whole + cells[3].whole + cells[4].whole +
                                             cells[5].whole - cells[6].whole - cells[7].whole);
    }
    measure_table_fini(&table);
    assert_false(measure_mrr_table(&spells, &rules, &none, day(2024, 1, 1), day(2024, 1, 20), 1,
                                   &table, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    measure_table_fini(&table);
    measure_spells_fini(&spells);
}

static void cohorts_are_cut_at_the_calendar_and_segments_stand_apart(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_table table;
    struct measure_spells spells = two_accounts(&rules);
    const uint32_t of[] = {0, 1};
    const char *const names[] = {"small", "large"};
    const struct measure_segments segments = {of, names, 2};
    const struct measure_survival_options options = {day(2024, 12, 1), 3, 3, 4, 0};
    assert_true(measure_survival_table(&spells, &segments, &options, &table, &fault));
    const struct measure_cell *first = table.cells;
    assert_string_equal(first[0].text, "2024-01-01");
    assert_string_equal(first[1].text, "small");
    const struct measure_cell *last = table.cells + table.count - table.columns;
    assert_string_equal(last[0].text, "2024-04-01");
    assert_string_equal(last[1].text, "large");
    assert_true(last[3].number == 1);
    assert_int_equal(last[6].whole, 1);
    measure_table_fini(&table);
    assert_true(measure_retention_table(&spells, &rules, &segments, day(2024, 5, 1),
                                        day(2024, 6, 1), &table, &fault));
    assert_int_equal(measure_table_rows(&table), 15);
    assert_string_equal(table.cells[5 * table.columns].text, "small");
    assert_true(table.cells[5 * table.columns + 2].number == 0);
    assert_true(table.cells[10 * table.columns + 2].number == 1);
    measure_table_fini(&table);
    measure_spells_fini(&spells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_has_a_table_and_is_found_by_its_name),
        cmocka_unit_test(a_table_holds_cells_by_the_kinds_of_its_columns),
        cmocka_unit_test(periods_of_the_mrr_table_join_and_end_by_the_last_day),
        cmocka_unit_test(cohorts_are_cut_at_the_calendar_and_segments_stand_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
