/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of target account lists, against replies that are written down: what is asked, printed
 * and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static const char two_lists[] =
    "{'tals':[{'name':'q3','created':'2024-05-01T12:00:00Z','count':100,'unassigned':3,"
    "'filter':'employees > 10','note':'n','digest':'ab12','icp':2,'current':true},"
    "{'number':2,'error':'corrupt'}]}";
static const char ranks[] =
    "{'name':'q3','count':2,'head':{'digest':'ab12','format':2,'name':'q3',"
    "'note':'for the third quarter','created':'2024-05-01T12:00:00Z','icp':{'version':2},"
    "'reference':[],'seq':9,'filter':'employees > 10','k':2,'quota':{},'segments':[],"
    "'owners':[],'population':{},'count':2,'unassigned':0,'draw':{'seed':'s1',"
    "'hold_out':0.1,'below':'19','held_out':1,'just_missed':2,'sample':3},'last':null},'entries':[{"
    "'rank':1,"
    "'id':'acme','name':'Acme','fit':95.25,'p':0.4,'grade':'A','raw':1500000,'owner':'ann',"
    "'segment':'s','reasons':[]},{'rank':2,'id':'b','fit':50.5,'p':0.1,'grade':'C',"
    "'raw':-1000000,'reasons':[]}]}";
static const char pairs[] =
    "{'both':1,'only_a':1,'only_b':1,'accounts':[{'id':'x','rank_a':1,'fit_a':90.5,"
    "'rank_b':null,'fit_b':null},{'id':'y','rank_a':2,'fit_a':50.5,'rank_b':1,"
    "'fit_b':70.5},{'id':'z','rank_a':null,'fit_a':null,'rank_b':2,'fit_b':40.5}]}";
static const char changed_list[] =
    "{'name':'q3','digest':'ab12','icp':2,'count':100,'held_out':9,'seq':5,'seq_now':9,'changed':1,"
    "'gone':1,'changes':[{'id':'acme','fit':90.5,'fit_now':50.5}],'entering':['n'],"
    "'leaving':['o'],'same':false}";

static void lists_are_listed_damaged_ones_too(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_TAL_LIST, two_lists, PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_TAL_LIST, "{'tals':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"tal list", CANNED(replies_0), EX_OK, "tal-list {}\n",
         "name  icp  current  count  unassigned  created               filter          note  diges"
         "t\n"
         "q3      2  true       100           3  2024-05-01T12:00:00Z  employees > 10  n     "
         "ab12\n",
         "icp tal list: list number 2 is damaged and cannot be read; with no backup, 'icp tal drop"
         " --number 2 --damaged' gives it up\n"},
        {"tal list --csv", CANNED(replies_0), EX_OK, "tal-list {}\n",
         "name,icp,current,count,unassigned,created,filter,note,digest\n"
         "q3,2,true,100,3,2024-05-01T12:00:00Z,employees > 10,n,ab12\n",
         "icp tal list: list number 2 is damaged and cannot be read; with no backup, 'icp tal drop"
         " --number 2 --damaged' gives it up\n"},
        {"tal list", CANNED(replies_1), EX_OK, "tal-list {}\n",
         "no target account list yet; 'icp tal build' makes one\n", ""},
    };
    CANNED_ROWS(rows);
}

static void a_list_is_shown_by_rank(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_TAL_GET, ranks, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_TAL_GET, "name: there is no list none", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"tal show q3", CANNED(replies_0), EX_OK,
         "tal-get {\"name\":\"q3\",\"limit\":20,\"offset\":0,\"names\":true}\n",
         "q3: 2 accounts, built by version 2\n"
         "  created    2024-05-01T12:00:00Z\n"
         "  filter     employees > 10\n"
         "  note       for the third quarter\n"
         "  sequence   9\n"
         "  digest     ab12\n"
         "  beside     2 just missed, sample of 3, 1 held out by seed s1\n"
         "\n"
         "rank  id    name    fit       p  grade         raw  reasons\n"
         "   1  acme  Acme  95.25  0.4000  A       1,500,000\n"
         "   2  b           50.50  0.1000  C      -1,000,000\n",
         ""},
        {"tal show q3 --csv", CANNED(replies_0), EX_OK,
         "tal-get {\"name\":\"q3\",\"limit\":20,\"offset\":0,\"names\":true}\n",
         "rank,id,name,fit,p,grade,raw,segment,owner,unassigned,held_out,reasons\n"
         "1,acme,Acme,95.25,0.4000,A,1500000,s,ann,,,\n"
         "2,b,,50.50,0.1000,C,-1000000,,,,,\n",
         ""},
        {"tal show none", CANNED(replies_1), EX_DATAERR,
         "tal-get {\"name\":\"none\",\"limit\":20,\"offset\":0,\"names\":true}\n", "",
         "icp tal show: name: there is no list none\n"},
        {"tal show", NULL, 0, EX_USAGE, "", "",
         "icp tal show: NAME is missing; 'icp help tal show' has examples\n"},
    };
    CANNED_ROWS(rows);
}

