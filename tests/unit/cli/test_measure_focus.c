/* SPDX-License-Identifier: Apache-2.0 */
/* Concentration and referrals over files, list prices, and the members of a campaign: what they
 * print, and what is a mistake of use or of a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/cli/cli_folder.h"
#include "tools/cli/cli.h"

static int line(const char *text)
{
    return folder_line("", text);
}

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("groups.csv",
               "g,h,who,n,worth\na,x,1,30,100.50\nb,x,2,30,200\nc,,3,20,\nd,y,3,20,7\n");
    folder_put("pairs.csv", "by,of,n\na,a,10\na,b,2\nb,b,9\nb,,1\n");
    folder_put("prices.csv", "product,price\nBasic,19\nPro,49.5\n");
    return 0;
}

#define NOWHERE " --uri icp+unix:/nowhere/icpd"
#define FOCUS "measure focus --rows groups.csv --group g"
#define REFERRAL "measure referral --rows pairs.csv --referrer by --referred of --cases n"
#define PRICES "measure price --prices prices.csv --package product --list-price price"

static void files_are_measured(void **state)
{
    (void)state;
    assert_int_equal(line(FOCUS " --cases n"), EX_OK);
    assert_int_equal(line(FOCUS " --cases n --amount worth --second h --top 2 --json"), EX_OK);
    assert_int_equal(line(FOCUS " --least 1 --deal 12.5 --seed 3 --resamples 100 --csv"), EX_OK);
    assert_int_equal(line(REFERRAL), EX_OK); /* and says that there are too few segments */
    assert_int_equal(line(REFERRAL " --segments 2 --least 5 --permutations 99"), EX_OK);
    assert_int_equal(line("measure list referral"), EX_OK);
    assert_int_equal(line("measure list quarter-end"), EX_OK);
}

static void too_little_is_told(void **state)
{
    (void)state;
    assert_int_equal(line(FOCUS), EX_DATAERR); /* four rows */
    folder_put("bad.csv", "by,of\n");
    assert_int_equal(line("measure referral --rows bad.csv --referrer by --referred of"),
                     EX_DATAERR);
}

static void what_says_nothing_of_a_file_is_a_mistake_of_use(void **state)
{
    (void)state;
    assert_int_equal(line("measure focus --rows groups.csv"), EX_USAGE);
    assert_int_equal(line(FOCUS " --of won"), EX_USAGE);
    assert_int_equal(line(FOCUS " --account who --cases n"), EX_USAGE);
    assert_int_equal(line(FOCUS " --segment g"), EX_USAGE);
    assert_int_equal(line(FOCUS " --deal -1"), EX_USAGE);
    assert_int_equal(line(FOCUS " --days 3"), EX_USAGE);
    assert_int_equal(line(REFERRAL " --field by"), EX_USAGE);
    assert_int_equal(line(REFERRAL " --segments 1"), EX_USAGE);
    assert_int_equal(line(REFERRAL " --filter x"), EX_USAGE);
    assert_int_equal(line("measure price --rows groups.csv"), EX_USAGE);
    assert_int_equal(line("measure campaign --person who"), EX_USAGE);
    assert_int_equal(line("measure quarter-end --as-of someday"), EX_USAGE);
    assert_int_equal(line("report journey --from someday"), EX_USAGE);
    assert_int_equal(line("report journey now"), EX_USAGE);
    assert_int_equal(line("campaign check"), EX_USAGE);
}

static void a_server_that_is_not_there_is_told(void **state)
{
    (void)state;
    assert_int_equal(line("measure focus --segment g" NOWHERE), EX_UNAVAILABLE);
    assert_int_equal(line("report journey" NOWHERE), EX_UNAVAILABLE);
    assert_int_equal(line(PRICES NOWHERE), EX_UNAVAILABLE);
    assert_int_equal(line("campaign check pairs.csv --account by" NOWHERE), EX_UNAVAILABLE);
}

static void a_cell_that_cannot_be_read_ends_it(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"measure focus --rows bad.csv --group g --cases n", "g,n\na,-1\n"},
        {"measure focus --rows bad.csv --group g --amount n", "g,n\na,much\n"},
        {"measure focus --rows bad.csv --group g --amount n", "g,n\na,-3\n"},
        {"measure focus --rows bad.csv --group g --account n", "g,n\na,\n"},
        {"measure focus --rows bad.csv --group g --account n", "g,n\na,1\nb,1\n"},
        {"measure referral --rows bad.csv --referrer g --referred h --cases n", "g,h,n\na,a,x\n"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        folder_put("bad.csv", bad[i][1]);
        assert_int_equal(line(bad[i][0]), EX_DATAERR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_measured),
        cmocka_unit_test(too_little_is_told),
        cmocka_unit_test(what_says_nothing_of_a_file_is_a_mistake_of_use),
        cmocka_unit_test(a_server_that_is_not_there_is_told),
        cmocka_unit_test(a_cell_that_cannot_be_read_ends_it),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
