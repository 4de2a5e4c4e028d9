/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/measure/long_sort.h"
#include "server/measure/readiness.h"

#define DAY INT64_C(86400000)

/* The worked example of docs/methods/readiness.md. */
static void shares_are_counted_and_held_against_the_floor(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    const uint8_t present[] = {1, 1, 1, 0, 1, 1, 1, 0, 1, 1};
    const char *const fields[] = {"size", "country"};
    const uint32_t account[] = {0, 1, 0, 0, 2};
    const int64_t times[] = {100 * DAY, 95 * DAY, 10 * DAY, 90 * DAY, 89 * DAY};
    const uint32_t source[] = {0, 0, 1, 0, 0};
    const char *const sources[] = {"crm", "billing"};
    const struct measure_rows rows = {5,     2,      present, fields, account, 3,
                                      times, source, sources, 2,      0,       NULL};
    const struct measure_readiness_options options = {100 * DAY, 10, 0.8, NULL};
    assert_true(measure_readiness_table(&rows, &options, &table, &fault));
    static const struct {
        const char *figure, *of;
        double share;
        int64_t n;
        const char *verdict;
    } right[] = {
        {"complete", "size", 1, 5, "ready"},      {"complete", "country", 0.6, 5, "mend first"},
        {"fresh", "", 0.6, 5, "mend first"},      {"unique", "", 0.8, 5, "ready"},
        {"linked", "", 1.0 / 3, 3, "mend first"}, {"covered", "crm", 1, 3, ""},
        {"covered", "billing", 1.0 / 3, 3, ""}};
    assert_int_equal(measure_table_rows(&table), 7);
    for (size_t i = 0; i < 7; i++) {
        const struct measure_cell *cells = table.cells + i * table.columns;
        assert_string_equal(cells[0].text, right[i].figure);
        assert_string_equal(cells[1].text, right[i].of);
        assert_true(fabs(cells[2].number - right[i].share) < 1e-15);
        assert_true(cells[3].number <= right[i].share && right[i].share <= cells[4].number);
        assert_int_equal(cells[5].whole, right[i].n);
        assert_string_equal(cells[6].text, right[i].verdict);
    }
    measure_table_fini(&table);
}

static void without_times_or_sources_there_are_no_such_rows(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    const uint32_t account[] = {0, 0};
    const struct measure_rows rows = {.count = 2, .account = account, .accounts = 1};
    const struct measure_readiness_options options = {0, 10, 0.8, NULL};
    assert_true(measure_readiness_table(&rows, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 1);
    assert_string_equal(table.cells[0].text, "unique");
    assert_true(table.cells[2].number == 0.5);
    measure_table_fini(&table);
    const struct measure_rows none = {.count = 0};
    assert_false(measure_readiness_table(&none, &options, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    measure_table_fini(&table);
}

static bool looks_count(void *context, struct proto_fault *fault)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(fault, PROTO_CANCELLED, "", "given up");
}

static void who_asked_can_give_up_in_fields_and_in_the_sort(void **state)
{
    (void)state;
    enum { COUNT = 2 * MEASURE_PIECE };
    static const char *const names[] = {"a", "b"};
    static const uint64_t filled[] = {1, 2};
    uint32_t *accounts = calloc(COUNT, sizeof *accounts);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    unsigned left = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &left};
    const struct measure_readiness_options options = {.floor = 0.8, .pace = &pace};
    assert_non_null(accounts);
    const struct measure_rows rows = {.count = COUNT,
                                      .fields = 2,
                                      .field_names = names,
                                      .filled = filled,
                                      .account = accounts,
                                      .accounts = 1};
    assert_true(measure_readiness_table(&rows, &options, &table, &fault));
    measure_table_fini(&table);
    unsigned looks = UINT32_MAX - left;
    assert_true(looks > 3); /* each field, between pieces, in the merge */
    for (unsigned most = 0; most < looks; most++) {
        left = most;
        fault.code = PROTO_OK;
        assert_false(measure_readiness_table(&rows, &options, &table, &fault));
        assert_int_equal(fault.code, PROTO_CANCELLED);
        measure_table_fini(&table);
    }
    free(accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_counted_and_held_against_the_floor),
        cmocka_unit_test(without_times_or_sources_there_are_no_such_rows),
        cmocka_unit_test(who_asked_can_give_up_in_fields_and_in_the_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
