/* SPDX-License-Identifier: Apache-2.0 */
/* The options of icp-router: what they set, and what is said of those that are wrong. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_command.h"

enum { ARGUMENTS_MAX = 24 };

/* Words with blanks between, as a command line after its name; the last one read is what the
 * options point into. */
static bool command_of(struct router_command *command, const char *line, struct router_fault *fault)
{
    static char text[512];
    char *arguments[ARGUMENTS_MAX] = {(char[]){"icp-router"}};
    int count = 1;
    char *rest = NULL;
    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count + 1 < ARGUMENTS_MAX);
        arguments[count++] = word;
    }
    optind = 0; /* begin anew */
    return router_command_read(command, count, arguments, fault);
}

static void what_is_not_given_has_its_default(void **state)
{
    struct router_command command;
    struct router_fault fault;
    (void)state;
    assert_true(command_of(&command, "--rules r --stdin", &fault));
    assert_string_equal(command.work.rules_path, "r");
    assert_string_equal(command.work.uri, "icp://127.0.0.1:4273");
    assert_string_equal(command.work.spool_path, "spool");
    assert_string_equal(command.work.source, "router");
    assert_int_equal(command.work.spool_bytes_max, 64 << 20);
    assert_int_equal(command.linger_ms, 10000);
    assert_null(command.http_address);
    assert_true(command.from_stdin);
    assert_false(command.work.sync || command.work.dry_run || command.check || command.help);
    (void)setenv("ICP_URI", "icp://else", 1);
    assert_true(command_of(&command, "--rules r --check", &fault));
    assert_string_equal(command.work.uri, "icp://else");
    (void)unsetenv("ICP_URI");
}

static void each_option_is_taken_and_the_last_of_a_kind_counts(void **state)
{
    struct router_command command;
    struct router_fault fault;
    (void)state;
    assert_true(command_of(&command,
                           "--rules a --rules b --http 127.0.0.1:0 --uri icp://there --spool s "
                           "--spool-max 65536 --sync --source crm --linger 0 --dry-run",
                           &fault));
    assert_string_equal(command.work.rules_path, "b");
    assert_string_equal(command.http_address, "127.0.0.1:0");
    assert_string_equal(command.work.uri, "icp://there");
    assert_string_equal(command.work.spool_path, "s");
    assert_string_equal(command.work.source, "crm");
    assert_true(command.work.spool_bytes_max == (size_t)65536 << 20);
    assert_int_equal(command.linger_ms, 0);
    assert_true(command.work.sync && command.work.dry_run);
    assert_false(command.from_stdin);
    /* Who asks for help need not know what else is needed. */
    assert_true(command_of(&command, "--help", &fault));
    assert_true(command.help);
    assert_non_null(strstr(router_help, "--rules FILE"));
}

static void what_is_wrong_is_named_with_what_would_be_right(void **state)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"", "--rules FILE is missing"},
        {"--rules r", "--http HOST:PORT or --stdin is missing"},
        {"--rules r --stdin more", "'more' is too much"},
        {"--rules r --spool-max 0", "--spool-max: a whole number from 1 to 65536"},
        {"--rules r --spool-max 65537", "not '65537'"},
        {"--rules r --spool-max 99999999999999999999", "from 1 to 65536"},
        {"--rules r --spool-max 4k", "not '4k'"},
        {"--rules r --linger -1", "--linger: a whole number from 0 to 3600000"},
        {"--rules r --linger=", "not ''"},
        {"--rules r --source=", "--source: 1 to 63 bytes"},
        {"--rules r --source a\tb", "in one line"},
        {"--rules r --source a\xff", "of UTF-8"},
        {"--rules r --source aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhhh",
         "--source: 1 to 63 bytes"},
        {"--ruels r", ""}, /* getopt has said so */
        {"--rules", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct router_command command;
        struct router_fault fault;
        assert_false(command_of(&command, cases[i].line, &fault));
        if (strstr(fault.message, cases[i].words) == NULL ||
            (cases[i].words[0] == '\0') != (fault.message[0] == '\0')) {
            fail_msg("%s: %s", cases[i].line, fault.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(each_option_is_taken_and_the_last_of_a_kind_counts),
        cmocka_unit_test(what_is_wrong_is_named_with_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
