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

#include "server/math/random.h"
#include "server/measure/bridge.h"

#define DAY MEASURE_DAY_MS
#define ACCOUNTS 6
#define SUBSCRIPTIONS 25

struct setting {
    struct measure_subscription subscriptions[SUBSCRIPTIONS];
    bool flagged[ACCOUNTS];
    uint32_t churned[10];
    int64_t churned_ms[10];
    struct measure_company company;
};

static int64_t some_day(struct math_random *random, int64_t from)
{
    return math_random_below(random, 2) == 0
               ? MEASURE_NEVER
               : (from + 1 + (int64_t)math_random_below(random, 200)) * DAY;
}

static void setting_make(struct math_random *random, struct setting *setting)
{
    for (int i = 0; i < SUBSCRIPTIONS; i++) {
        int64_t start = (int64_t)math_random_below(random, 200);
        struct measure_subscription *s = &setting->subscriptions[i];
        *s = measure_subscription_open((uint32_t)math_random_below(random, ACCOUNTS), start * DAY,
                                       1 + (int64_t)math_random_below(random, 100000), 1);
        s->end_ms = some_day(random, start);
        s->cancel_ms = some_day(random, start);
        s->paid_ms = some_day(random, start);
        s->pause_ms = some_day(random, start);
        s->discount = s->amount / 3;
        s->discount_end_ms = some_day(random, start);
        s->trial = math_random_below(random, 4) == 0;
        s->one_off = math_random_below(random, 6) == 0;
    }
    /* One that is there under every definition. */
    setting->subscriptions[0] = measure_subscription_open(0, 0, 5000, 1);
    for (int i = 0; i < 10; i++) {
        setting->churned[i] = (uint32_t)math_random_below(random, ACCOUNTS);
        setting->churned_ms[i] = (int64_t)math_random_below(random, 400) * DAY;
        setting->flagged[i % ACCOUNTS] = math_random_below(random, 2) == 0;
    }
    setting->company = (struct measure_company){.subscriptions = setting->subscriptions,
                                                .count = SUBSCRIPTIONS,
                                                .accounts = ACCOUNTS,
                                                .flagged = setting->flagged,
                                                .churned = setting->churned,
                                                .churned_ms = setting->churned_ms,
                                                .churned_count = 10,
                                                .from_ms = 120 * DAY,
                                                .to_ms = 260 * DAY};
}

static struct measure_rules random_rules(struct math_random *random, unsigned changes)
{
    struct measure_rules rules;
    measure_rules_default(&rules);
    for (unsigned i = 0; i < changes; i++) {
        int choice = (int)math_random_below(random, MEASURE_CHOICES);
        rules.choice[measure_choice_info((enum measure_choice)choice)->rule] = (uint8_t)choice;
    }
    return rules;
}

static double value_under(const struct setting *setting, enum measure_metric metric,
                          const struct measure_rules *rules, int64_t now[ACCOUNTS],
                          int64_t then[ACCOUNTS])
{
    struct proto_fault fault = {.code = PROTO_OK};
    int64_t now_sum = 0;
    int64_t then_sum = 0;
    assert_true(measure_metric_accounts(&setting->company, metric, rules, now, then, &fault));
    for (int a = 0; a < ACCOUNTS; a++) {
        now_sum += now[a];
        then_sum += then[a];
    }
    return measure_metric_value(metric, now_sum, then_sum);
}

/* The oracle: rules changed one after the other in every order, what each step adds averaged. */
struct orders {
    const struct setting *setting;
    enum measure_metric metric;
    const struct measure_rules *first;
    const struct measure_rules *second;
    const struct measure_bridge *bridge;
    double total[MEASURE_BRIDGE_RULES_MAX];
    double part[MEASURE_BRIDGE_RULES_MAX][ACCOUNTS];
    double count;
};

