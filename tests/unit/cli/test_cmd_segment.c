/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that are kept, against replies that are written down: what would be stored and what is,
 * lists of none and of dropped ones, shares of nobody, and evidence that nobody has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

#define EVIDENCE                                                                                   \
    "'evidence':{'size':12345,'base':100000,'outcome':'won = 1','accounts':1000,'outcomes':250,"   \
    "'rate_low':0.2241,'rate_high':0.2779,'others':9000,'others_outcomes':900,'held':200,"         \
    "'held_outcomes':60,'held_low':0.2407,'held_high':0.3668,'chance':0.00123}"
/* Nobody in it, nobody in all. */
#define NOBODY                                                                                     \
    "'evidence':{'size':0,'base':0,'outcome':'won = 1','accounts':0,'outcomes':0,'rate_low':0.0,"  \
    "'rate_high':1.0,'others':0,'others_outcomes':0,'held':0,'held_outcomes':0,'held_low':0.0,"    \
    "'held_high':1.0,'chance':1.0}"

static void a_segment_is_kept_or_would_be(void **state)
{
    (void)state;
    static const struct canned kept[] = {
        {PROTO_OP_SEGMENT_PUT,
         "{'unchanged':false,'seq':9,'segment':{'name':'Mid','version':3,'filter':'employees > "
         "200'," EVIDENCE "}}",
         PROTO_OK}};
    static const struct canned unknown[] = {
        {PROTO_OP_SEGMENT_PUT,
         "{'unchanged':false,'segment':{'name':'M','version':1,'filter':'a\\u001b[2J',"
         "'evidence':{'size':1,'base':3}}}",
         PROTO_OK}};
    static const struct canned same[] = {
        {PROTO_OP_SEGMENT_PUT,
         "{'unchanged':true,'segment':{'name':'Mid','version':3,'filter':'true'}}", PROTO_OK}};
    static const struct canned gone[] = {
        {PROTO_OP_SEGMENT_PUT,
         "{'unchanged':false,'before':3,'seq':10,'segment':{'name':'Mid','version':4,"
         "'dropped':true}}",
         PROTO_OK}};
    static const struct canned again[] = {
        {PROTO_OP_SEGMENT_PUT,
         "{'unchanged':false,'repeated':true,'segment':{'name':'Mid','version':4,"
         "'dropped':true}}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"segment put Mid 'employees > 200' --note 'as agreed' --icp 2", CANNED(kept), EX_OK,
         "segment-put {\"name\":\"Mid\",\"filter\":\"employees > "
         "200\",\"dry_run\":false,\"note\":\"as agreed\",\"icp\":2}\n",
         "Mid@3 is in force: employees > 200\n"
         "  12,345 of 100,000 accounts (12.3 %)\n"
         "  outcome won = 1: 25.0 % of 1,000 (95 % interval 22.4 to 27.8), beside 10.0 % of the "
         "9,000 others\n"
         "  of those that no search has seen: 30.0 % of 200 (24.1 to 36.7), chance 0.0012\n",
         ""},
        {"segment put M x --dry-run --outcome 'won = 1'", CANNED(unknown), EX_OK,
         "segment-put {\"name\":\"M\",\"filter\":\"x\",\"dry_run\":true,\"outcome\":\"won = "
         "1\",\"icp\":0}\n",
         "M@1 would be in force: a\\x1b[2J\n"
         "  1 of 3 accounts (33.3 %)\n"
         "  nobody says what the outcome is, so nothing is known of it (--outcome)\n",
         ""},
        {"segment put Mid true", CANNED(same), EX_OK, NULL,
         "Mid@3 says the same and is in force: nothing was stored\n", ""},
        {"segment put Mid true --dry-run", CANNED(same), EX_OK, NULL,
         "Mid@3 says the same and is in force: nothing would be stored\n", ""},
        {"segment drop Mid --note broad", CANNED(gone), EX_OK,
         "segment-put {\"name\":\"Mid\",\"drop\":true,\"note\":\"broad\"}\n",
         "Mid is dropped; its versions can be read: icp segment show 'Mid@3'\n", ""},
        {"segment drop Mid", CANNED(again), EX_OK, NULL,
         "Mid is dropped; its versions can be read: icp segment show 'Mid@3'\n", ""},
        {"segment drop Mid --json", CANNED(same), EX_OK, NULL,
         "{\n"
         "  \"unchanged\": true,\n"
         "  \"segment\": {\n"
         "    \"name\": \"Mid\",\n"
         "    \"version\": 3,\n"
         "    \"filter\": \"true\"\n"
         "  }\n"
         "}\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void segments_are_listed_with_their_evidence(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_SEGMENT_LIST,
         "{'damaged':1,'seq':9,'segments':[{'name':'Mid','version':3,'filter':'employees > 200',"
         "'in_force':true,'time':1714564800000,'by':'ann','note':'as, agreed'," EVIDENCE "},"
         "{'name':'None','version':1,'filter':'false','in_force':true,'time':0," NOBODY "},"
         "{'name':'Old','version':2,'dropped':true,'time':1714564800000},"
         "{'name':'Bare','version':1,'filter':'true','time':0,'evidence':{'size':2,'base':3}}]}",
         PROTO_OK}};
    static const struct canned empty[] = {
        {PROTO_OP_SEGMENT_LIST, "{'damaged':0,'seq':9,'segments':[]}", PROTO_OK}};
    static const struct canned none[] = {
        {PROTO_OP_SEGMENT_LIST, "{'damaged':2,'seq':9,'segments':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"segment list", CANNED(some), EX_OK,
         "segment-list {\"all\":false,\"frontier\":false,\"icp\":0}\n",
         "name  version  filter           accounts  of all %  won %  held from     to  put         "
         "      by   note\n"
         "Mid         3  employees > 200    12,345      12.3   25.0       24.1   36.7  2024-05-01 "
         "12:00  ann  as, agreed\n"
         "None        1  false                   0       0.0    0.0        0.0  100.0\n"
         "Old         2                                                                2024-05-01 "
         "12:00\n"
         "Bare        1  true                    2      66.7\n",
         "icp segment list: 1 segment is damaged and cannot be read, of whatever name\n"},
        {"segment list --all --csv", CANNED(some), EX_OK,
         "segment-list {\"all\":true,\"frontier\":false,\"icp\":0}\n",
         "name,version,in force,filter,accounts,of all %,won %,held from,to,put,by,note\n"
         "Mid,3,yes,employees > 200,12345,12.3,25.0,24.1,36.7,2024-05-01 12:00,ann,\"as, agreed\"\n"
         "None,1,yes,false,0,0.0,0.0,0.0,100.0,,,\n"
         "Old,2,dropped,,,,,,,2024-05-01 12:00,,\n"
         "Bare,1,,true,2,66.7,,,,,,\n",
         "icp segment list: 1 segment is damaged and cannot be read, of whatever name\n"},
        {"segment list", CANNED(none), EX_OK, NULL,
         "name  version  filter  accounts  of all %  won %  held from  to  put  by  note\n",
         "icp segment list: 2 segments are damaged and cannot be read, of whatever name\n"},
        {"segment list", CANNED(empty), EX_OK, NULL,
         "name  version  filter  accounts  of all %  won %  held from  to  put  by  note\n",
         "icp segment list: no segment is kept; 'icp segment put' and 'icp segments --keep' keep "
         "one\n"},
    };
    CANNED_ROWS(rows);
}

