/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of revenue over files and the page of them: what is measured, and what is a mistake of
 * use or of a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "server/measure/measure.h"
#include "tests/unit/cli/cli_folder.h"
#include "tools/cli/cli.h"

static int line(const char *text)
{
    return folder_line("measure", text);
}

static int page(const char *text)
{
    return folder_line("report lifecycle", text);
}

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("subs.csv",
               "a,s,e,m,said\nx,2024-01-01,2024-06-01,10,2024-05-01\ny,2024-02-01,,20,\n");
    folder_put("accounts.csv", "a,land,gone\nx,SE,yes\nz,NO,no\n");
    folder_put("gone.csv", "a,day\nx,2024-05-20\n");
    folder_put("money.csv", "a,s,e,m,c\nx,2024-01-01,,10,usd\ny,2024-02-01,,20,U1$\n");
    folder_put("orders.csv", "a,day,m\nx,2024-01-01,10\nx,2024-02-01,20\n");
    return 0;
}

#define SUBS " --subscriptions subs.csv --account a --start s --end e --amount m --cancelled said"
#define YEAR " --from 2024-01-01 --to 2025-01-01"

static void each_measure_runs_over_files(void **state)
{
    (void)state;
    assert_int_equal(line("mrr" SUBS YEAR), EX_OK);
    assert_int_equal(line("retention" SUBS " --from 2024-03-01 --to 2024-07-01"), EX_OK);
    assert_int_equal(
        line("retention" SUBS
             " --accounts accounts.csv --segment land --from 2024-03-01 --to 2024-07-01"),
        EX_OK);
    assert_int_equal(line("survival" SUBS " --as-of 2025-01-01 --cohort quarter"), EX_OK);
    assert_int_equal(line("bridge" SUBS YEAR " --against churn-at=cancel --top 2"), EX_OK);
    assert_int_equal(line("bridge" SUBS YEAR
                          " --metric churn-count --accounts accounts.csv --churn-flag gone "
                          "--churn-events gone.csv --churn-date day --rule churn-evidence=flag "
                          "--against churn-evidence=event"),
                     EX_OK);
    assert_int_equal(line("readiness --rows accounts.csv --account a"), EX_OK);
    assert_int_equal(line("clv-sbg --lost 131,126,90 --of 1000"), EX_OK);
    assert_int_equal(line("list"), EX_OK);
    assert_int_equal(line("list bridge"), EX_OK);
    assert_int_equal(line("list --rules"), EX_OK);
    assert_int_equal(line("list --definition mrr"), EX_OK);
}

static void what_is_missing_or_no_such_thing_is_a_mistake_of_use(void **state)
{
    (void)state;
    /* Without files the server is asked, which is not there. */
    assert_int_equal(line("mrr" YEAR " --uri icp+unix:/nowhere/icpd"), EX_UNAVAILABLE);
    assert_int_equal(line("mrr --uri icp+unix:/nowhere/icpd"), EX_USAGE);
    assert_int_equal(line("mrr --from 2024-01-01 --to x --uri icp+unix:/nowhere/icpd"), EX_USAGE);
    assert_int_equal(line("mrr" SUBS), EX_USAGE);
    assert_int_equal(line("nothing"), EX_USAGE);
    assert_int_equal(line("list nothing"), EX_USAGE);
    assert_int_equal(line("list --definition nothing"), EX_USAGE);
    assert_int_equal(line("retention" SUBS YEAR " --segment land"), EX_USAGE);
    assert_int_equal(line("survival" SUBS " --as-of 2025-01-01 --step 0"), EX_USAGE);
    assert_int_equal(line("survival" SUBS " --as-of 2025-01-01 --step 1.5"), EX_USAGE);
    assert_int_equal(line("survival" SUBS " --as-of someday"), EX_USAGE);
    assert_int_equal(line("bridge" SUBS YEAR), EX_USAGE);
    assert_int_equal(line("bridge" SUBS YEAR " --metric arr --against churn-at=cancel"), EX_USAGE);
    assert_int_equal(line("readiness --account a"), EX_USAGE);
    assert_int_equal(line("clv-purchases --account a --at day --to 2024-03-01"), EX_USAGE);
    assert_int_equal(line("clv-purchases --purchases orders.csv --account a --at day "
                          "--to 2024-03-01 --unit year"),
                     EX_USAGE);
    assert_int_equal(
        line("mrr --subscriptions none.csv --account a --start s --end e --amount m" YEAR),
        EX_NOINPUT);
    assert_int_equal(line("mrr subs.csv" YEAR), EX_USAGE);
    folder_put("usual.json", "{\"metric\": \"mrr\"}");
    assert_int_equal(line("mrr" SUBS YEAR " --definition usual.json"), EX_DATAERR);
    assert_int_equal(line("mrr" SUBS YEAR " --definition none.json"), EX_NOINPUT);
}

