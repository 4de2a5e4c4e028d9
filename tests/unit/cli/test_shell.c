/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/shell_complete.h"
#include "tools/cli/shell_words.h"

/* The words of a line, joined by '|'. */
static void expect_words(const char *line, const char *joined)
{
    struct shell_words words;
    struct proto_fault fault = {.code = PROTO_OK};
    char text[512] = "";
    if (!shell_words_split(line, &words, &fault)) {
        fail_msg("%s: %s", line, fault.message);
    }
    for (int i = 0; i < words.count; i++) {
        strcat(text, i > 0 ? "|" : "");
        strcat(text, words.words[i]);
    }
    assert_string_equal(text, joined);
    shell_words_fini(&words);
}

static void lines_are_cut_into_words(void **state)
{
    (void)state;
    expect_words("", "");
    expect_words("  list   --csv ", "list|--csv");
    expect_words("get 'a b' \"c d\"", "get|a b|c d");
    expect_words("get a\\ b \"c\\\"d\"", "get|a b|c\"d");
    expect_words("tal build ''", "tal|build|");
    struct shell_words words;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_false(shell_words_split("get 'a", &words, &fault));
    assert_non_null(strstr(fault.message, "not closed"));
}

static void an_expression_needs_no_quotes_of_its_own(void **state)
{
    (void)state;
    expect_words("filter industry = 'Software' and employees > 5",
                 "filter|industry = 'Software' and employees > 5");
    expect_words("count employees > -5 --json", "count|employees > -5|--json");
    expect_words("filter --limit 5 industry = 'A -b' --csv",
                 "filter|--limit|5|industry|=|A -b|--csv");
    expect_words("filter \"industry = 'A'\" --limit 5", "filter|industry = 'A'|--limit|5");
    expect_words("filter \"Last Activity\" = 'x'", "filter|\"Last Activity\" = 'x'");
    expect_words("filter 'true'", "filter|true");
    expect_words("icp count a = 'b c'", "icp|count|a = 'b c'");
    expect_words("count x = 'a' -x", "count|x = 'a'|-x");
}

static void fields_give(void *context, void (*add)(void *to, const char *text), void *to)
{
    (void)context;
    add(to, "industry");
    add(to, "employees");
    add(to, "Last Activity");
}

static void values_give(void *context, const char *field, const char *begin,
                        void (*add)(void *to, const char *text), void *to)
{
    (void)context;
    (void)begin;
    if (strcmp(field, "industry") == 0) {
        add(to, "Software");
        add(to, "Social work");
        add(to, "Retail");
    } else if (strcmp(field, "Last Activity") == 0) {
        add(to, "Email Opened");
    }
}

/* The candidates of a line, joined by '|', and what they replace. */
static void expect_candidates(const char *line, const char *replaced, const char *joined)
{
    struct shell_source source = {NULL, fields_give, values_give};
    struct shell_candidates candidates;
    char text[8192] = "";
    shell_complete(line, &source, &candidates);
    for (size_t i = 0; i < candidates.count; i++) {
        strcat(text, i > 0 ? "|" : "");
        strcat(text, candidates.texts[i]);
    }
    assert_string_equal(line + candidates.from, replaced);
    assert_string_equal(text, joined);
    shell_candidates_fini(&candidates);
}

static void commands_and_options_are_completed(void **state)
{
    (void)state;
    expect_candidates("fil", "fil", "filter");
    expect_candidates("tal bu", "bu", "build");
    expect_candidates("schema ", "", "infer|put|get");
    expect_candidates("tal build x --quo", "--quo", "--quota");
    expect_candidates("filter true --li", "--li", "--limit");
    expect_candidates("zebra", "zebra", "");
}

static void fields_and_values_are_completed_where_they_belong(void **state)
{
    (void)state;
    expect_candidates("filter ind", "ind", "industry");
    expect_candidates("filter \"ind", "ind", "industry");
    expect_candidates("count employees > 5 and ind", "ind", "industry");
    expect_candidates("count industry = 'So", "So", "Software|Social work");
    expect_candidates("count employees > 5 and industry in ('Retail', 'Sof", "Sof", "Software");
    expect_candidates("count Last Activity = 'em", "em", "Email Opened");
    expect_candidates("count industry = 'Retail' and Last Activity = 'E", "E", "Email Opened");
    expect_candidates("filter true --fields industry,emp", "emp", "employees");
    expect_candidates("tal build x --quota ind", "ind", "industry");
    expect_candidates("learn --label \"industry = 'Ret", "Ret", "Retail");
    expect_candidates("count industry con", "con", "contains");
}

static void what_all_begin_with_is_never_half_a_character(void **state)
{
    (void)state;
    char a[] = "M\xc3\xbcller";
    char b[] = "M\xc3\xb6ller";
    struct shell_candidates candidates = {.texts = {a, b}, .count = 2};
    assert_int_equal(shell_candidates_common(&candidates), 1);
    candidates.count = 1;
    assert_int_equal(shell_candidates_common(&candidates), strlen(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_into_words),
        cmocka_unit_test(an_expression_needs_no_quotes_of_its_own),
        cmocka_unit_test(commands_and_options_are_completed),
        cmocka_unit_test(fields_and_values_are_completed_where_they_belong),
        cmocka_unit_test(what_all_begin_with_is_never_half_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
