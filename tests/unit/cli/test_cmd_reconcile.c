/* SPDX-License-Identifier: Apache-2.0 */
/* A file of another system held against accounts that are written down: what differs is a line,
 * every row is counted once, and what cannot be compared is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/unit/cli/canned.h"
#include "tests/unit/cli/cli_folder.h"

static const struct {
    const char *name;
    const char *text;
} files[] = {
    {"two.csv", "id,crm,fit,grade,segment\n"
                "acme,7,50.9,B,Big\n"
                "b,8,25.25,C,\n"},
    {"other.csv", "id,crm,fit,grade,segment\n"
                  "acme,7,51.01,A,Small\n"
                  "nobody,9,1,D,\n"},
    {"odd.csv", "id,fit,grade\n"
                "acme,50.5,B\n"
                "acme,10,D\n"
                "b,,\n"
                "b,\"1\n"},
    {"comma.csv", "id;fit;grade\n"
                  "acme;50,9;B\n"
                  "b;25,25;C\n"},
    {"none.csv", "id,fit,grade\n"},
    {"keys.csv", "crm,fit,grade\n"
                 "7,50.5,B\n"
                 "8,25.25,C\n"
                 ",3,D\n"
                 "9,3,D\n"},
};

static int files_make(void **state)
{
    (void)folder_make(state);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder_put(files[i].name, files[i].text);
    }
    return 0;
}

static const char both[] = "{'seq':9,'ids':['acme','b'],'values':[{'segment':'Big'},{}],"
                           "'fit':{'$f32':[50.5,25.25]},'grade':{'$bytes':'BC'}}";
static const char first[] = "{'seq':9,'ids':['b'],'next':'c2','values':[{}],"
                            "'fit':{'$f32':[25.25]},'grade':{'$bytes':'C'}}";
static const char second[] = "{'seq':9,'ids':['acme'],'values':[{}],'fit':{'$f32':[50.5]},"
                             "'grade':{'$bytes':'B'}}";
static const char nobody[] = "{'seq':9,'ids':[],'values':[]}";

static void rows_that_say_the_same_are_no_lines(void **state)
{
    (void)state;
    static const struct canned one_page[] = {{PROTO_OP_FILTER, both, PROTO_OK}};
    static const struct canned two_pages[] = {{PROTO_OP_FILTER, first, PROTO_OK},
                                              {PROTO_OP_FILTER, second, PROTO_OK}};
    static const struct canned empty[] = {{PROTO_OP_FILTER, nobody, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"reconcile two.csv --id id --fit fit --grade grade --label segment=segment",
         CANNED(one_page), EX_OK,
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":true,\"fields\":[\"segment\"]}\n",
         "line  account  what  here  there\n",
         "icp reconcile: 2 rows: 2 the same, 0 that differ, 0 that no account here is of, 0 twice, "
         "0 that cannot be read; 0 of 2 accounts here have no row\n"},
        {"reconcile two.csv --id id --fit fit", CANNED(two_pages), EX_OK,
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":true}\n"
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":true,\"after\":\"c2\"}\n",
         "line  account  what  here  there\n",
         "icp reconcile: 2 rows: 2 the same, 0 that differ, 0 that no account here is of, 0 twice, "
         "0 that cannot be read; 0 of 2 accounts here have no row\n"},
        {"reconcile comma.csv --id id --fit fit --grade grade --csv", CANNED(one_page), EX_OK,
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":true}\n",
         "line,account,what,here,there\n",
         "icp reconcile: 2 rows: 2 the same, 0 that differ, 0 that no account here is of, 0 twice, "
         "0 that cannot be read; 0 of 2 accounts here have no row\n"},
        {"reconcile none.csv --id id --json", CANNED(empty), EX_OK,
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":false}\n", "[]\n",
         "icp reconcile: 0 rows: 0 the same, 0 that differ, 0 that no account here is of, 0 twice, "
         "0 that cannot be read; 0 of 0 accounts here have no row\n"},
        {"reconcile none.csv --id id --filter 'grade = 1'", CANNED(one_page), EX_OK,
         "filter {\"filter\":\"grade = 1\",\"limit\":10000,\"scores\":false}\n",
         "line  account  what          here  there\n"
         "      acme     absent there  B\n"
         "      b        absent there  C\n",
         "icp reconcile: 0 rows: 0 the same, 0 that differ, 0 that no account here is of, 0 twice, "
         "0 that cannot be read; 2 of 2 accounts here have no row\n"},
    };
    CANNED_ROWS(rows);
}

static void what_differs_is_a_line_each(void **state)
{
    (void)state;
    static const struct canned replies[] = {{PROTO_OP_FILTER, both, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"reconcile other.csv --id id --fit fit --grade grade --label segment=segment",
         CANNED(replies), EX_OK, NULL,
         "line  account  what          here   there\n"
         "   2  acme     fit           50.50  51.01\n"
         "   2  acme     grade         B      A\n"
         "   2  acme     segment       Big    Small\n"
         "   3  nobody   absent here          D\n"
         "      b        absent there  C\n",
         "icp reconcile: 2 rows: 0 the same, 1 that differ, 1 that no account here is of, 0 twice, "
         "0 that cannot be read; 1 of 2 accounts here have no row\n"},
        {"reconcile other.csv --id id --fit fit --within 1", CANNED(replies), EX_OK, NULL,
         "line  account  what          here  there\n"
         "   3  nobody   absent here\n"
         "      b        absent there  C\n",
         "icp reconcile: 2 rows: 1 the same, 0 that differ, 1 that no account here is of, 0 twice, "
         "0 that cannot be read; 1 of 2 accounts here have no row\n"},
        {"reconcile other.csv --id id --fit fit --grade grade --limit 1", CANNED(replies), EX_OK,
         NULL,
         "line  account  what  here   there\n"
         "   2  acme     fit   50.50  51.01\n",
         "icp reconcile: 2 rows: 0 the same, 1 that differ, 1 that no account here is of, 0 twice, "
         "0 that cannot be read; 1 of 2 accounts here have no row\n"
         "icp reconcile: 3 lines more are not shown: --limit N\n"},
        {"reconcile other.csv --id id --fit fit --limit 0", CANNED(replies), EX_OK, NULL,
         "line  account  what  here  there\n",
         "icp reconcile: 2 rows: 0 the same, 1 that differ, 1 that no account here is of, 0 twice, "
         "0 that cannot be read; 1 of 2 accounts here have no row\n"
         "icp reconcile: 3 lines more are not shown: --limit N\n"},
        {"reconcile odd.csv --id id --fit fit --grade grade", CANNED(replies), EX_OK, NULL,
         "line  account  what   here               there\n"
         "   3  acme     twice  line 2 has it too\n"
         "   4  b        fit    25.25\n"
         "   4  b        grade  C\n",
         "icp reconcile: odd.csv, line 5, column 3: a quote is opened here and not closed\n"
         "icp reconcile: 4 rows: 1 the same, 1 that differ, 0 that no account here is of, 1 twice, "
         "1 that cannot be read; 0 of 2 accounts here have no row\n"},
    };
    CANNED_ROWS(rows);
}

static void rows_are_found_by_a_key(void **state)
{
    (void)state;
    static const struct canned known[] = {
        {PROTO_OP_FILTER, both, PROTO_OK},
        {PROTO_OP_SCORE_MANY, "{'icp':2,'seq':9,'scores':[{'id':'acme'},{'id':'c'},{}]}",
         PROTO_OK}};
    static const struct canned cut[] = {
        {PROTO_OP_FILTER, both, PROTO_OK},
        {PROTO_OP_SCORE_MANY, "{'icp':2,'seq':9,'scores':[{'id':'acme'}]}", PROTO_OK}};
    static const struct canned refused[] = {
        {PROTO_OP_FILTER, both, PROTO_OK},
        {PROTO_OP_SCORE_MANY, "leads[1]: a key is NAMESPACE:VALUE", PROTO_BAD_FIELD}};
    static const struct canned_row rows[] = {
        {"reconcile keys.csv --key crm --fit fit --grade grade", CANNED(known), EX_OK,
         "filter {\"filter\":\"true\",\"limit\":10000,\"scores\":true}\n"
         "score-many "
         "{\"reasons\":1,\"leads\":[{\"key\":\"crm:7\"},{\"key\":\"crm:8\"},{\"key\":\"crm:9\"}]}"
         "\n",
         "line  account  what                           here  there\n"
         "   4           absent here                          D\n"
         "   3  crm:8    not of the accounts asked for        C\n"
         "   5  crm:9    absent here                          D\n"
         "      b        absent there                   C\n",
         "icp reconcile: 4 rows: 1 the same, 0 that differ, 3 that no account here is of, 0 twice, "
         "0 that cannot be read; 1 of 2 accounts here have no row\n"},
        {"reconcile keys.csv --key crm=crm --grade grade", CANNED(cut), EX_PROTOCOL, NULL, "",
         "icp reconcile: the server was asked for 3 keys and told of 1\n"},
        {"reconcile keys.csv --key crm", CANNED(refused), EX_DATAERR, NULL, "",
         "icp reconcile: leads[1]: a key is NAMESPACE:VALUE\n"},
    };
    CANNED_ROWS(rows);
}

static void what_cannot_be_compared_is_refused(void **state)
{
    (void)state;
    static const struct canned no_version[] = {
        {PROTO_OP_FILTER, "scores: no ICP is active", PROTO_NO_ICP}};
    static const struct canned_row rows[] = {
        {"reconcile", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: FILE.csv is missing; 'icp help reconcile' has examples\n"},
        {"reconcile two.csv", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: give one of --id COLUMN and --key NAMESPACE=COLUMN: how rows are found\n"},
        {"reconcile two.csv --id id --key crm", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: give one of --id COLUMN and --key NAMESPACE=COLUMN: how rows are found\n"},
        {"reconcile two.csv --id ids", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --id: two.csv has no column 'ids'; did you mean 'id'?\n"},
        {"reconcile two.csv --key crm=crn", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --key: two.csv has no column 'crn'; did you mean 'crm'?\n"},
        {"reconcile two.csv --id id --grade x", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --grade: two.csv has no column 'x'\n"},
        {"reconcile two.csv --id id --label =segment", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --label is FIELD=COLUMN, not '=segment'\n"},
        {"reconcile two.csv --id id --label segment=", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --label is FIELD=COLUMN, not 'segment='\n"},
        {"reconcile two.csv --id id --label segment=x", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --label: two.csv has no column 'x'\n"},
        {"reconcile two.csv --id id --label a=id --label b=id --label c=id --label d=id --label "
         "e=id --label f=id --label g=id --label h=id --label i=id",
         NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --label: at most 8 are held against each other\n"},
        {"reconcile two.csv --id id --within -1", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --within: '-1' is no number of points\n"},
        {"reconcile two.csv --id id --within nan", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --within: 'nan' is no number of points\n"},
        {"reconcile two.csv --id id --limit 1000001", NULL, 0, EX_USAGE, "", "",
         "icp reconcile: --limit: '1000001' is not a whole number from 0 to 1000000\n"},
        {"reconcile absent.csv --id id", NULL, 0, EX_NOINPUT, "", "",
         "icp reconcile: cannot open absent.csv: No such file or directory\n"},
        {"reconcile two.csv --id id --fit fit", CANNED(no_version), EX_DATAERR, NULL, "",
         "icp reconcile: scores: no ICP is active\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_say_the_same_are_no_lines),
        cmocka_unit_test(what_differs_is_a_line_each),
        cmocka_unit_test(rows_are_found_by_a_key),
        cmocka_unit_test(what_cannot_be_compared_is_refused),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
