/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_roff.h"

static char *text;
static size_t bytes;

static FILE *begin(void)
{
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    return out;
}

static void end(FILE *out, const char *expected)
{
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void signs_of_troff_are_shown_as_they_are(void **state)
{
    (void)state;
    FILE *out = begin();
    draw_roff_text(out, "a-b \\ 'c' `d` ^~ \"e\"");
    end(out, "a\\-b \\e \\(aqc\\(aq \\(gad\\(ga \\(ha\\(ti \\(dqe\\(dq");
}

static void no_line_begins_as_a_request(void **state)
{
    (void)state;
    FILE *out = begin();
    draw_roff_lines(out, ".SH no\n'br no\n\nplain");
    end(out, ".RS 4\n.nf\n\\&.SH no\n\\(aqbr no\n\nplain\n.fi\n.RE\n");
}

static void a_page_has_title_sections_and_entries(void **state)
{
    (void)state;
    FILE *out = begin();
    draw_roff_begin(out, "icp-import", 1, "0.1.0", "store accounts");
    draw_roff_section(out, "DESCRIPTION", "One.");
    draw_roff_paragraph(out, "Two.");
    draw_roff_section(out, "OPTIONS", NULL);
    draw_roff_entry(out, "-n, --dry-run", NULL, "store nothing");
    draw_roff_entry(out, "--out", "FILE", ".csv or other");
    end(out, ".TH \"ICP-IMPORT\" \"1\" \"\" \"icpd 0.1.0\" \"icpd\"\n"
             ".SH NAME\nicp\\-import \\- store accounts\n"
             ".SH DESCRIPTION\nOne.\n.PP\nTwo.\n.SH OPTIONS\n"
             ".TP\n\\fB\\-n, \\-\\-dry\\-run\\fR\nstore nothing\n"
             ".TP\n\\fB\\-\\-out\\fR \\fIFILE\\fR\n\\&.csv or other\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_of_troff_are_shown_as_they_are),
        cmocka_unit_test(no_line_begins_as_a_request),
        cmocka_unit_test(a_page_has_title_sections_and_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
