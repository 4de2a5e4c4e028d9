/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of alignment without a server: the form and the sheet for its answers, and what answers
 * come to, or which cell keeps them from coming to anything. */
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

#define HEADER "person,function,question,item,answer\n"
static const char answers[] = HEADER "Ann,Sales,segment,Bank,1\nAnn,Sales,segment,Retail,2\n"
                                     "Ann,Sales,segment,Health,3\nBob,Product,segment,bank,1\n"
                                     "Bob,Product,segment,RETAIL,2\nBob,Product,segment,Health,3\n"
                                     "Cyd,Success,segment,Bank,3\nCyd,Success,segment,Retail,2\n"
                                     "Cyd,Success,segment,Health,1\nAnn,Sales,account,1,Acme\n"
                                     "Bob,Product,account,1,acme\nCyd,Success,account,1,\n"
                                     "Ann,Sales,statement,We agree,5\nBob,Product,statement,We "
                                     "agree,4\nCyd,Success,statement,We agree,1\n";

static char *got(const char *name)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("all.csv", answers);
    folder_put("head.csv", HEADER);
    folder_put("figures.csv", "segment,won\nBank,9\nRetail,5\nHealth,1\nElsewhere,\n");
    return 0;
}

static void answers_come_to_figures(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"align show all.csv", NULL, 0, EX_OK, "",
         "measure        of                          value     low    high       p  n  says\n"
         "kendall-w      order of segments          0.1111                  0.9444  3  no more "
         "agreement than chance gives\n"
         "alpha-ordinal  statements                 0.0000  0.0000  0.0000          3  not "
         "reliable: they mean different things\n"
         "alpha-nominal  statements, the very same  0.0000  0.0000  0.0000          3  1: the very "
         "same answers, 0: as by chance\n"
         "jaccard        named accounts             1.0000                          2  of two "
         "leaders' names this share is named by both\n"
         "rbo            named accounts in order    1.0000                          2  the same, "
         "the first names counting most\n"
         "entropy        first choices of segments  0.5794                          3  0: all name "
         "the same first, 1: as far apart as can be\n",
         ""},
        {"align show all.csv --against figures.csv --csv", NULL, 0, EX_OK, "",
         "measure,of,value,low,high,p,n,says\n"
         "kendall-w,order of segments,0.1111,,,0.9444,3,no more agreement than chance gives\n"
         "alpha-ordinal,statements,0.0000,0.0000,0.0000,,3,not reliable: they mean different "
         "things\n"
         "alpha-nominal,\"statements, the very same\",0.0000,0.0000,0.0000,,3,\"1: the very same "
         "answers, 0: as by "
         "chance\"\n"
         "jaccard,named accounts,1.0000,,,,2,of two leaders' names this share is named by both\n"
         "rbo,named accounts in order,1.0000,,,,2,\"the same, the first names counting most\"\n"
         "entropy,first choices of segments,0.5794,,,,3,\"0: all name the same first, 1: as far "
         "apart as can be\"\n"
         "spearman,Ann: won,1.0000,,,0.1667,3,no more than chance gives\n"
         "spearman,Bob: won,1.0000,,,0.1667,3,no more than chance gives\n"
         "spearman,Cyd: won,-1.0000,,,1.0000,3,no more than chance gives\n",
         ""},
    };
    CANNED_ROWS(rows);
}

/* A cell is named by its line and column, and by what would be right. */
static void an_answer_that_is_none_is_told_by_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *file, *said;
    } bad[] = {
        {"person,function,question,item\n",
         "bad.csv, line 1: there is no column 'answer'; person, function, question, item and "
         "answer are wanted ('icp align form --sheet' writes such a file)"},
        {HEADER ",Sales,segment,Bank,1\n", "bad.csv, line 2, column 1: a person is missing"},
        {HEADER "Ann,,rank,Bank,1\n",
         "bad.csv, line 2, column 6: segment, account, statement or filter is wanted"},
        {HEADER "Ann,,segment,,1\n",
         "bad.csv, line 2, column 14: what the answer is of is missing"},
        {HEADER "Ann,,segment,Bank,first\n",
         "bad.csv, line 2, column 19: a rank is wanted, 1 for the first"},
        {HEADER "Ann,,segment,Bank,0.5\n",
         "bad.csv, line 2, column 19: a rank is wanted, 1 for the first"},
        {HEADER "Ann,,segment,Bank,1\nann,,segment,BANK,2\n",
         "bad.csv, line 3, column 14: this person has answered that already"},
        {HEADER "Ann,,statement,x,6\n",
         "bad.csv, line 2, column 18: a number from 1 (no) to 5 (yes) is wanted"},
        {HEADER "Ann,,statement,x,nan\n",
         "bad.csv, line 2, column 18: a number from 1 (no) to 5 (yes) is wanted"},
        {HEADER "Ann,,account,1.5,Acme\n",
         "bad.csv, line 2, column 14: a place from 1 to 100 is wanted"},
        {HEADER "Ann,,account,101,Acme\n",
         "bad.csv, line 2, column 14: a place from 1 to 100 is wanted"},
        {HEADER "Ann,,account,1,Acme\nAnn,,account,2,ACME\n",
         "bad.csv, line 3, column 16: this person names the account twice"},
        {HEADER "Ann,,account,1,Acme\nAnn,,account,1,Bee\n",
         "bad.csv, line 3, column 14: this person has named another there"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char said[300];
        folder_put("bad.csv", bad[i].file);
        snprintf(said, sizeof said, "icp align show: %s\n", bad[i].said);
        const struct canned_row row = {"align show bad.csv", NULL, 0, EX_DATAERR, "", "", said};
        canned_rows(&row, 1);
    }
}

