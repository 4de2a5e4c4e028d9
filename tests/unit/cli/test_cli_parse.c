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
#include "tools/cli/moment_option.h"

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

/* What --as-of says: a sequence, a moment, or a day, which is as it was when it was over. */
static void a_moment_is_a_sequence_a_time_or_the_end_of_a_day(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seq;
        int64_t known_ms;
    } cases[] = {{"1042", 1042, 0},
                 {"2024-05-01", 0, INT64_C(1714607999999)},
                 {"2024-05-01T12:00:00Z", 0, INT64_C(1714564800000)},
                 {"1970-01-01T00:00:00Z", 0, 0}};
    char name[] = "score";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *words[] = {"a17", "--as-of", cases[i].text, "--at", "2024-05-01", NULL};
        struct cli cli;
        struct as_of as_of;
        char said[1024];
        bool help;
        bool given;
        int64_t at_ms;
        assert_int_equal(parse_for(name, &cli, words, said, &help), EX_OK);
        assert_int_equal(as_of_read(&cli, CLI_SCORE_AS_OF, &as_of), EX_OK);
        assert_int_equal(as_of.seq, cases[i].seq);
        assert_int_equal(as_of.timed, cases[i].seq == 0);
        assert_int_equal(as_of.known_ms, cases[i].known_ms);
        assert_int_equal(as_of_time(&cli, CLI_SCORE_AT, &given, &at_ms), EX_OK);
        assert_true(given && at_ms == INT64_C(1714607999999));
        done(&cli);
    }
}

static void what_is_no_moment_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "0", "yesterday", "2024-13-01", "99999999999999999999"};
    char name[] = "score";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *words[] = {"a17", "--as-of", texts[i], NULL};
        struct cli cli;
        struct as_of as_of;
        char said[1024];
        bool help;
        assert_int_equal(parse_for(name, &cli, words, said, &help), EX_OK);
        assert_int_equal(as_of_read(&cli, CLI_SCORE_AS_OF, &as_of), EX_USAGE);
        done(&cli);
    }
}

/* A version, a day of looking and what outcomes are of: of drift; and --value, which takes a field
 * where a version is learned and none where one score is explained. */
static void what_a_profile_is_asked_for_is_read(void **state)
{
    (void)state;
    struct cli cli;
    char said[1024];
    bool help = false;
    char drift[] = "drift";
    char learn[] = "learn";
    char explain[] = "explain";
    const char *const asked[] = {"3",    "--since",    "2026-01-01", "--policy=p.json",
                                 "--at", "2026-06-30", NULL};
    assert_int_equal(parse_for(drift, &cli, asked, said, &help), EX_OK);
    assert_int_equal(cli.argument_count, 1);
    assert_string_equal(cli.arguments[0], "3");
    assert_string_equal(cli_text(&cli, CLI_DRIFT_SINCE), "2026-01-01");
    assert_string_equal(cli_text(&cli, CLI_DRIFT_POLICY), "p.json");
    assert_string_equal(cli_text(&cli, CLI_DRIFT_AT), "2026-06-30");
    assert_false(cli_has(&cli, CLI_DRIFT_LABEL));
    done(&cli);
    const char *const learned[] = {"--value", "arr", NULL};
    assert_int_equal(parse_for(learn, &cli, learned, said, &help), EX_OK);
    assert_string_equal(cli_text(&cli, CLI_LEARN_VALUE), "arr");
    assert_int_equal(cli.argument_count, 0);
    done(&cli);
    const char *const explained[] = {"acme", "--value", NULL};
    assert_int_equal(parse_for(explain, &cli, explained, said, &help), EX_OK);
    assert_true(cli_has(&cli, CLI_EXPLAIN_VALUE));
    assert_string_equal(cli.arguments[0], "acme");
    done(&cli);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_read),
        cmocka_unit_test(a_whole_name_is_no_beginning_of_others),
        cmocka_unit_test(slips_are_answered_with_what_was_meant),
        cmocka_unit_test(help_is_asked_for_in_three_ways),
        cmocka_unit_test(a_moment_is_a_sequence_a_time_or_the_end_of_a_day),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(what_a_profile_is_asked_for_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