static void a_currency_is_three_letters(void **state)
{
    (void)state;
#define MONEY                                                                                      \
    " --subscriptions money.csv --account a --start s --end e --amount m --currency c "            \
    "--rule currency=USD"
    assert_int_equal(line("mrr" MONEY YEAR), EX_DATAERR);
    assert_int_equal(line("mrr" MONEY YEAR " --skip-bad"), EX_OK);
#undef MONEY
}

#define NOBODY " --uri icp+unix:/nowhere/icpd"

/* What cannot be asked is told before anybody is asked, who is not there. */
static void a_page_is_asked_for_by_days_and_definitions_that_there_are(void **state)
{
    (void)state;
    assert_int_equal(page("" NOBODY), EX_UNAVAILABLE);
    assert_int_equal(page(YEAR " --segment land --filter x --top 2" NOBODY), EX_UNAVAILABLE);
    assert_int_equal(page("--to 2024-01-01 --against free=active" NOBODY), EX_UNAVAILABLE);
    assert_int_equal(page("one" NOBODY), EX_USAGE);
    assert_int_equal(page("--from 2024-01-01 --to 2023-01-01" NOBODY), EX_USAGE);
    assert_int_equal(page("--from someday" NOBODY), EX_USAGE);
    assert_int_equal(page("--to someday" NOBODY), EX_USAGE);
    assert_int_equal(page("--to 0001-01-01" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --period week" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --rule free" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --metric mrr" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --metric arr --against free=active" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --against free=beer" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --against-definition none.json" NOBODY), EX_NOINPUT);
    assert_int_equal(page(YEAR " --definition none.json" NOBODY), EX_NOINPUT);
    assert_int_equal(page(YEAR " --seq soon" NOBODY), EX_USAGE);
    assert_int_equal(page(YEAR " --known soon" NOBODY), EX_USAGE);
}

/* Every parameter of measure.def can be told. */
static void parameters_of_measures_are_options(void **state)
{
    (void)state;
    for (int id = 0; id < MEASURE_IDS; id++) {
        size_t count = 0;
        const struct measure_parameter *p = measure_parameters((enum measure_id)id, &count);
        for (size_t i = 0; i < count; i++) {
            bool found = false;
            for (int o = 0; o < CLI_OPTIONS && !found; o++) {
                const struct cli_option *option = &cli_options()[o];
                found =
                    option->command == CLI_COMMAND_MEASURE && strcmp(option->name, p[i].name) == 0;
            }
            if (!found) {
                fail_msg("--%s is no option of icp measure", p[i].name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_measure_runs_over_files),
        cmocka_unit_test(what_is_missing_or_no_such_thing_is_a_mistake_of_use),
        cmocka_unit_test(a_currency_is_three_letters),
        cmocka_unit_test(a_page_is_asked_for_by_days_and_definitions_that_there_are),
        cmocka_unit_test(parameters_of_measures_are_options),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
