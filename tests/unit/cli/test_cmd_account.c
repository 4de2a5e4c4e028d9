/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of one account and its records, against replies that are written down: what is asked of
 * the server, what is printed for people and for programs, and what is said where something is
 * wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static const char acme[] =
    "{'id':'acme','name':'Acme','keys':['domain:acme.com'],'seq':7,"
    "'values':{'industry':{'value':'Software','source':'crm','time':1714564800000,"
    "'state':'fresh'},'employees':{'value':12345.5,'source':'web','time':0,"
    "'state':'stale'},'tech':{'value':['Jira','SAP'],'source':'crm','time':1714564800000,"
    "'state':'fresh'}}}";
static const char without_keys[] = "{'id':'b','keys':[],'seq':7,'sources':['b','c'],'values':{}}";
static const char changes[] =
    "{'id':'acme','count':3,'seq':9,'gone':4,'changes':[{'field':'employees',"
    "'kind':'changed','value':10,'source':'crm','time':1714564800000,'known':1714564860000,"
    "'seq':9},{'field':'','kind':'key taken','value':'crm:1','known':1714564860000,"
    "'seq':8},{'field':'industry','kind':'added','known':1714564860000,'seq':5}]}";
static const char entries[] =
    "{'entries':[{'entry':2,'act':'undo','account':'','other':'','state':'stands','what':1,"
    "'by':'ann','time':1714564800000,'reason':''},{'entry':1,'act':'merge','account':'a',"
    "'other':'b','state':'taken','taken':2,'by':'ann (127.0.0.1)','time':1714564800000,"
    "'reason':'same site'}],'count':2,'records':1000,'linked':50,'seq':9}";
static const char records[] =
    "{'entries':[],'sources':[{'id':'a','name':'Acme','keys':['domain:acme.com','crm:1']},"
    "{'id':'b','keys':[]}],'count':0,'records':1000,'linked':50,'seq':9}";
static const char first_events[] =
    "{'id':'acme','count':3,'seq':9,'next':2,'events':[{'type':'subscription',"
    "'time':1714564800000,'known':1714564860000,'seq':3,'source':'billing','id':'s1',"
    "'subject':'sub-1','label':'pro','amount':120000,'currency':'USD','months':12,"
    "'end':1746100800000},{'type':'outcome','kind':'nps','time':1714651200000,"
    "'known':1714651200000,'seq':4,'source':'survey','id':'n1','person':'Ann',"
    "'quantity':9000,'retracted':true}]}";
static const char last_events[] =
    "{'id':'acme','count':3,'seq':9,'events':[{'type':'outcome','time':1714737600000,"
    "'known':1714737600000,'seq':5,'source':'crm','id':'o1','kind':'won','subject':'d1'}]}";

