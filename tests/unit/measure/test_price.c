/* SPDX-License-Identifier: Apache-2.0 */
/* Prices, packages and discounts by hand; lists that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/measure/price.h"
#include "server/measure/price_list.h"

static void names_are_found_as_other_systems_write_them(void **state)
{
    (void)state;
    struct measure_prices prices;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_prices_read(proto_span_text("{\"GTX Pro\": 4821, \"MG Special\": 55.5}"),
                                    &prices, &fault));
    assert_true(measure_prices_find(&prices, proto_span_text("GTXPro")) == 4821);
    assert_true(measure_prices_find(&prices, proto_span_text("mg-special")) == 55.5);
    assert_true(isnan(measure_prices_find(&prices, proto_span_text("GTX"))));
    measure_prices_fini(&prices);
    assert_true(measure_prices_read(proto_span_text("none"), &prices, &fault));
    assert_true(isnan(measure_prices_find(&prices, proto_span_text("none"))));
    measure_prices_fini(&prices);
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } bad[] = {{"", "a JSON object such as"},
               {"[1]", "a JSON object such as"},
               {"{}", "a JSON object such as"},
               {"{\"a\": \"1\"}", "the price of 'a' is no number above 0"},
               {"{\"a\": 0}", "the price of 'a' is no number above 0"},
               {"{\"a b\": 1, \"A-B\": 2}", "two names of the list are 'ab'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct measure_prices prices;
        struct proto_fault fault = {.code = PROTO_OK};
        assert_false(measure_prices_read(proto_span_text(bad[i].text), &prices, &fault));
        assert_string_equal(fault.field, "parameters.list");
        assert_non_null(strstr(fault.message, bad[i].part));
        measure_prices_fini(&prices);
    }
}

static const char *const segments[] = {"(none)", "north", "south"};
static const char *const packages[] = {"basic", "pro"};

static void sales_add(struct measure_sales *sales, uint32_t segment, uint32_t package,
                      double amount, double units, double list)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_sale sale = {segment, package, amount, units, list};
    assert_true(measure_sales_add(sales, &sale, &fault));
}

static void rows_are_of_segments_and_their_packages(void **state)
{
    (void)state;
    struct measure_sales sales = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_price_options options = {.minor = 100, .least = 1, .segments = true};
    for (int i = 0; i < 8; i++) {
        sales_add(&sales, 1, 0, 1000 + 100 * i, 1, 2000); /* 10 to 17, half price at most */
    }
    sales_add(&sales, 2, 1, 9000, 3, MEASURE_NAN);
    sales_add(&sales, 2, 0, 4000, 2, 2000);
    assert_true(measure_price_table(&sales, segments, packages, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 3 + 2 + 3);
    assert_string_equal(measure_cell_find(&table, 3, "segment")->text, "north");
    assert_true(measure_cell_find(&table, 3, "price")->number == 13.5);
    assert_true(measure_cell_find(&table, 3, "low")->number == 10); /* ranks 1 and 8 of 8 */
    assert_true(fabs(measure_cell_find(&table, 3, "discount")->number - (1 - 108.0 / 160)) < 1e-12);
    assert_true(measure_cell_find(&table, 4, "list")->number == 20);
    assert_string_equal(measure_cell_find(&table, 7, "package")->text, "pro");
    assert_true(measure_cell_find(&table, 7, "price")->number == 30);
    assert_true(measure_cell_find(&table, 7, "share")->number == 0.5);
    assert_int_equal(measure_cell_find(&table, 7, "discount")->kind, MEASURE_ABSENT);
    assert_int_equal(measure_cell_find(&table, 5, "listed")->whole, 1);
    assert_true(measure_cell_find(&table, 6, "discount")->number == 0);
    measure_table_fini(&table);
    const struct measure_price_options more = {.minor = 100, .least = 11};
    assert_false(measure_price_table(&sales, segments, packages, &more, &table, &fault));
    assert_non_null(strstr(fault.message, "10 deals have an amount, 11 are needed"));
    measure_table_fini(&table);
    measure_sales_fini(&sales);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_as_other_systems_write_them),
        cmocka_unit_test(a_list_that_is_none_is_refused),
        cmocka_unit_test(rows_are_of_segments_and_their_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
