/* SPDX-License-Identifier: Apache-2.0 */
/* The card of an account, from a whole one to one that is all but empty: each part is a line or is
 * not there, and what people wrote is never a control character of the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

/* JSON with ' for ", as in canned.h. */
static const char whole[] =
    "{'id':'acme','name':'Ac\\u001bme','keys':['crm:7'],'icp':2,'seq':9,"
    "'at':'2024-05-01T12:00:00Z','fit':73.5,'grade':'B','p':0.25,"
    "'fit_in_words':'better than 73.5 of 100 accounts','outcome':'won = 1','why':["
    "{'says':'for','points':60.0,'field':'industry','value':'Software'},"
    "{'says':'against','points':-0.0,'field':'country','value':'DE','second':'employees',"
    "'second_value':'above 500'}],'missing':['revenue'],'fit_low':60.5,'fit_high':80.5,"
    "'stale':['industry','country'],'engagement':{'score':12.25,'band':'high','events':3,"
    "'last':'2024-04-30T08:00:00Z','definition':'usual','version':0},'lifecycle':{"
    "'customer':true,'mrr_minor_units':123456,'currency':'EUR','since':'2023-05-01T00:00:00Z',"
    "'tenure_days':366,'nps':-12.5,'renewals':1,'churned':0},'lists':['Q3'],'look_alikes':["
    "{'id':'b','similarity':0.9375,'grade':'A'},{'id':'c','similarity':0.5}],"
    "'events_in_all':2,'events':[{'time':'2024-04-30T08:00:00Z','type':'revenue','kind':'new',"
    "'amount':500,'currency':'JPY'},{'time':'2024-04-29T08:00:00Z','type':'touch',"
    "'label':'a\\nb\\u009b2J'}],'values':{'industry':{'value':'Software','state':'stale'},"
    "'employees':{'value':0.1,'state':'fresh'}},'without':{'plans':'nobody told any'}}";
static const char bare[] =
    "{'id':'b','icp':0,'seq':0,'at':'2024-05-01T12:00:00Z','engagement':{'score':0.0,"
    "'band':'none','events':0,'last':null,'definition':'usual','version':0},'lifecycle':{"
    "'customer':false,'mrr_minor_units':0,'currency':'','since':null,'tenure_days':0,"
    "'nps':null,'renewals':0,'churned':0},'events_in_all':0,'events':[],'values':{},"
    "'without':{'fit':'no ICP is active','look_alikes':null}}";
static const char once[] =
    "{'id':'c','icp':1,'seq':5,'at':'2024-05-01T12:00:00Z','engagement':{'score':0.04,"
    "'band':'low','events':1,'last':'2024-04-30T08:00:00Z','definition':'house','version':3},"
    "'lifecycle':{'customer':true,'mrr_minor_units':-5,'currency':'KWD','since':null,"
    "'nps':0.0,'renewals':0,'churned':1},'events_in_all':12345,'events':[],'values':{},"
    "'without':{}}";

/* Replies of one text each, which is a card or what is left of one. */
static struct canned all[] = {{PROTO_OP_CARD, whole, PROTO_OK}};
static struct canned least[] = {{PROTO_OP_CARD, bare, PROTO_OK}};
static struct canned few[] = {{PROTO_OP_CARD, once, PROTO_OK}};
static struct canned small[] = {{PROTO_OP_CARD, "{'id':'b'}", PROTO_OK}};
static struct canned cut[] = {{PROTO_OP_CARD, "{'id':", PROTO_OK}};
static struct canned *const cards[] = {all, least, few, small, cut};

static int replies_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        char *card = strdup(cards[i]->reply);
        assert_non_null(card);
        for (char *at = strchr(card, '\''); at != NULL; at = strchr(at, '\'')) {
            *at = '"';
        }
        json_t *reply = json_pack("{s:i, s:i, s:s}", "icp", 2, "seq", 9, "card", card);
        cards[i]->reply = json_dumps(reply, JSON_COMPACT);
        assert_non_null(cards[i]->reply);
        json_decref(reply);
        free(card);
    }
    return 0;
}

static int replies_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        free((char *)(uintptr_t)cards[i]->reply);
    }
    return 0;
}

