/* SPDX-License-Identifier: Apache-2.0 */
/* A decision says what it was made of, icpd is told the same of it whether it was just made or is
 * read from the spool, and the last ones are known by the ids of their leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_decision.h"
#include "client/router/router_recent.h"

static const char rules_text[] = "member segment=industry\n"
                                 "person ann weight=2 team=emea\n"
                                 "person bo\n"
                                 "person cy active=no\n"
                                 "rule \"to all\" to=ann,bo,cy\n";

struct bench {
    struct router_rules *rules;
    struct router_state *state;
    struct router_text text;
};

static void set_up(struct bench *bench)
{
    struct router_fault fault;
    *bench = (struct bench){.rules = router_rules_read(rules_text, strlen(rules_text), &fault)};
    assert_non_null(bench->rules);
    bench->state = router_state_create(bench->rules, NULL);
    assert_non_null(bench->state);
}

static void clear(struct bench *bench)
{
    router_state_destroy(bench->state);
    router_rules_destroy(bench->rules);
    router_text_fini(&bench->text);
}

static struct router_decision *decided(struct bench *bench, const char *lead_text,
                                       const struct icp_score *score, const char *why_default)
{
    struct router_fault fault;
    struct router_lead lead;
    struct router_choice choice;
    assert_true(router_lead_read(lead_text, strlen(lead_text), &lead, &fault));
    const struct router_case made = {.rules = bench->rules,
                                     .state = bench->state,
                                     .lead = &lead,
                                     .score = score,
                                     .why_default = why_default,
                                     .took_us = 77,
                                     .keep = true};
    struct router_decision *decision = router_decision_make(&made, &bench->text, &choice);
    assert_non_null(decision);
    router_lead_fini(&lead);
    return decision;
}

/* Read from its own line it is told the same. */
static void same_from_the_line(const struct router_decision *decision)
{
    json_t *json = json_loadb(decision->text, decision->bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    struct router_decision *again = router_decision_read(json, decision->text, decision->bytes);
    json_decref(json);
    assert_non_null(again);
    assert_string_equal(again->text, decision->text);
    assert_string_equal(again->id, decision->id);
    assert_string_equal(again->person, decision->person);
    assert_string_equal(again->account, decision->account);
    assert_string_equal(again->key, decision->key);
    assert_string_equal(again->label, decision->label);
    assert_int_equal(again->at_ms, decision->at_ms);
    assert_int_equal(again->p_thousandths, decision->p_thousandths);
    router_decision_drop(again);
}

static void it_says_what_it_was_made_of(void **state)
{
    struct bench bench;
    const struct icp_score score = {ICP_SCORE,    .found = true,  .id = {"acme", 4}, .grade = 'B',
                                    .fit = 71.25, .p = 0.4123456, .icp = 3};
    (void)state;
    set_up(&bench);
    struct router_decision *decision = decided(
        &bench,
        "{\"id\":\"L\\\"1\",\"email\":\"x@acme.example\",\"values\":{\"industry\":\"Bank\"}}",
        &score, NULL);
    assert_string_equal(decision->id, "L\"1");
    assert_string_equal(decision->person, "ann");
    assert_string_equal(decision->account, "acme");
    assert_string_equal(decision->key, "domain:acme.example");
    assert_string_equal(decision->label, "to all, turn; p 0.412346 fit 71.2 grade B icp 3; segment "
                                         "Bank; by domain; of ann bo");
    assert_int_equal(decision->p_thousandths, 412);
    json_t *json = json_loads(decision->text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "team")), "emea");
    assert_int_equal(json_integer_value(json_object_get(json, "took_us")), 77);
    json_t *barred = json_object_get(json, "barred");
    assert_string_equal(json_string_value(json_object_get(barred, "cy")), "inactive");
    assert_null(json_object_get(json, "why_default"));
    json_decref(json);
    same_from_the_line(decision);
    router_decision_drop(decision);
    clear(&bench);
}

static void a_default_and_a_stranger_say_so(void **state)
{
    struct bench bench;
    const struct icp_score away = {ICP_SCORE, .is_default = true, .grade = 'C', .p = 0.1};
    const struct icp_score none = {ICP_SCORE, .grade = 'D', .p = 0.05};
    (void)state;
    set_up(&bench);
    struct router_decision *decision =
        decided(&bench, "{\"id\":\"L2\",\"account\":\"a\"}", &away, "timeout: no reply");
    assert_non_null(strstr(decision->text, "\"why_default\":\"timeout: no reply\""));
    assert_non_null(strstr(decision->label, " default;"));
    assert_string_equal(decision->account, "a"); /* nobody knows better */
    same_from_the_line(decision);
    router_decision_drop(decision);
    decision = decided(&bench, "{\"id\":\"L3\",\"account\":\"a\"}", &none, NULL);
    assert_non_null(strstr(decision->text, "\"account\":null,\"key\":null,\"matched\":\"none\""));
    assert_string_equal(decision->account, "");
    same_from_the_line(decision);
    router_decision_drop(decision);
    clear(&bench);
}

static struct router_decision *of_id(unsigned number)
{
    char text[40];
    int bytes = snprintf(text, sizeof text, "{\"id\":\"L%u\"}", number);
    json_t *json = json_loads(text, 0, NULL);
    struct router_decision *decision = router_decision_read(json, text, (size_t)bytes);
    json_decref(json);
    return decision;
}

static bool is_known(const struct router_recent *recent, unsigned number)
{
    char id[16];
    snprintf(id, sizeof id, "L%u", number);
    const struct router_decision *found = router_recent_find(recent, id);
    assert_true(found == NULL || strcmp(found->id, id) == 0);
    return found != NULL;
}

static void the_last_ones_are_known_and_the_oldest_forgotten(void **state)
{
    enum { MANY = ROUTER_RECENT_MAX + 1000 };
    struct router_recent *recent = router_recent_create();
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        struct router_decision *decision = of_id(i);
        router_recent_put(recent, decision);
        router_decision_drop(decision);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(is_known(recent, i), i >= MANY - ROUTER_RECENT_MAX);
    }
    router_recent_destroy(recent);
}

static void what_was_put_last_can_be_taken_away(void **state)
{
    struct router_recent *recent = router_recent_create();
    struct router_decision *first = of_id(1);
    struct router_decision *second = of_id(2);
    (void)state;
    router_recent_put(recent, first);
    router_recent_put(recent, second);
    router_recent_undo(recent, first); /* is not the last */
    assert_true(is_known(recent, 1) && is_known(recent, 2));
    router_recent_undo(recent, second);
    router_recent_undo(recent, first);
    assert_false(is_known(recent, 1) || is_known(recent, 2));
    router_recent_put(recent, second);
    assert_true(is_known(recent, 2));
    router_decision_drop(first);
    router_decision_drop(second);
    router_recent_destroy(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_was_made_of),
        cmocka_unit_test(a_default_and_a_stranger_say_so),
        cmocka_unit_test(the_last_ones_are_known_and_the_oldest_forgotten),
        cmocka_unit_test(what_was_put_last_can_be_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
