/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/measure/spell.h"

#define DAY MEASURE_DAY_MS

static struct measure_rules rules_of(const char *a, const char *b)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    measure_rules_default(&rules);
    assert_true(a == NULL || measure_rules_set_text(&rules, a, &fault));
    assert_true(b == NULL || measure_rules_set_text(&rules, b, &fault));
    return rules;
}

/* MRR of the one account at a day, by the rules. */
static int64_t at(struct measure_subscription s, const struct measure_rules *rules, int day)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells spells;
    assert_true(measure_spells_make(&s, 1, 1, rules, &spells, &fault));
    int64_t minor = measure_account_at(&spells, 0, day * DAY, NULL);
    measure_spells_fini(&spells);
    return minor;
}

static struct measure_subscription plain(void)
{
    struct measure_subscription s = measure_subscription_open(0, 10 * DAY, 1200, 1);
    s.end_ms = 40 * DAY;
    return s;
}

static void a_subscription_counts_from_its_start_to_the_day_before_its_end(void **state)
{
    (void)state;
    struct measure_rules rules = rules_of(NULL, NULL);
    assert_int_equal(at(plain(), &rules, 9), 0);
    assert_int_equal(at(plain(), &rules, 10), 1200);
    assert_int_equal(at(plain(), &rules, 39), 1200);
    assert_int_equal(at(plain(), &rules, 40), 0);
    struct measure_rules inclusive = rules_of("end-day=inclusive", NULL);
    assert_int_equal(at(plain(), &inclusive, 40), 1200);
    assert_int_equal(at(plain(), &inclusive, 41), 0);
}

static void it_ends_as_the_definition_says(void **state)
{
    (void)state;
    struct measure_subscription s = plain();
    s.cancel_ms = 20 * DAY;
    s.paid_ms = 30 * DAY;
    struct measure_rules end = rules_of(NULL, NULL);
    struct measure_rules cancel = rules_of("churn-at=cancel", NULL);
    struct measure_rules paid = rules_of("churn-at=paid-end", NULL);
    assert_int_equal(at(s, &end, 35), 1200);
    assert_int_equal(at(s, &cancel, 20), 0);
    assert_int_equal(at(s, &cancel, 19), 1200);
    assert_int_equal(at(s, &paid, 29), 1200);
    assert_int_equal(at(s, &paid, 30), 0);
    /* What is paid until a day but was not given up goes on. */
    s.cancel_ms = s.end_ms = MEASURE_NEVER;
    assert_int_equal(at(s, &paid, 30), 1200);
}

static void terms_are_divided_and_rounded_half_away_from_zero(void **state)
{
    (void)state;
    struct measure_rules rules = rules_of(NULL, NULL);
    struct measure_subscription s = plain();
    s.amount = 200000;
    s.term_months = 12;
    assert_int_equal(at(s, &rules, 10), 16667); /* 166.67 */
    s.term_months = 24;
    assert_int_equal(at(s, &rules, 10), 8333);
    s.term_months = 36;
    assert_int_equal(at(s, &rules, 10), 5556);
    s.amount = 18;
    assert_int_equal(at(s, &rules, 10), 1); /* one half */
}

static void pauses_discounts_and_overdue_bills_count_as_the_rules_say(void **state)
{
    (void)state;
    struct measure_subscription s = plain();
    s.pause_ms = 15 * DAY;
    s.resume_ms = 20 * DAY;
    s.discount = 200;
    s.discount_end_ms = 25 * DAY;
    s.past_due_ms = 35 * DAY;
    struct measure_rules net = rules_of(NULL, NULL);
    assert_int_equal(at(s, &net, 14), 1000);
    assert_int_equal(at(s, &net, 15), 0);
    assert_int_equal(at(s, &net, 20), 1000);
    assert_int_equal(at(s, &net, 25), 1200);
    assert_int_equal(at(s, &net, 36), 1200);
    struct measure_rules list = rules_of("discount=list", "paused=counted");
    assert_int_equal(at(s, &list, 14), 1200);
    assert_int_equal(at(s, &list, 15), 1200);
    struct measure_rules strict = rules_of("past-due=excluded", NULL);
    assert_int_equal(at(s, &strict, 34), 1200);
    assert_int_equal(at(s, &strict, 35), 0);
}