static void one_account_is_shown_with_where_its_values_come_from(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_ACCOUNT_GET, acme, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"get acme", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false}\n",
         "acme  Acme  (domain:acme.com)\n"
         "field      value      state  source  time\n"
         "industry   Software   fresh  crm     2024-05-01 12:00\n"
         "employees  12,345.5   stale  web\n"
         "tech       Jira, SAP  fresh  crm     2024-05-01 12:00\n",
         ""},
        {"get acme --csv", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false}\n",
         "field,value,state,source,time\n"
         "industry,Software,fresh,crm,2024-05-01 12:00\n"
         "employees,12345.5,stale,web,\n"
         "tech,\"Jira, SAP\",fresh,crm,2024-05-01 12:00\n",
         ""},
        {"get acme --json", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false}\n",
         "{\n"
         "  \"id\": \"acme\",\n"
         "  \"name\": \"Acme\",\n"
         "  \"keys\": [\n"
         "    \"domain:acme.com\"\n"
         "  ],\n"
         "  \"seq\": 7,\n"
         "  \"values\": {\n"
         "    \"industry\": {\n"
         "      \"value\": \"Software\",\n"
         "      \"source\": \"crm\",\n"
         "      \"time\": 1714564800000,\n"
         "      \"state\": \"fresh\"\n"
         "    },\n"
         "    \"employees\": {\n"
         "      \"value\": 12345.5,\n"
         "      \"source\": \"web\",\n"
         "      \"time\": 0,\n"
         "      \"state\": \"stale\"\n"
         "    },\n"
         "    \"tech\": {\n"
         "      \"value\": [\n"
         "        \"Jira\",\n"
         "        \"SAP\"\n"
         "      ],\n"
         "      \"source\": \"crm\",\n"
         "      \"time\": 1714564800000,\n"
         "      \"state\": \"fresh\"\n"
         "    }\n"
         "  }\n"
         "}\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void each_value_is_a_record_where_that_is_asked_for(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_ACCOUNT_GET, acme, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"get acme --records", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false}\n",
         "acme  Acme  (domain:acme.com)\n"
         "field   industry\n"
         "value   Software\n"
         "state   fresh\n"
         "source  crm\n"
         "time    2024-05-01 12:00\n"
         "\n"
         "field   employees\n"
         "value   12,345.5\n"
         "state   stale\n"
         "source  web\n"
         "time    \n"
         "\n"
         "field   tech\n"
         "value   Jira, SAP\n"
         "state   fresh\n"
         "source  crm\n"
         "time    2024-05-01 12:00\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void an_account_is_asked_for_by_any_name_and_as_of_any_moment(void **state)
{
    (void)state;
    static const struct canned replies_1[] = {{PROTO_OP_ACCOUNT_GET, without_keys, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"get --key domain:b.com --record", CANNED(replies_1), EX_OK,
         "account-get {\"key\":\"domain:b.com\",\"names\":true,\"record\":true}\n",
         "b  (no keys)\n"
         "source records: b, c\n"
         "field  value  state  source  time\n",
         ""},
        {"get --email ann@b.com --as-of 12", CANNED(replies_1), EX_OK,
         "account-get {\"email\":\"ann@b.com\",\"names\":true,\"record\":false,\"seq\":12}\n",
         "b  (no keys)\n"
         "source records: b, c\n"
         "field  value  state  source  time\n",
         ""},
        {"get acme --at 2024-05-01", CANNED(replies_1), EX_OK,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false,\"at\":1714607999999}\n",
         "b  (no keys)\n"
         "source records: b, c\n"
         "field  value  state  source  time\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void who_is_not_there_is_told_with_what_was_perhaps_meant(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_ACCOUNT_GET, ": no account has this id", PROTO_NOT_FOUND}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ACCOUNT_GET, ": no account has this key", PROTO_NOT_FOUND}};
    static const struct canned replies_2[] = {
        {PROTO_OP_ACCOUNT_GET, ": no account has this email", PROTO_NOT_FOUND}};
    static const struct canned replies_3[] = {
        {PROTO_OP_ACCOUNT_GET, ": the account was not there at that time", PROTO_NOT_FOUND}};
    static const struct canned replies_4[] = {
        {PROTO_OP_ACCOUNT_GET, ": account-get needs the role read", PROTO_DENIED}};
    static const struct canned_row rows[] = {
        {"get nobody", CANNED(replies_0), EX_DATAERR,
         "account-get {\"id\":\"nobody\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the id 'nobody'\n"},
        {"get ann@acme.com", CANNED(replies_0), EX_DATAERR,
         "account-get {\"id\":\"ann@acme.com\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the id 'ann@acme.com'; it looks like an address: --email\n"},
        {"get domain:acme.com", CANNED(replies_0), EX_DATAERR,
         "account-get {\"id\":\"domain:acme.com\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the id 'domain:acme.com'; it looks like a key: --key\n"},
        {"get --key acme.com", CANNED(replies_1), EX_DATAERR,
         "account-get {\"key\":\"acme.com\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the key 'acme.com'; a key has a namespace before it, such as dom"
         "ain:acme.com\n"},
        {"get --email ann@gmail.com", CANNED(replies_2), EX_DATAERR,
         "account-get {\"email\":\"ann@gmail.com\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the email 'ann@gmail.com'\n"
         "icp get: gmail.com gives mailboxes to everybody: such an address names no company\n"},
        {"get --email ann", CANNED(replies_2), EX_DATAERR,
         "account-get {\"email\":\"ann\",\"names\":true,\"record\":false}\n", "",
         "icp get: no account has the email 'ann'\n"
         "icp get: 'ann' is no email address with a domain that somebody can register\n"},
        {"get acme --as-of 3", CANNED(replies_3), EX_DATAERR,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false,\"seq\":3}\n", "",
         "icp get: the account was not there at that time\n"},
        {"get acme", CANNED(replies_4), EX_NOPERM,
         "account-get {\"id\":\"acme\",\"names\":true,\"record\":false}\n", "",
         "icp get: account-get needs the role read\n"},
        {"get", NULL, 0, EX_USAGE, "", "", "icp get: give one of ID, --key and --email\n"},
        {"get a b", NULL, 0, EX_USAGE, "", "",
         "icp get: 'b' is one argument too many; expected [ID]: if it holds blanks, put quotes aro"
         "und it ('icp help get' has examples)\n"},
        {"get a --key k:1", NULL, 0, EX_USAGE, "", "",
         "icp get: give one of ID, --key and --email\n"},
        {"get a --as-of soon", NULL, 0, EX_USAGE, "", "",
         "icp get: --as-of: 'soon' is neither a sequence such as 1042 nor a date such as 2024-05-0"
         "1 or 2024-05-01T12:00:00Z\n"},
    };
    CANNED_ROWS(rows);
}

static void changes_stand_in_a_row_each(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_ACCOUNT_HISTORY, changes, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ACCOUNT_HISTORY, "{'id':'acme','count':0,'seq':9,'changes':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"history acme", CANNED(replies_0), EX_OK,
         "account-history {\"id\":\"acme\",\"limit\":100,\"record\":false}\n",
         "known             seq  field      what       was    source  time\n"
         "2024-05-01 12:01    9  employees  changed    10     crm     2024-05-01 12:00\n"
         "2024-05-01 12:01    8             key taken  crm:1\n"
         "2024-05-01 12:01    5  industry   added\n",
         "icp history: changes up to sequence 4 are not kept any more\n"},
        {"history acme --csv --field employees --limit 5 --record", CANNED(replies_0), EX_OK,
         "account-history {\"id\":\"acme\",\"field\":\"employees\",\"limit\":5,\"record\":true}\n",
         "known,seq,field,what,was,source,time\n"
         "2024-05-01 12:01,9,employees,changed,10,crm,2024-05-01 12:00\n"
         "2024-05-01 12:01,8,,key taken,crm:1,,\n"
         "2024-05-01 12:01,5,industry,added,,,\n",
         ""},
        {"history --key crm:1 --json", CANNED(replies_1), EX_OK,
         "account-history {\"key\":\"crm:1\",\"limit\":100,\"record\":false}\n",
         "{\n"
         "  \"id\": \"acme\",\n"
         "  \"count\": 0,\n"
         "  \"seq\": 9,\n"
         "  \"changes\": []\n"
         "}\n",
         ""},
        {"history", NULL, 0, EX_USAGE, "", "", "icp history: give one of ID and --key\n"},
        {"history acme --limit 0", NULL, 0, EX_USAGE, "", "",
         "icp history: --limit: '0' is not a whole number from 1 to 1000\n"},
        {"history acme --limit many", NULL, 0, EX_USAGE, "", "",
         "icp history: --limit: 'many' is not a whole number from 1 to 1000\n"},
    };
    CANNED_ROWS(rows);
}

