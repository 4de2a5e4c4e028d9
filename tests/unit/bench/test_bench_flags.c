/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/bench_flags.h"

struct into {
    const char *text;
    bool on, off;
    unsigned number;
    int negative;
    uint16_t port;
    uint64_t large;
    size_t size;
    double real;
    const char *more;
    char arguments[64];
};

#define AT(field) offsetof(struct into, field)
static const struct bench_flag table[] = {
    {"text", "T", BENCH_FLAG_TEXT, AT(text), 0, 0, "a text"},
    {"on", NULL, BENCH_FLAG_SWITCH, AT(on), 0, 0, "a switch"},
    {"off", NULL, BENCH_FLAG_OFF, AT(off), 0, 0, "a switch"},
    {"number", "N", BENCH_FLAG_UNSIGNED, AT(number), 1, 9, "a number"},
    {"negative", "N", BENCH_FLAG_INT, AT(negative), -5, 5, "a number"},
    {"port", "N", BENCH_FLAG_U16, AT(port), 0, 65535, "a port"},
    {"large", "N", BENCH_FLAG_U64, AT(large), 0, 1e15, "a number"},
    {"size", "N", BENCH_FLAG_SIZE, AT(size), 0, 1e9, "a size"},
    {"real", "X", BENCH_FLAG_REAL, AT(real), 0, 1, "a number"},
};
static const struct bench_flag more[] = {{.name = "more", .argument = "M", .help = "more"}};

static bool on_argument(void *into, const char *text, char *why, size_t why_bytes)
{
    struct into *values = into;
    if (strcmp(text, "bad") == 0) {
        snprintf(why, why_bytes, "that is bad");
        return false;
    }
    strncat(values->arguments, text, sizeof values->arguments - 1 - strlen(values->arguments));
    return true;
}

static bool on_more(void *into, const char *name, const char *text, char *why, size_t why_bytes)
{
    struct into *values = into;
    assert_string_equal(name, "more");
    snprintf(why, why_bytes, "no more");
    values->more = text;
    return strcmp(text, "bad") != 0;
}

static void parse(struct into *into, unsigned least, char **words)
{
    int count = 0;
    const struct bench_flags flags = {.what = "A test.",
                                      .arguments = "A B",
                                      .flags = table,
                                      .count = sizeof table / sizeof *table,
                                      .on_argument = on_argument,
                                      .more = more,
                                      .more_count = 1,
                                      .on_more = on_more,
                                      .arguments_least = least,
                                      .missing = "something is missing"};
    while (words[count] != NULL) {
        count++;
    }
    *into = (struct into){.off = true};
    bench_flags_parse(&flags, count, words, into);
}

static void each_kind_goes_where_its_row_says(void **state)
{
    (void)state;
    struct into into;
    char *words[] = {"test",
                     "--text=hello",
                     "--on",
                     "--off",
                     "--number",
                     "7",
                     "--negative",
                     "-3",
                     "--port=65535",
                     "--large",
                     "123456789012",
                     "--size=12",
                     "--real=0.25",
                     "--more=enough",
                     "a",
                     "b",
                     NULL};
    parse(&into, 2, words);
    assert_string_equal(into.text, "hello");
    assert_true(into.on && !into.off && into.number == 7 && into.negative == -3);
    assert_true(into.port == 65535 && into.large == 123456789012 && into.size == 12);
    assert_true(into.real > 0.24 && into.real < 0.26);
    assert_string_equal(into.more, "enough");
    assert_string_equal(into.arguments, "ab");
}

/* Ends with EX_USAGE, in a child, for argp ends the program. */
static int status_of(unsigned least, const char *word)
{
    char copy[64];
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct into into;
        snprintf(copy, sizeof copy, "%s", word);
        char *words[] = {"test", copy, NULL};
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(99);
        }
        parse(&into, least, words);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"--number=x",   "--number=",    "--number=0",   "--number=10",
                                      "--number=1.5", "--number=1x",  "--port=70000", "--real=nan",
                                      "--real=inf",   "--real=1.01",  "--nothing",    "--more=bad",
                                      "bad",          "--negative=-6"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(status_of(0, bad[i]), EX_USAGE);
    }
    assert_int_equal(status_of(0, "--number=9"), 0); /* control */
    assert_int_equal(status_of(2, "one"), EX_USAGE); /* too few */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_goes_where_its_row_says),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
