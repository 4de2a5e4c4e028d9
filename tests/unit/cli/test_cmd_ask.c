/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask about many accounts, or score one, against replies that are written down: what
 * is asked, printed and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static const char two_accounts[] =
    "{'seq':9,'ids':['acme','b'],'next':'c2','values':[{'industry':'Software',"
    "'employees':12345},{}],'icp':2,'fit':{'$f32':[50.5,25.25]},'p':{'$f32':[0.5,0.25]},"
    "'grade':{'$bytes':'BC'},'raw':{'$i64':[1,-1]},'names':['Acme','']}";
static const char look_alike[] =
    "{'seq':9,'icp':2,'exact':true,'recall_expected':1.0,'metric':'cosine','path':'scan',"
    "'positives':1,'positives_matched':0,'negatives':0,'results':[{'id':'b',"
    "'similarity':0.93,'example':'acme','example_index':0,'shared':[{'field':'industry',"
    "'part':0.5,'value':'Software','accounts':300},{'field':'employees','part':0.2,"
    "'value':10,'example_value':12}],'difference':{'field':'tech','part':-0.1,"
    "'value':['Jira'],'example_value':null},'fit':50.5,'p':0.2,'grade':'B','raw':5,"
    "'tal':true,'name':'Bee'}]}";
static const char scored[] =
    "{'fit':73.5,'p':0.25,'grade':'B','raw':-1250000,'icp':2,'seq':9,'found':true,"
    "'tal':true,'id':'acme','intercept':-2000000,'reasons':[{'field':'industry',"
    "'bin':'Software','contribution':600000,'state':'fresh'},{'field':'employees',"
    "'bin':'missing','contribution':-150000,'state':'missing'}],'rest':0,"
    "'missing':['employees'],'stale':[],'fit_low':60.5,'fit_high':80.5}";
static const char counts[] =
    "{'columns':[{'name':'kind','kind':'text','unit':'','help':'its kind'},"
    "{'name':'events','kind':'count','unit':'events','help':'how many'}],'rows':[['won',3],"
    "['lost',2]],'accounts':1000,'events':5,'currency':'','interval':'','correction':'',"
    "'seq':9}";

static void accounts_are_listed_by_an_expression(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_FILTER, two_accounts, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_FILTER, "filter: column 12: a number is wanted", PROTO_BAD_FILTER}};
    static const struct canned replies_2[] = {
        {PROTO_OP_COUNT, "{'count':12345,'of':100000,'seq':9}", PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_COUNT, "{'count':0,'of':0,'seq':9}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"filter 'employees > 10' --fields industry,employees --scores --limit 2",
         CANNED(replies_0), EX_OK,
         "filter {\"filter\":\"employees > 10\",\"limit\":2,\"names\":true,\"fields\":[\"industry\""
         ",\"employees\"],\"scores\":true}\n",
         "id    name    fit       p  grade  raw  industry  employees\n"
         "acme  Acme  50.50  0.5000  B        1  Software     12,345\n"
         "b           25.25  0.2500  C       -1\n",
         "icp filter: 2 accounts shown, there are more; --limit shows them\n"},
        {"filter 'employees > 10' --csv --fields industry --limit 2", CANNED(replies_0), EX_OK,
         "filter {\"filter\":\"employees > 10\",\"limit\":2,\"names\":true,\"fields\":[\"industry\""
         "]}\n",
         "id,name,industry\n"
         "acme,Acme,Software\n"
         "b,,\n",
         ""},
        {"filter 'employees >'", CANNED(replies_1), EX_DATAERR,
         "filter {\"filter\":\"employees >\",\"limit\":100,\"names\":true}\n", "",
         "icp filter: filter: column 12: a number is wanted\n"
         "  employees >\n"
         "             ^\n"},
        {"filter", NULL, 0, EX_USAGE, "", "",
         "icp filter: EXPRESSION is missing; 'icp help filter' has examples\n"},
        {"count 'employees > 10'", CANNED(replies_2), EX_OK,
         "count {\"filter\":\"employees > 10\"}\n", "12,345 of 100,000 accounts\n", ""},
        {"count x --json", CANNED(replies_3), EX_OK, "count {\"filter\":\"x\"}\n",
         "{\n"
         "  \"count\": 0,\n"
         "  \"of\": 0,\n"
         "  \"seq\": 9\n"
         "}\n",
         ""},
        {"count", NULL, 0, EX_USAGE, "", "",
         "icp count: EXPRESSION is missing; 'icp help count' has examples\n"},
    };
    CANNED_ROWS(rows);
}

