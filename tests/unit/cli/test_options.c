/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of every command, taken from option.def, in the ways in which a command line can be
 * wrong: each is a mistake of use, told with the option's name, before any server is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/cli/canned.h"
#include "tools/cli/cli.h"

enum { WORDS_BYTES = 256, OPTIONS_LEAST = 300 };

static size_t looked_at;

/* Runs the line and finds what was said: exit status 64, nothing printed or asked, and each of the
 * parts, NULL behind the last. */
static void is_told(const char *line, const char *const *parts)
{
    struct canned_run run;
    canned_run(&run, line, NULL, 0);
    if (run.status != EX_USAGE || run.printed[0] != '\0' || run.asked[0] != '\0') {
        fail_msg("icp %s: status %d, printed '%s', asked '%s'", line, run.status, run.printed,
                 run.asked);
    }
    for (; *parts != NULL; parts++) {
        if (strstr(run.said, *parts) == NULL) {
            fail_msg("icp %s: '%s' says nothing of '%s'", line, run.said, *parts);
        }
    }
    canned_fini(&run);
    looked_at++;
}

/* Each option with the first command that has it: those of every command with `ping`. */
static void each_option(void (*each)(const char *command, const struct cli_option *option))
{
    for (int id = 0; id < CLI_OPTIONS; id++) {
        const struct cli_option *option = &cli_options()[id];
        each(option->command < 0 ? "ping" : cli_commands()[option->command].name, option);
    }
}

static void leave_value_out(const char *command, const struct cli_option *option)
{
    char line[WORDS_BYTES];
    char name[64];
    (void)snprintf(line, sizeof line, "%s --%s", command, option->name);
    (void)snprintf(name, sizeof name, "--%s %s", option->name, option->argument);
    const char *const parts[] = {command, "the value is missing", name, option->help, NULL};
    if (option->argument != NULL) {
        is_told(line, parts);
    }
}

static void an_option_without_its_value_is_told_with_what_it_wants(void **state)
{
    (void)state;
    each_option(leave_value_out);
}

static void give_value(const char *command, const struct cli_option *option)
{
    char line[WORDS_BYTES];
    char name[64];
    (void)snprintf(line, sizeof line, "%s --%s=yes", command, option->name);
    (void)snprintf(name, sizeof name, "--%s takes no value", option->name);
    const char *const parts[] = {name, option->help, NULL};
    if (option->argument == NULL) {
        is_told(line, parts);
    }
}

static void a_switch_with_a_value_is_told_what_it_does(void **state)
{
    (void)state;
    each_option(give_value);
}

/* The last letter twice: near to this option, and no beginning of any. */
static void misspell(const char *command, const struct cli_option *option)
{
    char line[WORDS_BYTES];
    char word[64];
    size_t bytes = strlen(option->name);
    (void)snprintf(word, sizeof word, "--%s%c", option->name, option->name[bytes - 1]);
    (void)snprintf(line, sizeof line, "%s %s", command, word);
    const char *const parts[] = {"there is no option", word, NULL};
    is_told(line, parts);
}

static void a_slip_in_a_name_is_told(void **state)
{
    (void)state;
    each_option(misspell);
}

static void dash_wrongly(const char *command, const struct cli_option *option)
{
    char line[WORDS_BYTES];
    char meant[64];
    (void)snprintf(line, sizeof line, "%s \xe2\x80\x94%s", command, option->name);
    (void)snprintf(meant, sizeof meant, "type --%s", option->name);
    const char *const parts[] = {"long dash", meant, NULL};
    is_told(line, parts);
}

static void a_dash_of_a_text_program_is_told(void **state)
{
    (void)state;
    each_option(dash_wrongly);
}

/* ---- arguments ---- */

/* Commands that take whatever number there is, or read nothing of the line. */
static bool takes_any(const struct cli_command *command)
{
    return strstr(command->arguments, "…") != NULL ||
           strstr(command->arguments, "EXPRESSION") != NULL || command->id == CLI_COMMAND_HELP;
}

static void what_is_too_much_for_a_command_is_named(void **state)
{
    (void)state;
    for (int id = 0; id < CLI_COMMANDS; id++) {
        const struct cli_command *command = &cli_commands()[id];
        char line[WORDS_BYTES];
        (void)snprintf(line, sizeof line, "%s 1 2 3 4 surplus", command->name);
        const char *const parts[] = {command->name, NULL};
        if (!takes_any(command)) {
            is_told(line, parts);
        }
    }
}

/* ---- help ---- */

static void help_of_each_command_names_it_and_all_its_options(void **state)
{
    (void)state;
    for (int id = 0; id < CLI_COMMANDS; id++) {
        const struct cli_command *command = &cli_commands()[id];
        char line[WORDS_BYTES];
        struct canned_run run;
        (void)snprintf(line, sizeof line, "%s --help", command->name);
        canned_run(&run, line, NULL, 0);
        assert_int_equal(run.status, EX_OK);
        assert_string_equal(run.asked, "");
        assert_non_null(strstr(run.printed, command->name));
        for (int i = 0; i < CLI_OPTIONS; i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "--%s", cli_options()[i].name);
            if (cli_options()[i].command == id && strstr(run.printed, name) == NULL) {
                fail_msg("the help of '%s' has no %s", command->name, name);
            }
        }
        canned_fini(&run);
    }
}

/* ---- settings that all commands share ---- */

static void shared_settings_are_checked_before_a_server_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
        const char *said;
    } rows[] = {
        {"ping --timeout 0", EX_USAGE, "'0' is not a whole number from 1 to 86400"},
        {"ping --timeout soon", EX_USAGE, "--timeout: 'soon'"},
        {"ping --timeout 86401", EX_USAGE, "from 1 to 86400"},
        {"ping --timeout -1", EX_USAGE, "--timeout: '-1'"},
        {"jobs --for-spreadsheet", EX_USAGE, "--for-spreadsheet goes with --csv"},
        {"ping --token /nonexistent/token", EX_NOINPUT, "cannot open /nonexistent/token"},
        {"ping --token /dev/null", EX_DATAERR, "the first line of /dev/null is empty"},
        {"ping --uri http://host", EX_USAGE, "http://host"},
        {"ping --uri icp://", EX_USAGE, "icp ping: "},
        {"ping --uri icp+unix:/nonexistent/s", EX_UNAVAILABLE, "is icpd running there?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct canned_run run;
        canned_run(&run, rows[i].line, NULL, 0);
        if (run.status != rows[i].status || strstr(run.said, rows[i].said) == NULL) {
            fail_msg("icp %s: status %d, said '%s'", rows[i].line, run.status, run.said);
        }
        assert_string_equal(run.asked, "");
        canned_fini(&run);
    }
}

static void the_table_was_walked(void **state)
{
    (void)state;
    assert_true(looked_at > OPTIONS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_without_its_value_is_told_with_what_it_wants),
        cmocka_unit_test(a_switch_with_a_value_is_told_what_it_does),
        cmocka_unit_test(a_slip_in_a_name_is_told),
        cmocka_unit_test(a_dash_of_a_text_program_is_told),
        cmocka_unit_test(what_is_too_much_for_a_command_is_named),
        cmocka_unit_test(help_of_each_command_names_it_and_all_its_options),
        cmocka_unit_test(shared_settings_are_checked_before_a_server_is_asked),
        cmocka_unit_test(the_table_was_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
