/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proto/table.h"
#include "tools/cli/cli.h"

static int run(const char *a, const char *b, const char *c)
{
    char program[] = "icp";
    char *arguments[] = {program, a != NULL ? strdup(a) : NULL, b != NULL ? strdup(b) : NULL,
                         c != NULL ? strdup(c) : NULL, NULL};
    int count = 1 + (a != NULL) + (b != NULL) + (c != NULL);
    int status = cli_run(count, arguments);
    for (int i = 1; i < 4; i++) {
        free(arguments[i]);
    }
    return status;
}

static void unknown_commands_are_usage_errors(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL, NULL), EX_USAGE);
    assert_int_equal(run("scoore", NULL, NULL), EX_USAGE);
    assert_int_equal(run("schema", NULL, NULL), EX_USAGE);
    assert_int_equal(run("schema", "nothing", NULL), EX_USAGE);
    assert_int_equal(run("--version", NULL, NULL), EX_OK);
    assert_int_equal(run("--nothing", NULL, NULL), EX_USAGE);
    assert_int_equal(run("help", NULL, NULL), EX_OK);
    assert_int_equal(run("activate", "x", NULL), EX_USAGE);
    assert_int_equal(run("split", NULL, NULL), EX_USAGE);
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
    (void)state;
    assert_int_equal(run("--uri=icp+unix:/nonexistent", "ping", NULL), EX_UNAVAILABLE);
    assert_int_equal(run("ping", "--uri", "icps://127.0.0.1:1"), EX_UNAVAILABLE);
    assert_int_equal(run("-u", "http://host", "ping"), EX_USAGE);
}

static void the_nearest_command_is_found(void **state)
{
    (void)state;
    assert_string_equal(cli_nearest("scoer")->name, "score");
    assert_string_equal(cli_nearest("imprt")->name, "import");
    assert_string_equal(cli_nearest("schem")->name, "schema infer");
    assert_null(cli_nearest("frobnicate"));
}

static void every_error_has_an_exit_status(void **state)
{
    (void)state;
    size_t count = 0;
    const struct proto_error_info *errors = proto_errors(&count);
    for (size_t i = 0; i < count; i++) {
        int status = cli_exit_status(errors[i].code);
        if (errors[i].code == PROTO_OK) {
            assert_int_equal(status, EX_OK);
        } else {
            assert_in_range(status, EX__BASE, EX__MAX);
        }
    }
    assert_int_equal(cli_exit_status(PROTO_BUSY), EX_TEMPFAIL);
    assert_int_equal(cli_exit_status(PROTO_NO_EVIDENCE), EX_DATAERR);
    assert_int_equal(cli_exit_status(PROTO_DENIED), EX_NOPERM);
}

static void option_names_are_unique_within_a_command(void **state)
{
    (void)state;
    const struct cli_option *options = cli_options();
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        for (size_t j = 0; j < i; j++) {
            bool meet = options[i].command == options[j].command || options[i].command == -1 ||
                        options[j].command == -1;
            if (meet) {
                assert_string_not_equal(options[i].name, options[j].name);
            }
            if (meet && options[i].key != 0) {
                assert_int_not_equal(options[i].key, options[j].key);
            }
        }
    }
}

static void examples_are_of_their_own_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const struct cli_command *command = &cli_commands()[i];
        char start[64];
        snprintf(start, sizeof start, "icp %s", command->name);
        assert_true(strncmp(command->examples, start, strlen(start)) == 0);
        assert_int_equal(command->examples[strlen(command->examples) - 1], '\n');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_commands_are_usage_errors),
        cmocka_unit_test(a_server_that_is_not_there_is_unavailable),
        cmocka_unit_test(the_nearest_command_is_found),
        cmocka_unit_test(every_error_has_an_exit_status),
        cmocka_unit_test(option_names_are_unique_within_a_command),
        cmocka_unit_test(examples_are_of_their_own_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