static void accounts_are_removed_by_id(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_ACCOUNT_DELETE, "{'count':2,'seq':5}", PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_ACCOUNT_DELETE, "{'count':1,'seq':5}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"delete a b c", CANNED(replies_0), EX_OK, "account-delete {\"ids\":[\"a\",\"b\",\"c\"]}\n",
         "2 of 3 accounts removed\n", ""},
        {"delete a --json", CANNED(replies_1), EX_OK, "account-delete {\"ids\":[\"a\"]}\n",
         "{\n"
         "  \"count\": 1,\n"
         "  \"seq\": 5\n"
         "}\n",
         ""},
        {"delete", NULL, 0, EX_USAGE, "", "",
         "icp delete: ID… is missing; 'icp help delete' has examples\n"},
    };
    CANNED_ROWS(rows);
}

static void acts_of_identity_become_entries(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_IDENTITY, "{'count':2,'last':8,'seq':9}", PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_IDENTITY, "{'count':1,'last':9,'seq':10}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_IDENTITY, "{'count':2,'last':9,'seq':10}", PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_IDENTITY, "entries[0].other: no record has the id b", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"identity merge a b c --reason 'same site'", CANNED(replies_0), EX_OK,
         "identity {\"entries\":[{\"act\":\"merge\",\"account\":\"a\",\"other\":\"b\",\"reason\":\""
         "same site\"},{\"act\":\"merge\",\"account\":\"a\",\"other\":\"c\",\"reason\":\"same site"
         "\"}]}\n",
         "entries 7 to 8; 'icp identity undo NUMBER' takes one away\n", ""},
        {"identity link a b --operation n1", CANNED(replies_1), EX_OK,
         "identity {\"entries\":[{\"act\":\"link\",\"account\":\"a\",\"other\":\"b\"}],\"operation"
         "\":\"n1\"}\n",
         "entry 9; 'icp identity undo 9' takes it away\n", ""},
        {"identity never a b", CANNED(replies_1), EX_OK,
         "identity {\"entries\":[{\"act\":\"never\",\"account\":\"a\",\"other\":\"b\"}]}\n",
         "entry 9; 'icp identity undo 9' takes it away\n", ""},
        {"identity split a b", CANNED(replies_2), EX_OK,
         "identity {\"entries\":[{\"act\":\"split\",\"account\":\"a\"},{\"act\":\"split\",\"accoun"
         "t\":\"b\"}]}\n",
         "entries 8 to 9; 'icp identity undo NUMBER' takes one away\n", ""},
        {"identity pin a --json", CANNED(replies_1), EX_OK,
         "identity {\"entries\":[{\"act\":\"pin\",\"account\":\"a\"}]}\n",
         "{\n"
         "  \"count\": 1,\n"
         "  \"last\": 9,\n"
         "  \"seq\": 10\n"
         "}\n",
         ""},
        {"identity undo 3 4 --reason slip", CANNED(replies_2), EX_OK,
         "identity {\"entries\":[{\"act\":\"undo\",\"entry\":3,\"reason\":\"slip\"},{\"act\":\"und"
         "o\",\"entry\":4,\"reason\":\"slip\"}]}\n",
         "entries 8 to 9; 'icp identity undo NUMBER' takes one away\n", ""},
        {"identity undo three", NULL, 0, EX_USAGE, "", "",
         "icp identity undo: 'three' is no number of an entry: see 'icp identity list'\n"},
        {"identity undo 0", NULL, 0, EX_USAGE, "", "",
         "icp identity undo: '0' is no number of an entry: see 'icp identity list'\n"},
        {"identity merge a", NULL, 0, EX_USAGE, "", "",
         "icp identity merge: ID ID… is missing; 'icp help identity merge' has examples\n"},
        {"identity merge a b", CANNED(replies_3), EX_DATAERR,
         "identity {\"entries\":[{\"act\":\"merge\",\"account\":\"a\",\"other\":\"b\"}]}\n", "",
         "icp identity merge: entries[0].other: no record has the id b\n"},
    };
    CANNED_ROWS(rows);
}