static void two_lists_are_laid_beside_each_other(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_TAL_DIFF, pairs, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"tal diff q2 q3", CANNED(replies_0), EX_OK,
         "tal-diff {\"a\":\"q2\",\"b\":\"q3\",\"names\":true}\n",
         "1 on both, 1 on q2 alone, 1 on q3 alone\n"
         "\n"
         "id  rank_a  rank_b  fit_a  fit_b\n"
         "x        1          90.50\n"
         "y        2       1  50.50  70.50\n"
         "z                2         40.50\n",
         ""},
        {"tal diff q2 q3 --csv", CANNED(replies_0), EX_OK,
         "tal-diff {\"a\":\"q2\",\"b\":\"q3\",\"names\":true}\n",
         "id,rank_a,rank_b,fit_a,fit_b\n"
         "x,1,,90.50,\n"
         "y,2,1,50.50,70.50\n"
         "z,,2,,40.50\n",
         ""},
        {"tal diff q2", NULL, 0, EX_USAGE, "", "",
         "icp tal diff: A B is missing; 'icp help tal diff' has examples\n"},
    };
    CANNED_ROWS(rows);
}

static void a_list_is_held_against_what_is_stored_now(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_TAL_CHECK, changed_list, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_TAL_CHECK,
         "{'name':'q3','digest':'ab12','icp':2,'count':100,'held_out':0,'seq':9,'seq_now':9,'"
         "changed':0,"
         "'gone':0,'changes':[],'entering':[],'leaving':[],'same':true}",
         PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_TAL_CHECK,
         "{'name':'q3','digest':'ab12','icp':2,'count':100,'held_out':0,'seq':5,'seq_now':9,'"
         "changed':0,"
         "'gone':0,'changes':[],'entering':[],'leaving':[],'same':false,"
         "'refused':'the schema has no field x'}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"tal check q3", CANNED(replies_0), EX_OK, "tal-check {\"name\":\"q3\",\"names\":true}\n",
         "the list is as it was stored: digest ab12\n"
         "9 of its accounts are held out: a score says that they are on no list\n"
         "built from sequence 5, the data are at 9 now:\n"
         "  1 of 100 accounts score differently, 1 are gone\n"
         "  1 would come: n\n"
         "  1 would go: o\n",
         ""},
        {"tal check q3", CANNED(replies_1), EX_OK, "tal-check {\"name\":\"q3\",\"names\":true}\n",
         "the list is as it was stored: digest ab12\n"
         "built today it would come out the same\n",
         ""},
        {"tal check q3", CANNED(replies_2), EX_OK, "tal-check {\"name\":\"q3\",\"names\":true}\n",
         "the list is as it was stored: digest ab12\n"
         "built from sequence 5, the data are at 9 now:\n"
         "  0 of 100 accounts score differently, 0 are gone\n"
         "  it cannot be built again: the schema has no field x\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void a_list_is_built_with_what_was_asked(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_TAL_BUILD,
         "{'name':'q3','count':5,'matched':50,'excluded':0,'unassigned':0,'held_out':1,"
         "'just_missed':5,'sample':5,'seed':'s1','icp':2,'seq':9,"
         "'digest':'ab12'}",
         PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_TAL_BUILD, "name: there is a list q3 already", PROTO_CONFLICT}};
    static const struct canned_row rows[] = {
        {"tal build q3 --filter 'employees > 10' --k 5 --note why", CANNED(replies_0), EX_OK,
         "tal-build {\"name\":\"q3\",\"filter\":\"employees > 10\",\"note\":\"why\",\"k\":5}\n",
         "q3: 5 accounts of 50 that match, 0 excluded\n"
         "beside it 5 that just missed it and a sample of 5, for the verdict\n"
         "1 of its accounts are held out and not to be worked; seed s1 draws them again\n"
         "built by version 2, frozen with digest ab12\n",
         ""},
        {"tal build q3", CANNED(replies_1), EX_DATAERR, "tal-build {\"name\":\"q3\"}\n", "",
         "icp tal build: name: there is a list q3 already\n"},
        {"tal build q3 --k none", NULL, 0, EX_USAGE, "", "",
         "icp tal build: --k: 'none' is not a whole number from 1 to 10000\n"},
        {"tal build", NULL, 0, EX_USAGE, "", "",
         "icp tal build: NAME is missing; 'icp help tal build' has examples\n"},
    };
    CANNED_ROWS(rows);
}

static void a_damaged_list_is_given_up_by_name(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_TAL_DROP, "{'number':2,'seq':9}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"tal drop q3 --damaged", CANNED(replies_0), EX_OK, "tal-drop {\"name\":\"q3\"}\n",
         "list number 2 is given up; its name is free\n", ""},
        {"tal drop q3", NULL, 0, EX_USAGE, "", "",
         "icp tal drop: what is given up does not come back: restore a backup, or say --damaged\n"},
        {"tal drop", NULL, 0, EX_USAGE, "", "",
         "icp tal drop: name the list, or say its --number\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_listed_damaged_ones_too),
        cmocka_unit_test(a_list_is_shown_by_rank),
        cmocka_unit_test(two_lists_are_laid_beside_each_other),
        cmocka_unit_test(a_list_is_held_against_what_is_stored_now),
        cmocka_unit_test(a_list_is_built_with_what_was_asked),
        cmocka_unit_test(a_damaged_list_is_given_up_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