static void the_best_of_them_are_laid_together(void **state)
{
    (void)state;
    static const struct canned steps[] = {
        {PROTO_OP_SEGMENT_LIST,
         "{'damaged':0,'seq':9,'accounts':1000,'outcomes':100,'segments':[{'name':'Mid',"
         "'version':3,'filter':'true'}],'frontier':[{'names':['Mid'],'accounts':100,'outcomes':50,"
         "'rate_low':0.404,'rate_high':0.596,'quality':12.34},{'names':['Mid','Big'],"
         "'accounts':200,'outcomes':80,'rate_low':0.3346,'rate_high':0.4691,'quality':1.5}]}",
         PROTO_OK}};
    static const struct canned nothing[] = {
        {PROTO_OP_SEGMENT_LIST,
         "{'damaged':0,'seq':9,'accounts':0,'outcomes':0,'segments':[{'name':'Mid','version':3}],"
         "'frontier':[]}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"segment list --frontier --icp 2", CANNED(steps), EX_OK,
         "segment-list {\"all\":false,\"frontier\":true,\"icp\":2}\n",
         "segments   accounts  of all %  won %  from    to  of all it %  added\n"
         "Mid             100      10.0   50.0  40.4  59.6         50.0   12.3\n"
         "Mid + Big       200      20.0   40.0  33.5  46.9         80.0    1.5\n",
         ""},
        {"segment list --frontier --outcome x", CANNED(nothing), EX_OK,
         "segment-list {\"all\":false,\"frontier\":true,\"outcome\":\"x\",\"icp\":0}\n",
         "segments  accounts  of all %  won %  from  to  of all it %  added\n",
         "icp segment list: no segment, and no two of them, have more outcomes than as many "
         "accounts\n"},
        {"segment list --frontier --all", NULL, 0, EX_USAGE, "", "",
         "icp segment list: --frontier is of the segments in force: leave --all out\n"},
        {"segment list --icp 2", NULL, 0, EX_USAGE, "", "",
         "icp segment list: --icp and --outcome go with --frontier\n"},
        {"segment list --outcome x", NULL, 0, EX_USAGE, "", "",
         "icp segment list: --icp and --outcome go with --frontier\n"},
    };
    CANNED_ROWS(rows);
}

