/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the server itself (jobs, clients, log, backups, captures), against replies that are
 * written down: what is asked, printed and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

static const char two_jobs[] =
    "{'jobs':[{'job':4,'op':'icp-learn','state':'running','stage':'reading','done':0.256,"
    "'icp':0,'error':'','started':1714564800000,'ended':0},{'job':3,'op':'scrub',"
    "'state':'failed','stage':'','done':1.0,'icp':0,'error':'the disk is gone',"
    "'started':1714564700000,'ended':1714564800000}]}";
static const char two_clients[] =
    "{'count':2,'clients':[{'connection':7,'address':'127.0.0.1:5555','client':'router/1',"
    "'role':'score','since':1714564800000,'idle_ms':12,'requests':12345,'last':'score',"
    "'token':'router'},{'connection':8,'address':'unix','client':'icp','role':'admin',"
    "'since':1714564800000,'idle_ms':0,'requests':1,'last':'client-list','token':''}]}";
static const char slow_request[] =
    "{'next':5,'lost':0,'requests':[{'time':1714564800000,'connection':7,"
    "'client':'router/1','op':'filter','status':'ok','took_us':1500000,'bytes':120,"
    "'count':1,'token':'router'}]}";
static const char two_deeds[] =
    "{'oldest':1,'newest':9,'entries':[{'seq':9,'time':1714564800000,"
    "'by':'ann (127.0.0.1)','did':'accounts put 3','first':'acme','reason':'',"
    "'operation':'o1'},{'seq':8,'time':1714564700000,'by':'icp','did':'switches 1',"
    "'first':'','reason':'better','operation':''}]}";
static const char capture[] =
    "{'running':true,'error':'','file':'/d/captures/x.icpcap','records':1234,'left_out':2,"
    "'lost':0,'bytes':2048,'seconds':12.5}";

static void jobs_are_listed_and_cancelled(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_JOB_LIST, two_jobs, PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_JOB_LIST, "{'jobs':[]}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_JOB_CANCEL, "{'job':4,'state':'running'}", PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_JOB_CANCEL, "job: there is no job 9", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"jobs", CANNED(replies_0), EX_OK, "job-list {}\n",
         "job  op         state    stage     done  icp  started           ended             error\n"
         "  4  icp-learn  running  reading   26 %    0  2024-05-01 12:00\n"
         "  3  scrub      failed            100 %    0  2024-05-01 11:58  2024-05-01 12:00  the di"
         "sk is gone\n",
         ""},
        {"jobs --csv", CANNED(replies_0), EX_OK, "job-list {}\n",
         "job,op,state,stage,done,icp,started,ended,error\n"
         "4,icp-learn,running,reading,26 %,0,2024-05-01 12:00,,\n"
         "3,scrub,failed,,100 %,0,2024-05-01 11:58,2024-05-01 12:00,the disk is gone\n",
         ""},
        {"jobs", CANNED(replies_1), EX_OK, "job-list {}\n", "no job has run yet\n", ""},
        {"cancel 4", CANNED(replies_2), EX_OK, "job-cancel {\"job\":4}\n",
         "job 4 is being cancelled\n", ""},
        {"cancel 9", CANNED(replies_3), EX_DATAERR, "job-cancel {\"job\":9}\n", "",
         "icp cancel: there is no job 9\n"},
        {"cancel", NULL, 0, EX_USAGE, "", "",
         "icp cancel: JOB is missing; 'icp help cancel' has examples\n"},
        {"cancel four", NULL, 0, EX_USAGE, "", "",
         "icp cancel: 'four' is no job; 'icp jobs' shows their numbers\n"},
    };
    CANNED_ROWS(rows);
}

