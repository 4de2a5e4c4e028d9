/* SPDX-License-Identifier: Apache-2.0 */
/* --teams as icp measure asks with it: as it was typed, or gathered from a file of persons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"
#include "tests/unit/cli/cli_folder.h"

#define ADHERENCE "measure adherence --group-by team --teams "
#define ASKED(TEAMS)                                                                               \
    "measure {\"measure\":\"adherence\",\"parameters\":{\"group-by\":\"team\",\"teams\":\"" TEAMS  \
    "\"},\"rules\":{\"churn-at\":\"end\",\"end-day\":\"exclusive\",\"reactivation\":\"apart\","    \
    "\"free\":\"churned\",\"trials\":\"excluded\",\"past-due\":\"counted\",\"paused\":"            \
    "\"excluded\","                                                                                \
    "\"discount\":\"net\",\"one-off\":\"excluded\",\"churn-evidence\":\"account-zero\","           \
    "\"churn-unit\":\"account\"}}\n"

/* What is asked is looked at, not what comes of it. */
static const struct canned refusal[] = {
    {PROTO_OP_MEASURE, "parameters.tal: there is no list", PROTO_NO_EVIDENCE}};
static const char refused[] = "icp measure: --tal: there is no list\n";

static void persons_are_gathered_under_teams_in_the_order_of_the_file(void **state)
{
    (void)state;
    folder_put("plain.csv", "agent,boss\nAnn Lee,north\nCy Poe,south\n Bo Ray , north \nDi,\n,x\n");
    folder_put("again.csv", "\xef\xbb\xbf"
                            "boss,agent\nnorth,Ann\nsouth,Bo\nnorth,Ann\n");
    folder_put("a:b.csv", "who,of\nAnn,n\n");
    static const struct canned_row rows[] = {
        {ADHERENCE "'n: Ann, Bo; s: Cy'", CANNED(refusal), EX_DATAERR, ASKED("n: Ann, Bo; s: Cy"),
         "", refused},
        {ADHERENCE "plain.csv:agent=boss", CANNED(refusal), EX_DATAERR,
         ASKED("north: Ann Lee, Bo Ray; south: Cy Poe"), "", refused},
        {ADHERENCE "again.csv:agent=boss", CANNED(refusal), EX_DATAERR,
         ASKED("north: Ann; south: Bo"), "", refused},
        {ADHERENCE "a:b.csv:who=of", CANNED(refusal), EX_DATAERR, ASKED("n: Ann"), "", refused},
    };
    CANNED_ROWS(rows);
}

static void a_file_that_says_no_teams_is_told_with_its_line(void **state)
{
    (void)state;
    folder_put("two.csv", "agent,boss\nAnn,north\nBo,north\nAnn,south\n");
    folder_put("new.csv", "agent,boss\nAnn,north\nAnn,south\n");
    folder_put("signs.csv", "agent,boss\n\"Lee, Ann\",north\n");
    folder_put("signs2.csv", "agent,boss\nAnn,north: east\n");
    folder_put("none.csv", "agent,boss\nAnn,\n");
    folder_put("empty.csv", "");
    static const struct canned_row rows[] = {
        {ADHERENCE "two.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: two.csv, line 4: 'Ann' is in another team on line 2\n"},
        {ADHERENCE "new.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: new.csv, line 3: 'Ann' is in another team on line 2\n"},
        {ADHERENCE "signs.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: signs.csv, line 2: 'Lee, Ann' has a comma, a colon or a semicolon, which "
         "part names\n"},
        {ADHERENCE "signs2.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: signs2.csv, line 2: 'north: east' has a comma, a colon or a semicolon, "
         "which part names\n"},
        {ADHERENCE "none.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: none.csv has nobody who is in a team\n"},
        {ADHERENCE "empty.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: empty.csv is empty; its first line must name the columns\n"},
        {ADHERENCE "gone.csv:agent=boss", NULL, 0, EX_NOINPUT, "", "",
         "icp measure: cannot open gone.csv: No such file or directory\n"},
        {ADHERENCE "two.csv:agent=chief", NULL, 0, EX_USAGE, "", "",
         "icp measure: --teams: two.csv has no column 'chief'\n"},
    };
    CANNED_ROWS(rows);
}

/* Not taken for a team that is called like a file. */
static void a_file_without_its_columns_is_a_mistake_of_use(void **state)
{
#define SAID(TEXT)                                                                                 \
    "icp measure: --teams: '" TEXT "' is not FILE.csv:PERSON=TEAM, such as "                       \
    "teams.csv:agent=manager; without a file, a team is its name, a colon and its persons\n"
    (void)state;
    static const struct canned_row rows[] = {
        {ADHERENCE "teams.csv", NULL, 0, EX_USAGE, "", "", SAID("teams.csv")},
        {ADHERENCE "teams.csv:agent", NULL, 0, EX_USAGE, "", "", SAID("teams.csv:agent")},
        {ADHERENCE "teams.csv:=boss", NULL, 0, EX_USAGE, "", "", SAID("teams.csv:=boss")},
        {ADHERENCE "Teams.CSV:agent=", NULL, 0, EX_USAGE, "", "", SAID("Teams.CSV:agent=")},
    };
    CANNED_ROWS(rows);
}

/* Far more than a company has, all in one team, read to the last line. */
static void a_large_roster_is_read(void **state)
{
    enum { PERSONS = 200000 };
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    fputs("agent,boss\n", out);
    for (int i = 0; i < PERSONS; i++) {
        fprintf(out, "person %d,north\n", i);
    }
    fputs("person 7,south\n", out);
    assert_int_equal(fclose(out), 0);
    folder_put("large.csv", text);
    free(text);
    static const struct canned_row rows[] = {
        {ADHERENCE "large.csv:agent=boss", NULL, 0, EX_DATAERR, "", "",
         "icp measure: large.csv, line 200002: 'person 7' is in another team on line 9\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persons_are_gathered_under_teams_in_the_order_of_the_file),
        cmocka_unit_test(a_file_that_says_no_teams_is_told_with_its_line),
        cmocka_unit_test(a_file_without_its_columns_is_a_mistake_of_use),
        cmocka_unit_test(a_large_roster_is_read),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
