/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/measure/measure_rules.h"

static void the_defaults_are_the_first_choices(void **state)
{
    (void)state;
    struct measure_rules rules;
    measure_rules_default(&rules);
    assert_true(measure_rules_has(&rules, MEASURE_RULE_CHURN_AT, MEASURE_CHURN_AT_END));
    assert_true(measure_rules_has(&rules, MEASURE_RULE_TRIALS, MEASURE_TRIALS_EXCLUDED));
    assert_true(measure_rules_has(&rules, MEASURE_RULE_CHURN_UNIT, MEASURE_CHURN_UNIT_ACCOUNT));
    for (int c = 0; c < MEASURE_CHOICES; c++) {
        const struct measure_choice_info *info = measure_choice_info((enum measure_choice)c);
        struct proto_fault fault = {.code = PROTO_OK};
        assert_true(measure_rules_set(&rules, proto_span_text(measure_rule_name(info->rule)),
                                      proto_span_text(info->word), &fault));
        assert_int_equal(rules.choice[info->rule], c);
    }
}

static void refused(const char *text, const char *part)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    measure_rules_default(&rules);
    assert_false(measure_rules_set_text(&rules, text, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    if (strstr(fault.message, part) == NULL) {
        fail_msg("'%s' does not say '%s'", fault.message, part);
    }
}

static void what_is_no_rule_is_refused_with_what_would_be_right(void **state)
{
    (void)state;
    refused("churn-at=someday", "end, cancel, paid-end");
    refused("churn=end", "there is no rule 'churn'");
    refused("churn-at", "NAME=CHOICE");
    refused("currency=dollars", "three letters");
    refused("rate-EURO=1", "three letters");
    refused("rate-EUR=0", "above 0");
    refused("rate-EUR=1.0000001", "six digits");
    refused("rate-EUR=-1", "above 0");
}

static void rates_are_one_table_whatever_their_order(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules a;
    struct measure_rules b;
    measure_rules_default(&a);
    measure_rules_default(&b);
    assert_true(measure_rules_set_text(&a, "rate-EUR=1.08", &fault));
    assert_true(measure_rules_set_text(&a, "rate-chf=1.1", &fault));
    assert_int_equal(measure_rules_differ(&a, &b), 1u << MEASURE_RULE_RATES);
    assert_true(measure_rules_set_text(&b, "rate-CHF=1.2", &fault));
    assert_true(measure_rules_set_text(&b, "rate-EUR=1.080", &fault));
    assert_true(measure_rules_set_text(&b, "rate-CHF=1.1", &fault));
    assert_int_equal(measure_rules_differ(&a, &b), 0);
    assert_int_equal(measure_rules_rate(&a, "EUR"), 1080000);
    assert_int_equal(measure_rules_rate(&a, "GBP"), 0);
    assert_int_equal(measure_rules_rate(&a, ""), MEASURE_RATE_ONE);
    char rate[] = "rate-AAA=1";
    for (int i = 0; i < MEASURE_RATES_MAX - 2; i++) {
        rate[6] = (char)('A' + i / 26);
        rate[7] = (char)('A' + i % 26);
        assert_true(measure_rules_set_text(&a, rate, &fault));
    }
    assert_false(measure_rules_set_text(&a, "rate-ZZZ=1", &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
}

static void a_mix_takes_the_rules_that_it_is_told(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules a;
    struct measure_rules b;
    measure_rules_default(&a);
    b = a;
    assert_true(measure_rules_set_text(&b, "churn-at=cancel", &fault));
    assert_true(measure_rules_set_text(&b, "trials=counted", &fault));
    assert_true(measure_rules_set_text(&b, "currency=USD", &fault));
    uint32_t bits = measure_rules_differ(&a, &b);
    assert_int_equal(__builtin_popcount(bits), 3);
    struct measure_rules mixed = measure_rules_mix(&a, &b, bits);
    assert_int_equal(measure_rules_differ(&mixed, &b), 0);
    mixed = measure_rules_mix(&a, &b, 0);
    assert_int_equal(measure_rules_differ(&mixed, &a), 0);
    mixed = measure_rules_mix(&a, &b, 1u << MEASURE_RULE_TRIALS);
    assert_int_equal(measure_rules_differ(&mixed, &a), 1u << MEASURE_RULE_TRIALS);
}

static void decimals_are_read_exactly_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {{"1.08", true, 108},      {"-12.5", true, -1250}, {"7", true, 700},
                 {".5", true, 50},         {"5.", true, 500},      {"1.230", true, 123},
                 {"1.234", false, 0},      {"", false, 0},         {"-", false, 0},
                 {"1e3", false, 0},        {"1.2.3", false, 0},    {"+4", true, 400},
                 {"10000", true, 1000000}, {"10000.01", false, 0}, {"99999999999", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 0;
        bool good = measure_decimal(proto_span_text(cases[i].text), 2, 1000000, &value);
        assert_int_equal(good, cases[i].good);
        assert_int_equal(good ? value : 0, cases[i].value);
    }
}

static void money_of_other_currencies_is_worth_minor_units_of_the_base(void **state)
{
    (void)state;
    static const struct {
        const char *base, *currency, *rate;
        int64_t amount;
        uint32_t term;
        int64_t right;
    } cases[] = {
        {"USD", "EUR", "1.08", 1000, 1, 1080},   {"USD", "JPY", "0.0066", 5000, 1, 3300},
        {"JPY", "USD", "150", 1000, 1, 1500},    {"JPY", "KWD", "480", 1500, 1, 720},
        {"KWD", "JPY", "0.0021", 1000, 1, 2100}, {"USD", "USD", "1", 2000, 12, 167},
        {"JPY", "USD", "150", -1, 1, -2}, /* 1.5 yen, away from zero */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct measure_rules rules;
        struct proto_fault fault = {.code = PROTO_OK};
        char text[32];
        measure_rules_default(&rules);
        snprintf(text, sizeof text, "currency=%s", cases[i].base);
        assert_true(measure_rules_set_text(&rules, text, &fault));
        snprintf(text, sizeof text, "rate-%s=%s", cases[i].currency, cases[i].rate);
        assert_true(strcmp(cases[i].currency, cases[i].base) == 0 ||
                    measure_rules_set_text(&rules, text, &fault));
        struct measure_worth worth = measure_rules_worth(&rules, cases[i].currency);
        assert_int_equal(measure_money(cases[i].amount, worth, cases[i].term), cases[i].right);
        assert_int_equal(measure_rules_worth(&rules, "XXX").over, 0);
    }
    /* Of one currency it is divided in 64 bits; by these odd numbers in 128. */
    for (int64_t amount = 0; amount < 5000; amount++) {
        int64_t minor = amount < 4000 ? amount : INT64_MAX / 4 - 4500 + amount;
        for (uint32_t term = 1; term <= 36; term++) {
            const struct measure_worth even = {MEASURE_RATE_ONE, MEASURE_RATE_ONE};
            const struct measure_worth odd = {1, 1};
            assert_int_equal(measure_money(minor, even, term), measure_money(minor, odd, term));
        }
    }
    assert_true(measure_money_units("") == 100 && measure_money_units("JPY") == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_first_choices),
        cmocka_unit_test(what_is_no_rule_is_refused_with_what_would_be_right),
        cmocka_unit_test(rates_are_one_table_whatever_their_order),
        cmocka_unit_test(a_mix_takes_the_rules_that_it_is_told),
        cmocka_unit_test(decimals_are_read_exactly_or_not_at_all),
        cmocka_unit_test(money_of_other_currencies_is_worth_minor_units_of_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
