/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of ICP versions and of one score explained, against replies that are written down: what
 * is asked, printed and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static const char two_versions[] =
    "{'icps':[{'icp':1,'name':'by hand','label':'','created':'2024-05-01T12:00:00Z',"
    "'accounts':0,'auc':0.0,'active':false},{'icp':2,'name':'won','label':'won = 1',"
    "'created':'2024-05-02T12:00:00Z','accounts':12345,'auc':0.8125,'active':true}],"
    "'switches':[{'icp':1,'time':1714564800000,'reason':''},{'icp':2,'time':1714651200000,"
    "'reason':'better'}]}";
static const char moves[] =
    "{'icp':2,'against':1,'seq':9,'accounts':1000,'up':30,'down':20,'moves':[{'now':'A',"
    "'then':'A','accounts':100},{'now':'B','then':'A','accounts':30},{'now':'A','then':'C',"
    "'accounts':20},{'now':'C','then':'C','accounts':850}],'parts':[{'value':'ann',"
    "'accounts':600,'up':20,'down':5,'best_before':70,'best_after':80},{'value':'',"
    "'accounts':400,'up':10,'down':15,'best_before':50,'best_after':50}],"
    "'changed':[{'id':'acme','name':'Acme','now':'B','then':'A','fit_before':61.0,"
    "'fit_after':83.5}]}";
static const char explanation[] =
    "{'icp':2,'seq':9,'found':true,'id':'acme','fit':73.5,'p':0.21,'grade':'B',"
    "'raw':-1250000,'intercept':-2000000,'outcome':'won = 1','accounts':1000,"
    "'outcomes':120,'contributions':[{'field':'industry','value':'Software',"
    "'bin':'Software','contribution':600000,'state':'fresh','accounts':300,'outcomes':90,"
    "'rate_low':0.25,'rate_high':0.36,'shape':[{'bin':'Retail','contribution':-200000,"
    "'here':false,'accounts':200,'outcomes':10,'rate_low':0.03,'rate_high':0.09},"
    "{'bin':'Software','contribution':600000,'here':true,'accounts':300,'outcomes':90,"
    "'rate_low':0.25,'rate_high':0.36}]},{'field':'employees','bin':'missing',"
    "'contribution':150000,'state':'missing'}],'families':[{'family':'firmographic',"
    "'contribution':750000}],'up':[{'field':'employees','now':'missing','then':'above 500',"
    "'contribution':400000,'fit':80.5,'grade':'A'}],'down':[],'missing':['employees'],"
    "'fit_low':60.5,'fit_high':80.5,'unseen':[],'stale':['industry']}";

static void versions_are_listed_with_when_they_were_active(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_ICP_LIST, two_versions, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ICP_LIST, "{'icps':[],'switches':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"list", CANNED(replies_0), EX_OK, "icp-list {}\n",
         "icp  active  name     label      auc  created               accounts\n"
         "  1          by hand           0.000  2024-05-01T12:00:00Z         0\n"
         "  2  active  won      won = 1  0.812  2024-05-02T12:00:00Z    12,345\n"
         "\n"
         "switches, oldest first (UTC):\n"
         "  2024-05-01 12:00  version 1  \n"
         "  2024-05-02 12:00  version 2  better\n",
         ""},
        {"list --csv", CANNED(replies_0), EX_OK, "icp-list {}\n",
         "icp,active,name,label,auc,created,accounts\n"
         "1,,by hand,,0.000,2024-05-01T12:00:00Z,0\n"
         "2,active,won,won = 1,0.812,2024-05-02T12:00:00Z,12345\n",
         ""},
        {"list --json", CANNED(replies_0), EX_OK, "icp-list {}\n",
         "{\n"
         "  \"icps\": [\n"
         "    {\n"
         "      \"icp\": 1,\n"
         "      \"name\": \"by hand\",\n"
         "      \"label\": \"\",\n"
         "      \"created\": \"2024-05-01T12:00:00Z\",\n"
         "      \"accounts\": 0,\n"
         "      \"auc\": 0.0,\n"
         "      \"active\": false\n"
         "    },\n"
         "    {\n"
         "      \"icp\": 2,\n"
         "      \"name\": \"won\",\n"
         "      \"label\": \"won = 1\",\n"
         "      \"created\": \"2024-05-02T12:00:00Z\",\n"
         "      \"accounts\": 12345,\n"
         "      \"auc\": 0.8125,\n"
         "      \"active\": true\n"
         "    }\n"
         "  ],\n"
         "  \"switches\": [\n"
         "    {\n"
         "      \"icp\": 1,\n"
         "      \"time\": 1714564800000,\n"
         "      \"reason\": \"\"\n"
         "    },\n"
         "    {\n"
         "      \"icp\": 2,\n"
         "      \"time\": 1714651200000,\n"
         "      \"reason\": \"better\"\n"
         "    }\n"
         "  ]\n"
         "}\n",
         ""},
        {"list", CANNED(replies_1), EX_OK, "icp-list {}\n",
         "no ICP version yet; 'icp learn' makes one\n"
         "icp  active  name  label  auc  created  accounts\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void a_switch_says_from_where_to_where(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_ICP_ACTIVATE, "{'icp':2,'previous':1,'seq':9}", PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ICP_ACTIVATE, "{'icp':2,'previous':0,'seq':9}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_ICP_ACTIVATE, "icp: there is no version 9", PROTO_NOT_FOUND}};
    static const struct canned replies_3[] = {
        {PROTO_OP_ICP_REVERT, "{'icp':1,'previous':2,'seq':10}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"activate 2 --reason better", CANNED(replies_0), EX_OK,
         "icp-activate {\"icp\":2,\"reason\":\"better\"}\n",
         "version 2 is active, version 1 was before\n", ""},
        {"activate 2 --json", CANNED(replies_1), EX_OK, "icp-activate {\"icp\":2}\n",
         "{\n"
         "  \"icp\": 2,\n"
         "  \"previous\": 0,\n"
         "  \"seq\": 9\n"
         "}\n",
         ""},
        {"activate 9", CANNED(replies_2), EX_DATAERR, "icp-activate {\"icp\":9}\n", "",
         "icp activate: icp: there is no version 9\n"},
        {"activate two", NULL, 0, EX_USAGE, "", "",
         "icp activate: 'two' is no version; versions are numbers from 1, 'icp list' shows them\n"},
        {"activate 0", NULL, 0, EX_USAGE, "", "",
         "icp activate: '0' is no version; versions are numbers from 1, 'icp list' shows them\n"},
        {"activate", NULL, 0, EX_USAGE, "", "",
         "icp activate: VERSION is missing; 'icp help activate' has examples\n"},
        {"revert", CANNED(replies_3), EX_OK, "icp-revert {}\n",
         "version 1 is active, version 2 was before\n", ""},
        {"revert now", NULL, 0, EX_USAGE, "", "",
         "icp revert: 'now' is too much: only options may follow; 'icp help revert' lists them\n"},
    };
    CANNED_ROWS(rows);
}

