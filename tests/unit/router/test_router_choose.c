/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a lead: hard filters, owners, turns within one lead of the weights; taking who is owed
 * most is the control that leaves that bound. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_choose.h"

enum { DAY_MS = 86400000 };

static struct router_rules *rules_of(const char *text)
{
    struct router_fault fault;
    struct router_rules *rules = router_rules_read(text, strlen(text), &fault);
    if (rules == NULL) {
        fail_msg("%zu:%zu: %s", fault.line, fault.column, fault.message);
    }
    return rules;
}

static struct router_asked asked_of(const char *account, const char *territory, char grade)
{
    return (struct router_asked){.account = account,
                                 .key = "",
                                 .domain = "",
                                 .owner = "",
                                 .territory = territory,
                                 .segment = "",
                                 .grade = grade,
                                 .fit = 50,
                                 .now_ms = 20000LL * DAY_MS};
}

static const char *who(struct router_state *state, const struct router_rules *rules,
                       struct router_asked asked, struct router_choice *choice)
{
    router_choose(state, &asked, true, choice);
    return choice->person < rules->person_count ? rules->people[choice->person].name : "nobody";
}

static void hard_filters_come_first_then_the_owner_then_the_turn(void **unused)
{
    struct router_choice choice;
    struct router_rules *rules = rules_of(
        "person ann territory=DE\nperson bo capacity=2\nperson cy active=no\nowner acme bo\n"
        "owner away cy\nconflict ann rival\nrule top grade=A to=ann\nrule rest grade=B,C "
        "to=ann,bo,cy\n");
    struct router_state *state = router_state_create(rules, NULL);
    (void)unused;
    assert_string_equal(who(state, rules, asked_of("x", "DE", 'A'), &choice), "ann");
    assert_int_equal(choice.way, ROUTER_WAY_TURN);
    assert_string_equal(who(state, rules, asked_of("x", "FR", 'A'), &choice), "nobody");
    assert_int_equal(choice.way, ROUTER_WAY_ALL_BARRED);
    assert_int_equal(router_choose_bar(state, 0), ROUTER_BAR_TERRITORY);
    assert_string_equal(who(state, rules, asked_of("x", "FR", 'D'), &choice), "nobody");
    assert_int_equal(choice.way, ROUTER_WAY_NO_RULE);
    assert_string_equal(who(state, rules, asked_of("rival", "DE", 'A'), &choice), "nobody");
    assert_int_equal(router_choose_bar(state, 0), ROUTER_BAR_CONFLICT);
    assert_string_equal(who(state, rules, asked_of("acme", "FR", 'B'), &choice), "bo");
    assert_int_equal(choice.way, ROUTER_WAY_OWNER);
    /* An owner who is inactive is passed over. */
    assert_string_equal(who(state, rules, asked_of("away", "FR", 'B'), &choice), "bo");
    assert_int_equal(choice.way, ROUTER_WAY_TURN);
    assert_int_equal(router_choose_bar(state, 2), ROUTER_BAR_INACTIVE);
    /* Two today are bo's capacity, until tomorrow, whatever the clock says in between. */
    assert_string_equal(who(state, rules, asked_of("y", "FR", 'B'), &choice), "nobody");
    assert_int_equal(router_choose_bar(state, 1), ROUTER_BAR_CAPACITY);
    struct router_asked later = asked_of("y", "FR", 'B');
    later.now_ms -= DAY_MS;
    assert_string_equal(who(state, rules, later, &choice), "nobody");
    later.now_ms += 2 * DAY_MS;
    assert_string_equal(who(state, rules, later, &choice), "bo");
    router_state_destroy(state);
    router_rules_destroy(rules);
}

static void a_lead_that_names_its_owner_goes_there_and_is_no_turn(void **unused)
{
    struct router_choice choice;
    struct router_rules *rules = rules_of("person ann\nperson bo\nrule rest to=ann,bo\n");
    struct router_state *state = router_state_create(rules, NULL);
    (void)unused;
    for (int i = 0; i < 10; i++) {
        struct router_asked asked = asked_of("x", "", 'B');
        asked.owner = "bo";
        assert_string_equal(who(state, rules, asked, &choice), "bo");
    }
    assert_true(router_state_owed(state, 0, 0) == 0);
    assert_string_equal(who(state, rules, asked_of("x", "", 'B'), &choice), "ann");
    assert_int_equal(router_state_today(state, 1), 10);
    router_state_destroy(state);
    router_rules_destroy(rules);
}