static void who_is_there_and_who_did_what_is_listed(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {{PROTO_OP_CLIENT_LIST, two_clients, PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_CLIENT_LIST, "{'count':0,'clients':[]}", PROTO_OK}};
    static const struct canned replies_2[] = {{PROTO_OP_SLOW_LOG, slow_request, PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_SLOW_LOG, "{'next':1,'lost':0,'requests':[]}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"clients", CANNED(replies_0), EX_OK, "client-list {}\n",
         "connection  address         client    role   since                idle_ms  requests  las"
         "t         token\n"
         "         7  127.0.0.1:5555  router/1  score  2024-05-01 12:00:00       12    12,345  sco"
         "re        router\n"
         "         8  unix            icp       admin  2024-05-01 12:00:00        0         1  cli"
         "ent-list\n",
         ""},
        {"clients --limit 1 --csv", CANNED(replies_0), EX_OK, "client-list {\"limit\":1}\n",
         "connection,address,client,role,since,idle_ms,requests,last,token\n"
         "7,127.0.0.1:5555,router/1,score,2024-05-01 12:00:00,12,12345,score,router\n"
         "8,unix,icp,admin,2024-05-01 12:00:00,0,1,client-list,\n",
         ""},
        {"clients", CANNED(replies_1), EX_OK, "client-list {}\n", "nobody is connected\n", ""},
        {"clients --limit 0", NULL, 0, EX_USAGE, "", "",
         "icp clients: --limit: '0' is not a whole number from 1 to 10000\n"},
        {"slowlog", CANNED(replies_2), EX_OK, "slow-log {}\n",
         "time                 op        took_us  status  client    bytes  count  connection  toke"
         "n\n"
         "2024-05-01 12:00:00  filter  1,500,000  ok      router/1    120      1           7  rout"
         "er\n",
         ""},
        {"slowlog", CANNED(replies_3), EX_OK, "slow-log {}\n",
         "no request was slow since the server started\n", ""},
        {"slowlog --json", CANNED(replies_2), EX_OK, "slow-log {}\n",
         "{\n"
         "  \"next\": 5,\n"
         "  \"lost\": 0,\n"
         "  \"requests\": [\n"
         "    {\n"
         "      \"time\": 1714564800000,\n"
         "      \"connection\": 7,\n"
         "      \"client\": \"router/1\",\n"
         "      \"op\": \"filter\",\n"
         "      \"status\": \"ok\",\n"
         "      \"took_us\": 1500000,\n"
         "      \"bytes\": 120,\n"
         "      \"count\": 1,\n"
         "      \"token\": \"router\"\n"
         "    }\n"
         "  ]\n"
         "}\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void deeds_are_listed_of_all_or_of_one_account(void **state)
{
    (void)state;
    static const struct canned replies_4[] = {{PROTO_OP_AUDIT, two_deeds, PROTO_OK}};
    static const struct canned replies_5[] = {
        {PROTO_OP_AUDIT, "{'oldest':1,'newest':9,'entries':[]}", PROTO_OK}};
    static const struct canned replies_6[] = {
        {PROTO_OP_CLIENT_LIST, ": client-list needs the role admin", PROTO_DENIED}};
    static const struct canned_row rows[] = {
        {"audit", CANNED(replies_4), EX_OK, "audit {}\n",
         "seq  time                 by               did             first  reason\n"
         "  9  2024-05-01 12:00:00  ann (127.0.0.1)  accounts put 3  acme\n"
         "  8  2024-05-01 11:58:20  icp              switches 1             better\n",
         ""},
        {"audit acme --limit 5", CANNED(replies_4), EX_OK, "audit {\"limit\":5,\"id\":\"acme\"}\n",
         "seq  time                 by               did             first  reason\n"
         "  9  2024-05-01 12:00:00  ann (127.0.0.1)  accounts put 3  acme\n"
         "  8  2024-05-01 11:58:20  icp              switches 1             better\n",
         ""},
        {"audit", CANNED(replies_5), EX_OK, "audit {}\n",
         "nothing of that kind stands in the log\n", ""},
        {"audit --limit 99999", NULL, 0, EX_USAGE, "", "",
         "icp audit: --limit: '99999' is not a whole number from 1 to 10000\n"},
        {"clients", CANNED(replies_6), EX_NOPERM, "client-list {}\n", "",
         "icp clients: client-list needs the role admin\n"},
    };
    CANNED_ROWS(rows);
}

static void backups_and_scrubs_say_what_they_wrote_and_found(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_BACKUP,
         "{'job':1,'kind':'base','file':'base-7','seq':7,'entries':1000,'batches':0,"
         "'bytes':4096}",
         PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_BACKUP,
         "{'job':1,'kind':'none','file':'','seq':7,'entries':0,'batches':0,'bytes':0}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_BACKUP,
         "{'job':1,'kind':'log','file':'log-8','seq':9,'entries':0,'batches':2,'bytes':100}",
         PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_BACKUP, ": the server has no backup_path", PROTO_BAD_CONFIG}};
    static const struct canned replies_4[] = {
        {PROTO_OP_SCRUB, "{'job':2,'faults':0,'told':[]}", PROTO_OK}};
    static const struct canned replies_5[] = {
        {PROTO_OP_SCRUB, "{'job':2,'faults':3,'told':['account 7: checksum','row 9']}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"backup nightly", CANNED(replies_0), EX_OK,
         "backup {\"name\":\"nightly\",\"progress\":true}\n",
         "base-7: 1,000 values, everything; 4 KiB written\n"
         "the backup reaches batch 7\n",
         ""},
        {"backup nightly --full", CANNED(replies_1), EX_OK,
         "backup {\"name\":\"nightly\",\"full\":true,\"progress\":true}\n",
         "nothing is new: the backup reaches batch 7\n", ""},
        {"backup nightly", CANNED(replies_2), EX_OK,
         "backup {\"name\":\"nightly\",\"progress\":true}\n",
         "log-8: 2 batches since the last time; 100 B written\n"
         "the backup reaches batch 9\n",
         ""},
        {"backup x", CANNED(replies_3), EX_CONFIG, "backup {\"name\":\"x\",\"progress\":true}\n",
         "", "icp backup: the server has no backup_path\n"},
        {"scrub", CANNED(replies_4), EX_OK, "scrub {\"progress\":true}\n", "0 faults found\n", ""},
        {"scrub --rate 5", CANNED(replies_5), EX_DATAERR,
         "scrub {\"bytes_per_second\":5000000,\"progress\":true}\n",
         "bad: account 7: checksum\n"
         "bad: row 9\n"
         "3 faults found\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void a_capture_is_begun_watched_and_ended(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_CAPTURE_START, "{'file':'/d/captures/x.icpcap'}", PROTO_OK}};
    static const struct canned replies_1[] = {{PROTO_OP_CAPTURE_STATE, capture, PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_CAPTURE_STOP,
         "{'file':'/d/captures/x.icpcap','records':1234,'left_out':2,'lost':1,'bytes':2048,"
         "'seconds':12.5}",
         PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_CAPTURE_STOP, ": no capture is running", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"capture start x", CANNED(replies_0), EX_OK, "capture-start {\"name\":\"x\"}\n",
         "recording; once it has ended, on the server's machine: /d/captures/x.icpcap\n", ""},
        {"capture state", CANNED(replies_1), EX_OK, "capture-state {}\n",
         "recording\n"
         "1,234 requests in 12.5 s, 2 KiB; 2 without their payload, which cannot be masked\n"
         "on the server's machine: /d/captures/x.icpcap\n",
         ""},
        {"capture stop", CANNED(replies_2), EX_OK, "capture-stop {}\n",
         "1,234 requests in 12.5 s, 2 KiB; 2 without their payload, which cannot be masked; 1 LOST"
         ", for the disk was too slow\n"
         "on the server's machine: /d/captures/x.icpcap\n",
         ""},
        {"capture start", NULL, 0, EX_USAGE, "", "",
         "icp capture start: NAME is missing; 'icp help capture start' has examples\n"},
        {"capture stop", CANNED(replies_3), EX_DATAERR, "capture-stop {}\n", "",
         "icp capture stop: no capture is running\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_listed_and_cancelled),
        cmocka_unit_test(who_is_there_and_who_did_what_is_listed),
        cmocka_unit_test(deeds_are_listed_of_all_or_of_one_account),
        cmocka_unit_test(backups_and_scrubs_say_what_they_wrote_and_found),
        cmocka_unit_test(a_capture_is_begun_watched_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
