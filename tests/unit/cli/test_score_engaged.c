/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement beside a score and in an explanation; and whether what is not found is the account or
 * what was asked of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

#define SCORED(more)                                                                               \
    "{'fit':100.0,'p':0.9996,'grade':'A','raw':-49,'icp':2,'seq':9,'found':true,'tal':false,"      \
    "'id':'acme','intercept':-49,'reasons':[],'rest':0,'missing':[],'stale':[],'fit_low':0.0,"     \
    "'fit_high':100.0" more "}"
#define EXPLAINED(more)                                                                            \
    "{'icp':2,'seq':9,'found':true,'id':'acme','fit':73.5,'p':0.21,'grade':'B','raw':-49,"         \
    "'intercept':-49,'outcome':'','accounts':0,'outcomes':0,'contributions':[],'families':[],"     \
    "'up':[],'down':[],'missing':[],'fit_low':0.0,'fit_high':0.0,'unseen':[],'stale':[]" more "}"
#define ENGAGED                                                                                    \
    ",'engagement':{'score':12.25,'band':'high','events':3,'last':1714564800000,"                  \
    "'at':1714564800000,'definition':'house','version':3,'parts':{'use':12.0,'touch':0.25}}"
/* No event counted: there is no last one and there are no parts. */
#define QUIET                                                                                      \
    ",'engagement':{'score':0.0,'band':'none','events':0,'at':1714564800000,"                      \
    "'definition':'usual','version':0,'parts':{}}"

static void a_score_says_how_engaged_the_account_is(void **state)
{
    (void)state;
    static const struct canned engaged[] = {{PROTO_OP_SCORE, SCORED(ENGAGED), PROTO_OK}};
    static const struct canned quiet[] = {{PROTO_OP_SCORE, SCORED(QUIET), PROTO_OK}};
    static const struct canned without[] = {{PROTO_OP_SCORE, SCORED(""), PROTO_OK}};
    static const struct canned_row rows[] = {
        {"score acme --engagement house@3", CANNED(engaged), EX_OK,
         "score {\"id\":\"acme\",\"names\":true,\"engagement\":\"house@3\"}\n",
         "grade A, better than 100.0 % of your accounts, p 100.0 %  (ICP version 2, account acme)\n"
         "engagement 12.2, high\n",
         ""},
        {"score acme --engagement usual", CANNED(quiet), EX_OK, NULL,
         "grade A, better than 100.0 % of your accounts, p 100.0 %  (ICP version 2, account acme)\n"
         "engagement 0.0, none\n",
         ""},
        {"score acme", CANNED(without), EX_OK, NULL,
         "grade A, better than 100.0 % of your accounts, p 100.0 %  (ICP version 2, account "
         "acme)\n",
         ""},
        {"score --csv leads.csv --engagement usual", NULL, 0, EX_USAGE, "", "",
         "icp score: --engagement goes with one account, not with --csv; 'icp view' has that of "
         "many\n"},
    };
    CANNED_ROWS(rows);
}

static void an_explanation_says_of_which_events(void **state)
{
    (void)state;
    static const struct canned engaged[] = {{PROTO_OP_EXPLAIN, EXPLAINED(ENGAGED), PROTO_OK}};
    static const struct canned quiet[] = {{PROTO_OP_EXPLAIN, EXPLAINED(QUIET), PROTO_OK}};
    static const struct canned without[] = {{PROTO_OP_EXPLAIN, EXPLAINED(""), PROTO_OK}};
    static const struct canned_row rows[] = {
        {"explain acme --engagement house@3", CANNED(engaged), EX_OK,
         "explain "
         "{\"icp\":0,\"around\":2,\"shapes\":3,\"changes\":3,\"engagement\":\"house@3\",\"id\":"
         "\"acme\"}\n",
         "acme: grade B: better than 74 % of your accounts  (ICP version 2, sequence 9)\n"
         "of 100 such accounts 21.0 have the outcome\n"
         "engagement 12.2, high, of 3 events: use 12.0, touch 0.2; by house@3\n"
         "\n"
         "points  field  value  bin  state  accounts  outcomes  rate %  from %  to %\n"
         "+0.0 points where every account starts: +0.0 in all; 100 points multiply the odds by "
         "2.7\n",
         ""},
        {"explain acme --engagement usual", CANNED(quiet), EX_OK, NULL,
         "acme: grade B: better than 74 % of your accounts  (ICP version 2, sequence 9)\n"
         "of 100 such accounts 21.0 have the outcome\n"
         "engagement 0.0, none, of 0 events; by usual@0\n"
         "\n"
         "points  field  value  bin  state  accounts  outcomes  rate %  from %  to %\n"
         "+0.0 points where every account starts: +0.0 in all; 100 points multiply the odds by "
         "2.7\n",
         ""},
        {"explain acme", CANNED(without), EX_OK, NULL,
         "acme: grade B: better than 74 % of your accounts  (ICP version 2, sequence 9)\n"
         "of 100 such accounts 21.0 have the outcome\n"
         "\n"
         "points  field  value  bin  state  accounts  outcomes  rate %  from %  to %\n"
         "+0.0 points where every account starts: +0.0 in all; 100 points multiply the odds by "
         "2.7\n",
         ""},
        {"explain acme --engagement house --csv", CANNED(engaged), EX_OK, NULL,
         "points,field,value,bin,state,accounts,outcomes,rate %,from %,to %\n", ""},
    };
    CANNED_ROWS(rows);
}

/* The account may be there all the same: it is not the account that the server did not find. */
static void what_is_not_found_is_named(void **state)
{
    (void)state;
    static const char definition[] = "engagement: there is version 3 of 'house' alone";
    static const char version[] = "icp: there is no such version";
    static const char account[] = ": no account has this id, key or email";
    static const struct canned scores[] = {{PROTO_OP_SCORE, definition, PROTO_NOT_FOUND}};
    static const struct canned old_scores[] = {{PROTO_OP_SCORE, version, PROTO_NOT_FOUND}};
    static const struct canned no_scores[] = {{PROTO_OP_SCORE, account, PROTO_NOT_FOUND}};
    static const struct canned explains[] = {{PROTO_OP_EXPLAIN, definition, PROTO_NOT_FOUND}};
    static const struct canned old_explains[] = {{PROTO_OP_EXPLAIN, version, PROTO_NOT_FOUND}};
    static const struct canned no_explains[] = {{PROTO_OP_EXPLAIN, account, PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"score acme --engagement house@9", CANNED(scores), EX_DATAERR, NULL, "",
         "icp score: engagement: there is version 3 of 'house' alone\n"},
        {"score acme --icp 9", CANNED(old_scores), EX_DATAERR, NULL, "",
         "icp score: icp: there is no such version\n"},
        {"score --key domain:a.example", CANNED(no_scores), EX_DATAERR, NULL, "",
         "icp score: no account has the key 'domain:a.example'\n"},
        {"score acme --at 2024-05-01", CANNED(no_scores), EX_DATAERR, NULL, "",
         "icp score: no account has this id, key or email\n"},
        {"explain acme --engagement house@9", CANNED(explains), EX_DATAERR, NULL, "",
         "icp explain: engagement: there is version 3 of 'house' alone\n"},
        {"explain acme --icp 9", CANNED(old_explains), EX_DATAERR, NULL, "",
         "icp explain: icp: there is no such version\n"},
        {"explain --email a@b.example", CANNED(no_explains), EX_DATAERR, NULL, "",
         "icp explain: no account has the email 'a@b.example'\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_says_how_engaged_the_account_is),
        cmocka_unit_test(an_explanation_says_of_which_events),
        cmocka_unit_test(what_is_not_found_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
