/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/event/event_money.h"

static void a_currency_has_the_digits_of_its_minor_unit(void **state)
{
    (void)state;
    assert_int_equal(event_money_digits(proto_span_text("USD")), 2);
    assert_int_equal(event_money_digits(proto_span_text("JPY")), 0);
    assert_int_equal(event_money_digits(proto_span_text("KWD")), 3);
    assert_int_equal(event_money_digits(proto_span_text("CLF")), 4);
    assert_int_equal(event_money_digits(proto_span_text("jpy")), 2);
    assert_int_equal(event_money_digits(proto_span_text("")), 2);
}

static void prints(int64_t number, unsigned digits, bool whole, const char *right)
{
    char out[EVENT_DECIMAL_BYTES];
    assert_string_equal(event_decimal_print(number, digits, whole, out), right);
}

static void numbers_are_written_with_their_digits(void **state)
{
    (void)state;
    prints(123450, 2, false, "1234.50");
    prints(123450, 2, true, "1234.5");
    prints(5, 2, false, "0.05");
    prints(-5, 2, false, "-0.05");
    prints(0, 2, false, "0.00");
    prints(0, 3, true, "0");
    prints(1200, 0, false, "1200");
    prints(1200, 0, true, "1200");
    prints(9000, 3, true, "9");
    prints(-9050, 3, true, "-9.05");
    prints(INT64_MIN, 9, false, "-9223372036.854775808");
    prints(INT64_MAX, 0, false, "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_currency_has_the_digits_of_its_minor_unit),
        cmocka_unit_test(numbers_are_written_with_their_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