static void trials_free_plans_and_one_off_charges_are_told_apart(void **state)
{
    (void)state;
    struct measure_subscription s = plain();
    struct measure_rules usual = rules_of(NULL, NULL);
    s.trial = true;
    assert_int_equal(at(s, &usual, 10), 0);
    struct measure_rules trials = rules_of("trials=counted", NULL);
    assert_int_equal(at(s, &trials, 10), 1200);
    s = plain();
    s.one_off = true;
    assert_int_equal(at(s, &usual, 10), 0);
    struct measure_rules once = rules_of("one-off=counted", NULL);
    assert_int_equal(at(s, &once, 10), 1200);
    s = plain();
    s.amount = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells spells;
    struct measure_rules free_active = rules_of("free=active", NULL);
    bool customer = true;
    assert_true(measure_spells_make(&s, 1, 1, &usual, &spells, &fault));
    (void)measure_account_at(&spells, 0, 10 * DAY, &customer);
    assert_false(customer);
    measure_spells_fini(&spells);
    assert_true(measure_spells_make(&s, 1, 1, &free_active, &spells, &fault));
    (void)measure_account_at(&spells, 0, 10 * DAY, &customer);
    assert_true(customer);
    measure_spells_fini(&spells);
}

static void other_currencies_count_by_the_rates_of_the_definition(void **state)
{
    (void)state;
    struct measure_rules rules = rules_of("currency=USD", "rate-EUR=1.08");
    struct measure_subscription s = plain();
    memcpy(s.currency, "EUR", 4);
    assert_int_equal(at(s, &rules, 10), 1296);
    memcpy(s.currency, "USD", 4);
    assert_int_equal(at(s, &rules, 10), 1200);
}

static void refused(struct measure_subscription s, enum proto_error code, const char *field)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells spells;
    struct measure_rules rules = rules_of(NULL, NULL);
    assert_false(measure_spells_make(&s, 1, 1, &rules, &spells, &fault));
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
}

static void what_cannot_be_measured_is_refused_by_name(void **state)
{
    (void)state;
    struct measure_subscription s = plain();
    s.term_months = 5;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].term");
    s = plain();
    memcpy(s.currency, "EUR", 4);
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].currency");
    s = plain();
    s.end_ms = 9 * DAY;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].end");
    s = plain();
    s.amount = -1;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].amount");
    s = plain();
    s.amount = MEASURE_AMOUNT_MAX + 1;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].amount");
    s = plain();
    s.pause_ms = 12 * DAY;
    s.resume_ms = 11 * DAY;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].resume");
    s = plain();
    s.account = 1;
    refused(s, PROTO_BAD_FIELD, "subscriptions[0].account");
}

/* Sums of what is accepted never overflow: 10^18 in all is more than MEASURE_SUM_MAX at a rate. */
static void amounts_beyond_the_bound_of_all_are_refused(void **state)
{
    (void)state;
    struct measure_rules rules = rules_of("rate-EUR=1000000", NULL);
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells spells;
    struct measure_subscription s = plain();
    s.amount = MEASURE_AMOUNT_MAX;
    memcpy(s.currency, "EUR", 4);
    assert_false(measure_spells_make(&s, 1, 1, &rules, &spells, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
}

static bool looks_count(void *context, struct proto_fault *fault)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(fault, PROTO_CANCELLED, "", "given up");
}

static void who_asked_can_give_up_in_each_walk(void **state)
{
    (void)state;
    enum { COUNT = 2 * MEASURE_SPELLS_PER_ASKING };
    struct measure_subscription *all = calloc(COUNT, sizeof *all);
    struct measure_rules rules;
    struct measure_spells spells;
    struct proto_fault fault = {.code = PROTO_OK};
    unsigned left = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &left};
    assert_non_null(all);
    measure_rules_default(&rules);
    for (unsigned backwards = 0; backwards < 2; backwards++) {
        unsigned walks = 2 + backwards; /* making, placing what is in another order, sorting */
        for (uint32_t a = 0; a < COUNT; a++) {
            all[a] = measure_subscription_open(backwards ? COUNT - 1 - a : a, 0, 1000, 1);
        }
        left = UINT32_MAX;
        assert_true(measure_spells_make_at(all, COUNT, COUNT, &rules, &pace, &spells, &fault));
        assert_int_equal(UINT32_MAX - left, walks * 2);
        assert_ptr_equal(spells.pace, &pace);
        measure_spells_fini(&spells);
        for (unsigned most = 0; most < walks * 2; most++) {
            left = most;
            fault.code = PROTO_OK;
            assert_false(measure_spells_make_at(all, COUNT, COUNT, &rules, &pace, &spells, &fault));
            assert_int_equal(fault.code, PROTO_CANCELLED);
        }
    }
    free(all);
}

