/* SPDX-License-Identifier: Apache-2.0 */
/* icp verdict against replies that are written down: what is asked, what is printed
 * of a whole answer, of one without anything in it and of one that is cut, and what is a mistake of
 * use before anything is asked. */
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

#define LIFT_ROW                                                                                   \
    "['won','equal-effort',1717200000000,4,120,30,240,40,1.6667,0.9,3.1,1.05,null,1.7,3.2,-0.5,"   \
    "'supported']"
#define TABLES(LIFT, PROMISE)                                                                      \
    "'tables':[{'measure':'lift','rows':[" LIFT "]},{'measure':'rate','rows':[['won','all',360,"   \
    "70,0.19444,0.15,0.25]]},{'measure':'forecast','rows':[]},{'measure':'promise','rows':"        \
    "[" PROMISE "]}]"
#define GROUND                                                                                     \
    "'name':'q3','icp':3,'format':2,'created':1704067200000,'since':1704067200000,"                \
    "'at':1717200000000,'seq':9,'alpha':0.05,'accounts':400,'events':900,'cases':360,'open':12,"   \
    "'before':7,'elsewhere':1,'touches':700"
static const char whole[] =
    "{'verdict':'supported'," GROUND ",'words':['The list was\\u001b[2J right.','On it 25 % won.'],"
    "'cannot':['why they won'],'next':['keep it','look again in June']," TABLES(LIFT_ROW, "") "}";
static const char empty[] =
    "{'verdict':''," GROUND ",'words':[],'cannot':[],'next':[]," TABLES("", "") "}";
static const char lines_of_others[] =
    "{'verdict':'insufficient','words':['x'],'cannot':[],'next':[]," GROUND
    ",'tables':[{'measure':'lift',"
    "'rows':[]},{'measure':'rate','rows':[]},{'measure':'promise','rows':[]}]}";
static const char short_row[] =
    "{'verdict':''," GROUND
    ",'words':['x'],'cannot':[],'next':[]," TABLES("['won','equal-effort']", "") "}";

/* What is printed of the whole reply. */
#define TOLD                                                                                       \
    "The list was\\x1b[2J right.\n"                                                                \
    "  On it 25 % won.\n"                                                                          \
    "  q3 by version 3: 360 cases from 2024-01-01 on, looked at on 2024-06-01; 12 not counted "    \
    "yet, 7 began before, 1 of accounts that it did not freeze\n"                                  \
    "\n"                                                                                           \
    "outcome  against       as_of        on  won_on  off  won_off   ratio  rule_low  "             \
    "rule_high  verdict\n"                                                                         \
    "won      equal-effort  2024-06-01  120      30  240       40  1.6667    1.0500           "    \
    "  supported\n"                                                                                \
    "\n"                                                                                           \
    "outcome  group    n  won    rate     low    high\n"                                           \
    "won      all    360   70  0.1944  0.1500  0.2500\n"                                           \
    "\n"                                                                                           \
    "What cannot be said:\n"                                                                       \
    "  why they won\n"                                                                             \
    "\n"                                                                                           \
    "What to do next, as a draft:\n"                                                               \
    "  keep it\n"                                                                                  \
    "  look again in June\n"

static int files_make(void **state)
{
    (void)folder_make(state);
    folder_put("p.json",
               "{\"policy\":1,\"name\":\"won\",\"moment\":\"stage:created\",\"archetypes\":"
               "[{\"name\":\"good\",\"when\":[{\"event\":\"outcome:won\",\"within\":"
               "\"180 days\"}]}]}");
    return 0;
}

static void a_verdict_is_told_in_words_first(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_VERDICT, whole, PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_VERDICT, empty, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"verdict q3 --policy p.json --as-of 2024-06-01 --alpha 0.1", CANNED(replies_0), EX_OK,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 "
         "days\\\"}]}]}\",\"alpha\":0.10000000000000001,\"at\":1717200000000,\"name\":\"q3\"}\n",
         TOLD, ""},
        {"verdict q3 --policy p.json --csv --equal-effort", CANNED(replies_0), EX_OK,
         "verdict "
         "{\"owners\":false,\"effort\":false,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "outcome,against,as_of,blocks,on,won_on,off,won_off,ratio,low,high,rule_low,rule_high,"
         "mantel,e_more,e_less,verdict\n"
         "won,equal-effort,2024-06-01,4,120,30,240,40,1.6667,0.9,3.1,1.05,,1.7,3.2,-0.5,"
         "supported\n",
         ""},
        {"verdict q3 --policy p.json", CANNED(replies_1), EX_OK,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "  q3 by version 3: 360 cases from 2024-01-01 on, looked at on 2024-06-01; 12 not counted "
         "yet, 7 began before, 1 of accounts that it did not freeze\n"
         "\n"
         "outcome  group    n  won    rate     low    high\n"
         "won      all    360   70  0.1944  0.1500  0.2500\n",
         ""},
        {"verdict q3 --policy p.json --csv", CANNED(replies_1), EX_OK,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "outcome,against,as_of,blocks,on,won_on,off,won_off,ratio,low,high,rule_low,rule_high,"
         "mantel,e_more,e_less,verdict\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void an_answer_of_another_version_or_cut_is_a_fault_of_the_protocol(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_VERDICT, lines_of_others, PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_VERDICT, short_row, PROTO_OK}};
    static const struct canned replies_2[] = {{PROTO_OP_VERDICT, "{}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"verdict q3 --policy p.json", CANNED(replies_0), EX_PROTOCOL,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "",
         "icp verdict: the server's verdict has other tables: icp and icpd are of versions that "
         "differ\n"},
        {"verdict q3 --policy p.json", CANNED(replies_1), EX_PROTOCOL,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "",
         "icp verdict: the server's table of lift has other columns: icp and icpd are of versions "
         "that differ\n"},
        {"verdict q3 --policy p.json", CANNED(replies_2), EX_PROTOCOL,
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n",
         "",
         "icp verdict: name: the server's reply to verdict is not valid: expected a string, found "
         "no such field\n"},
    };
    CANNED_ROWS(rows);
}