static void step_add(struct orders *orders, uint32_t before, uint32_t j)
{
    int64_t now[2][ACCOUNTS];
    int64_t then[2][ACCOUNTS];
    double value[2];
    int64_t denominator = 0;
    for (int w = 0; w < 2; w++) {
        uint32_t bits = 0;
        uint32_t set = before | (w == 1 ? 1u << j : 0);
        for (uint32_t r = 0; r < orders->bridge->count; r++) {
            bits |= (set >> r & 1) << orders->bridge->rules[r];
        }
        struct measure_rules mixed = measure_rules_mix(orders->first, orders->second, bits);
        value[w] = value_under(orders->setting, orders->metric, &mixed, now[w], then[w]);
    }
    bool ratio = measure_metric_info(orders->metric)->kind == MEASURE_METRIC_RATIO;
    for (int a = 0; a < ACCOUNTS; a++) {
        denominator += then[1][a];
    }
    for (int a = 0; a < ACCOUNTS; a++) {
        double change = (double)(now[1][a] - now[0][a]);
        if (ratio) {
            change = (change - value[0] * (double)(then[1][a] - then[0][a])) / (double)denominator;
        }
        orders->part[j][a] += change;
    }
    orders->total[j] += value[1] - value[0];
}

static void orders_walk(struct orders *orders, uint32_t before)
{
    uint32_t all = (1u << orders->bridge->count) - 1;
    if (before == all) {
        orders->count++;
        return;
    }
    for (uint32_t j = 0; j < orders->bridge->count; j++) {
        if ((before >> j & 1) == 0) {
            double counted = orders->count;
            orders_walk(orders, before | 1u << j);
            /* As many orders go on from here as were counted. */
            double ways = orders->count - counted;
            for (double w = 0; w < ways; w++) {
                step_add(orders, before, j);
            }
        }
    }
}

static void bridge_check(const struct setting *setting, const struct measure_bridge *bridge,
                         const struct measure_rules *first, const struct measure_rules *second)
{
    struct orders orders = {.setting = setting,
                            .metric = bridge->metric,
                            .first = first,
                            .second = second,
                            .bridge = bridge};
    double sum = 0;
    double scale = fabs(bridge->first) + fabs(bridge->second) + 1;
    orders_walk(&orders, 0);
    for (uint32_t j = 0; j < bridge->count; j++) {
        assert_true(fabs(bridge->total[j] - orders.total[j] / orders.count) < 1e-9 * scale);
        for (uint32_t a = 0; a < ACCOUNTS; a++) {
            assert_true(fabs(bridge->part[j * ACCOUNTS + a] - orders.part[j][a] / orders.count) <
                        1e-9 * scale);
        }
        sum += bridge->total[j];
    }
    assert_true(fabs(bridge->second - bridge->first - sum) < 1e-9 * scale);
    int64_t whole = 0;
    for (size_t i = 0; bridge->scaled != NULL && i < (size_t)bridge->count * ACCOUNTS; i++) {
        whole += bridge->scaled[i];
    }
    assert_true(bridge->scaled == NULL ||
                whole == (bridge->second_whole - bridge->first_whole) * bridge->divisor);
}

static void parts_are_those_of_every_order_and_add_up(void **state)
{
    (void)state;
    struct math_random random;
    struct setting setting;
    size_t bridged = 0;
    for (uint64_t seed = 0; seed < 120; seed++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_bridge bridge;
        math_random_init(&random, seed);
        setting_make(&random, &setting);
        struct measure_rules first = random_rules(&random, 3);
        struct measure_rules second = random_rules(&random, 4);
        enum measure_metric metric = (enum measure_metric)(seed % MEASURE_METRICS_OF_REVENUE);
        if (__builtin_popcount(measure_rules_differ(&first, &second)) > 5) {
            continue; /* 720 orders and more take too long here */
        }
        if (!measure_bridge_make(&setting.company, metric, &first, &second, &bridge, &fault)) {
            assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
            continue;
        }
        bridge_check(&setting, &bridge, &first, &second);
        measure_bridge_fini(&bridge);
        bridged++;
    }
    assert_true(bridged > 80);
}

