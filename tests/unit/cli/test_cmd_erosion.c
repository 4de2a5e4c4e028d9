/* SPDX-License-Identifier: Apache-2.0 */
/* icp erosion against replies that are written down: what is asked, the alarm in words with its
 * weeks, and no week at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

#define WEEK(DAY, NUMBER, ALARM) "[" DAY "," NUMBER ",3,8,0.375,0.5,0.25,0.75,1.5,'" ALARM "']"
#define LOOKED "'name':'q3','since':1716768000000,'at':1717977600000,'seq':9,"
static void work_that_leaves_the_list_is_an_alarm(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        {PROTO_OP_EROSION,
         "{" LOOKED
         "'weeks':2,'on':6,'all':16,'alarms':1,'first_alarm':1717372800000,'rows':[" WEEK(
             "1716768000000", "1", "") "," WEEK("1717372800000", "2", "alarm") "]}",
         PROTO_OK}};
    static const struct canned replies_1[] = {
        {PROTO_OP_EROSION, "{" LOOKED "'weeks':0,'on':0,'all':0,'alarms':0,'rows':[]}", PROTO_OK}};
    static const struct canned replies_2[] = {
        {PROTO_OP_EROSION,
         "{" LOOKED "'weeks':1,'on':6,'all':16,'alarms':0,'rows':[[1716768000000,1]]}", PROTO_OK}};
    static const struct canned replies_3[] = {
        {PROTO_OP_EROSION, "committed: a number from 0.001 to 0.999", PROTO_BAD_FIELD}};
    static const struct canned_row rows[] = {
        {"erosion q3 --committed 0.6 --false-alarm 100 --since 2024-05-27", CANNED(replies_0),
         EX_OK,
         "erosion "
         "{\"committed\":0.59999999999999998,\"false_alarm\":100.0,\"name\":\"q3\",\"since\":"
         "1716768000000}\n",
         "Alarm: since the week of 2024-06-03 less of the work goes to the list than was "
         "committed; 37.5 % of 16 touches in all\n"
         "\n"
         "week        on  all   share  so_far     low    high   log_r  alarm\n"
         "2024-05-27   3    8  0.3750  0.5000  0.2500  0.7500  1.5000\n"
         "2024-06-03   3    8  0.3750  0.5000  0.2500  0.7500  1.5000  alarm\n",
         ""},
        {"erosion q3 --committed 0.6 --csv", CANNED(replies_0), EX_OK,
         "erosion {\"committed\":0.59999999999999998,\"name\":\"q3\"}\n",
         "week,number,on,all,share,so_far,low,high,log_r,alarm\n"
         "2024-05-27,1,3,8,0.375,0.5,0.25,0.75,1.5,\n"
         "2024-06-03,2,3,8,0.375,0.5,0.25,0.75,1.5,alarm\n",
         ""},
        {"erosion q3 --committed 0.6", CANNED(replies_1), EX_OK,
         "erosion {\"committed\":0.59999999999999998,\"name\":\"q3\"}\n",
         "No alarm in 0 weeks: 0.0 % of 0 touches went to the list\n", ""},
        {"erosion q3 --committed 0.6 --json", CANNED(replies_1), EX_OK,
         "erosion {\"committed\":0.59999999999999998,\"name\":\"q3\"}\n",
         "{\n"
         "  \"name\": \"q3\",\n"
         "  \"since\": 1716768000000,\n"
         "  \"at\": 1717977600000,\n"
         "  \"seq\": 9,\n"
         "  \"weeks\": 0,\n"
         "  \"on\": 0,\n"
         "  \"all\": 0,\n"
         "  \"alarms\": 0,\n"
         "  \"rows\": []\n"
         "}\n",
         ""},
        {"erosion q3 --committed 0.6", CANNED(replies_2), EX_PROTOCOL,
         "erosion {\"committed\":0.59999999999999998,\"name\":\"q3\"}\n", "",
         "icp erosion: the server's table of erosion has other columns: icp and icpd are of "
         "versions that differ\n"},
        {"erosion q3 --committed 60%", CANNED(replies_1), EX_OK,
         "erosion {\"committed\":0.59999999999999998,\"name\":\"q3\"}\n",
         "No alarm in 0 weeks: 0.0 % of 0 touches went to the list\n", ""},
        {"erosion q3 --committed 0.9995", CANNED(replies_3), EX_DATAERR,
         "erosion {\"committed\":0.99950000000000006,\"name\":\"q3\"}\n", "",
         "icp erosion: committed: a number from 0.001 to 0.999\n"},
    };
    CANNED_ROWS(rows);
}

/* A name of 128 bytes: cut by one it would be that of another list. */
#define SIXTEEN "aaaaaaaaaaaaaaaa"
#define LONG SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static void a_share_that_is_none_is_told_before_anything_is_asked(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"erosion q3", NULL, 0, EX_USAGE, "", "",
         "icp erosion: --committed is needed: the share of the work that was committed to the "
         "list, such as 0.6; or --plan with a plan that has one\n"},
        {"erosion q3 --committed most", NULL, 0, EX_USAGE, "", "",
         "icp erosion: --committed: 'most' is no share of the work such as 60% or 0.6\n"},
        {"erosion q3 --committed 2", NULL, 0, EX_USAGE, "", "",
         "icp erosion: --committed: '2' is no share of the work such as 60% or 0.6\n"},
        {"erosion " LONG " --committed 0.6", NULL, 0, EX_USAGE, "", "",
         "icp erosion: the name of a list has 127 bytes at most, not 128\n"},
        {"erosion q3 --committed 0.6 --false-alarm often", NULL, 0, EX_USAGE, "", "",
         "icp erosion: --false-alarm: 'often' is no number\n"},
        {"erosion --committed 0.6", NULL, 0, EX_USAGE, "", "",
         "icp erosion: which list? Name one (icp tal list), or --plan NAME\n"},
        {"erosion q3 --plan 2027", NULL, 0, EX_USAGE, "", "",
         "icp erosion: a list or --plan, not both: the plan says which list it is\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_that_leaves_the_list_is_an_alarm),
        cmocka_unit_test(a_share_that_is_none_is_told_before_anything_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
