/* SPDX-License-Identifier: Apache-2.0 */
/* The change feed page by page: every change is a line of JSON, the last line says where to go on,
 * and the file of the state is only written when all of it was read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/unit/cli/canned.h"
#include "tests/unit/cli/cli_folder.h"

static void state_is(const char *wanted)
{
    char text[64] = "";
    FILE *file = fopen("state", "r");
    assert_true((file != NULL) == (wanted != NULL));
    if (file != NULL) {
        assert_true(fgets(text, sizeof text, file) != NULL || wanted[0] == '\0');
        (void)fclose(file);
        assert_string_equal(text, wanted);
    }
}

/* Everybody in two halves, then what came while they were read. */
static const char half[] =
    "{'changes':[{'id':'acme','what':'new','now':'B','fit':73.5,'keys':['crm:7','Ä']}],"
    "'next':8,'after':100,'full':true,'why':'since 0','oldest':1,'seq':9,'icp':2}";
static const char rest[] =
    "{'changes':[{'id':'b\\u001b','what':'gone','before':'A','fit_before':0.1,'keys':[]}],"
    "'next':8,'full':true,'why':'since 0','oldest':1,'seq':9,'icp':2}";
static const char late[] = "{'changes':[],'next':9,'oldest':1,'seq':9,'icp':2,'full':false}";

static void pages_are_read_until_the_feed_is_at_its_end(void **state)
{
    (void)state;
    static const struct canned three[] = {{PROTO_OP_CHANGES, half, PROTO_OK},
                                          {PROTO_OP_CHANGES, rest, PROTO_OK},
                                          {PROTO_OP_CHANGES, late, PROTO_OK}};
    static const struct canned last[] = {{PROTO_OP_CHANGES, late, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"changes --since 0", CANNED(three), EX_OK,
         "changes {\"since\":0,\"limit\":1000}\n"
         "changes {\"since\":0,\"limit\":1000,\"after\":100,\"until\":8}\n"
         "changes {\"since\":8,\"limit\":1000}\n",
         "{\"id\":\"acme\",\"what\":\"new\",\"now\":\"B\",\"fit\":73.5,\"keys\":[\"crm:7\",\"Ä\"]}"
         "\n"
         "{\"id\":\"b\\u001B\",\"what\":\"gone\",\"before\":\"A\",\"fit_before\":0.1,\"keys\":[]}\n"
         "{\"next\":9}\n",
         "icp changes: everybody as they are: since 0\n"
         "icp changes: 2 changes; go on with --since 9\n"},
        {"changes --since 9 --limit 1", CANNED(last), EX_OK, "changes {\"since\":9,\"limit\":1}\n",
         "{\"next\":9}\n", "icp changes: 0 changes; go on with --since 9\n"},
        {"changes --since 9223372036854775807", CANNED(last), EX_OK,
         "changes {\"since\":9223372036854775807,\"limit\":1000}\n", NULL, NULL},
    };
    CANNED_ROWS(rows);
}

static void the_state_is_kept_in_a_file(void **state)
{
    (void)state;
    static const struct canned last[] = {{PROTO_OP_CHANGES, late, PROTO_OK}};
    static const struct canned broken[] = {
        {PROTO_OP_CHANGES, half, PROTO_OK},
        {PROTO_OP_CHANGES, "until: the log does not reach so far back", PROTO_BAD_FIELD}};
    static const struct canned_row fresh[] = {{"changes --state state", CANNED(last), EX_OK,
                                               "changes {\"since\":0,\"limit\":1000}\n",
                                               "{\"next\":9}\n", NULL}};
    static const struct canned_row again[] = {
        {"changes --state state", CANNED(broken), EX_DATAERR,
         "changes {\"since\":9,\"limit\":1000}\n"
         "changes {\"since\":9,\"limit\":1000,\"after\":100,\"until\":8}\n",
         "{\"id\":\"acme\",\"what\":\"new\",\"now\":\"B\",\"fit\":73.5,\"keys\":[\"crm:7\",\"Ä\"]}"
         "\n",
         "icp changes: everybody as they are: since 0\n"
         "icp changes: until: the log does not reach so far back\n"}};
    static const struct canned_row told[] = {{"changes --state state --since 3", CANNED(last),
                                              EX_OK, "changes {\"since\":3,\"limit\":1000}\n",
                                              "{\"next\":9}\n", NULL}};
    CANNED_ROWS(fresh);
    state_is("9\n");
    CANNED_ROWS(again); /* cut off in the middle: the same changes come again */
    state_is("9\n");
    folder_put("state", "spoilt");
    CANNED_ROWS(told); /* what is told is not looked up */
    state_is("9\n");
}

