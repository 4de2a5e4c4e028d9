/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of events in one currency: what is refused, and that no sum of them overflows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/lifecycle/lifecycle_amount.h"
#include "server/measure/spell.h"

static struct event amount_of(int64_t minor, const char *currency)
{
    return (struct event){
        .has = EVENT_HAS_AMOUNT, .amount = minor, .currency = proto_span_text(currency)};
}

static void rules_take(struct measure_rules *rules, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_rules_set_text(rules, text, &fault));
}

static void an_event_without_an_amount_is_worth_nothing(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct proto_fault fault = {.code = PROTO_OK};
    int64_t minor = 7;
    measure_rules_default(&rules);
    struct lifecycle_amount amount = {.rules = &rules};
    const struct event event = {.amount = 5};
    assert_true(lifecycle_amount_settle(&amount, &event, &minor, &fault));
    assert_int_equal(minor, 0);
    assert_int_equal(amount.sum, 0);
    lifecycle_amount_end(&amount);
    assert_string_equal(rules.base, "");
}

static void the_first_currency_is_that_of_the_answer_and_no_other_fits(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct event usd = amount_of(500, "USD");
    const struct event eur = amount_of(500, "EUR");
    int64_t minor = 0;
    measure_rules_default(&rules);
    struct lifecycle_amount amount = {.rules = &rules};
    assert_true(lifecycle_amount_settle(&amount, &usd, &minor, &fault));
    assert_int_equal(minor, 500);
    assert_false(lifecycle_amount_settle(&amount, &eur, &minor, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, "rules.currency");
    lifecycle_amount_end(&amount);
    assert_string_equal(rules.base, "USD");
}

static void an_amount_out_of_bounds_or_without_a_rate_is_refused(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct event below = amount_of(-1, "USD");
    const struct event above = amount_of(MEASURE_AMOUNT_MAX + 1, "USD");
    const struct event unknown = amount_of(1, "JPY");
    int64_t minor = 0;
    measure_rules_default(&rules);
    rules_take(&rules, "currency=USD");
    struct lifecycle_amount amount = {.rules = &rules};
    assert_false(lifecycle_amount_settle(&amount, &below, &minor, &fault));
    assert_string_equal(fault.field, "amount");
    assert_false(lifecycle_amount_settle(&amount, &above, &minor, &fault));
    assert_string_equal(fault.field, "amount");
    assert_false(lifecycle_amount_settle(&amount, &unknown, &minor, &fault));
    assert_string_equal(fault.field, "currency");
}

static void amounts_together_stay_within_their_bound_after_rates(void **state)
{
    (void)state;
    struct measure_rules rules;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct event large = amount_of(MEASURE_AMOUNT_MAX, "EUR");
    int64_t minor = 0;
    measure_rules_default(&rules);
    rules_take(&rules, "currency=USD");
    rules_take(&rules, "rate-EUR=1000000");
    struct lifecycle_amount alone = {.rules = &rules};
    assert_false(lifecycle_amount_settle(&alone, &large, &minor, &fault)); /* 10^19 */
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_int_equal(minor, 0);
    measure_rules_default(&rules);
    rules_take(&rules, "currency=USD");
    rules_take(&rules, "rate-EUR=50000");
    struct lifecycle_amount several = {.rules = &rules};
    assert_true(lifecycle_amount_settle(&several, &large, &minor, &fault));
    assert_true(minor == INT64_C(500000000000000000));
    assert_true(lifecycle_amount_settle(&several, &large, &minor, &fault));
    assert_false(lifecycle_amount_settle(&several, &large, &minor, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_string_equal(fault.field, "amount");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_without_an_amount_is_worth_nothing),
        cmocka_unit_test(the_first_currency_is_that_of_the_answer_and_no_other_fits),
        cmocka_unit_test(an_amount_out_of_bounds_or_without_a_rate_is_refused),
        cmocka_unit_test(amounts_together_stay_within_their_bound_after_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
