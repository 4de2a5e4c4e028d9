/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of journeys over files: what they print, and what is a mistake of use or of a file. */
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
    return folder_line("measure", text);
}

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("paths.csv", "p,w,l,v\nemail > call,4,1,8.125\ncall,2,3,1\n,1,0,9\n");
    folder_put("steps.csv", "c,at,s,who,why\na,2024-01-01,lead,ann,\na,2024-01-03 12:00,won,,\n"
                            "b,2024-01-02,lead,,\nb,2024-01-04,lost,,price\n");
    folder_put("rows.csv", "g,q,won,n\nnorth,low,yes,3\nnorth,low,no,7\nsouth,low,yes,1\n"
                           "south,low,no,4\nsouth,high,yes,2\n");
    return 0;
}

#define PATHS "attribution --paths paths.csv --path p --conversions w --nulls l"
#define STEPS "handoffs --steps steps.csv --account c --at at --stage s"
#define ROWS "gap --rows rows.csv --group g --stratum q --reached won --cases n"

static void each_measure_of_journeys_runs_over_its_file(void **state)
{
    (void)state;
    assert_int_equal(line(PATHS " --least 1"), EX_OK);
    assert_int_equal(line(PATHS " --least 1 --weigh value --value v --json"), EX_OK);
    assert_int_equal(line(STEPS " --person who --reason why --owners 2 --within 1"), EX_OK);
    assert_int_equal(line(STEPS " --from 2024-01-02 --as-of 2024-02-01 --csv"), EX_OK);
    assert_int_equal(line(ROWS " --a north --least 5 --resamples 100"), EX_OK);
    assert_int_equal(line(ROWS " --a north --b south --least 5 --seed 7 --csv"), EX_OK);
    assert_int_equal(line("list attribution"), EX_OK);
    assert_int_equal(line("list grey"), EX_OK);
}

static void too_little_is_told(void **state)
{
    (void)state;
    assert_int_equal(line(PATHS), EX_DATAERR);
    assert_int_equal(line(STEPS " --from 2025-01-01"), EX_DATAERR);
    assert_int_equal(line(ROWS " --a north"), EX_DATAERR);
}

static void what_says_nothing_of_a_file_is_a_mistake_of_use(void **state)
{
    (void)state;
    assert_int_equal(line(PATHS " --lookback 30"), EX_USAGE);
    assert_int_equal(line(PATHS " --weigh gold"), EX_USAGE);
    assert_int_equal(line(PATHS " --weigh value"), EX_USAGE); /* and no column of it */
    assert_int_equal(line(PATHS " --least 0"), EX_USAGE);
    assert_int_equal(line(PATHS " --filter x"), EX_USAGE);
    assert_int_equal(line(STEPS " --unit account"), EX_USAGE);
    assert_int_equal(line(STEPS " --answered-by sales"), EX_USAGE);
    assert_int_equal(line(STEPS " --within 0"), EX_USAGE);
    assert_int_equal(line(STEPS " --as-of someday"), EX_USAGE);
    assert_int_equal(line(STEPS " --person nobody"), EX_USAGE);
    assert_int_equal(line(ROWS), EX_USAGE);
    assert_int_equal(line(ROWS " --a west"), EX_USAGE);
    assert_int_equal(line(ROWS " --a north --group-by motion"), EX_USAGE);
    assert_int_equal(line(ROWS " --a north --resamples 1"), EX_USAGE);
    assert_int_equal(line("grey --rows rows.csv"), EX_USAGE);
    assert_int_equal(line("grey --near 3 --uri icp+unix:/nowhere/icpd"), EX_UNAVAILABLE);
    assert_int_equal(line("attribution --paths none.csv --path p --conversions w"), EX_NOINPUT);
}

static void a_cell_that_cannot_be_read_ends_it(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"attribution --paths bad.csv --path p --conversions w", "p,w\nemail > > call,1\n"},
        {"attribution --paths bad.csv --path p --conversions w", "p,w\nemail,-1\n"},
        {"attribution --paths bad.csv --path p --conversions w --weigh value --value v",
         "p,w,v\nemail,1,much\n"},
        {"handoffs --steps bad.csv --account c --at at --stage s", "c,at,s\na,,lead\n"},
        {"handoffs --steps bad.csv --account c --at at --stage s", "c,at,s\n,2024-01-01,lead\n"},
        {"gap --rows bad.csv --group g --stratum q --reached r --a x", "g,q,r\nx,low,perhaps\n"},
        {"gap --rows bad.csv --group g --stratum q --reached r --cases n --a x",
         "g,q,r,n\nx,low,yes,-2\n"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        folder_put("bad.csv", bad[i][1]);
        assert_int_equal(line(bad[i][0]), EX_DATAERR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_measure_of_journeys_runs_over_its_file),
        cmocka_unit_test(too_little_is_told),
        cmocka_unit_test(what_says_nothing_of_a_file_is_a_mistake_of_use),
        cmocka_unit_test(a_cell_that_cannot_be_read_ends_it),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