static void a_file_that_holds_no_sequence_is_refused(void **state)
{
    (void)state;
    static const char *const spoilt[] = {"",
                                         "\n",
                                         "-1\n",
                                         " 9\n",
                                         "9 \n",
                                         "0x9\n",
                                         "9223372036854775808\n",
                                         "99999999999999999999999999999999\n"};
    static const struct canned_row rows[] = {
        {"changes --state state", NULL, 0, EX_DATAERR, "", "",
         "icp changes: state holds no sequence: 'icp changes' wrote none\n"}};
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        folder_put("state", spoilt[i]);
        CANNED_ROWS(rows);
        state_is(spoilt[i]);
    }
}

static void what_cannot_be_followed_is_refused(void **state)
{
    (void)state;
    static const struct canned stuck[] = {
        {PROTO_OP_CHANGES, "{'changes':[],'next':3,'oldest':1,'seq':9,'icp':2,'full':false}",
         PROTO_OK}};
    static const struct canned same[] = {{PROTO_OP_CHANGES, half, PROTO_OK}};
    static const struct canned cut[] = {{PROTO_OP_CHANGES, "{'changes':[]}", PROTO_OK}};
    static const struct canned denied[] = {
        {PROTO_OP_CHANGES, ": the token does not allow it", PROTO_DENIED}};
    static const struct canned_row rows[] = {
        {"changes", NULL, 0, EX_USAGE, "", "",
         "icp changes: --since SEQ or --state FILE is needed; 0 is the beginning\n"},
        {"changes acme", NULL, 0, EX_USAGE, "", "",
         "icp changes: 'acme' is too much: only options may follow; 'icp help changes' lists "
         "them\n"},
        {"changes --since 9 --limit 0", NULL, 0, EX_USAGE, "", "",
         "icp changes: --limit: '0' is not a whole number from 1 to 10000\n"},
        {"changes --since -1", NULL, 0, EX_USAGE, "", "",
         "icp changes: --since: '-1' is not a whole number from 0 to 9223372036854775807\n"},
        {"changes --since 9223372036854775808", NULL, 0, EX_USAGE, "", "",
         "icp changes: --since: '9223372036854775808' is not a whole number from 0 to "
         "9223372036854775807\n"},
        {"changes --since 0", CANNED(denied), EX_NOPERM, NULL, "",
         "icp changes: the token does not allow it\n"},
        {"changes --since 3 --state state", CANNED(stuck), EX_PROTOCOL, NULL, "",
         "icp changes: the server does not say where to go on behind 3\n"},
        {"changes --since 0 --state state", CANNED(same), EX_PROTOCOL, NULL, NULL,
         "icp changes: everybody as they are: since 0\n"
         "icp changes: the server does not say where to go on behind 0\n"},
        {"changes --since 3 --state state", CANNED(cut), EX_PROTOCOL, NULL, "",
         "icp changes: next: the server's reply to changes is not valid: expected a whole number, "
         "found no such field\n"},
        {"changes --state .", NULL, 0, EX_DATAERR, "", "", NULL},
    };
    (void)unlink("state");
    CANNED_ROWS(rows);
    state_is(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_read_until_the_feed_is_at_its_end),
        cmocka_unit_test(the_state_is_kept_in_a_file),
        cmocka_unit_test(a_file_that_holds_no_sequence_is_refused),
        cmocka_unit_test(what_cannot_be_followed_is_refused),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
