/* SPDX-License-Identifier: Apache-2.0 */
/* icp campaign check against a server that answers from a table: each row comes to one thing, the
 * first that keeps it from being sent; what is asked of the server for it; and what ends it. */
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

#define CHECK "campaign check who.csv --account a"
#define ACCOUNT(ID, VALUES)                                                                        \
    {                                                                                              \
        PROTO_OP_ACCOUNT_GET, "{'id':'" ID "','keys':[],'values':{" VALUES "},'seq':9}", PROTO_OK  \
    }
#define NOBODY                                                                                     \
    {                                                                                              \
        PROTO_OP_ACCOUNT_GET, "id: no account", PROTO_NOT_FOUND                                    \
    }
#define LIFE(CUSTOMER)                                                                             \
    {                                                                                              \
        PROTO_OP_LIFECYCLE,                                                                        \
            "{'id':'x','at':0,'mrr':0,'currency':'','customer':" CUSTOMER ",'renewals':0,"         \
            "'churned':0,'open':[],'open_count':0,'events':0,'seq':9}",                            \
            PROTO_OK                                                                               \
    }
#define SCHEMA                                                                                     \
    {                                                                                              \
        PROTO_OP_SCHEMA_GET,                                                                       \
            "{'schema':1,'document':'{\\'fields\\':[{\\'name\\':\\'stop\\',"                       \
            "\\'type\\':\\'flag\\'},{\\'name\\':\\'land\\',\\'type\\':\\'category\\'}]}'}",        \
            PROTO_OK                                                                               \
    }
#define ENTRY(ID) "{'id':'" ID "','fit':1.0,'p':0.5,'grade':'A','raw':1,'reasons':[]}"

static void is_written(const char *name, const char *wanted)
{
    char text[256] = "";
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, wanted);
}

static int files_make(void **state)
{
    (void)folder_make(state);
    /* The last row has no line end. */
    folder_put("who.csv", "a,say\none,\"hi, one\"\none,again\nann@two.com,2\ndomain:three.com,3");
    folder_put("single.csv", "a\none\n");
    folder_put("none.csv", "a\n");
    folder_put("gap.csv", "a,b\none,1\n,2\n");
    return 0;
}

/* By id first, then by what the name looks like; an account that was named twice is one. */
static void each_row_comes_to_the_first_thing_that_holds(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        ACCOUNT("one", ""), ACCOUNT("one", ""), NOBODY, ACCOUNT("two", ""), NOBODY, NOBODY,
        LIFE("false"),      LIFE("true")};
    static const struct canned_row rows[] = {
        {CHECK " --out out.csv", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n"
         "account-get {\"id\":\"one\"}\n"
         "account-get {\"id\":\"ann@two.com\"}\n"
         "account-get {\"email\":\"ann@two.com\"}\n"
         "lifecycle {\"id\":\"two\"}\n"
         "account-get {\"id\":\"domain:three.com\"}\n"
         "account-get {\"key\":\"domain:three.com\"}\n",
         "figure             count   share\n"
         "rows                   4  1.0000\n"
         "unknown                1  0.2500\n"
         "named again            1  0.2500\n"
         "accounts               2  0.5000\n"
         "customers already      1  0.5000\n"
         "to send                1  0.2500\n",
         ""},
    };
    CANNED_ROWS(rows);
    is_written("out.csv", "a,say\none,\"hi, one\"\n");
}

static void who_opted_out_or_is_off_the_list_is_not_written_to(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {
        SCHEMA,
        {PROTO_OP_TAL_GET, "{'name':'q3','head':{'icp':1},'count':1,'entries':[" ENTRY("one") "]}",
         PROTO_OK},
        ACCOUNT("one", "'stop':{'value':true}"),
        ACCOUNT("one", "'stop':{'value':true}"),
        ACCOUNT("two", "'stop':{'value':false}"),
        ACCOUNT("three", ""),
        LIFE("false")};
    static const struct canned_row rows[] = {
        {CHECK " --tal q3 --opt-out stop --out out.csv", CANNED(replies_0), EX_OK,
         "schema-get {}\n"
         "tal-get {\"name\":\"q3\",\"offset\":0,\"limit\":1000}\n"
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n"
         "account-get {\"id\":\"one\"}\n"
         "account-get {\"id\":\"ann@two.com\"}\n"
         "lifecycle {\"id\":\"two\"}\n"
         "account-get {\"id\":\"domain:three.com\"}\n"
         "lifecycle {\"id\":\"three\"}\n",
         "figure             count   share\n"
         "rows                   4  1.0000\n"
         "unknown                0  0.0000\n"
         "named again            1  0.2500\n"
         "accounts               3  0.7500\n"
         "on the list            1  0.3333\n"
         "off the list           2  0.6667\n"
         "customers already      0  0.0000\n"
         "opted out              1  0.3333\n"
         "to send                0  0.0000\n",
         ""},
        {CHECK " --tal q3 --opt-out stop --csv", CANNED(replies_0), EX_OK,
         "schema-get {}\n"
         "tal-get {\"name\":\"q3\",\"offset\":0,\"limit\":1000}\n"
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n"
         "account-get {\"id\":\"one\"}\n"
         "account-get {\"id\":\"ann@two.com\"}\n"
         "lifecycle {\"id\":\"two\"}\n"
         "account-get {\"id\":\"domain:three.com\"}\n"
         "lifecycle {\"id\":\"three\"}\n",
         "figure,count,share\n"
         "rows,4,1.0000\n"
         "unknown,0,0.0000\n"
         "named again,1,0.2500\n"
         "accounts,3,0.7500\n"
         "on the list,1,0.3333\n"
         "off the list,2,0.6667\n"
         "customers already,0,0.0000\n"
         "opted out,1,0.3333\n"
         "to send,0,0.0000\n",
         ""},
    };
    CANNED_ROWS(rows);
    is_written("out.csv", "a,say\n"); /* nobody may be: the header stands alone */
}