static void look_alikes_are_listed_with_what_they_share(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_SIMILAR, look_alike, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_RECALL,
         "{'k':10,'queries':5,'measured':0.975,'exact_ms':1.25,'approximate_ms':0.125,"
         "'vectors':12345,'lists':128}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"similar acme --k 1", CANNED(replies_0), EX_OK,
         "similar {\"positives\":[{\"id\":\"acme\"}],\"negatives\":[],\"exclude_ids\":[],\"exclude"
         "_keys\":[],\"exclude_parents\":[],\"k\":1,\"reasons\":3,\"names\":true}\n",
         "id  name  similarity   fit  grade  example  shared                           difference\n"
         "b   Bee       0.9300  50.5  B      acme     industry Software, employees 10  tech Jira, "
         "not missing\n",
         "icp similar: cosine, exact, by scan\n"},
        {"similar acme --csv", CANNED(replies_0), EX_OK,
         "similar {\"positives\":[{\"id\":\"acme\"}],\"negatives\":[],\"exclude_ids\":[],\"exclude"
         "_keys\":[],\"exclude_parents\":[],\"k\":10,\"reasons\":3,\"names\":true}\n",
         "id,name,similarity,fit,grade,example,shared,difference\n"
         "b,Bee,0.9300,50.5,B,acme,\"industry Software, employees 10\",\"tech Jira, not "
         "missing\"\n",
         ""},
        {"similar", NULL, 0, EX_USAGE, "", "",
         "icp similar: like whom? Give ids, --key, --email, --set or --like, each as often as you "
         "want\n"},
        {"recall --n 5", CANNED(replies_1), EX_OK, "recall {\"k\":10,\"n\":5,\"seed\":1}\n",
         "recall 0.9750 at k = 10 over 5 queries of 12345 vectors in 128 lists\n"
         "exact 1.250 ms, approximate 0.125 ms a query\n",
         ""},
        {"recall --n none", NULL, 0, EX_USAGE, "", "",
         "icp recall: --n: 'none' is not a whole number from 1 to 10000\n"},
    };
    CANNED_ROWS(rows);
}

