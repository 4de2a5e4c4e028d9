/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/config_fixture.h"

struct changes {
    const char *names[BASE_OPTION_COUNT];
    enum base_option_apply applies[BASE_OPTION_COUNT];
    size_t count;
};

static void note_change(void *context, const struct base_option_info *option)
{
    struct changes *changes = context;
    changes->names[changes->count] = option->name;
    changes->applies[changes->count++] = option->apply;
}

static bool reload(struct fixture *fixture, const char *text, struct changes *changes)
{
    *changes = (struct changes){.count = 0};
    fixture_write(fixture, text, strlen(text));
    return base_config_reload(&fixture->config, fixture->path, note_change, changes,
                              &fixture->fault);
}

static void reload_takes_what_can_change_and_names_what_needs_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    assert_true(fixture_load(fixture, "log_level = info\nport = 1\nhttp_port = 9\n"));
    assert_true(
        reload(fixture, "log_level = debug\nport = 2\nhttp_port = 9\ndrain_ms = 1s\n", &changes));
    assert_int_equal(changes.count, 3);
    assert_string_equal(changes.names[0], "port");
    assert_int_equal(changes.applies[0], BASE_APPLY_RESTART);
    assert_string_equal(changes.names[1], "drain_ms");
    assert_string_equal(changes.names[2], "log_level");
    assert_int_equal(changes.applies[2], BASE_APPLY_RELOAD);
    assert_int_equal(fixture->config.port, 1);
    assert_int_equal(fixture->config.drain_ms, 1000);
    assert_string_equal(fixture->config.log_level, "debug");
    assert_int_equal(fixture->config.origins[BASE_OPTION_DRAIN_MS].kind, BASE_ORIGIN_FILE);
}

static void a_port_that_follows_another_is_told_of_too(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    assert_true(fixture_load(fixture, "port = 1\n"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_true(reload(fixture, "port = 2\n", &changes));
    assert_int_equal(changes.count, 2);
    assert_string_equal(changes.names[1], "http_port");
    assert_int_equal(fixture->config.http_port, 2);
}

static void line_taken_out_of_the_file_goes_back_to_its_default(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    assert_true(fixture_load(fixture, "log_level = debug\n"));
    assert_true(reload(fixture, "", &changes));
    assert_int_equal(changes.count, 1);
    assert_string_equal(fixture->config.log_level, "info");
    assert_int_equal(fixture->config.origins[BASE_OPTION_LOG_LEVEL].kind, BASE_ORIGIN_DEFAULT);
}

static void reload_without_a_change_tells_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    assert_true(fixture_load(fixture, "log_level = debug\n"));
    assert_true(reload(fixture, "log_level = debug\n", &changes));
    assert_int_equal(changes.count, 0);
    assert_true(base_config_reload(&fixture->config, NULL, NULL, NULL, &fixture->fault));
}

static void flags_and_environment_keep_their_word(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    char *environment[] = {(char[]){"ICPD_DRAIN_MS=7s"}, NULL};
    assert_true(base_config_load_env(&fixture->config, environment, &fixture->fault));
    assert_true(base_config_set(&fixture->config, "log_level", "warn", BASE_ORIGIN_FLAG,
                                "--log-level", &fixture->fault));
    assert_true(reload(fixture, "log_level = debug\ndrain_ms = 1s\n", &changes));
    assert_int_equal(changes.count, 0);
    assert_string_equal(fixture->config.log_level, "warn");
    assert_int_equal(fixture->config.drain_ms, 7000);
}

static void bad_file_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes;
    assert_true(fixture_load(fixture, "log_level = debug\n"));
    assert_false(reload(fixture, "log_level = warn\nport = x\n", &changes));
    assert_int_equal(changes.count, 0);
    assert_string_equal(fixture->config.log_level, "debug");
    assert_false(reload(fixture, "log_level = warn\nhost = 0.0.0.0\n", &changes));
    assert_string_equal(fixture->config.log_level, "debug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(reload_takes_what_can_change_and_names_what_needs_a_restart),
        WITH_FIXTURE(a_port_that_follows_another_is_told_of_too),
        WITH_FIXTURE(line_taken_out_of_the_file_goes_back_to_its_default),
        WITH_FIXTURE(reload_without_a_change_tells_nothing),
        WITH_FIXTURE(flags_and_environment_keep_their_word),
        WITH_FIXTURE(bad_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