#define PLAN(TERMS)                                                                                \
    "{'name':'2027','state':'committed','count':1,'head':'','terms':'" TERMS "','signed_by':[],"   \
    "'ownerless':'','lines':[],'lost':0}"
static void a_plan_says_which_list_and_takes_the_figures(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_PLAN_GET, PLAN("{\\'list\\':{\\'tal\\':\\'q3\\'}}"), PROTO_OK},
        {PROTO_OP_VERDICT, whole, PROTO_OK},
        {PROTO_OP_PLAN_ADD, "{'name':'2027','entry':7,'state':'committed','hash':'ab12'}",
         PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_PLAN_GET, PLAN("{}"), PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_PLAN_GET, PLAN("{\\'list\\':{\\'tal\\':3}}"), PROTO_OK}};
    static const struct canned_row rows[] = {
        {"verdict --plan 2027 --write --policy p.json", CANNED(replies_0), EX_OK,
         "plan-get {\"name\":\"2027\",\"limit\":0}\n"
         "verdict "
         "{\"owners\":false,\"effort\":true,\"weekly\":false,\"policy\":\"{\\\"policy\\\":1,"
         "\\\"name\\\":\\\"won\\\",\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":[{"
         "\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","
         "\\\"within\\\":\\\"180 days\\\"}]}]}\",\"name\":\"q3\"}\n"
         "plan-add {\"name\":\"2027\",\"act\":\"verdict\",\"body\":\"{\\\"because\\\":\\\"The list "
         "was\\\\u001b[2J right.\\\",\\\"figures\\\":{\\\"draft\\\":[\\\"keep it\\\","
         "\\\"look again in June\\\"],\\\"won "
         "equal-effort\\\":{\\\"off\\\":240,\\\"on\\\":120,\\\"ratio\\\":\\\"1.6667\\\",\\\"rule_"
         "low\\\":\\\"1.05\\\",\\\"won_off\\\":40,\\\"won_on\\\":30}},\\\"verdict\\\":"
         "\\\"supported\\\"}\"}\n",
         TOLD "2027: entry 7, the plan is committed\n"
              "  head ab12\n",
         ""},
        {"verdict --plan 2027 --policy p.json", CANNED(replies_1), EX_DATAERR,
         "plan-get {\"name\":\"2027\",\"limit\":0}\n", "",
         "icp verdict: the plan '2027' names no list yet (icp plan tal)\n"},
        {"verdict --plan 2027 --policy p.json", CANNED(replies_2), EX_DATAERR,
         "plan-get {\"name\":\"2027\",\"limit\":0}\n", "",
         "icp verdict: the plan '2027' names no list yet (icp plan tal)\n"},
        {"verdict q3 --plan 2027 --policy p.json", NULL, 0, EX_USAGE, "", "",
         "icp verdict: a list or --plan, not both: the plan says which list it is\n"},
    };
    CANNED_ROWS(rows);
}

static void a_mistake_of_use_is_told_before_anything_is_asked(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"verdict q3", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --policy FILE.json is needed: what counts as closed, and when a case is "
         "matured (docs/policy.md)\n"},
        {"verdict q3 --policy none.json", NULL, 0, EX_NOINPUT, "", "",
         "icp verdict: cannot open none.json: No such file or directory\n"},
        {"verdict --policy p.json", NULL, 0, EX_USAGE, "", "",
         "icp verdict: which list? Name one (icp tal list), or --plan NAME\n"},
        {"verdict q3 --write --policy p.json", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --write wants --plan NAME: where it is written\n"},
        {"verdict --plan x --write --weekly --policy p.json", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --write writes the newest week alone: without --weekly\n"},
        {"verdict q3 --policy p.json --alpha 0.6", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --alpha: a share from 0.000001 to 0.5, not '0.6'\n"},
        {"verdict q3 --policy p.json --alpha nan", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --alpha: a share from 0.000001 to 0.5, not 'nan'\n"},
        {"verdict q3 --policy p.json --known soon", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --known: 'soon' is no time such as 2027-01-01T12:00:00Z\n"},
        {"verdict q3 --policy p.json --since 2024-02-30", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --since: '2024-02-30' is no date; 2024-10-01 is one\n"},
        {"verdict q3 --policy p.json --seq 0", NULL, 0, EX_USAGE, "", "",
         "icp verdict: --seq: '0' is not a whole number from 1 to 9223372036854775807\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_told_in_words_first),
        cmocka_unit_test(an_answer_of_another_version_or_cut_is_a_fault_of_the_protocol),
        cmocka_unit_test(a_plan_says_which_list_and_takes_the_figures),
        cmocka_unit_test(a_mistake_of_use_is_told_before_anything_is_asked),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