static void what_would_change_is_told_in_expected_value(void **state)
{
    (void)state;
    static const struct canned worth[] = {
        {PROTO_OP_ICP_WHAT_IF,
         "{'icp':2,'against':1,'seq':9,'accounts':3,'up':1,'down':0,'value_before':'ARR',"
         "'expected_before':1000.0,'value_after':'ARR','expected_after':12500.5,'moves':[],"
         "'parts':[{'value':'ann','accounts':3,'up':1,'down':0,'best_before':0,'best_after':1,"
         "'expected_before':1000.0,'expected_after':12500.5}],"
         "'changed':[{'id':'a','now':'B','then':'A','fit_before':61.0,'fit_after':83.5,"
         "'expected_before':400.0,'expected_after':900.0}]}",
         PROTO_OK}};
    static const struct canned half[] = {
        {PROTO_OP_ICP_WHAT_IF,
         "{'icp':2,'against':1,'seq':9,'accounts':0,'up':0,'down':0,'value_after':'ARR',"
         "'expected_after':12500.5,'moves':[],'changed':[]}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"what-if 2 --by owner", CANNED(worth), EX_OK,
         "icp-what-if {\"icp\":2,\"against\":0,\"limit\":20,\"names\":true,\"by\":\"owner\"}\n",
         "with version 2 instead of 1, 1 of 3 accounts change grade (33.3 %): 1 better, 0 worse\n"
         "expected ARR: 12,501 instead of 1,000 (+1150.0 %)\n"
         "grade now  A  B  C  D\n"
         "A          0  0  0  0\n"
         "B          0  0  0  0\n"
         "C          0  0  0  0\n"
         "D          0  0  0  0\n"
         "\n"
         "value  accounts  better  worse  A now  A then  expected now  expected then\n"
         "ann           3       1      0      0       1          1000         12,500\n"
         "\n"
         "id  now  then  better than % now  then %  expected now  expected then\n"
         "a   B    A                  61.0    83.5           400            900\n",
         ""},
        {"what-if 2", CANNED(half), EX_OK, NULL,
         "with version 2 instead of 1, 0 of 0 accounts change grade (0.0 %): 0 better, 0 worse\n"
         "expected ARR then: 12,501\n"
         "only one of the versions has learned a value\n"
         "grade now  A  B  C  D\n"
         "A          0  0  0  0\n"
         "B          0  0  0  0\n"
         "C          0  0  0  0\n"
         "D          0  0  0  0\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void what_would_change_is_told_by_grade_value_and_account(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_ICP_WHAT_IF, moves, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ICP_WHAT_IF,
         "{'icp':2,'against':1,'seq':9,'accounts':0,'up':0,'down':0,'moves':[],'changed':[]}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"what-if 2 --by owner", CANNED(replies_0), EX_OK,
         "icp-what-if {\"icp\":2,\"against\":0,\"limit\":20,\"names\":true,\"by\":\"owner\"}\n",
         "with version 2 instead of 1, 50 of 1,000 accounts change grade (5.0 %): 30 better, 20 wor"
         "se\n"
         "grade now    A  B    C  D\n"
         "A          100  0   20  0\n"
         "B           30  0    0  0\n"
         "C            0  0  850  0\n"
         "D            0  0    0  0\n"
         "\n"
         "value      accounts  better  worse  A now  A then\n"
         "ann             600      20      5     70      80\n"
         "(missing)       400      10     15     50      50\n"
         "\n"
         "id    name  now  then  better than % now  then %\n"
         "acme  Acme  B    A                  61.0    83.5\n",
         ""},
        {"what-if 2 --csv", CANNED(replies_0), EX_OK,
         "icp-what-if {\"icp\":2,\"against\":0,\"limit\":20,\"names\":true}\n",
         "id,name,now,then,better than % now,then %\n"
         "acme,Acme,B,A,61.0,83.5\n",
         ""},
        {"what-if 2 --json", CANNED(replies_1), EX_OK,
         "icp-what-if {\"icp\":2,\"against\":0,\"limit\":20,\"names\":true}\n",
         "{\n"
         "  \"icp\": 2,\n"
         "  \"against\": 1,\n"
         "  \"seq\": 9,\n"
         "  \"accounts\": 0,\n"
         "  \"up\": 0,\n"
         "  \"down\": 0,\n"
         "  \"moves\": [],\n"
         "  \"changed\": []\n"
         "}\n",
         ""},
        {"what-if", NULL, 0, EX_USAGE, "", "",
         "icp what-if: VERSION is missing; 'icp help what-if' has examples\n"},
        {"what-if two", NULL, 0, EX_USAGE, "", "",
         "icp what-if: 'two' is no version; versions are numbers from 1, 'icp list' shows them\n"},
    };
    CANNED_ROWS(rows);
}

