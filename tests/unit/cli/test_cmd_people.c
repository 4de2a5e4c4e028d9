/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected, what took long, what is answered now and who wrote what, against replies that
 * are written down: lists of nobody, names that would steer a terminal, and requests of those who
 * watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static void clients_are_listed_and_nobody_is_said(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_CLIENT_LIST,
         "{'count':1,'clients':[{'connection':7,'address':'127.0.0.1:5000','client':'crm',"
         "'role':'write','since':1714564800000,'idle_ms':1500,'requests':12345,'last':'score'}]}",
         PROTO_OK}};
    static const struct canned nobody[] = {
        {PROTO_OP_CLIENT_LIST, "{'count':0,'clients':[]}", PROTO_OK}};
    static const struct canned refused[] = {
        {PROTO_OP_CLIENT_LIST, ": the role admin is wanted", PROTO_DENIED}};
    static const struct canned_row rows[] = {
        {"clients --csv --limit 5", CANNED(some), EX_OK, "client-list {\"limit\":5}\n",
         "connection,address,client,role,since,idle_ms,requests,last,token\n"
         "7,127.0.0.1:5000,crm,write,2024-05-01 12:00:00,1500,12345,score,\n",
         ""},
        {"clients", CANNED(nobody), EX_OK, "client-list {}\n", "nobody is connected\n", ""},
        {"clients --csv", CANNED(nobody), EX_OK, NULL,
         "connection,address,client,role,since,idle_ms,requests,last,token\n", ""},
        {"clients --limit 0", NULL, 0, EX_USAGE, "", "", NULL},
        {"clients crm", NULL, 0, EX_USAGE, "", "", NULL},
        {"clients", CANNED(refused), EX_NOPERM, NULL, "", NULL},
    };
    CANNED_ROWS(rows);
}

static void deeds_are_listed_by_account(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_AUDIT,
         "{'oldest':1,'newest':9,'entries':[{'seq':3,'time':1714564800000,'by':'ann',"
         "'did':'1 account put','first':'acme'}]}",
         PROTO_OK}};
    static const struct canned nothing[] = {
        {PROTO_OP_AUDIT, "{'oldest':1,'newest':9,'entries':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"audit acme --limit 2 --csv", CANNED(some), EX_OK, "audit {\"limit\":2,\"id\":\"acme\"}\n",
         "seq,time,by,did,first,reason\n"
         "3,2024-05-01 12:00:00,ann,1 account put,acme,\n",
         ""},
        {"audit", CANNED(nothing), EX_OK, "audit {}\n", "nothing of that kind stands in the log\n",
         ""},
        {"audit acme globex", NULL, 0, EX_USAGE, "", "", NULL},
        {"audit --limit 10001", NULL, 0, EX_USAGE, "", "", NULL},
    };
    CANNED_ROWS(rows);
}

#define SLOW                                                                                       \
    "{'time':1714564800000,'connection':7,'client':'c\\u001b[2J','op':'score','status':'ok',"      \
    "'took_us':1500,'bytes':12,'count':64}"
#define WATCHING                                                                                   \
    "{'time':1714564800000,'connection':8,'client':'icp','op':'monitor','status':'ok',"            \
    "'took_us':5,'bytes':12,'count':1}"
#define REFUSED                                                                                    \
    "{'time':1714564800000,'connection':9,'client':'','op':'account-put','status':'forbidden',"    \
    "'took_us':20,'bytes':12,'count':1}"

static void what_was_slow_is_listed(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_SLOW_LOG, "{'next':4,'lost':0,'requests':[" SLOW "]}", PROTO_OK}};
    static const struct canned nothing[] = {
        {PROTO_OP_SLOW_LOG, "{'next':0,'lost':0,'requests':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"slowlog", CANNED(nothing), EX_OK, "slow-log {}\n",
         "no request was slow since the server started\n", ""},
        {"slowlog", CANNED(some), EX_OK, NULL,
         "time                 op     took_us  status  client    bytes  count  connection  token\n"
         "2024-05-01 12:00:00  score     1500  ok      c\\x1b[2J     12     64           7\n",
         ""},
        {"slowlog now", NULL, 0, EX_USAGE, "", "", NULL},
    };
    CANNED_ROWS(rows);
}

/* The second look fails, which ends the watching. */
static void answers_are_printed_as_they_come_without_those_of_who_watches(void **state)
{
    (void)state;
    static const struct canned some[] = {
        {PROTO_OP_MONITOR, "{'next':4,'lost':0,'requests':[" SLOW "," WATCHING "," REFUSED "]}",
         PROTO_OK},
        {PROTO_OP_MONITOR, ": too many watch", PROTO_BUSY}};
    static const struct canned lost[] = {
        {PROTO_OP_MONITOR, "{'next':90,'lost':17,'requests':[]}", PROTO_OK},
        {PROTO_OP_MONITOR, ": the role admin is wanted", PROTO_DENIED}};
    static const struct canned_row rows[] = {
        {"monitor", CANNED(some), EX_TEMPFAIL, NULL,
         "2024-05-01 12:00:00  score ×64  ok  1.5 ms  #7 c\\x1b[2J\n"
         "2024-05-01 12:00:00  account-put  forbidden  20 µs  #9\n",
         NULL},
        {"monitor", CANNED(lost), EX_NOPERM, "monitor {\"after\":0}\nmonitor {\"after\":90}\n",
         "… 17 requests were too many to be kept\n", NULL},
        {"monitor --seconds 0", NULL, 0, EX_USAGE, "", "", NULL},
        {"monitor all", NULL, 0, EX_USAGE, "", "", NULL},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_listed_and_nobody_is_said),
        cmocka_unit_test(deeds_are_listed_by_account),
        cmocka_unit_test(what_was_slow_is_listed),
        cmocka_unit_test(answers_are_printed_as_they_come_without_those_of_who_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
