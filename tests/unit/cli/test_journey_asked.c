/* SPDX-License-Identifier: Apache-2.0 */
/* What the page of journeys asks of the server: a request for each section as of the sequence of
 * the first answer, a reason in the place of a section that the data do not support, and an end for
 * every other refusal, with the page of before left as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/measure/measure.h"
#include "tests/unit/cli/canned.h"
#include "tests/unit/cli/cli_folder.h"

enum { REPLY_BYTES = 1 << 14, LINES_MAX = 64 };

/* An answer without rows, with the columns of the measure. */
static struct canned no_rows(char *out, enum measure_id id, const char *first, int seq)
{
    size_t count = 0;
    const struct measure_column *columns = measure_columns(id, &count);
    int used = snprintf(out, REPLY_BYTES,
                        "{'measure':'%s','rules':{},'definition':'usual','version':1,'currency':"
                        "'EUR','interval':'','correction':'','accounts':5,'events':7,"
                        "'subscriptions':0,'seq':%d,'kept':false,'rows':[],'columns':[",
                        measure_info(id)->name, seq);
    for (size_t i = 0; i < count; i++) {
        used += snprintf(out + used, (size_t)(REPLY_BYTES - used),
                         "%s{'name':'%s','kind':'count','unit':'','help':''}", i > 0 ? "," : "",
                         i == 0 && first != NULL ? first : columns[i].name);
        assert_true(used < REPLY_BYTES - 4);
    }
    memcpy(out + used, "]}", 3);
    return (struct canned){PROTO_OP_MEASURE, out, PROTO_OK};
}

static size_t lines_of(char *text, char **lines)
{
    size_t count = 0;
    for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        assert_true(count < LINES_MAX);
        lines[count++] = line;
    }
    return count;
}

static char *page_read(void)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen("p.html", "re");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static const struct canned no_evidence = {PROTO_OP_MEASURE, ": 3 journeys <of> 30",
                                          PROTO_NO_EVIDENCE};

static void a_section_without_evidence_says_why(void **state)
{
    (void)state;
    struct canned_run run;
    char *lines[LINES_MAX];
    const struct canned replies[] = {no_evidence};
    canned_run(&run, "report journey --out p.html", CANNED(replies));
    assert_int_equal(run.status, EX_OK);
    assert_string_equal(run.printed, "");
    size_t count = lines_of(run.asked, lines);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(strstr(lines[i], "measure {\"measure\":\""));
        assert_null(strstr(lines[i], "\"seq\""));   /* nothing was answered yet */
        assert_null(strstr(lines[i], "\"focus\"")); /* nor is it asked without --segment */
    }
    char *page = page_read();
    assert_non_null(strstr(page, "3 journeys &lt;of&gt; 30"));
    assert_non_null(strstr(page, "--segment FIELD names the field whose values are its groups"));
    assert_non_null(strstr(page, "--a names a group, such as an owner"));
    free(page);
    canned_fini(&run);
}

/* The page is of one moment: the first answer's sequence goes with every later request. */
static void every_section_is_as_of_the_first_answer(void **state)
{
    (void)state;
    struct canned_run run;
    char *lines[LINES_MAX];
    static char grey[REPLY_BYTES];
    const struct canned replies[] = {no_rows(grey, MEASURE_ID_GREY, NULL, 9), no_evidence};
    canned_run(
        &run,
        "report journey --out p.html --segment land --from 2024-01-01 --to 2024-07-01 --a ann",
        CANNED(replies));
    assert_int_equal(run.status, EX_OK);
    size_t count = lines_of(run.asked, lines);
    assert_true(count > 10);
    assert_null(strstr(lines[0], "\"seq\""));
    for (size_t i = 1; i < count; i++) {
        bool customers = strstr(lines[i], "\"of\":\"customers\"") != NULL;
        assert_non_null(strstr(lines[i], "\"seq\":9"));
        if (customers) { /* of one day, not of a time */
            assert_null(strstr(lines[i], "\"from\""));
            assert_non_null(strstr(lines[i], "\"by\":\"land\""));
        }
    }
    canned_fini(&run);
}

static void the_path_of_an_account_is_of_that_moment_too(void **state)
{
    (void)state;
    struct canned_run run;
    static char grey[REPLY_BYTES];
    const struct canned first = no_rows(grey, MEASURE_ID_GREY, NULL, 9);
    const struct canned replies_0[] = {
        first,
        no_evidence,
        {PROTO_OP_TIMELINE, "{'id':'b','count':0,'events':[],'seq':9}", PROTO_OK}};
    const struct canned replies_1[] = {
        first, no_evidence, {PROTO_OP_TIMELINE, "id: no account", PROTO_NOT_FOUND}};
    const struct canned replies_2[] = {
        first,
        no_evidence,
        {PROTO_OP_TIMELINE, "{'id':'b','count':1,'events':[{'type':'dance'}],'seq':9}", PROTO_OK}};
    canned_run(&run, "report journey --account b --out p.html", CANNED(replies_0));
    assert_int_equal(run.status, EX_OK);
    assert_non_null(
        strstr(run.asked, "\ntimeline {\"id\":\"b\",\"seq\":9,\"newest\":true,\"limit\":200}\n"));
    canned_fini(&run);
    canned_run(&run, "report journey --account b", CANNED(replies_1));
    assert_int_equal(run.status, EX_USAGE);
    assert_string_equal(run.printed, "");
    assert_string_equal(run.said, "icp report journey: --account: there is no account 'b'\n");
    canned_fini(&run);
    canned_run(&run, "report journey --account b", CANNED(replies_2));
    assert_int_equal(run.status, EX_PROTOCOL);
    assert_string_equal(run.printed, "");
    assert_string_equal(run.said, "icp report journey: an event of the answer cannot be read\n");
    canned_fini(&run);
}

static void any_other_refusal_ends_it_and_leaves_the_page_of_before(void **state)
{
    (void)state;
    static char other[REPLY_BYTES];
    FILE *file = fopen("p.html", "we");
    assert_non_null(file);
    assert_true(fputs("before", file) >= 0);
    assert_int_equal(fclose(file), 0);
    const struct canned replies_0[] = {
        no_evidence, {PROTO_OP_MEASURE, "lost_kind: of outcomes", PROTO_BAD_FIELD}};
    const struct canned replies_1[] = {no_rows(other, MEASURE_ID_GREY, "shade", 9)};
    const struct canned_row rows[] = {
        {"report journey --out p.html", CANNED(replies_0), EX_DATAERR, NULL, "",
         "icp report journey: lost_kind: of outcomes\n"},
        {"report journey --out p.html", CANNED(replies_1), EX_PROTOCOL, NULL, "",
         "icp report journey: the server's table of grey has other columns: icp and icpd are of "
         "versions that differ\n"},
        {"report journey --out p.html --to 2024-02-30", NULL, 0, EX_USAGE, "", "",
         "icp report journey: --to: '2024-02-30' is no date; 2024-10-01 is one\n"},
        {"report journey --out p.html b", NULL, 0, EX_USAGE, "", "",
         "icp report journey: 'b' is too much: only options may follow; 'icp help report journey' "
         "lists them\n"},
    };
    CANNED_ROWS(rows);
    char *page = page_read();
    assert_string_equal(page, "before");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_without_evidence_says_why),
        cmocka_unit_test(every_section_is_as_of_the_first_answer),
        cmocka_unit_test(the_path_of_an_account_is_of_that_moment_too),
        cmocka_unit_test(any_other_refusal_ends_it_and_leaves_the_page_of_before),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
