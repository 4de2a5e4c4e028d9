/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of work on a list: the posterior beside scipy, clustered acts, who has no rank, and work
 * that is kept as committed. */
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
#include "server/measure/adherence.h"

static const char *const names[] = {"ann", "bo",  "cy",  "di",  "ed",
                                    "flo", "gus", "hal", "ida", "jo"};

static void add(struct measure_works *works, struct measure_work work)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_works_add(works, &work, &fault));
}

static void count_add(struct measure_works *works, uint32_t group, double on, double off)
{
    add(works, (struct measure_work){.group = group, .on_list = true, .acts = on, .squares = on});
    add(works, (struct measure_work){.group = group, .acts = off, .squares = off});
}

static double number_at(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->number;
}

static void the_posterior_is_that_of_scipy(void **state)
{
    (void)state;
    struct measure_works works = {.count = 0};
    struct measure_kept_share kept[4];
    struct proto_fault fault = {.code = PROTO_OK};
    count_add(&works, 0, 8, 2);
    count_add(&works, 1, 12, 48);
    count_add(&works, 2, 70, 30);
    assert_true(measure_adherence_of(&works, 3, kept, &fault));
    /* p = 90/170, w = 1/ρ − 1 by Kleinman's moments; scipy.stats.beta.ppf(.025, a, b). */
    assert_true(fabs(kept[0].shrunk - 0.7698144224688857) < 1e-9);
    assert_true(fabs(kept[0].low - 0.496941635075926) < 1e-9 &&
                fabs(kept[0].high - 0.9533555436184724) < 1e-9);
    assert_true(fabs(kept[1].shrunk - 0.20675232518804165) < 1e-9);
    assert_true(fabs(kept[2].high - 0.7829361357302587) < 1e-9);
    assert_true(kept[3].acts == 170 && kept[3].on == 90 && kept[3].effective == 170);
    measure_works_fini(&works);
}

static void acts_on_one_account_are_one_piece_of_evidence(void **state)
{
    (void)state;
    struct measure_works works = {.count = 0};
    struct measure_kept_share kept[2];
    struct proto_fault fault = {.code = PROTO_OK};
    for (int account = 0; account < 8; account++) {
        add(&works, (struct measure_work){.on_list = account < 6, .acts = 50, .squares = 2500});
    }
    assert_true(measure_adherence_of(&works, 1, kept, &fault));
    assert_true(fabs(kept[0].effective - 8) < 1e-12 && kept[0].share == 0.75);
    /* Nobody else is there to borrow from: Beta(6, 2). */
    assert_true(fabs(kept[0].low - 0.42128) < 1e-5 && fabs(kept[0].high - 0.96331) < 1e-5);
    measure_works_fini(&works);
}

static void what_several_do_about_one_account_is_one_piece_of_evidence(void **state)
{
    (void)state;
    struct measure_works works = {.count = 0};
    struct measure_kept_share kept[4];
    struct proto_fault fault = {.code = PROTO_OK};
    for (uint32_t i = 0; i < 24; i++) {
        add(&works, (struct measure_work){.group = i / 8,
                                          .account = i % 8 + 1,
                                          .on_list = i % 8 < 4,
                                          .acts = 5,
                                          .squares = 25});
    }
    assert_true(measure_adherence_of(&works, 3, kept, &fault));
    assert_true(fabs(kept[0].effective - 8) < 1e-12 && fabs(kept[3].effective - 8) < 1e-12);
    /* All keep it alike, and what they lend each other is what eight accounts say: Beta(8, 8). */
    assert_true(fabs(kept[1].low - 0.26586) < 1e-5 && fabs(kept[1].high - 0.73414) < 1e-5);
    measure_works_fini(&works);
}