static void entries_are_listed_with_the_link_rate_or_the_records_of_an_account(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_IDENTITY_LIST, entries, PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_IDENTITY_LIST, records, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"identity list", CANNED(replies_0), EX_OK,
         "identity-list {\"names\":true,\"limit\":100}\n",
         "50 of 1000 source records are part of an account of several (link rate 0.0500)\n"
         "entry  act    account  other  state   taken  by               time              reason\n"
         "    2  undo                   stands         ann              2024-05-01 12:00\n"
         "    1  merge  a        b      taken       2  ann (127.0.0.1)  2024-05-01 12:00  same sit"
         "e\n",
         ""},
        {"identity list a", CANNED(replies_1), EX_OK,
         "identity-list {\"id\":\"a\",\"names\":true,\"limit\":100}\n",
         "a  Acme  (domain:acme.com, crm:1)\n"
         "  = b  (no keys)\n"
         "entry  act  account  other  state  taken  by  time  reason\n",
         ""},
        {"identity list --key crm:1 --csv --limit 5", CANNED(replies_0), EX_OK,
         "identity-list {\"key\":\"crm:1\",\"names\":true,\"limit\":5}\n",
         "entry,act,account,other,state,taken,by,time,reason\n"
         "2,undo,,,stands,,ann,2024-05-01 12:00,\n"
         "1,merge,a,b,taken,2,ann (127.0.0.1),2024-05-01 12:00,same site\n",
         ""},
        {"identity list a --key crm:1", NULL, 0, EX_USAGE, "", "",
         "icp identity list: give ID or --key, not both\n"},
        {"identity list --limit none", NULL, 0, EX_USAGE, "", "",
         "icp identity list: --limit: 'none' is not a whole number from 1 to "
         "9223372036854775807\n"},
    };
    CANNED_ROWS(rows);
}