/* In whatever order subscriptions come, and however many pieces they are cut into. */
static void spells_stand_by_account_and_start(void **state)
{
    (void)state;
    enum { COUNT = 300, ACCOUNTS = 40 };
    static struct measure_subscription sorted[COUNT], mixed[COUNT];
    uint64_t seed = 5;
    size_t count = 0;
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        for (; count < (size_t)(a + 1) * COUNT / ACCOUNTS; count++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            int64_t start = (int64_t)(seed >> 40) % 500;
            struct measure_subscription *s = &sorted[count];
            *s = measure_subscription_open(a, start * MEASURE_DAY_MS, (int64_t)(seed >> 50) + 2, 1);
            s->end_ms = s->start_ms + 90 * MEASURE_DAY_MS;
            if (seed >> 33 & 1) {
                s->pause_ms = s->start_ms + 10 * MEASURE_DAY_MS;
                s->resume_ms = s->start_ms + 20 * MEASURE_DAY_MS;
                s->discount_end_ms = s->start_ms + 30 * MEASURE_DAY_MS;
                s->discount = 1;
            }
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        mixed[i * 7 % COUNT] = sorted[i]; /* 7 has no divisor in common with 300 */
    }
    struct measure_rules rules = rules_of("paused=excluded", "discount=net");
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_spells one;
    struct measure_spells other;
    assert_true(measure_spells_make(sorted, COUNT, ACCOUNTS, &rules, &one, &fault));
    assert_true(measure_spells_make(mixed, COUNT, ACCOUNTS, &rules, &other, &fault));
    assert_true(one.count > COUNT + COUNT / 2);
    assert_int_equal(one.count, other.count);
    assert_int_equal(one.first[ACCOUNTS], one.count);
    assert_memory_equal(one.first, other.first, (ACCOUNTS + 1) * sizeof *one.first);
    for (size_t i = 0; i < one.count; i++) {
        const struct measure_spell *a = &one.items[i];
        const struct measure_spell *b = &other.items[i];
        assert_true(a->account == b->account && a->from_ms == b->from_ms && a->to_ms == b->to_ms &&
                    a->minor == b->minor);
        assert_true(i == 0 || a->account > a[-1].account ||
                    (a->account == a[-1].account && a->from_ms >= a[-1].from_ms));
    }
    measure_spells_fini(&one);
    measure_spells_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_counts_from_its_start_to_the_day_before_its_end),
        cmocka_unit_test(it_ends_as_the_definition_says),
        cmocka_unit_test(terms_are_divided_and_rounded_half_away_from_zero),
        cmocka_unit_test(pauses_discounts_and_overdue_bills_count_as_the_rules_say),
        cmocka_unit_test(trials_free_plans_and_one_off_charges_are_told_apart),
        cmocka_unit_test(other_currencies_count_by_the_rates_of_the_definition),
        cmocka_unit_test(what_cannot_be_measured_is_refused_by_name),
        cmocka_unit_test(amounts_beyond_the_bound_of_all_are_refused),
        cmocka_unit_test(who_asked_can_give_up_in_each_walk),
        cmocka_unit_test(spells_stand_by_account_and_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