static void leaving_it_costs_what_was_spent_off_it(void **state)
{
    (void)state;
    struct measure_works works = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_adherence_options options = {.committed = 0.75, .top = 2, .least = 30};
    assert_false(measure_adherence_table(&works, names, 3, &options, &table, &fault));
    assert_non_null(strstr(fault.message, "insufficient: no work is told, 30"));
    measure_table_fini(&table);
    count_add(&works, 0, 40, 60);
    count_add(&works, 1, 90, 10);
    count_add(&works, 2, 3, 3);
    add(&works, (struct measure_work){.group = 0, .hours = 1.5, .spend = 1200});
    add(&works, (struct measure_work){.group = 0, .on_list = true, .hours = 2, .spend = 800});
    assert_true(measure_adherence_table(&works, names, 3, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 3); /* all, and two of three */
    assert_string_equal(measure_cell_find(&table, 0, "group")->text, "(all)");
    assert_int_equal(measure_cell_find(&table, 0, "off_spend")->whole, 1200);
    assert_int_equal(measure_cell_find(&table, 1, "spend")->whole, 2000);
    assert_true(number_at(&table, 1, "off_hours") == 1.5 && number_at(&table, 1, "hours") == 3.5);
    assert_string_equal(measure_cell_find(&table, 1, "verdict")->text, "below what was committed");
    assert_string_equal(measure_cell_find(&table, 2, "verdict")->text, "above what was committed");
    assert_int_equal(measure_cell_find(&table, 1, "rank")->whole, 2);
    assert_int_equal(measure_cell_find(&table, 2, "rank")->whole, 1);
    measure_table_fini(&table);
    measure_works_fini(&works);
}

static void nobody_is_ranked_on_too_little(void **state)
{
    (void)state;
    struct measure_works works = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_adherence_options options = {.committed = 0.75, .top = 9, .least = 30};
    count_add(&works, 0, 40, 60);
    add(&works, (struct measure_work){.group = 1, .acts = 500, .squares = 250000});
    add(&works, (struct measure_work){.group = 2, .spend = 5});
    assert_true(measure_adherence_table(&works, names, 3, &options, &table, &fault));
    assert_string_equal(measure_cell_find(&table, 1, "group")->text, "bo");
    assert_int_equal(measure_cell_find(&table, 1, "rank")->kind, MEASURE_ABSENT);
    assert_string_equal(measure_cell_find(&table, 1, "verdict")->text,
                        "insufficient: 1.0 effective acts, 30 are needed");
    assert_int_equal(measure_cell_find(&table, 3, "share")->kind, MEASURE_ABSENT);
    assert_int_equal(measure_cell_find(&table, 3, "low")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
    measure_works_fini(&works);
}

/* Ten people keep the list as committed, each with acts in lots of one to ten on an account. */
static bool alarm_without_signal(uint64_t seed, double committed)
{
    struct measure_works works = {.count = 0};
    struct measure_table table;
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_adherence_options options = {
        .committed = committed, .top = 10, .least = 30};
    bool alarm = false;
    math_random_init(&random, seed);
    for (uint32_t i = 0; i < 10 * 80; i++) {
        double acts = 1 + (double)math_random_below(&random, 10);
        add(&works, (struct measure_work){.group = i % 10,
                                          .on_list = math_random_unit(&random) < 0.7,
                                          .acts = acts,
                                          .squares = acts * acts});
    }
    assert_true(measure_adherence_table(&works, names, 10, &options, &table, &fault));
    for (size_t row = 1; row < measure_table_rows(&table); row++) {
        alarm = alarm || measure_cell_find(&table, row, "verdict")->text[0] != '\0';
    }
    measure_table_fini(&table);
    measure_works_fini(&works);
    return alarm;
}

static void a_list_that_is_kept_gives_no_alarm(void **state)
{
    (void)state;
    int alarms = 0;
    int seen = 0;
    int seeds = getenv("ICP_LONG") != NULL ? 2000 : 200;
    for (int seed = 0; seed < seeds; seed++) {
        alarms += alarm_without_signal((uint64_t)seed, 0.7);
        seen += alarm_without_signal((uint64_t)seed, 0.9); /* and one that is not does */
    }
    assert_true(alarms <= seeds * (0.05 + 3 * sqrt(0.05 * 0.95 / seeds)));
    assert_true(seen > seeds * 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_posterior_is_that_of_scipy),
        cmocka_unit_test(acts_on_one_account_are_one_piece_of_evidence),
        cmocka_unit_test(what_several_do_about_one_account_is_one_piece_of_evidence),
        cmocka_unit_test(leaving_it_costs_what_was_spent_off_it),
        cmocka_unit_test(nobody_is_ranked_on_too_little),
        cmocka_unit_test(a_list_that_is_kept_gives_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
