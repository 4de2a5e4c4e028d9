/* SPDX-License-Identifier: Apache-2.0 */
/* Measures over rows of a file: what they come to by hand, which cell ends them, and options that
 * say nothing of such rows. Nothing is asked of a server. */
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

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("r.csv",
               "side,won,n,p,q,day\non,yes,30,0.5,0.25,2024-01-01\non,no,20,0.5,0.25,2024-01-02\n"
               "off,yes,10,0.125,0.25,2024-01-03\noff,no,40,0.125,0.25,2024-01-09\n,no,0,1,0,\n");
    folder_put("s.csv", "acc,day,st\na,2024-01-01,demo\na,2024-01-05,call\na,2024-01-09,won\n"
                        "b,2024-01-01,call\nb,2024-01-03,lost\n");
    return 0;
}

#define ROWS " --rows r.csv --reached won --cases n"
#define LIFT "measure lift" ROWS " --group side"
#define RATE "measure rate --rows bad.csv --reached won"
#define FORECAST "measure forecast --rows bad.csv --reached won --p p --rival q"
#define PATTERNS "measure patterns --steps s.csv --account acc --at day --stage st"

static void cases_on_a_list_are_held_against_others(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {LIFT " --a on", NULL, 0, EX_OK, "",
         "outcome  against  as_of  blocks  on  won_on  off  won_off   ratio     low     high  "
         "rule_low  rule_high  mantel  e_more   e_less  verdict\n"
         "won      rest                 1  50      30   50       10  5.8813  1.4556  28.5474    "
         "1.7032    32.1859  6.0000  7.0166  -2.5914  supported\n",
         ""},
        {"measure rate" ROWS "", NULL, 0, EX_OK, "",
         "outcome  group    n  won    rate     low    high\n"
         "won      all    100   40  0.4000  0.2590  0.5516\n",
         ""},
        {"measure rate" ROWS " --group side", NULL, 0, EX_OK, "",
         "outcome  group     n  won    rate     low    high\n"
         "won      all     100   40  0.4000  0.2590  0.5516\n"
         "won      on       50   30  0.6000  0.3839  0.7938\n"
         "won      off      50   10  0.2000  0.0642  0.4025\n"
         "won      (none)    0    0          0.0000  1.0000\n",
         ""},
        {"measure forecast --rows r.csv --reached won --p p --rival q", NULL, 0, EX_OK, "",
         "outcome  rival  n   brier  rival_brier  difference      low    high  verdict\n"
         "won      q      5  0.4562       0.2500     -0.2062  -3.0306  2.6181  undecided\n",
         ""},
        {"measure promise --rows r.csv --reached won --p p --group side", NULL, 0, EX_OK, "",
         "outcome  of    value   n  won    rate  promised  difference      low    high  verdict\n"
         "won      side  on      2    1  0.5000    0.5000      0.0000  -1.0000  1.0000\n"
         "won      side  off     2    1  0.5000    0.1250      0.3750  -1.0000  1.0000\n"
         "won      side  (none)  1    0  0.0000    1.0000     -1.0000  -1.0000  1.0000\n",
         ""},
        {PATTERNS "", NULL, 0, EX_DATAERR, "", "",
         "icp measure: insufficient: of 0 journeys (2 more are too young, 0 have no step) 0 are "
         "earlier, and the pattern seen most often is in 0 of those; 30 earlier ones with it and "
         "as many without it are needed\n"},
    };
    CANNED_ROWS(rows);
}