static void a_score_is_explained_term_by_term(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_EXPLAIN, explanation, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_EXPLAIN, ": no account has this id", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"explain acme", CANNED(replies_0), EX_OK,
         "explain {\"icp\":0,\"around\":2,\"shapes\":3,\"changes\":3,\"id\":\"acme\"}\n",
         "acme: grade B: better than 74 % of your accounts  (ICP version 2, sequence 9)\n"
         "of 100 such accounts 21.0 have the outcome won = 1; of all 1000 learned from, 12.0\n"
         "for it:     industry: Software (+60 points; 90 of 300 accounts there had it, 25 to 36 %)"
         "\n"
         "for it:     employees: missing (+15 points)\n"
         "grade A with employees: above 500 instead of missing (+40 points)\n"
         "missing: employees (known, they could make it better than 60 to 80 %)\n"
         "stale: industry\n"
         "\n"
         "points  field      value     bin       state    accounts  outcomes  rate %  from %  to %"
         "\n"
         " +60.0  industry   Software  Software  fresh         300        90    30.0    25.0  36.0"
         "\n"
         " +15.0  employees  missing   missing   missing\n"
         "-200.0 points where every account starts, +75.0 firmographic: -125.0 in all; 100 points "
         "multiply the odds by 2.7\n"
         "\n"
         "one change that would give a better grade\n"
         "grade  field      instead of  with       points  better than %\n"
         "A      employees  missing     above 500   +40.0           80.5\n"
         "\n"
         "around industry\n"
         "   bin       points  accounts  outcomes  rate %  from %  to %\n"
         "   Retail     -20.0       200        10     5.0     3.0   9.0\n"
         ">  Software   +60.0       300        90    30.0    25.0  36.0\n",
         ""},
        {"explain acme --csv", CANNED(replies_0), EX_OK,
         "explain {\"icp\":0,\"around\":2,\"shapes\":3,\"changes\":3,\"id\":\"acme\"}\n",
         "points,field,value,bin,state,accounts,outcomes,rate %,from %,to %\n"
         "+60.0,industry,Software,Software,fresh,300,90,30.0,25.0,36.0\n"
         "+15.0,employees,missing,missing,missing,,,,,\n",
         ""},
        {"explain nobody", CANNED(replies_1), EX_DATAERR,
         "explain {\"icp\":0,\"around\":2,\"shapes\":3,\"changes\":3,\"id\":\"nobody\"}\n", "",
         "icp explain: no account has the id 'nobody'\n"},
        {"explain", NULL, 0, EX_USAGE, "", "",
         "icp explain: give one of ID, --key and --email, or values with --set\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_listed_with_when_they_were_active),
        cmocka_unit_test(a_switch_says_from_where_to_where),
        cmocka_unit_test(what_would_change_is_told_by_grade_value_and_account),
        cmocka_unit_test(what_would_change_is_told_in_expected_value),
        cmocka_unit_test(a_score_is_explained_term_by_term),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