static void a_timeline_is_told_page_by_page(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_TIMELINE, first_events, PROTO_OK},
                                              {PROTO_OP_TIMELINE, last_events, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_TIMELINE, ": no account has this id, key or email", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"timeline acme", CANNED(replies_0), EX_OK,
         "timeline {\"id\":\"acme\",\"all\":false,\"newest\":false,\"skip\":0,\"limit\":1000}\n"
         "timeline {\"id\":\"acme\",\"seq\":9,\"all\":false,\"newest\":false,\"skip\":2,\"limit\":"
         "1000}\n"
         "account-get {\"id\":\"acme\",\"names\":true}\n",
         "acme: 3 events\n"
         "time                 type          kind  label  amount       subject  more              "
         "                        source:id\n"
         "2024-05-01 12:00:00  subscription        pro    1200.00 USD  sub-1    for 12 months, unt"
         "il 2025-05-01 12:00:00  billing:s1\n"
         "2024-05-02 12:00:00  outcome       nps                                taken back, quanti"
         "ty 9, person Ann        survey:n1\n"
         "2024-05-03 12:00:00  outcome       won                       d1                         "
         "                        crm:o1\n",
         ""},
        {"timeline acme --csv --all", CANNED(replies_0), EX_OK,
         "timeline {\"id\":\"acme\",\"all\":true,\"newest\":false,\"skip\":0,\"limit\":1000}\n"
         "timeline {\"id\":\"acme\",\"seq\":9,\"all\":true,\"newest\":false,\"skip\":2,\"limit\":1"
         "000}\n",
         "time,known,type,source,id,kind,label,subject,motion,function,campaign,person,currency,re"
         "tracts,amount,quantity,months,end,retracted,seq\n"
         "2024-05-01T12:00:00Z,2024-05-01T12:01:00Z,subscription,billing,s1,,pro,sub-1,,,,,USD,,12"
         "00.00,,12,2025-05-01T12:00:00Z,false,3\n"
         "2024-05-02T12:00:00Z,2024-05-02T12:00:00Z,outcome,survey,n1,nps,,,,,,Ann,,,,9,,,true,4\n"
         "2024-05-03T12:00:00Z,2024-05-03T12:00:00Z,outcome,crm,o1,won,,d1,,,,,,,,,,,false,5\n",
         ""},
        {"timeline nobody", CANNED(replies_1), EX_DATAERR,
         "timeline {\"id\":\"nobody\",\"all\":false,\"newest\":false,\"skip\":0,\"limit\":1000}\n",
         "", "icp timeline: no account has the id 'nobody'\n"},
        {"timeline", NULL, 0, EX_USAGE, "", "",
         "icp timeline: give one of ID, --key and --email\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_account_is_shown_with_where_its_values_come_from),
        cmocka_unit_test(each_value_is_a_record_where_that_is_asked_for),
        cmocka_unit_test(an_account_is_asked_for_by_any_name_and_as_of_any_moment),
        cmocka_unit_test(who_is_not_there_is_told_with_what_was_perhaps_meant),
        cmocka_unit_test(changes_stand_in_a_row_each),
        cmocka_unit_test(accounts_are_removed_by_id),
        cmocka_unit_test(acts_of_identity_become_entries),
        cmocka_unit_test(entries_are_listed_with_the_link_rate_or_the_records_of_an_account),
        cmocka_unit_test(a_timeline_is_told_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
