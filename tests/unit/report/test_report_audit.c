/* SPDX-License-Identifier: Apache-2.0 */
/* The page of an audit: the answer first, every leader and figure, names as text, what is not known
 * as such, and no scripts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/special.h"
#include "server/report/report_audit.h"

static const char *const people[] = {"Ann <b>", "Bo"};
static const char *const functions[] = {"sales", ""};
static const char *const segments[] = {"Banks & Co", "Retail", "Health"};
static const char *const measures[] = {"win rate"};
static const double ranks[] = {1, 2, 3, 3, MATH_NAN, 1.5};
static const double rho[] = {1, MATH_NAN};
static const double rho_p[] = {1.0 / 6, MATH_NAN};
static const double rho_against[] = {1, MATH_NAN};
static const size_t rho_n[] = {3, 2};

static char *page_of(const struct report_audit *audit)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    report_audit_write(out, audit);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void has(const char *page, const char *words)
{
    if (strstr(page, words) == NULL) {
        fail_msg("the page does not say: %s", words);
    }
}

static struct report_audit audit_of(double w)
{
    struct report_audit audit = {.people = 2,
                                 .names = people,
                                 .functions = functions,
                                 .row_count = 2,
                                 .segments = 3,
                                 .segment_names = segments,
                                 .ranks = ranks,
                                 .measures = 1,
                                 .measure_names = measures,
                                 .rho = rho,
                                 .rho_p = rho_p,
                                 .rho_against = rho_against,
                                 .rho_n = rho_n};
    audit.rows[0] = (struct report_audit_row){"kendall-w",
                                              "order of segments",
                                              w,
                                              MATH_NAN,
                                              MATH_NAN,
                                              .04,
                                              2,
                                              "people",
                                              "they agree more than by chance"};
    audit.rows[1] = (struct report_audit_row){
        "alpha-ordinal", "statements", .5, .25, .75, MATH_NAN, 2, "people", "not reliable"};
    return audit;
}

static void the_answer_stands_first_and_everybody_is_there(void **state)
{
    struct report_audit audit = audit_of(.8125);
    char *page = page_of(&audit);
    (void)state;
    has(page,
        "Agreement on the order of segments is 0.81 of 1 among 2 leaders (p 0.040): they agree");
    assert_true(strstr(page, "Agreement on the order") < strstr(page, "<section"));
    has(page, "Ann &lt;b&gt;");
    has(page, "Banks &amp; Co");
    has(page, "+1.00 (p 0.17, n 3)");
    has(page, "0.250");
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, ">nan"));
    free(page);
}

static void what_nobody_can_say_is_told(void **state)
{
    struct report_audit audit = audit_of(MATH_NAN);
    audit.measures = 0;
    audit.segments = 0;
    char *page = page_of(&audit);
    (void)state;
    has(page, "Too few rankings");
    has(page, "No figures by segment were given");
    assert_null(strstr(page, ">nan"));
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_stands_first_and_everybody_is_there),
        cmocka_unit_test(what_nobody_can_say_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
