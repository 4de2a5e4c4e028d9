/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/config_fixture.h"

#include <sys/wait.h>

/* A parent parser as a program has it. */
static error_t parent_option(int key, char *text, struct argp_state *state)
{
    (void)text;
    if (key != ARGP_KEY_INIT) {
        return ARGP_ERR_UNKNOWN;
    }
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child children[] = {{&base_config_argp, 0, "Options", 0}, {0}};
static const struct argp parent = {.parser = parent_option, .children = children};

static int parse(struct fixture *fixture, char **arguments)
{
    int count = 0;
    while (arguments[count] != NULL) {
        count++;
    }
    return argp_parse(&parent, count, arguments, 0, NULL, &fixture->config);
}

static void flags_set_values(void **state)
{
    struct fixture *fixture = *state;
    char *arguments[] = {(char[]){"icpd"}, (char[]){"--port=0"}, (char[]){"--ports-file"},
                         (char[]){"/tmp/p"}, NULL};
    assert_int_equal(parse(fixture, arguments), 0);
    assert_int_equal(fixture->config.port, 0);
    assert_string_equal(fixture->config.ports_file, "/tmp/p");
    assert_string_equal(fixture->config.origins[BASE_OPTION_PORTS_FILE].place, "--ports-file");
    assert_int_equal(fixture->config.origins[BASE_OPTION_PORTS_FILE].kind, BASE_ORIGIN_FLAG);
}

/* What a child process with these arguments ends with; its output goes into text. */
static int run(struct fixture *fixture, char **arguments, char *text, size_t text_bytes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        parse(fixture, arguments);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while (used + 1 < text_bytes && (got = read(ends[0], text + used, text_bytes - 1 - used)) > 0) {
        used += (size_t)got;
    }
    text[used] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void bad_flag_value_ends_with_usage(void **state)
{
    struct fixture *fixture = *state;
    static char text[32768];
    char *arguments[] = {(char[]){"icpd"}, (char[]){"--workers=many"}, NULL};
    assert_int_equal(run(fixture, arguments, text, sizeof text), 64);
    assert_non_null(strstr(text, "--workers: workers is 'many', but must be 0 to 256"));
}

static void help_lists_every_option_but_secrets(void **state)
{
    struct fixture *fixture = *state;
    static char text[32768];
    char *arguments[] = {(char[]){"icpd"}, (char[]){"--help"}, NULL};
    assert_int_equal(run(fixture, arguments, text, sizeof text), 0);
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        char flag[80];
        snprintf(flag, sizeof flag,
                 options[i].type == BASE_TYPE_FLAG ? "--%s[=" : "--%s=", options[i].flag);
        if (options[i].type == BASE_TYPE_SECRET) {
            assert_null(strstr(text, flag));
        } else {
            assert_non_null(strstr(text, flag));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(flags_set_values),
        WITH_FIXTURE(bad_flag_value_ends_with_usage),
        WITH_FIXTURE(help_lists_every_option_but_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
