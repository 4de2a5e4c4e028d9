/* SPDX-License-Identifier: Apache-2.0 */
/* Look-alikes against replies that are written down: which example is sent as what, what two
 * accounts share and where they differ, whose example is not there, what only a build takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

/* What each reply says besides. */
#define COMMON "'seq':9,'positives':1,'positives_matched':0,'negatives':0,'metric':'cosine',"

static const struct canned nobody[] = {
    {PROTO_OP_SIMILAR,
     "{'icp':0," COMMON "'results':[],'path':'scan','exact':true,'recall_expected':1.0}",
     PROTO_OK}};

#define NOBODY_SAID "icp similar: cosine, exact, by scan\n"
#define REST "\"k\":10,\"reasons\":3,\"names\":true"
#define NONE "\"negatives\":[],\"exclude_ids\":[],\"exclude_keys\":[],\"exclude_parents\":[],"

static void each_example_is_sent_as_what_it_is(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"similar acme domain:globex.com --email ann@initech.com --key crm:7 --id hooli",
         CANNED(nobody), EX_OK,
         "similar {\"positives\":[{\"id\":\"hooli\"},{\"id\":\"acme\"},"
         "{\"key\":\"domain:globex.com\"},{\"key\":\"crm:7\"},{\"email\":\"ann@initech.com\"}]"
         "," NONE REST "}\n",
         NULL, NOBODY_SAID},
        {"similar --set industry=Software --set note=a=b", CANNED(nobody), EX_OK,
         "similar {\"positives\":[{\"values\":{\"industry\":\"Software\",\"note\":\"a=b\"}}]," NONE
             REST "}\n",
         NULL, NOBODY_SAID},
        {"similar acme --not globex --not crm:7 --exclude x --exclude domain:y.com "
         "--exclude-parent Umbrella --exclude-family --parent-field owner",
         CANNED(nobody), EX_OK,
         "similar {\"positives\":[{\"id\":\"acme\"}],"
         "\"negatives\":[{\"id\":\"globex\"},{\"key\":\"crm:7\"}],\"exclude_ids\":[\"x\"],"
         "\"exclude_keys\":[\"domain:y.com\"],\"exclude_parents\":[\"Umbrella\"],"
         "\"exclude_family\":true,\"parent_field\":\"owner\"," REST "}\n",
         NULL, NOBODY_SAID},
        {"similar --like 'won = 1' --unlike 'won = 0' --filter true -k 3 --reasons 0 --icp 2 "
         "--recall 0.5",
         CANNED(nobody), EX_OK,
         "similar {\"positives\":[]," NONE
         "\"positives_where\":\"won = 1\",\"negatives_where\":\"won = 0\",\"filter\":\"true\","
         "\"k\":3,\"reasons\":0,\"names\":true,\"icp\":2,\"recall\":0.5}\n",
         NULL, NOBODY_SAID},
    };
    CANNED_ROWS(rows);
}

static void what_is_no_search_is_refused_before_it_is_sent(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"similar", NULL, 0, EX_USAGE, "", "",
         "icp similar: like whom? Give ids, --key, --email, --set or --like, each as often as you "
         "want\n"},
        {"similar --set industry", NULL, 0, EX_USAGE, "", "",
         "icp similar: --set: 'industry' is not FIELD=VALUE\n"},
        {"similar --set =x", NULL, 0, EX_USAGE, "", "",
         "icp similar: --set: '=x' is not FIELD=VALUE\n"},
        {"similar acme --recall 0", NULL, 0, EX_USAGE, "", "",
         "icp similar: --recall: a share above 0 and up to 1 is wanted, such as 0.99, not '0'\n"},
        {"similar acme --recall 1.5", NULL, 0, EX_USAGE, "", "",
         "icp similar: --recall: a share above 0 and up to 1 is wanted, such as 0.99, not '1.5'\n"},
        {"similar acme --recall 0.9x", NULL, 0, EX_USAGE, "", "",
         "icp similar: --recall: a share above 0 and up to 1 is wanted, such as 0.99, not "
         "'0.9x'\n"},
        {"similar acme --metric cosine", NULL, 0, EX_USAGE, "", "",
         "icp similar: --metric: takes effect with --build\n"},
        {"similar acme --weight city=0.5", NULL, 0, EX_USAGE, "", "",
         "icp similar: --weight: takes effect with --build\n"},
        {"similar --build --weight city", nobody, 1, EX_USAGE, "", "",
         "icp similar: --weight: 'city' is not FIELD=NUMBER, such as city=0.5\n"},
        {"similar --build --weight city=-1", nobody, 1, EX_USAGE, "", "",
         "icp similar: --weight: 'city=-1' is not FIELD=NUMBER, such as city=0.5\n"},
        {"similar --build --weight city=nan", nobody, 1, EX_USAGE, "", "",
         "icp similar: --weight: 'city=nan' is not FIELD=NUMBER, such as city=0.5\n"},
    };
    CANNED_ROWS(rows);
}