static void too_few_leaders_or_files_that_are_none_come_to_nothing(void **state)
{
    (void)state;
    folder_put("bad.csv", "segment,won\nBank,many\n");
    static const struct canned_row rows[] = {
        {"align show head.csv", NULL, 0, EX_DATAERR, "", "",
         "icp align show: head.csv has answers of 0 people; two are needed at least\n"},
        {"align show gone.csv", NULL, 0, EX_NOINPUT, "", "",
         "icp align show: cannot open gone.csv: No such file or directory\n"},
        {"align show", NULL, 0, EX_USAGE, "", "",
         "icp align show: ANSWERS.csv is missing; 'icp help align show' has examples\n"},
        {"align show all.csv --against bad.csv", NULL, 0, EX_DATAERR, "", "",
         "icp align show: bad.csv, line 2, column 6: a number is wanted\n"},
        {"align show all.csv --against head.csv", NULL, 0, EX_DATAERR, "", "",
         "icp align show: head.csv, line 1: a column 'segment' and 1 to 99 of measures are "
         "wanted\n"},
        {"align show all.csv --against gone.csv", NULL, 0, EX_NOINPUT, "", "",
         "icp align show: cannot open gone.csv: No such file or directory\n"},
    };
    CANNED_ROWS(rows);
}

static void a_form_and_its_sheet_ask_the_same(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"align form --segments ' A<b ,,=1+1, \"x,y' --leaders 3 --out f.html --sheet s.csv", NULL,
         0, EX_OK, "", "", ""},
        {"align show s.csv", NULL, 0, EX_OK, "",
         "measure        of                         value  low  high  p  n  says\n"
         "kendall-w      order of segments                               0  too few answers\n"
         "alpha-ordinal  statements                                      0  too few answers\n"
         "alpha-nominal  statements, the very same                       0  too few answers\n"
         "jaccard        named accounts                                  0  too few answers\n"
         "rbo            named accounts in order                         0  too few answers\n"
         "entropy        first choices of segments                       0  too few answers\n",
         ""}, /* nobody has answered */
    };
    CANNED_ROWS(rows);
    char *page = got("f.html");
    assert_non_null(strstr(page, "<th scope=\"row\">A&lt;b</th><td>______</td>"));
    assert_null(strstr(page, "A<b"));
    free(page);
    char *sheet = got("s.csv");
    assert_non_null(strstr(sheet, "\nleader 1,,segment,A<b,\nleader 1,,segment,\"'=1+1\",\n"
                                  "leader 1,,segment,\"\"\"x\",\nleader 1,,segment,y,\n"
                                  "leader 1,,account,1,\n"));
    assert_non_null(strstr(sheet, "\nleader 3,,account,10,\nleader 3,,statement,"));
    assert_null(strstr(sheet, "leader 4"));
    free(sheet);
}

static void a_form_of_nothing_is_a_mistake_of_use(void **state)
{
    (void)state;
    char *line = NULL;
    static const struct canned_row rows[] = {
        {"align form --segments a,b", NULL, 0, EX_USAGE, "", "",
         "icp align form: --out FILE.html is the form, --sheet FILE.csv for its answers\n"},
        {"align form --out f.html", NULL, 0, EX_USAGE, "", "",
         "icp align form: --segments names what is to be ranked, with commas between\n"},
        {"align form --segments ' a, , ' --out f.html", NULL, 0, EX_USAGE, "", "",
         "icp align form: --segments: two are needed at least\n"},
        {"align form --segments a,b --leaders 2 --out f.html", NULL, 0, EX_USAGE, "", "",
         "icp align form: --leaders: '2' is not a whole number from 3 to 15\n"},
        {"align form --segments a,b --out /nowhere/f.html", NULL, 0, EX_CANTCREAT, "", "",
         "icp align form: cannot write /nowhere/f.html: No such file or directory\n"},
    };
    CANNED_ROWS(rows);
    for (int bytes = 120; bytes <= 121; bytes++) {
        assert_true(asprintf(&line, "align form --segments a,%0*d --sheet s.csv", bytes, 0) > 0);
        const struct canned_row row = {
            line,
            NULL,
            0,
            bytes == 120 ? EX_OK : EX_USAGE,
            "",
            "",
            bytes == 120 ? "" : "icp align form: --segments: at most 30 names of 120 bytes\n"};
        canned_rows(&row, 1);
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_to_figures),
        cmocka_unit_test(an_answer_that_is_none_is_told_by_its_place),
        cmocka_unit_test(too_few_leaders_or_files_that_are_none_come_to_nothing),
        cmocka_unit_test(a_form_and_its_sheet_ask_the_same),
        cmocka_unit_test(a_form_of_nothing_is_a_mistake_of_use),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
