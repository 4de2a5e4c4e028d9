/* SPDX-License-Identifier: Apache-2.0 */
/* One account on a target account list in words, and the files of owners, segments and accounts to
 * leave out that a list is built with. */
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

#define SEEN(ID, PART, SAMPLED, REST)                                                              \
    {                                                                                              \
        {                                                                                          \
            PROTO_OP_TAL_ACCOUNT,                                                                  \
                "{'name':'q3','id':'" ID "','part':'" PART "','sampled':" SAMPLED REST "}",        \
                PROTO_OK                                                                           \
        }                                                                                          \
    }
#define DRAWN(SEED, DRAW) ",'seed':'" SEED "','draw':'" DRAW "','below':'1999999999999999'"
#define OWNERS "tal build q3 --owners o.csv"
#define EXCLUDE "tal build q3 --exclude-file o.csv"
#define SAID "icp tal build: "
#define ENTRY(RANK)                                                                                \
    ",'entry':{" RANK "'id':'b','fit':1.0,'p':0.12345,'grade':'A','raw':1,'reasons':[]}"

static void each_part_has_its_words(void **state)
{
    (void)state;
    static const struct canned member[] =
        SEEN("b", "member", "false", DRAWN("s1", "2a") ENTRY("'rank':7,"));
    static const struct canned held[] =
        SEEN("b", "held-out", "true", DRAWN("s1", "01") ENTRY("'rank':8,"));
    static const struct canned missed[] =
        SEEN("b", "just-missed", "false", DRAWN("s1", "2a") ENTRY("'rank':101,"));
    static const struct canned sampled[] = SEEN("b", "none", "true", DRAWN("s1", "2a") ENTRY(""));
    static const struct canned none[] = SEEN("b", "none", "false", DRAWN("s1", "2a"));
    static const struct canned old[] = SEEN("b", "member", "false", ENTRY("'rank':1,"));
    static const struct canned_row rows[] = {
        {"tal check q3 b", CANNED(member), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is on the list, to be worked\n"
         "  rank 7, p 0.1235 when the list was made\n"
         "  its draw is 2a, and a member below 1999999999999999 is held out:\n"
         "  printf %s 's1:b' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q3 b", CANNED(held), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is on the list and held out: not to be worked; it is in the sample too\n"
         "  rank 8, p 0.1235 when the list was made\n"
         "  its draw is 01, and a member below 1999999999999999 is held out:\n"
         "  printf %s 's1:b' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q3 b", CANNED(missed), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is not on the list; it just missed it\n"
         "  rank 101, p 0.1235 when the list was made\n"
         "  its draw is 2a, and a member below 1999999999999999 is held out:\n"
         "  printf %s 's1:b' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q3 b", CANNED(sampled), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is not on the list; it was drawn for the sample\n"
         "  p 0.1235 when the list was made\n"
         "  its draw is 2a, and a member below 1999999999999999 is held out:\n"
         "  printf %s 's1:b' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q3 b", CANNED(none), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is not on the list, nor frozen beside it\n"
         "  its draw is 2a, and a member below 1999999999999999 is held out:\n"
         "  printf %s 's1:b' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q3 b", CANNED(old), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "b is on the list, to be worked\n"
         "  rank 1, p 0.1235 when the list was made\n"
         "  the list is of format 1: nothing was drawn\n",
         ""},
        {"tal check q3 b --json", CANNED(none), EX_OK,
         "tal-account {\"name\":\"q3\",\"id\":\"b\"}\n",
         "{\n"
         "  \"name\": \"q3\",\n"
         "  \"id\": \"b\",\n"
         "  \"part\": \"none\",\n"
         "  \"sampled\": false,\n"
         "  \"seed\": \"s1\",\n"
         "  \"draw\": \"2a\",\n"
         "  \"below\": \"1999999999999999\"\n"
         "}\n",
         ""},
    };
    CANNED_ROWS(rows);
}