/* Of shares .5, .3 and .2 the index is .38; referrals all within a segment are assortative. */
static void groups_and_referrals_come_to_what_a_hand_finds(void **state)
{
    (void)state;
    folder_put("bad.csv", "g,h,n\na,a,5\nb,b,3\nc,c,2\nz,z,0\n");
    static const struct canned_row rows[] = {
        {"measure focus --rows bad.csv --group g --cases n --least 10 --top 1", NULL, 0, EX_OK, "",
         "row        by     group   value     low    high   n  amount    next\n"
         "hhi        logos         0.3800  0.2381  0.6727  10\n"
         "unbiased   logos         0.3111  0.1692  0.6038  10\n"
         "effective  logos         2.6316  1.4865  3.0000  10\n"
         "group      logos  a      0.5000  0.2366  0.7634   5          0.0250\n"
         "others     logos         0.5000  0.2366  0.7634   5\n",
         ""},
        {"measure focus --rows bad.csv --group g --cases n --least 11", NULL, 0, EX_DATAERR, "", "",
         "icp measure: insufficient: there are 10 accounts, 11 are needed\n"},
        {"measure referral --rows bad.csv --referrer g --referred h --cases n --segments 3 "
         "--least 10 --permutations 99",
         NULL, 0, EX_OK, "",
         "figure         of   value     low    high       p   n  verdict\n"
         "assortativity      1.0000  1.0000  1.0000  0.0100  10\n"
         "within         a   1.0000  0.5655  1.0000           5  insufficient: 10 are needed\n"
         "within         b   1.0000  0.4385  1.0000           3  insufficient: 10 are needed\n"
         "within         c   1.0000  0.3424  1.0000           2  insufficient: 10 are needed\n",
         ""},
    };
    CANNED_ROWS(rows);
}

/* A file without rows is no error of a rate: nothing is known, and the interval says so. */
static void nothing_is_nothing(void **state)
{
    (void)state;
    folder_put("bad.csv", "side,won,p,q\n");
    static const struct canned_row rows[] = {
        {"measure rate --rows bad.csv --reached won --csv", NULL, 0, EX_OK, "",
         "outcome,group,n,won,rate,low,high\n"
         "won,all,0,0,,0,1\n",
         ""},
        {"measure lift --rows bad.csv --reached won --group side --a on", NULL, 0, EX_USAGE, "", "",
         "icp measure: --a: no row is of 'on'; there are none at all\n"},
        {"measure forecast --rows bad.csv --reached won --p p --rival q --csv", NULL, 0, EX_OK, "",
         "outcome,rival,n,brier,rival_brier,difference,low,high,verdict\n"
         "won,q,0,,,,,,undecided\n",
         ""},
        {"measure promise --rows bad.csv --reached won --p p --group side --csv", NULL, 0, EX_OK,
         "", "outcome,of,value,n,won,rate,promised,difference,low,high,verdict\n", ""},
        {"measure focus --rows bad.csv --group side", NULL, 0, EX_DATAERR, "", "",
         "icp measure: insufficient: there are 0 accounts, 30 are needed\n"},
        {"measure referral --rows bad.csv --referrer side --referred won --csv", NULL, 0,
         EX_DATAERR, "", "",
         "icp measure: insufficient: no referral between two of the 0 accounts is told, 30 are "
         "needed\n"},
    };
    CANNED_ROWS(rows);
}

