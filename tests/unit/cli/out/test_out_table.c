/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "tools/cli/out/out_table.h"
#include "tools/cli/out/out_text.h"

static const char *const headers[] = {"id", "name", "size"};

static void fill(struct out_table *table)
{
    out_table_init(table, headers, 3);
    out_cell_text(table, "a1");
    out_cell_text(table, "株式会社");
    out_cell_number(table, "12345");
    out_cell_text(table, "b2");
    out_cell_text(table, "Anvil and Sons of the Northern Harbour");
    out_cell_number(table, "7");
}

static char *shown(struct out_table *table, struct out_style style)
{
    char *text = NULL;
    size_t bytes = 0;
    style.sink.file = open_memstream(&text, &bytes);
    assert_true(out_table_show(table, &style));
    fclose(style.sink.file);
    return text;
}

static void expect(struct out_style style, const char *wanted)
{
    struct out_table table;
    fill(&table);
    char *text = shown(&table, style);
    assert_string_equal(text, wanted);
    free(text);
}

static void columns_stand_straight_with_wide_characters(void **state)
{
    (void)state;
    expect((struct out_style){0}, "id  name                                      size\n"
                                  "a1  株式会社                                12,345\n"
                                  "b2  Anvil and Sons of the Northern Harbour       7\n");
}

static void a_narrow_screen_breaks_cells_at_blanks(void **state)
{
    (void)state;
    expect((struct out_style){.sink.columns = 28}, "id  name                size\n"
                                                   "a1  株式会社          12,345\n"
                                                   "b2  Anvil and Sons         7\n"
                                                   "    of the Northern\n"
                                                   "    Harbour\n");
}

static void records_have_a_line_for_each_column(void **state)
{
    (void)state;
    const char *records =
        "id    a1\nname  株式会社\nsize  12,345\n\n"
        "id    b2\nname  Anvil and Sons of the\n      Northern Harbour\nsize  7\n";
    expect((struct out_style){.sink.columns = 28, .records = true}, records);
    /* No room for the widest words side by side: the same. */
    expect((struct out_style){.sink.columns = 17},
           "id    a1\nname  株式会社\nsize  12,345\n\n"
           "id    b2\nname  Anvil and\n      Sons of the\n      Northern\n      Harbour\n"
           "size  7\n");
}

static void no_line_is_wider_than_the_screen(void **state)
{
    (void)state;
    for (size_t columns = 16; columns < 90; columns++) {
        struct out_table table;
        fill(&table);
        char *text = shown(&table, (struct out_style){.sink.columns = columns});
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            assert_in_range(out_width(line), 1, columns);
        }
        free(text);
    }
}

static void two_hundred_columns_lose_none(void **state)
{
    (void)state;
    const char *names[200];
    char texts[200][8];
    struct out_table table;
    for (size_t i = 0; i < 200; i++) {
        snprintf(texts[i], sizeof texts[i], "c%zu", i);
        names[i] = texts[i];
    }
    out_table_init(&table, names, 200);
    for (size_t i = 0; i < 200; i++) {
        out_cell_number(&table, "%zu", i);
    }
    char *text = shown(&table, (struct out_style){0});
    assert_non_null(strstr(text, "c199\n"));
    assert_non_null(strstr(text, " 199\n"));
    free(text);
}

static void escapes_never_reach_a_reader(void **state)
{
    (void)state;
    static const char *const one[] = {"id"};
    struct out_table table;
    out_table_init(&table, one, 1);
    out_cell_text(&table, "evil\033[2J");
    char *text = shown(&table, (struct out_style){0});
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "evil\\x1b[2J"));
    free(text);
}

static void csv_is_guarded_only_when_asked(void **state)
{
    (void)state;
    static const struct {
        const char *cell;
        const char *guarded;
    } cases[] = {{"=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""},
                 {"@SUM(1)", "\"'@SUM(1)\""},
                 {"+49 30 1234", "\"'+49 30 1234\""},
                 {"-5.25", "-5.25"},
                 {"+3", "+3"},
                 {"a=b", "a=b"},
                 {"", ""}};
    static const char *const one[] = {"v"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int guard = 0; guard < 2; guard++) {
            struct out_table table;
            char wanted[64];
            out_table_init(&table, one, 1);
            out_cell_text(&table, "%s", cases[i].cell);
            char *text =
                shown(&table, (struct out_style){.form = OUT_CSV, .spreadsheet = guard == 1});
            snprintf(wanted, sizeof wanted, "v\n%s\n", guard ? cases[i].guarded : cases[i].cell);
            assert_string_equal(text, wanted);
            free(text);
        }
    }
}

static void programs_get_bare_numbers(void **state)
{
    (void)state;
    expect((struct out_style){.form = OUT_CSV},
           "id,name,size\na1,株式会社,12345\nb2,Anvil and Sons of the Northern Harbour,7\n");
    struct out_table table;
    fill(&table);
    char *text = shown(&table, (struct out_style){.form = OUT_JSON});
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "size")), 12345);
    json_decref(json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_straight_with_wide_characters),
        cmocka_unit_test(a_narrow_screen_breaks_cells_at_blanks),
        cmocka_unit_test(records_have_a_line_for_each_column),
        cmocka_unit_test(no_line_is_wider_than_the_screen),
        cmocka_unit_test(two_hundred_columns_lose_none),
        cmocka_unit_test(escapes_never_reach_a_reader),
        cmocka_unit_test(csv_is_guarded_only_when_asked),
        cmocka_unit_test(programs_get_bare_numbers),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