static void each_part_of_the_card_is_a_line(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"card acme", CANNED(all), EX_OK, "card {\"events\":10,\"similar\":5,\"id\":\"acme\"}\n",
         "account \"acme\", name \"Ac\\u001Bme\"\n"
         "keys: \"crm:7\"\n"
         "fit 73.5, grade B, p 0.250: better than 73.5 of 100 accounts\n"
         "outcome that was learned: \"won = 1\"\n"
         "  for, +60 points: industry \"Software\"\n"
         "  against, +0 points: country \"DE\" with employees \"above 500\"\n"
         "missing: \"revenue\"\n"
         "with those the fit would lie from 60.5 to 80.5\n"
         "stale: \"industry\", \"country\"\n"
         "engagement 12.2, high: 3 events, last on 2024-04-30, by usual@0\n"
         "customer, 1234.56 EUR a month, first paid on 2023-05-01, 366 days, NPS -12.5, 1 "
         "renewals, churned 0 times\n"
         "on lists: \"Q3\"\n"
         "look-alikes: \"b\" 0.938 grade A, \"c\" 0.500\n"
         "last of 2 events\n"
         "  2024-04-30 revenue kind \"new\" 500 JPY\n"
         "  2024-04-29 touch label \"a\\nb\\xc2\\x9b2J\"\n"
         "values\n"
         "  industry \"Software\" (stale)\n"
         "  employees 0.1\n"
         "no plans: nobody told any\n"
         "ICP 2, sequence 9, as of 2024-05-01T12:00:00Z\n",
         ""},
        {"card --key domain:b.example --events 0 --similar 0", CANNED(least), EX_OK,
         "card {\"events\":0,\"similar\":0,\"key\":\"domain:b.example\"}\n",
         "account \"b\"\n"
         "engagement 0.0, none: 0 events, by usual@0\n"
         "no customer, 0 renewals, churned 0 times\n"
         "last of 0 events\n"
         "values\n"
         "no fit: no ICP is active\n"
         "no look_alikes: \n"
         "ICP 0, sequence 0, as of 2024-05-01T12:00:00Z\n",
         ""},
        {"card --email a@c.example --at 2024-05-01 --engagement house@3", CANNED(few), EX_OK,
         "card "
         "{\"events\":10,\"similar\":5,\"at\":1714521600000,\"engagement\":\"house@3\",\"email\":"
         "\"a@c.example\"}\n",
         "account \"c\"\n"
         "engagement 0.0, low: 1 events, last on 2024-04-30, by house@3\n"
         "customer, -0.005 KWD a month, NPS 0, 0 renewals, churned 1 times\n"
         "last of 12345 events\n"
         "values\n"
         "ICP 1, sequence 5, as of 2024-05-01T12:00:00Z\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void a_card_is_json_for_programs_or_nothing(void **state)
{
    (void)state;
    static const struct canned none[] = {{PROTO_OP_CARD, "{'icp':2,'seq':9,'card':''}", PROTO_OK}};
    static const struct canned bad[] = {{PROTO_OP_CARD, "{'icp':2,'card':''}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"card b --json", CANNED(small), EX_OK, NULL,
         "{\n"
         "  \"id\": \"b\"\n"
         "}\n",
         ""},
        {"card b", CANNED(cut), EX_PROTOCOL, NULL, "", "icp card: the server's card is no JSON\n"},
        {"card b --json", CANNED(none), EX_PROTOCOL, NULL, "",
         "icp card: the server's card is no JSON\n"},
        {"card b --events 1", CANNED(bad), EX_PROTOCOL, NULL, "",
         "icp card: seq: the server's reply to card is not valid: expected a whole number, found "
         "no such field\n"},
    };
    CANNED_ROWS(rows);
}

static void whom_no_card_is_of_is_said(void **state)
{
    (void)state;
    static const struct canned absent[] = {
        {PROTO_OP_CARD, ": no account has this id, key or email", PROTO_NOT_FOUND}};
    static const struct canned other[] = {
        {PROTO_OP_CARD, "engagement: there is version 3 of 'house' alone", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"card nobody", CANNED(absent), EX_DATAERR, NULL, "",
         "icp card: no account has the id 'nobody'\n"},
        {"card --key nokey", CANNED(absent), EX_DATAERR, NULL, "",
         "icp card: no account has the key 'nokey'; a key has a namespace before it, such as "
         "domain:acme.com\n"},
        {"card acme --engagement house@9", CANNED(other), EX_DATAERR, NULL, "",
         "icp card: engagement: there is version 3 of 'house' alone\n"},
        {"card", NULL, 0, EX_USAGE, "", "", "icp card: give one of ID, --key and --email\n"},
        {"card acme --key crm:7", NULL, 0, EX_USAGE, "", "",
         "icp card: give one of ID, --key and --email\n"},
        {"card acme b", NULL, 0, EX_USAGE, "", "",
         "icp card: 'b' is one argument too many; expected [ID]: if it holds blanks, put quotes "
         "around it ('icp help card' has examples)\n"},
        {"card acme --events 51", NULL, 0, EX_USAGE, "", "",
         "icp card: --events: '51' is not a whole number from 0 to 50\n"},
        {"card acme --similar -1", NULL, 0, EX_USAGE, "", "",
         "icp card: --similar: '-1' is not a whole number from 0 to 20\n"},
        {"card acme --at yesterday", NULL, 0, EX_USAGE, "", "",
         "icp card: --at: 'yesterday' is no time such as 2024-01-01T12:00:00Z\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_the_card_is_a_line),
        cmocka_unit_test(a_card_is_json_for_programs_or_nothing),
        cmocka_unit_test(whom_no_card_is_of_is_said),
    };
    return cmocka_run_group_tests(tests, replies_make, replies_free);
}