static struct measure_rules with(struct measure_rules rules, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_rules_set_text(&rules, text, &fault));
    return rules;
}

/* Null data: a rule that no subscription is touched by explains nothing, of any account. */
static void a_rule_that_touches_nobody_explains_nothing(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_bridge bridge;
    struct measure_subscription s = measure_subscription_open(0, 0, 700, 1);
    s.cancel_ms = 30 * DAY;
    const struct measure_company company = {
        .subscriptions = &s, .count = 1, .accounts = 1, .from_ms = 10 * DAY, .to_ms = 40 * DAY};
    struct measure_rules first;
    measure_rules_default(&first);
    struct measure_rules second = with(with(first, "churn-at=cancel"), "paused=counted");
    assert_true(
        measure_bridge_make(&company, MEASURE_METRIC_MRR, &first, &second, &bridge, &fault));
    assert_int_equal(bridge.count, 2);
    assert_int_equal(bridge.rules[0], MEASURE_RULE_CHURN_AT);
    assert_true(bridge.total[0] == -700 && bridge.total[1] == 0);
    assert_int_equal(bridge.moved[0], 1);
    assert_int_equal(bridge.moved[1], 0);
    const char *const names[] = {"acme"};
    const struct measure_bridge_told told = {.top = 3, .rule = MEASURE_RULES};
    struct measure_table table;
    assert_true(measure_bridge_table(&bridge, &first, &second, names, &told, &table));
    assert_int_equal(measure_table_rows(&table), 5);
    assert_string_equal(table.cells[table.columns + 1].text, "end -> cancel");
    assert_string_equal(table.cells[2 * table.columns + 2].text, "acme");
    struct measure_table none;
    const struct measure_bridge_told behind = {.top = 3, .skip = 1, .rule = MEASURE_RULES};
    assert_true(measure_bridge_table(&bridge, &first, &second, names, &behind, &none));
    assert_int_equal(measure_table_rows(&none), 4);
    measure_table_fini(&none);
    const struct measure_bridge_told other = {.top = 3, .rule = MEASURE_RULE_PAUSED};
    assert_true(measure_bridge_table(&bridge, &first, &second, names, &other, &none));
    assert_int_equal(measure_table_rows(&none), 4);
    measure_table_fini(&none);
    assert_true(table.cells[2 * table.columns + 3].number == -7);
    measure_table_fini(&table);
    measure_bridge_fini(&bridge);
    assert_true(measure_bridge_make(&company, MEASURE_METRIC_MRR, &first, &first, &bridge, &fault));
    assert_int_equal(bridge.count, 0);
    assert_true(bridge.first == bridge.second);
    measure_bridge_fini(&bridge);
}

static void more_rules_than_can_be_mixed_are_refused(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "churn-at=cancel",   "end-day=inclusive", "trials=counted",
        "past-due=excluded", "paused=counted",    "discount=list",
        "one-off=counted",   "free=active",       "churn-unit=each"};
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_bridge bridge;
    const struct measure_company company = {.from_ms = 0, .to_ms = DAY};
    struct measure_rules first;
    measure_rules_default(&first);
    struct measure_rules second = first;
    for (size_t i = 0; i < 9; i++) {
        second = with(second, changes[i]);
    }
    assert_false(
        measure_bridge_make(&company, MEASURE_METRIC_MRR, &first, &second, &bridge, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    second = with(first, "trials=counted");
    assert_false(
        measure_bridge_make(&company, MEASURE_METRIC_NRR_COHORT, &first, &second, &bridge, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_those_of_every_order_and_add_up),
        cmocka_unit_test(a_rule_that_touches_nobody_explains_nothing),
        cmocka_unit_test(more_rules_than_can_be_mixed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