/* The line is run by whoever doubts the draw: a quote in an id must not end it. */
static void a_draw_can_be_made_again_whatever_the_id_is(void **state)
{
    (void)state;
    static const struct canned quoted[] =
        SEEN("O\\u0027Brien; rm -r \\u0027x", "member", "false", DRAWN("it\\u0027s", "2a"));
    static const struct canned refused[] = {
        {PROTO_OP_TAL_ACCOUNT, "name: there is no list q9", PROTO_NOT_FOUND}};
    static const struct canned_row rows[] = {
        {"tal check q3 x", CANNED(quoted), EX_OK, "tal-account {\"name\":\"q3\",\"id\":\"x\"}\n",
         "O'Brien; rm -r 'x is on the list, to be worked\n"
         "  its draw is 2a, and a member below 1999999999999999 is held out:\n"
         "  printf %s 'it'\\''s:O'\\''Brien; rm -r '\\''x' | sha256sum | cut -c1-16\n",
         ""},
        {"tal check q9 x", CANNED(refused), EX_DATAERR,
         "tal-account {\"name\":\"q9\",\"id\":\"x\"}\n", "",
         "icp tal check: name: there is no list q9\n"},
    };
    CANNED_ROWS(rows);
}

/* How the file was read is seen in what is asked; the server says no. */
static void owners_and_those_left_out_are_read_from_files(void **state)
{
    (void)state;
    static const struct {
        const char *file, *line;
        int status;
        const char *asked, *said;
    } reads[] = {
        {"name,capacity,filter\nAnn,10,x > 1\nBob,0,\n", OWNERS, EX_DATAERR,
         "tal-build {\"name\":\"q3\",\"owners\":[{\"name\":\"Ann\",\"filter\":\"x > "
         "1\",\"capacity\":10},{\"name\":\"Bob\",\"filter\":\"\",\"capacity\":0}]}\n",
         SAID "name: not today\n"},
        {"name,capacity\nAnn,999999999999999999\n", OWNERS, EX_DATAERR,
         "tal-build "
         "{\"name\":\"q3\",\"owners\":[{\"name\":\"Ann\",\"filter\":\"\",\"capacity\":"
         "999999999999999999}]}\n",
         SAID "name: not today\n"},
        {"name,capacity\n", OWNERS, EX_DATAERR, "tal-build {\"name\":\"q3\"}\n",
         SAID "name: not today\n"},
        {"name,capacity\nAnn,9999999999999999999\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv, line 2: a whole number is wanted in the last column\n"},
        {"name,capacity\nAnn,-1\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv, line 2: a whole number is wanted in the last column\n"},
        {"capacity,name\n5,Ann\n5,\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv, line 3: the name is empty\n"},
        {"name,filter\nAnn,\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv: columns 'name' and 'capacity' are needed, and 'filter'\n"},
        {"name,capacity\n\"Ann\nMary\",1\nBob,\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv, line 4: a whole number is wanted in the last column\n"},
        {"name,capacity\nAnn,1,2\n", OWNERS, EX_DATAERR, "",
         SAID "o.csv, line 2: the row has 3 cells, the header has 2\n"},
        {"key,id\ndomain:x.com,a\n,b\n", EXCLUDE, EX_DATAERR,
         "tal-build "
         "{\"name\":\"q3\",\"exclude_ids\":[\"a\",\"b\"],\"exclude_keys\":[\"domain:x.com\"]}\n",
         SAID "name: not today\n"},
        {"account,note\na,b\n", EXCLUDE, EX_DATAERR, "",
         SAID "o.csv: a column 'id', 'key' or 'domain' is needed\n"},
    };
    static const struct canned refused[] = {
        {PROTO_OP_TAL_BUILD, "name: not today", PROTO_BAD_FIELD}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        folder_put("o.csv", reads[i].file);
        const struct canned_row row = {
            reads[i].line, CANNED(refused), reads[i].status, reads[i].asked, "", reads[i].said};
        canned_rows(&row, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_has_its_words),
        cmocka_unit_test(a_draw_can_be_made_again_whatever_the_id_is),
        cmocka_unit_test(owners_and_those_left_out_are_read_from_files),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
