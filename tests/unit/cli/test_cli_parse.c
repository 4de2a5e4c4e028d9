/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/cli.h"

#define WORDS_MAX 8

/* Values are borrowed from the words: these live until done(). */
static char *copies[WORDS_MAX];

/* Parses the words as those of a command; what is said goes to `said`. */
static int parse_for(char *name, struct cli *cli, const char *const *words, char said[1024],
                     bool *help)
{
    int count = 0;
    int used = 0;
    char *names[] = {name};
    for (; words[count] != NULL; count++) {
        copies[count] = strdup(words[count]);
    }
    *cli = (struct cli){.command = cli_command_find(1, names, &used)};
    *help = false;
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    int status = cli_parse(cli, count, copies, help);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    said[fread(said, 1, 1023, file)] = '\0';
    fclose(file);
    return status;
}

static int parse(struct cli *cli, const char *const *words, char said[1024], bool *help)
{
    char name[] = "filter";
    return parse_for(name, cli, words, said, help);
}

static void done(struct cli *cli)
{
    free(cli->settings);
    free(cli->arguments);
    for (size_t i = 0; i < WORDS_MAX; i++) {
        free(copies[i]);
        copies[i] = NULL;
    }
}

static void every_form_of_an_option_is_read(void **state)
{
    (void)state;
    static const char *const lines[][WORDS_MAX] = {
        {"--limit", "7", "a = 1", NULL}, {"--limit=7", "a = 1", NULL},
        {"-l", "7", "a = 1", NULL},      {"-l7", "a = 1", NULL},
        {"a = 1", "--lim", "7", NULL},   {"--limit=7", "--", "a = 1"},
        {"-xl7", "a = 1", NULL}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cli cli;
        char said[1024];
        bool help;
        assert_int_equal(parse(&cli, lines[i], said, &help), EX_OK);
        assert_string_equal(said, "");
        assert_string_equal(cli_text(&cli, CLI_FILTER_LIMIT), "7");
        assert_int_equal(cli.argument_count, 1);
        assert_string_equal(cli.arguments[0], "a = 1");
        done(&cli);
    }
}

/* --discount is one option, and how --discount-amount and --discount-end begin. */
static void a_whole_name_is_no_beginning_of_others(void **state)
{
    (void)state;
    static const char *const whole[] = {"--discount", "0.1", NULL};
    static const char *const begun[] = {"--disc", "0.1", NULL};
    struct cli cli;
    char said[1024];
    char name[] = "measure";
    bool help;
    assert_int_equal(parse_for(name, &cli, whole, said, &help), EX_OK);
    assert_string_equal(cli_text(&cli, CLI_MEASURE_DISCOUNT), "0.1");
    done(&cli);
    assert_int_equal(parse_for(name, &cli, begun, said, &help), EX_USAGE);
    assert_non_null(strstr(said, "could be several options"));
    done(&cli);
}

static void slips_are_answered_with_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        const char *said;
    } cases[] = {
        {{"--limt", "7"}, "did you mean --limit N?"},
        {{"--fieldss"}, "did you mean --fields A,B,C?"},
        {{"-json"}, "did you mean --json?"},
        {{"-limit"}, "did you mean --limit?"},
        {{"--json=yes"}, "--json takes no value"},
        {{"--limit"}, "the value is missing; --limit N"},
        {{"--s", "x"}, "could be several options"},
        {{"--zebra"}, "'icp help filter' lists them"},
        {{"-z"}, "'icp help filter' lists them"},
        {{"\xe2\x80\x93\xe2\x80\x93json"}, "type --json"},
        {{"\xe2\x80\x94limit"}, "type --limit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cli cli;
        char said[1024];
        bool help;
        assert_int_equal(parse(&cli, cases[i].words, said, &help), EX_USAGE);
        if (strstr(said, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].words[0], said);
        }
        done(&cli);
    }
}

static void help_is_asked_for_in_three_ways(void **state)
{
    (void)state;
    static const char *const words[] = {"--help", "-h", "-?"};
    for (size_t i = 0; i < 3; i++) {
        struct cli cli;
        char said[1024];
        bool help;
        assert_int_equal(parse(&cli, (const char *[]){words[i], NULL}, said, &help), EX_OK);
        assert_true(help);
        done(&cli);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_read),
        cmocka_unit_test(a_whole_name_is_no_beginning_of_others),
        cmocka_unit_test(slips_are_answered_with_what_was_meant),
        cmocka_unit_test(help_is_asked_for_in_three_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
