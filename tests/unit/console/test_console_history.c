/* SPDX-License-Identifier: Apache-2.0 */
/* Rates and latencies between two looks at totals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/console/console_history.h"

struct fixture {
    struct console_history *history;
    struct console_look look;
    struct console_sample samples[CONSOLE_SAMPLES_MAX];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->history = console_history_create();
    assert_non_null(fixture->history);
    fixture->look.at_ns = 7000000000U;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    console_history_destroy(fixture->history);
    free(fixture);
    return 0;
}

static void the_first_look_has_nothing_to_be_compared_with(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(console_history_read(fixture->history, fixture->samples), 0);
    console_history_put(fixture->history, &fixture->look);
    assert_int_equal(console_history_read(fixture->history, fixture->samples), 0);
}

static void rates_are_of_the_time_between(void **state)
{
    struct fixture *fixture = *state;
    struct console_look *look = &fixture->look;
    look->requests = 1000;
    console_history_put(fixture->history, look);
    look->at_ns += 5000000000U;
    look->requests += 100;
    look->errors = 5;
    look->scores = 50;
    look->written = 10;
    look->connections = 3;
    console_history_put(fixture->history, look);
    assert_int_equal(console_history_read(fixture->history, fixture->samples), 1);
    const struct console_sample *sample = &fixture->samples[0];
    assert_true(sample->at_s == 12.0);
    assert_true(sample->requests_s == 20.0 && sample->errors_s == 1.0);
    assert_true(sample->scores_s == 10.0 && sample->written_s == 2.0);
    assert_true(sample->connections == 3.0);
}

static void latencies_before_do_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct console_look *look = &fixture->look;
    base_histogram_record_many(&look->latency, 1000000, 1000);
    console_history_put(fixture->history, look);
    look->at_ns += 5000000000U;
    base_histogram_record_many(&look->latency, 20000, 100);
    console_history_put(fixture->history, look);
    look->at_ns += 5000000000U;
    console_history_put(fixture->history, look);
    assert_int_equal(console_history_read(fixture->history, fixture->samples), 2);
    assert_true(fixture->samples[0].p50_us >= 20.0 && fixture->samples[0].p50_us < 20.7);
    assert_true(fixture->samples[0].p99_us >= 20.0 && fixture->samples[0].p99_us < 20.7);
    assert_true(fixture->samples[1].p99_us == 0.0);
}

static void the_latest_are_kept_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct console_look *look = &fixture->look;
    for (unsigned i = 0; i <= CONSOLE_SAMPLES_MAX + 10; i++) {
        look->at_ns += 1000000000U;
        look->requests += i;
        console_history_put(fixture->history, look);
    }
    assert_int_equal(console_history_read(fixture->history, fixture->samples), CONSOLE_SAMPLES_MAX);
    assert_true(fixture->samples[0].requests_s == 11.0);
    assert_true(fixture->samples[CONSOLE_SAMPLES_MAX - 1].requests_s == CONSOLE_SAMPLES_MAX + 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_look_has_nothing_to_be_compared_with),
        TEST(rates_are_of_the_time_between),
        TEST(latencies_before_do_not_count),
        TEST(the_latest_are_kept_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