static void a_lead_is_scored_with_reasons(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_SCORE, scored, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_SCORE, ": no account has this id", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"score acme", CANNED(replies_0), EX_OK, "score {\"id\":\"acme\",\"names\":true}\n",
         "grade B, better than 73.5 % of your accounts, p 25.0 %  (ICP version 2, account acme)\n"
         "on the target account list\n"
         "it could be better than 60.5 to 80.5 % if what is missing were known\n"
         "\n"
         "points  field                         value\n"
         " +60.0  industry\n"
         " -15.0  employees\n"
         "  +0.0  (all other fields)\n"
         "-200.0  (where every account starts)\n"
         "missing: employees\n",
         ""},
        {"score acme --csv", NULL, 0, EX_USAGE, "", "",
         "icp score: --csv: the value is missing; --csv FILE: score each row of a CSV file\n"},
        {"score acme --json", CANNED(replies_0), EX_OK, "score {\"id\":\"acme\",\"names\":true}\n",
         "{\n"
         "  \"fit\": 73.5,\n"
         "  \"p\": 0.25,\n"
         "  \"grade\": \"B\",\n"
         "  \"raw\": -1250000,\n"
         "  \"icp\": 2,\n"
         "  \"seq\": 9,\n"
         "  \"found\": true,\n"
         "  \"tal\": true,\n"
         "  \"id\": \"acme\",\n"
         "  \"intercept\": -2000000,\n"
         "  \"reasons\": [\n"
         "    {\n"
         "      \"field\": \"industry\",\n"
         "      \"bin\": \"Software\",\n"
         "      \"contribution\": 600000,\n"
         "      \"state\": \"fresh\"\n"
         "    },\n"
         "    {\n"
         "      \"field\": \"employees\",\n"
         "      \"bin\": \"missing\",\n"
         "      \"contribution\": -150000,\n"
         "      \"state\": \"missing\"\n"
         "    }\n"
         "  ],\n"
         "  \"rest\": 0,\n"
         "  \"missing\": [\n"
         "    \"employees\"\n"
         "  ],\n"
         "  \"stale\": [],\n"
         "  \"fit_low\": 60.5,\n"
         "  \"fit_high\": 80.5\n"
         "}\n",
         ""},
        {"score nobody", CANNED(replies_1), EX_DATAERR,
         "score {\"id\":\"nobody\",\"names\":true}\n", "",
         "icp score: no account has the id 'nobody'\n"},
        {"score", NULL, 0, EX_USAGE, "", "",
         "icp score: whom to score? Give an id, --key, --email or --set, or a file with --csv\n"},
        {"score --set industry", NULL, 0, EX_USAGE, "", "",
         "icp score: --set: 'industry' is not FIELD=VALUE\n"},
    };
    CANNED_ROWS(rows);
}

static void events_are_counted_by_what_was_asked(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_EVENT_QUERY, counts, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_EVENT_QUERY, "sum: amount or quantity", PROTO_BAD_FIELD}};
    static const struct canned_row rows[] = {
        {"event query --members kind", CANNED(replies_0), EX_OK,
         "event-query {\"members\":[\"kind\"]}\n",
         "kind  events\n"
         "won        3\n"
         "lost       2\n",
         "icp event query: 5 events, 1000 accounts looked at, sequence 9, newest event known "
         "none\n"},
        {"event query --sum months", CANNED(replies_1), EX_DATAERR,
         "event-query {\"sum\":\"months\"}\n", "", "icp event query: sum: amount or quantity\n"},
    };
    CANNED_ROWS(rows);
}

static void imports_are_listed_and_undone(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_IMPORT_LIST,
         "{'oldest':1,'count':1,'imports':[{'id':'i1','name':'a.csv','note':'','by':'ann',"
         "'state':'done','began':1714564800000,'ended':1714564860000,'first':3,'last':9,"
         "'batches':2,'accounts':1500,'events':0,'whole':true}]}",
         PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_IMPORT_LIST, "{'oldest':1,'count':0,'imports':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"import list", CANNED(replies_0), EX_OK, "import-list {\"limit\":100}\n",
         "import  name   state  began                by   accounts  events  batches  note\n"
         "i1      a.csv  done   2024-05-01 12:00:00  ann      1500       0        2\n",
         ""},
        {"import list", CANNED(replies_1), EX_OK, "import-list {\"limit\":100}\n",
         "the log knows of no import\n", ""},
        {"import list x y", NULL, 0, EX_USAGE, "", "",
         "icp import list: 'x' is too much: only options may follow; 'icp help import list' lists "
         "them\n"},
        {"import undo", NULL, 0, EX_USAGE, "", "",
         "icp import undo: IMPORT is missing; 'icp help import undo' has examples\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_listed_by_an_expression),
        cmocka_unit_test(look_alikes_are_listed_with_what_they_share),
        cmocka_unit_test(a_lead_is_scored_with_reasons),
        cmocka_unit_test(events_are_counted_by_what_was_asked),
        cmocka_unit_test(imports_are_listed_and_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