static void a_file_without_rows_has_no_shares(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {ACCOUNT("one", ""), LIFE("false")};
    static const struct canned_row rows[] = {
        {"campaign check none.csv --account a", NULL, 0, EX_OK, "",
         "figure             count  share\n"
         "rows                   0\n"
         "unknown                0\n"
         "named again            0\n"
         "accounts               0\n"
         "customers already      0\n"
         "to send                0\n",
         "icp campaign check: none.csv has one column, 'a'; if that is wrong, name what separates "
         "them with --separator\n"},
        {"campaign check single.csv --account a --csv", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n",
         "figure,count,share\n"
         "rows,1,1.0000\n"
         "unknown,0,0.0000\n"
         "named again,0,0.0000\n"
         "accounts,1,1.0000\n"
         "customers already,0,0.0000\n"
         "to send,1,1.0000\n",
         "icp campaign check: single.csv has one column, 'a'; if that is wrong, name what "
         "separates them with --separator\n"},
    };
    CANNED_ROWS(rows);
}

static void what_is_not_there_ends_it_before_the_first_row(void **state)
{
    (void)state;
    static const struct canned schema[] = {SCHEMA};
    static const struct canned replies_0[] = {
        {PROTO_OP_TAL_GET, "name: there is no list q9", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {CHECK " --opt-out land", CANNED(schema), EX_USAGE, "schema-get {}\n", "",
         "icp campaign check: --opt-out: 'land' is no flag\n"},
        {CHECK " --opt-out mail", CANNED(schema), EX_USAGE, "schema-get {}\n", "",
         "icp campaign check: --opt-out: the schema has no field 'mail'\n"},
        {CHECK " --tal q9", CANNED(replies_0), EX_DATAERR,
         "tal-get {\"name\":\"q9\",\"offset\":0,\"limit\":1000}\n", "",
         "icp campaign check: name: there is no list q9\n"},
        {"campaign check who.csv --account b", NULL, 0, EX_USAGE, "", "",
         "icp campaign check: --account: who.csv has no column 'b'; did you mean 'a'?\n"},
        {"campaign check who.csv", NULL, 0, EX_USAGE, "", "",
         "icp campaign check: --account COLUMN is needed: a column of who.csv\n"},
        {"campaign check gone.csv --account a", NULL, 0, EX_NOINPUT, "", "",
         "icp campaign check: cannot open gone.csv: No such file or directory\n"},
        {CHECK " --out /nowhere/out.csv", NULL, 0, EX_CANTCREAT, "", "",
         "icp campaign check: cannot write /nowhere/out.csv: No such file or directory\n"},
    };
    CANNED_ROWS(rows);
}

/* Nothing is told of half a file, and the file that was there stays as it was. */
static void a_refusal_between_two_rows_ends_it(void **state)
{
    (void)state;
    folder_put("out.csv", "before\n");
    static const struct canned replies_0[] = {
        {PROTO_OP_ACCOUNT_GET, "id: not yours", PROTO_DENIED}};
    static const struct canned replies_1[] = {
        ACCOUNT("one", ""), {PROTO_OP_LIFECYCLE, "id: a record is damaged", PROTO_CORRUPT}};
    static const struct canned replies_2[] = {ACCOUNT("one", ""), LIFE("false")};
    static const struct canned_row rows[] = {
        {CHECK " --out out.csv", CANNED(replies_0), EX_NOPERM, "account-get {\"id\":\"one\"}\n", "",
         "icp campaign check: id: not yours\n"},
        {CHECK " --out out.csv", CANNED(replies_1), EX_SOFTWARE,
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n",
         "", "icp campaign check: id: a record is damaged\n"},
        {"campaign check gap.csv --account a --out out.csv", CANNED(replies_2), EX_DATAERR,
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n",
         "",
         "icp campaign check: gap.csv, line 3, column 1 (a): the account is missing\n"
         "icp campaign check: 1 rows of gap.csv cannot be read, and a figure without them would be "
         "another; --skip-bad leaves them out\n"},
    };
    CANNED_ROWS(rows);
    is_written("out.csv", "before\n");
}

static void a_row_without_an_account_may_be_left_out(void **state)
{
    (void)state;
    static const struct canned replies_0[] = {ACCOUNT("one", ""), LIFE("false")};
    static const struct canned_row rows[] = {
        {"campaign check gap.csv --account a --skip-bad --out out.csv", CANNED(replies_0), EX_OK,
         "account-get {\"id\":\"one\"}\n"
         "lifecycle {\"id\":\"one\"}\n",
         "figure             count   share\n"
         "rows                   1  1.0000\n"
         "unknown                0  0.0000\n"
         "named again            0  0.0000\n"
         "accounts               1  1.0000\n"
         "customers already      0  0.0000\n"
         "to send                1  1.0000\n",
         "icp campaign check: gap.csv, line 3, column 1 (a): the account is missing\n"
         "icp campaign check: 1 rows of gap.csv are left out\n"},
    };
    CANNED_ROWS(rows);
    is_written("out.csv", "a,b\none,1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_comes_to_the_first_thing_that_holds),
        cmocka_unit_test(who_opted_out_or_is_off_the_list_is_not_written_to),
        cmocka_unit_test(a_file_without_rows_has_no_shares),
        cmocka_unit_test(what_is_not_there_ends_it_before_the_first_row),
        cmocka_unit_test(a_refusal_between_two_rows_ends_it),
        cmocka_unit_test(a_row_without_an_account_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, files_make, folder_remove);
}
