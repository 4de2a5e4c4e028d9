/* SPDX-License-Identifier: Apache-2.0 */
/* Multipliers as they are told, credits to the minor unit, and sums of what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <string.h>

#include "server/math/random.h"
#include "server/measure/compensation.h"

static void multipliers_are_read_or_refused_with_what_would_do(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "A=1,B=1,C=1",
                                      "A=1,B=1,C=1,D=1,E=1",
                                      "A=1,A=1,B=1,C=1,D=1",
                                      "A=1.234,B=1,C=1,D=1",
                                      "A=5.01,B=1,C=1,D=1",
                                      "A=-1,B=1,C=1,D=1",
                                      "A=.5,B=1,C=1,D=1",
                                      "A,B=1,C=1,D=1",
                                      "A=1,,B=1,C=1,D=1"};
    int64_t read[MEASURE_PAID_GRADES];
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(
        measure_multipliers_read(proto_span_text(" A=1.25, B = 1,C=0.8,D=0"), read, &fault));
    assert_true(read[0] == 125 && read[1] == 100 && read[2] == 80 && read[3] == 0);
    assert_true(read[MEASURE_PAID_NONE] == 100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(measure_multipliers_read(proto_span_text(bad[i]), read, &fault));
        assert_string_equal(fault.field, "multipliers");
        assert_non_null(strstr(fault.message, "A=1.2,B=1,C=0.8,D=0.5"));
    }
}

static void credits_are_exact_to_the_minor_unit(void **state)
{
    (void)state;
    assert_int_equal(measure_credit(10000, 1000000, 120), 12000);
    assert_int_equal(measure_credit(333, 72500, 125), 30); /* 30.178 */
    assert_int_equal(measure_credit(2, 250000, 100), 1);   /* a half goes up */
    assert_int_equal(measure_credit(12345678901234567, 1000000, 1000), 123456789012345670);
    assert_int_equal(measure_credit(0, 1000000, 1000), 0);
    struct math_random random;
    math_random_init(&random, 9);
    for (int i = 0; i < 10000; i++) { /* beside one product, where that fits */
        int64_t amount = (int64_t)math_random_below(&random, 1000000000);
        int64_t rate = (int64_t)math_random_below(&random, 1000001);
        int64_t multiplier = (int64_t)math_random_below(&random, 1001);
        int64_t product = amount / 1000 * 1000;
        int64_t told = measure_credit(product, rate, multiplier);
        assert_int_equal(told, (product / 1000 * rate * multiplier + 50000) / 100000);
    }
}

static void deal_put(struct measure_paid_deals *deals, const char *person, int64_t won_ms,
                     int64_t amount, uint8_t grade)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_paid_deal deal = {.account = (char[]){"acme"},
                                           .subject = (char[]){"d1"},
                                           .person = (char *)(uintptr_t)person,
                                           .reason = (char[]){"because"},
                                           .dispute = (char[]){"icp challenge"},
                                           .won_ms = won_ms,
                                           .amount = amount,
                                           .grade = grade,
                                           .fit = 50};
    assert_true(measure_paid_deals_add(deals, &deal, &fault));
}

static void sums_are_of_the_credits_that_are_told(void **state)
{
    (void)state;
    struct measure_paid_deals deals = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_compensation_options options = {
        .multipliers = {150, 100, 50, 0, 100}, .rate = 0.1, .top = 10};
    assert_false(measure_compensation_table(&deals, &options, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    measure_table_fini(&table);
    deal_put(&deals, "bo", 2, 1003, 2);
    deal_put(&deals, "ann", 5, 1003, 0);
    deal_put(&deals, "ann", 1, 1007, MEASURE_PAID_NONE);
    assert_true(measure_compensation_table(&deals, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 6);
    /* 150.45, 100.7 and 50.15 as 150, 101 and 50: 301 where the sum rounded once is 301.3 */
    assert_int_equal(measure_cell_find(&table, 0, "credit")->whole, 301);
    assert_int_equal(measure_cell_find(&table, 0, "n")->whole, 3);
    assert_string_equal(measure_cell_find(&table, 1, "person")->text, "ann");
    assert_int_equal(measure_cell_find(&table, 1, "credit")->whole, 251);
    assert_int_equal(measure_cell_find(&table, 1, "amount")->whole, 2010);
    assert_string_equal(measure_cell_find(&table, 3, "row")->text, "deal");
    assert_int_equal(measure_cell_find(&table, 3, "won")->whole, 1);
    assert_string_equal(measure_cell_find(&table, 3, "grade")->text, "none");
    assert_int_equal(measure_cell_find(&table, 4, "credit")->whole, 150);
    assert_true(measure_cell_find(&table, 4, "multiplier")->number == 1.5);
    measure_table_fini(&table);
    options.skip = 2;
    options.top = 1; /* sums stay those of all */
    assert_true(measure_compensation_table(&deals, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 4);
    assert_int_equal(measure_cell_find(&table, 0, "credit")->whole, 301);
    assert_string_equal(measure_cell_find(&table, 3, "person")->text, "bo");
    measure_table_fini(&table);
    measure_paid_deals_fini(&deals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipliers_are_read_or_refused_with_what_would_do),
        cmocka_unit_test(credits_are_exact_to_the_minor_unit),
        cmocka_unit_test(sums_are_of_the_credits_that_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