static void hits_say_what_is_shared_and_what_is_not(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_SIMILAR,
         "{'icp':2," COMMON "'path':'probe','exact':false,'recall_expected':0.987,"
         "'results':[{'id':'globex','name':'Globex, Inc','similarity':0.91237,'fit':81.26,"
         "'grade':'A','example':'acme','shared':[{'field':'industry','value':'Software'},"
         "{'field':'embedding'},{'field':'city','value':null}],"
         "'difference':{'field':'country','value':'DE','example_value':null}},"
         "{'id':'hooli','similarity':0.5,'difference':{'field':'embedding','value':null,"
         "'example_value':null}}]}",
         PROTO_OK}};
    static const struct canned bare[] = {
        {PROTO_OP_SIMILAR,
         "{'icp':0," COMMON
         "'path':'scan','exact':true,'recall_expected':1.0,'results':[{'id':'globex',"
         "'similarity':1.0,'fit':81.26}]}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"similar acme --csv", CANNED(some), EX_OK, NULL,
         "id,name,similarity,fit,grade,example,shared,difference\n"
         "globex,\"Globex, Inc\",0.9124,81.3,A,acme,\"industry Software, embedding, city "
         "missing\",\"country DE, not missing\"\n"
         "hooli,,0.5000,,,,,embedding differs\n",
         ""},
        {"similar acme", CANNED(some), EX_OK, NULL, NULL,
         "icp similar: cosine, approximate, by probe: 0.987 of the exact answer is expected\n"},
        {"similar acme --csv", CANNED(bare), EX_OK, NULL,
         "id,similarity,fit,grade,example,shared,difference\n"
         "globex,1.0000,,,,,\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void an_example_that_is_not_there_is_named_as_it_was_given(void **state)
{
    (void)state;
    static const struct canned first[] = {
        {PROTO_OP_SIMILAR, "positives[0]: no such account", PROTO_NOT_FOUND}};
    static const struct canned second[] = {
        {PROTO_OP_SIMILAR, "positives[1]: no such account", PROTO_NOT_FOUND}};
    static const struct canned third[] = {
        {PROTO_OP_SIMILAR, "positives[2]: no such account", PROTO_NOT_FOUND}};
    static const struct canned beyond[] = {
        {PROTO_OP_SIMILAR, "positives[9]: no such account", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"similar acme --id hooli", CANNED(first), EX_DATAERR, NULL, "",
         "icp similar: no account has the id 'hooli'\n"},
        {"similar acme --id hooli", CANNED(second), EX_DATAERR, NULL, "",
         "icp similar: no account has the id 'acme'\n"},
        {"similar acme --id hooli --email ann@x.com", CANNED(third), EX_DATAERR, NULL, "",
         "icp similar: no account has the email 'ann@x.com'\n"},
        {"similar acme crm:7", CANNED(second), EX_DATAERR, NULL, "",
         "icp similar: no account has the key 'crm:7'\n"},
        {"similar acme", CANNED(beyond), EX_DATAERR, NULL, "", NULL},
    };
    CANNED_ROWS(rows);
}

static void a_build_says_what_it_built_and_may_be_followed_by_a_search(void **state)
{
    (void)state;
    static const struct canned both[] = {
        {PROTO_OP_SIMILAR_BUILD, "{'job':1,'vectors':12345,'dims':64}", PROTO_OK},
        {PROTO_OP_SIMILAR,
         "{'icp':0," COMMON "'results':[],'path':'scan','exact':true,'recall_expected':1.0}",
         PROTO_OK}};
    static const struct canned refused[] = {
        {PROTO_OP_SIMILAR_BUILD, "weights.city: the schema has no such field", PROTO_BAD_FIELD}};
    static const struct canned_row rows[] = {
        {"similar --build --dims 64 --metric cosine --vector-share 0.5 --weight city=0.5 "
         "--weight a=b=2",
         CANNED(both), EX_OK,
         "similar-build {\"dims\":64,\"vector_share\":0.5,\"metric\":\"cosine\","
         "\"weights\":{\"city\":0.5,\"a=b\":2.0}}\n",
         "", "icp similar: built 12345 vectors of 64 numbers\n"},
        {"similar acme --build --defaults --icp-weights", CANNED(both), EX_OK,
         "similar-build {\"icp_weights\":true,\"defaults\":true}\n"
         "similar {\"positives\":[{\"id\":\"acme\"}]," NONE REST "}\n",
         NULL, "icp similar: built 12345 vectors of 64 numbers\n" NOBODY_SAID},
        {"similar acme --build --weight city=1", CANNED(refused), EX_DATAERR,
         "similar-build {\"weights\":{\"city\":1.0}}\n", "", NULL},
    };
    CANNED_ROWS(rows);
}

static void recall_is_told_with_what_it_was_measured_over(void **state)
{
    (void)state;
    static const struct canned measured[] = {
        {PROTO_OP_RECALL,
         "{'measured':0.98765,'k':10,'queries':100,'vectors':5000,'lists':70,'exact_ms':1.5,"
         "'approximate_ms':0.25}",
         PROTO_OK}};
    static const struct canned_row rows[] = {
        {"recall", CANNED(measured), EX_OK, "recall {\"k\":10,\"n\":100,\"seed\":1}\n",
         "recall 0.9877 at k = 10 over 100 queries of 5000 vectors in 70 lists\n"
         "exact 1.500 ms, approximate 0.250 ms a query\n",
         ""},
        {"recall -k 5 --n 7 --seed 0 --recall 1", CANNED(measured), EX_OK,
         "recall {\"k\":5,\"n\":7,\"seed\":0,\"recall\":1.0}\n", NULL, ""},
        {"recall --recall 2", NULL, 0, EX_USAGE, "", "",
         "icp recall: --recall: a share above 0 and up to 1 is wanted, such as 0.99, not '2'\n"},
        {"recall acme", NULL, 0, EX_USAGE, "", "", NULL},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_example_is_sent_as_what_it_is),
        cmocka_unit_test(what_is_no_search_is_refused_before_it_is_sent),
        cmocka_unit_test(hits_say_what_is_shared_and_what_is_not),
        cmocka_unit_test(an_example_that_is_not_there_is_named_as_it_was_given),
        cmocka_unit_test(a_build_says_what_it_built_and_may_be_followed_by_a_search),
        cmocka_unit_test(recall_is_told_with_what_it_was_measured_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
