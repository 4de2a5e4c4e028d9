/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/show_bins.h"

/* What a call prints to standard output. */
static char *printed;

static int capture_begin(FILE **file)
{
    int kept = dup(STDOUT_FILENO);
    *file = tmpfile();
    assert_non_null(*file);
    fflush(stdout);
    dup2(fileno(*file), STDOUT_FILENO);
    return kept;
}

static void capture_end(FILE *file, int kept)
{
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    printed = calloc((size_t)bytes + 1, 1);
    assert_int_equal(fread(printed, 1, (size_t)bytes, file), bytes);
    fclose(file);
}

static void has(const char *text)
{
    if (strstr(printed, text) == NULL) {
        fail_msg("'%s' is not in:\n%s", text, printed);
    }
}

static size_t lines(void)
{
    size_t count = 0;
    for (const char *at = printed; *at != '\0'; at++) {
        count += *at == '\n';
    }
    return count;
}

static void numbers_are_joined_where_they_differ_least(void **state)
{
    (void)state;
    double edges[] = {10, 20, 30};
    struct feature_column column = {.type = FEATURE_NUMBER, .bin_count = 5, .edges = edges};
    int32_t table[] = {50000, -1000000, -990000, 500000, 1200000};
    FILE *file;
    int kept = capture_begin(&file);
    bins_print(&(struct out_sink){.file = stdout}, &column, table, NULL, NULL, 3);
    capture_end(file, kept);
    assert_int_equal(lines(), 4);
    has("x ≤ 20 ");
    has("-100  ----------\n");
    has("20 < x ≤ 30 ");
    has("x > 30 ");
    has("+120  ++++++++++++\n");
    has("missing ");
    free(printed);
    kept = capture_begin(&file);
    bins_print(&(struct out_sink){.file = stdout}, &column, table, NULL, NULL, 12);
    capture_end(file, kept);
    assert_int_equal(lines(), 5);
    has("10 < x ≤ 20 ");
    free(printed);
}

static void categories_keep_the_strongest_of_both_signs(void **state)
{
    (void)state;
    char names[6][8] = {"a", "b", "c", "d", "e", "f"};
    char *categories[6];
    for (size_t i = 0; i < 6; i++) {
        categories[i] = names[i];
    }
    struct feature_column column = {
        .type = FEATURE_CATEGORY, .bin_count = 8, .categories = categories};
    int32_t table[] = {0, 10000, 900000, -900000, 0, 20000, 800000, -10000};
    FILE *file;
    int kept = capture_begin(&file);
    bins_print(&(struct out_sink){.file = stdout}, &column, table, NULL, NULL, 3);
    capture_end(file, kept);
    has("  a ");
    has("  e ");
    has("  b ");
    has("… 4 between");
    free(printed);
}

static void tags_stand_together(void **state)
{
    (void)state;
    struct show_tag tags[] = {
        {"weak", 1, 0, 0, SHOW_SUPPORT_NONE, SHOW_SUPPORT_NONE, SHOW_SUPPORT_NONE},
        {"strong", -80, 10, -5, {40, 10}, {60, 30}, {7, 0}},
        {"middle", 30, -4, 2, SHOW_SUPPORT_NONE, SHOW_SUPPORT_NONE, SHOW_SUPPORT_NONE}};
    FILE *file;
    int kept = capture_begin(&file);
    tags_print(&(struct out_sink){.file = stdout}, tags, 3, 2);
    capture_end(file, kept);
    has("has strong ");
    has("has middle ");
    has("1 weaker tags");
    assert_null(strstr(printed, "has weak"));
    has("missing ");
    has("-3\n");
    has("-80        40       10  25.0  14-40");
    free(printed);
}

/* Points of joined bins are those of the mean account of them. */
static void lines_show_the_accounts_behind_them(void **state)
{
    (void)state;
    double edges[] = {10, 20};
    struct feature_column column = {.type = FEATURE_NUMBER, .bin_count = 4, .edges = edges};
    int32_t table[] = {50000, -1000000, -980000, 500000};
    uint32_t accounts[] = {0, 300, 100, 50};
    uint32_t outcomes[] = {0, 30, 20, 40};
    FILE *file;
    int kept = capture_begin(&file);
    bins_print(&(struct out_sink){.file = stdout}, &column, table, accounts, outcomes, 2);
    capture_end(file, kept);
    assert_int_equal(lines(), 3);
    has("x ≤ 20 ");
    has(" -100       400       50  12.5  10-16"); /* -99.5, not -99 */
    has(" +50        50       40  80.0  67-89");
    has("missing ");
    has(" +5         0        0  +\n");
    free(printed);
}

/* On a narrow screen names come first, and the head says no more than the lines below it. */
static void the_head_fits_the_screen_as_the_lines_do(void **state)
{
    (void)state;
    static const unsigned widths[] = {0, 120, 80, 66, 65, 40};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        FILE *file;
        int kept = capture_begin(&file);
        const struct out_sink sink = {.file = stdout, .columns = widths[i]};
        bins_head_print(&sink);
        capture_end(file, kept);
        size_t bytes = strlen(printed) - 1; /* without the line's end */
        assert_true(widths[i] == 0 || bytes <= widths[i]);
        has("points");
        assert_int_equal(strstr(printed, "accounts") != NULL, widths[i] == 0 || widths[i] >= 66);
        assert_int_equal(lines(), 1);
        free(printed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_joined_where_they_differ_least),
        cmocka_unit_test(categories_keep_the_strongest_of_both_signs),
        cmocka_unit_test(tags_stand_together),
        cmocka_unit_test(lines_show_the_accounts_behind_them),
        cmocka_unit_test(the_head_fits_the_screen_as_the_lines_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
