/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet of candidates: what is read is what was written, how its rows stand, and what is no such
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/match_sheet.h"

#define HEAD "line,name,key,match,id,account,score,why,decision\n"

static char path[] = "/tmp/icp-sheet-XXXXXX";

static void file_write(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void rows_stand_as_was_decided(void **state)
{
    (void)state;
    struct sheet sheet;
    struct proto_fault fault;
    file_write(HEAD "2,A,crm:1,key,a,A Ltd,1.0000,crm:1,\n"
                    "3,B,crm:2,same,b,B Ltd,1.0000,the same words,\n"
                    "3,B,crm:2,maybe,c,\"C, Ltd\",0.8000,\"a \"\"b\"\"\",\n"
                    "4,C,crm:3,maybe,c,C,0.9,x,never\n"
                    "4,C,crm:3,maybe,d,D,0.8,x,\n"
                    "5,D,,none,,,,,\n"
                    "6,E,,maybe,e,E,0.8,x,yes\n"
                    "7,F,,maybe,e,E,0.8,x,never\n");
    assert_true(sheet_read(&sheet, path, &fault));
    assert_int_equal(sheet.count, 8);
    struct sheet_tally tally = sheet_count(&sheet);
    assert_int_equal(tally.rows, 6);
    assert_int_equal(tally.by_key, 1);
    assert_int_equal(tally.reviewed, 1);
    assert_int_equal(tally.same, 1);
    assert_int_equal(tally.maybe, 1);
    assert_int_equal(tally.none, 2);
    assert_int_equal(sheet_row_end(&sheet, 1), 3);
    assert_int_equal(sheet_row_link(&sheet, 1), SIZE_MAX);
    assert_true(sheet_decide(&sheet, 2, "yes"));
    assert_int_equal(sheet_row_link(&sheet, 1), 2);
    assert_int_equal(sheet_count(&sheet).reviewed, 2);
    sheet_fini(&sheet);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct sheet sheet = {0};
    struct sheet again;
    struct proto_fault fault;
    const char *texts[SHEET_COLUMNS] = {"9",    "a \"b\", c", "crm:1",     "maybe", "=id",
                                        "株式", "0.9",        "line\nend", "never"};
    for (size_t i = 0; i < 300; i++) {
        assert_true(sheet_add(&sheet, texts));
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    sheet_write(&sheet, file, false);
    assert_int_equal(fclose(file), 0);
    assert_true(sheet_read(&again, path, &fault));
    assert_int_equal(again.count, 300);
    for (size_t i = 0; i < SHEET_COLUMNS; i++) {
        assert_string_equal(again.lines[299][i], texts[i]);
    }
    sheet_fini(&again);
    sheet_fini(&sheet);
}

static void what_is_no_sheet_is_refused_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } refusals[] = {
        {"a,b\n1,2\n", "no column 'line'"},
        {"line,name,key,match,id,account,score,why,decision,more\n1,,,none,,,,,,\n",
         "beside those"},
        {HEAD "2,A,,perhaps,a,A,1,x,\n", "line 2: key, same, maybe or none is wanted"},
        {HEAD "2,A,,maybe,a,A,1,x,y\n", "line 2: yes, never or nothing is wanted, not 'y'"},
        {HEAD "2,A,,maybe,,A,1,x,\n", "line 2: a candidate has the id"},
        {HEAD "2,A,,maybe,a,\"A,1,x,\n", "line 2"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct sheet sheet;
        struct proto_fault fault;
        file_write(refusals[i].text);
        assert_false(sheet_read(&sheet, path, &fault));
        if (strstr(fault.message, refusals[i].message) == NULL) {
            fail_msg("'%s' does not say '%s'", fault.message, refusals[i].message);
        }
        sheet_fini(&sheet);
    }
}

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_as_was_decided),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_is_no_sheet_is_refused_where_it_is),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