static void a_segment_is_shown_then_and_now(void **state)
{
    (void)state;
    static const struct canned shown[] = {
        {PROTO_OP_SEGMENT_GET,
         "{'seq':9,'versions':[],'segment':{'name':'Mid','version':3,'filter':'employees > 200',"
         "'in_force':true,'time':1714564800000,'by':'ann','note':'as agreed'," EVIDENCE "},"
         "'now':{'size':1,'base':1},'grades':[{'grade':'A','accounts':1,'base':3},"
         "{'grade':'B','accounts':2,'base':5}],'apart':[{'field':'tech','bin':'Jira','share':0.5,"
         "'others':0.125,'distance':0.3755,'chance':0.000012345,'own':true},{'field':'country',"
         "'bin':'DE','share':0.0,'others':0.0004,'distance':0.0,'chance':1.0,'own':false}]}",
         PROTO_OK}};
    static const struct canned alone[] = {
        {PROTO_OP_SEGMENT_GET,
         "{'seq':9,'versions':[],'segment':{'name':'Mid','version':1,'filter':'true','time':"
         "1714564800000},"
         "'now':{'size':0,'base':0},'grades':[{'grade':'A','accounts':0,'base':0}],'apart':[]}",
         PROTO_OK}};
    static const struct canned gone[] = {
        {PROTO_OP_SEGMENT_GET,
         "{'seq':9,'versions':[],'segment':{'name':'Mid','version':4,'dropped':true,"
         "'time':1714564800000,'by':'bob'}}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"segment show Mid", CANNED(shown), EX_OK,
         "segment-get {\"name\":\"Mid\",\"fields\":5,\"icp\":0}\n",
         "Mid, version 3: put 2024-05-01 12:00 by ann: as agreed\n"
         "  employees > 200\n"
         "then:\n"
         "  12,345 of 100,000 accounts (12.3 %)\n"
         "  outcome won = 1: 25.0 % of 1,000 (95 % interval 22.4 to 27.8), beside 10.0 % of the "
         "9,000 others\n"
         "  of those that no search has seen: 30.0 % of 200 (24.1 to 36.7), chance 0.0012\n"
         "now:\n"
         "  1 of 1 accounts (100.0 %)\n"
         "  nobody says what the outcome is, so nothing is known of it (--outcome)\n"
         "\n"
         "grade  accounts     %  of all %\n"
         "A             1  33.3      37.5\n"
         "B             2  66.7      62.5\n"
         "\n"
         "sets it apart           %  others %  distance   chance  itself\n"
         "tech           Jira  50.0      12.5     0.376  1.2e-05  yes\n"
         "country        DE     0.0       0.0     0.000        1\n",
         ""},
        {"segment show Mid@1 --fields 0 --icp 2", CANNED(alone), EX_OK,
         "segment-get {\"name\":\"Mid@1\",\"fields\":0,\"icp\":2}\n",
         "Mid, version 1 (not in force): put 2024-05-01 12:00\n"
         "  true\n"
         "now:\n"
         "  0 of 0 accounts (0.0 %)\n"
         "  nobody says what the outcome is, so nothing is known of it (--outcome)\n"
         "\n"
         "grade  accounts    %  of all %\n"
         "A             0  0.0       0.0\n"
         "\n"
         "no field is spread otherwise than outside, by more than chance\n",
         ""},
        {"segment show Mid@4", CANNED(gone), EX_OK, NULL,
         "Mid, version 4: dropped 2024-05-01 12:00 by bob\n", ""},
    };
    CANNED_ROWS(rows);
}

static void what_is_no_segment_is_refused(void **state)
{
    (void)state;
    static const struct canned absent[] = {
        {PROTO_OP_SEGMENT_GET, "name: there is no segment 'Mid'; there are Big and Small",
         PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"segment show Mid", CANNED(absent), EX_DATAERR, NULL, "",
         "icp segment show: name: there is no segment 'Mid'; there are Big and Small\n"},
        {"segment show", NULL, 0, EX_USAGE, "", "",
         "icp segment show: NAME is missing; 'icp help segment show' has examples\n"},
        {"segment show Mid --fields 65", NULL, 0, EX_USAGE, "", "",
         "icp segment show: --fields: '65' is not a whole number from 0 to 64\n"},
        {"segment show Mid --icp 0", NULL, 0, EX_USAGE, "", "",
         "icp segment show: --icp: '0' is not a whole number from 1 to 4294967295\n"},
        {"segment put Mid", NULL, 0, EX_USAGE, "", "",
         "icp segment put: NAME FILTER is missing; 'icp help segment put' has examples\n"},
        {"segment put Mid true --icp 4294967296", NULL, 0, EX_USAGE, "", "",
         "icp segment put: --icp: '4294967296' is not a whole number from 1 to 4294967295\n"},
        {"segment drop", NULL, 0, EX_USAGE, "", "",
         "icp segment drop: NAME is missing; 'icp help segment drop' has examples\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_kept_or_would_be),
        cmocka_unit_test(segments_are_listed_with_their_evidence),
        cmocka_unit_test(the_best_of_them_are_laid_together),
        cmocka_unit_test(a_segment_is_shown_then_and_now),
        cmocka_unit_test(what_is_no_segment_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