static void a_trial_changes_nothing(void **unused)
{
    struct router_choice choice;
    struct router_rules *rules = rules_of("person ann\nperson bo\nrule rest to=ann,bo\n");
    struct router_state *state = router_state_create(rules, NULL);
    struct router_asked asked = asked_of("x", "", 'B');
    (void)unused;
    for (int i = 0; i < 5; i++) {
        router_choose(state, &asked, false, &choice);
        assert_int_equal(choice.person, 0);
    }
    assert_int_equal(router_state_today(state, 0), 0);
    router_state_destroy(state);
    router_rules_destroy(rules);
}

/* The farthest that anybody is from their share in `leads` turns, by the router's rule. */
static double farthest(const double *weights, size_t count, int leads)
{
    char text[4096];
    size_t used = 0;
    double far = 0;
    struct router_choice choice;
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "person p%zu weight=%.17g\n", i,
                                 weights[i]);
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "rule all to=p0");
    for (size_t i = 1; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, ",p%zu", i);
    }
    struct router_rules *rules = rules_of(text);
    struct router_state *state = router_state_create(rules, NULL);
    for (int t = 0; t < leads; t++) {
        (void)who(state, rules, asked_of("x", "", 'B'), &choice);
        for (size_t i = 0; i < count; i++) {
            far = fmax(far, fabs(router_state_owed(state, 0, i)));
        }
    }
    router_state_destroy(state);
    router_rules_destroy(rules);
    return far;
}

/* The same by giving each lead to who is owed most. */
static double farthest_of_most_owed(const double *weights, size_t count, int leads)
{
    double owed[64] = {0};
    double sum = 0;
    double far = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    for (int t = 0; t < leads; t++) {
        size_t best = 0;
        for (size_t i = 0; i < count; i++) {
            owed[i] += weights[i] / sum;
            best = owed[i] > owed[best] ? i : best;
        }
        owed[best] -= 1;
        for (size_t i = 0; i < count; i++) {
            far = fmax(far, fabs(owed[i]));
        }
    }
    return far;
}

static void shares_are_within_one_lead_of_the_weights(void **unused)
{
    uint64_t seed = 7;
    (void)unused;
    for (int round = 0; round < 60; round++) {
        double weights[40];
        size_t count = 2 + (size_t)(seed >> 33) % 38;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            weights[i] = 0.01 + (double)(seed >> 40) / (1 << 24) * (i % 7 == 0 ? 20 : 1);
        }
        double bound = 1 - 1 / (2 * (double)count - 2);
        double far = farthest(weights, count, 2000);
        if (far > bound + 1e-6) {
            fail_msg("%zu people, round %d: %.6f, bound %.6f", count, round, far, bound);
        }
    }
}

static void giving_to_who_is_owed_most_leaves_that_bound(void **unused)
{
    /* Many equal and small beside a few large: the small come due at one time. */
    double weights[40];
    double worst = 0;
    (void)unused;
    for (size_t large = 1; large < 8; large++) {
        for (size_t i = 0; i < 40; i++) {
            weights[i] = i < large ? 30.0 + (double)i : 1;
        }
        worst = fmax(worst, farthest_of_most_owed(weights, 40, 5000));
        assert_true(farthest(weights, 40, 5000) <= 1 - 1.0 / 78 + 1e-6);
    }
    assert_true(worst > 1);
}

static void rules_that_change_keep_what_is_owed_by_name(void **unused)
{
    struct router_choice choice;
    struct router_rules *before = rules_of("person ann\nperson bo\nrule rest to=ann,bo\n");
    struct router_rules *after = rules_of(
        "person new\nperson bo\nperson ann\nrule first grade=A to=new\nrule rest to=bo,ann\n");
    struct router_state *state = router_state_create(before, NULL);
    (void)unused;
    (void)who(state, before, asked_of("x", "", 'B'), &choice);
    struct router_state *next = router_state_create(after, state);
    assert_int_equal(router_state_today(next, 2), 1);
    assert_true(fabs(router_state_owed(next, 1, 0) - 0.5) < 1e-12);
    assert_true(fabs(router_state_owed(next, 1, 1) + 0.5) < 1e-12);
    assert_string_equal(who(next, after, asked_of("x", "", 'B'), &choice), "bo");
    router_state_destroy(state);
    router_state_destroy(next);
    router_rules_destroy(before);
    router_rules_destroy(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_filters_come_first_then_the_owner_then_the_turn),
        cmocka_unit_test(a_lead_that_names_its_owner_goes_there_and_is_no_turn),
        cmocka_unit_test(a_trial_changes_nothing),
        cmocka_unit_test(shares_are_within_one_lead_of_the_weights),
        cmocka_unit_test(giving_to_who_is_owed_most_leaves_that_bound),
        cmocka_unit_test(rules_that_change_keep_what_is_owed_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
