/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/filter/filter.h"
#include "tools/cli/sample_plan.h"

static const char schema_text[] =
    "{\"fields\": [{\"name\": \"industry\", \"type\": \"category\"},"
    "{\"name\": \"employees\", \"type\": \"number\"}, {\"name\": \"technologies\", \"type\": "
    "\"tags\"}, {\"name\": \"uses_crm\", \"type\": \"flag\"}, {\"name\": \"growth_pct\", \"type\": "
    "\"number\"}, {\"name\": \"web_visits_90d\", \"type\": \"number\"}, {\"name\": "
    "\"demo_requested\", \"type\": \"flag\"}, {\"name\": \"country\", \"type\": \"category\"}]}";

static void set_number(const struct feature_schema *schema, struct feature_value *values,
                       const char *name, double number)
{
    uint16_t id = feature_schema_find(schema, proto_span_text(name))->id;
    values[id] = (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = number};
}

static void set_flag(const struct feature_schema *schema, struct feature_value *values,
                     const char *name, bool flag)
{
    uint16_t id = feature_schema_find(schema, proto_span_text(name))->id;
    values[id] = (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = flag};
}

static void set_text(const struct feature_schema *schema, struct feature_value *values,
                     const char *name, const char *text)
{
    uint16_t id = feature_schema_find(schema, proto_span_text(name))->id;
    values[id] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(text)};
}

static void set_all(const struct feature_schema *schema, const struct plan_account *account,
                    uint8_t scratch[512], struct feature_value *values)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span tags[PLAN_TECHNOLOGIES_MAX];
    size_t count = 0;
    set_text(schema, values, "industry", plan_industries[account->industry]);
    set_text(schema, values, "country", plan_countries[account->country]);
    set_number(schema, values, "employees", account->employees);
    set_number(schema, values, "growth_pct", account->growth_pct);
    set_number(schema, values, "web_visits_90d", account->web_visits);
    set_flag(schema, values, "uses_crm", account->uses_crm);
    set_flag(schema, values, "demo_requested", account->demo_requested);
    for (unsigned i = 0; i < PLAN_TECHNOLOGIES_MAX; i++) {
        if (plan_has(account, i)) {
            tags[count++] = proto_span_text(plan_technologies[i]);
        }
    }
    size_t bytes = feature_tags_pack(tags, count, scratch, 512, &fault);
    uint16_t id = feature_schema_find(schema, proto_span_text("technologies"))->id;
    values[id] = (struct feature_value){
        .present = count > 0, .type = FEATURE_TAGS, .tags = {scratch, bytes}};
}

/* planted.json states each condition as text; the outcomes are drawn by the same condition in C. */
static void stated_conditions_are_those_that_were_planted(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    assert_non_null(schema);
    size_t count = 0;
    const struct plan_effect *effects = plan_effects(&count);
    for (size_t e = 0; e < count; e++) {
        size_t column = 0;
        size_t held = 0;
        struct filter *filter =
            filter_parse(schema, proto_span_text(effects[e].condition), &fault, &column);
        assert_non_null(filter);
        for (uint64_t number = 1; number <= 2000; number++) {
            struct plan_account account;
            struct feature_value values[16] = {0};
            uint8_t scratch[512];
            plan_account_make(7, number, &account);
            set_all(schema, &account, scratch, values);
            bool holds = plan_effect_holds(e, &account);
            held += holds;
            assert_int_equal(filter_match(filter, values, schema->id_count), holds);
        }
        /* A condition that always or never holds plants nothing. */
        assert_in_range(held, 20, 1980);
        filter_destroy(filter);
    }
    feature_schema_release(schema);
}

static void the_same_seed_makes_the_same_account(void **state)
{
    (void)state;
    struct plan_account a;
    struct plan_account b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    plan_account_make(42, 17, &a);
    plan_account_make(42, 17, &b);
    assert_string_equal(a.domain, b.domain);
    assert_int_equal(a.employees, b.employees);
    assert_true(a.logit == b.logit);
    assert_int_equal(a.stage, b.stage);
    plan_account_make(43, 17, &b);
    assert_true(strcmp(a.name, b.name) != 0 || a.employees != b.employees);
}

static void outcomes_follow_the_planted_odds(void **state)
{
    (void)state;
    double expected = 0;
    size_t won = 0;
    size_t closed = 0;
    for (uint64_t number = 1; number <= 20000; number++) {
        struct plan_account account;
        plan_account_make(1, number, &account);
        if (account.stage == PLAN_OPEN) {
            continue;
        }
        closed++;
        won += account.stage == PLAN_WON;
        expected += plan_p(account.logit);
    }
    /* Five standard deviations of a sum of that many draws, at most n/4 in variance. */
    double gap = (double)won - expected;
    assert_true(gap * gap < 25.0 * (double)closed / 4);
    assert_in_range(closed, 15000, 17000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stated_conditions_are_those_that_were_planted),
        cmocka_unit_test(the_same_seed_makes_the_same_account),
        cmocka_unit_test(outcomes_follow_the_planted_odds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