static void what_says_nothing_of_a_list_is_a_mistake_of_use(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {LIFT, NULL, 0, EX_USAGE, "", "",
         "icp measure: --a is needed: the value of --group that is on the list\n"},
        {LIFT " --a over", NULL, 0, EX_USAGE, "", "",
         "icp measure: --a: no row is of 'over'; there are on, off, (none)\n"},
        {LIFT " --a on --p p", NULL, 0, EX_USAGE, "", "", "icp measure: lift knows no --p\n"},
        {LIFT " --a on --weekly often", NULL, 0, EX_USAGE, "", "",
         "icp measure: --weekly is yes or no, not 'often'\n"},
        {LIFT " --a on --weekly yes", NULL, 0, EX_USAGE, "", "",
         "icp measure: --weekly wants --at COLUMN: the day on which a case was created\n"},
        {LIFT " --a on --alpha 0", NULL, 0, EX_USAGE, "", "",
         "icp measure: --alpha: a number from 1e-06 to 0.5 is wanted, not '0'\n"},
        {"measure rate" ROWS " --stratum side", NULL, 0, EX_USAGE, "", "",
         "icp measure: rate knows no --stratum\n"},
        {"measure rate" ROWS " --best-at 0.5", NULL, 0, EX_USAGE, "", "",
         "icp measure: --best-at: a number from 1 to 1e+09 is wanted, not '0.5'\n"},
        {"measure rate --reached won", NULL, 0, EX_USAGE, "", "",
         "icp measure: --reached is of files: name one with --rows; without it the server measures "
         "what it was told\n"},
        {"measure forecast --rows r.csv --reached won --p p", NULL, 0, EX_USAGE, "", "",
         "icp measure: --rival COLUMN is needed: a column of r.csv\n"},
        {"measure promise --rows r.csv --reached won --p p --group sides", NULL, 0, EX_USAGE, "",
         "", "icp measure: --group: r.csv has no column 'sides'; did you mean 'side'?\n"},
        {"measure promise" ROWS " --p p --group side", NULL, 0, EX_USAGE, "", "",
         "icp measure: promise knows no --cases\n"},
        {"measure rate --rows gone.csv --reached won", NULL, 0, EX_NOINPUT, "", "",
         "icp measure: cannot open gone.csv: No such file or directory\n"},
        {PATTERNS " --form loose", NULL, 0, EX_USAGE, "", "",
         "icp measure: --form is adjacent, gapped or both, not 'loose'\n"},
        {PATTERNS " --show none", NULL, 0, EX_USAGE, "", "",
         "icp measure: --show is found or all, not 'none'\n"},
        {PATTERNS " --longest 4", NULL, 0, EX_USAGE, "", "",
         "icp measure: --longest: a number from 1 to 3 is wanted, not '4'\n"},
        {PATTERNS " --window 1.5", NULL, 0, EX_USAGE, "", "",
         "icp measure: --window: a whole number is wanted\n"},
        {PATTERNS " --lookback 9", NULL, 0, EX_USAGE, "", "",
         "icp measure: --lookback is for what the server measures; a file of steps has no touches, "
         "and each of its accounts is one journey\n"},
        {"measure patterns --steps s.csv --account acc --at day", NULL, 0, EX_USAGE, "", "",
         "icp measure: --stage COLUMN is needed: a column of s.csv\n"},
    };
    CANNED_ROWS(rows);
}

static void a_cell_that_cannot_be_read_is_told_by_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *file, *line, *said;
    } bad[] = {
        {"won,n\nyes,-1\n", RATE " --cases n", "2, column 5 (n): a count is 0 or more, not -1"},
        {"won,n\nyes,1.5\n", RATE " --cases n",
         "2, column 5 (n): '1.5' is no whole number up to 1000000000"},
        {"won,n\nyes,1000000001\n", RATE " --cases n",
         "2, column 5 (n): '1000000001' is no whole number up to 1000000000"},
        {"won,n\nperhaps,1\n", RATE,
         "2, column 1 (won): 'perhaps' is no flag; true, false, yes, no, 1 and 0 are"},
        {"won,p,q\nyes,1.01,0\n", FORECAST, "2, column 5 (p): '1.01' is no chance from 0 to 1"},
        {"won,p,q\nyes,1,nan\n", FORECAST, "2, column 7 (q): 'nan' is no chance from 0 to 1"},
        {"won,p,q\nyes,,0\n", FORECAST, "2, column 5 (p): '' is no chance from 0 to 1"},
        {"won,s,day\nyes,a,\n",
         "measure lift --rows bad.csv --reached won --group s --a a --at day",
         "2, column 7 (day): a row without a day is of no week"},
        {"g,m\na,-3\n", "measure focus --rows bad.csv --group g --amount m",
         "2, column 3 (m): an amount is 0 to 1000000000000"},
        {"acc,day,st\n,2024-01-01,x\n",
         "measure patterns --steps bad.csv --account acc --at day --stage st",
         "2, column 1 (acc): the account is missing"},
        {"acc,day,st\na,,x\n", "measure patterns --steps bad.csv --account acc --at day --stage st",
         "2, column 3 (day): the time is missing"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char said[400];
        folder_put("bad.csv", bad[i].file);
        snprintf(
            said, sizeof said,
            "icp measure: bad.csv, line %s\nicp measure: 1 rows of bad.csv cannot be read, and "
            "a figure without them would be another; --skip-bad leaves them out\n",
            bad[i].said);
        const struct canned_row row = {bad[i].line, NULL, 0, EX_DATAERR, "", "", said};
        canned_rows(&row, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_on_a_list_are_held_against_others),
        cmocka_unit_test(groups_and_referrals_come_to_what_a_hand_finds),
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(what_says_nothing_of_a_list_is_a_mistake_of_use),
        cmocka_unit_test(a_cell_that_cannot_be_read_is_told_by_its_place),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
