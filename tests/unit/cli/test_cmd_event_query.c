/* SPDX-License-Identifier: Apache-2.0 */
/* icp event query: what the options ask, money by the currency of its row, and tables that do not
 * hold together, of which nothing may be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "tests/unit/cli/canned.h"

#define COLUMN(name, kind) "{'name':'" name "','kind':'" kind "','unit':'','help':''}"
#define REST(currency)                                                                             \
    "'currency':'" currency "','interval':'','correction':'','accounts':7,'events':3,'seq':9"
#define KNOWN_2024 ",'newest':1704067200000}"

/* Minor units of no, two and three digits, and one that is not defined. */
static const char money[] = "{'columns':[" COLUMN("currency", "text") "," COLUMN(
    "sum", "money") "],"
                    "'rows':[['JPY',1500],['EUR',1500],['BHD',-1500],['EUR',null]]," REST("") "}";
static const char euros[] = "{'columns':[" COLUMN("period", "time") "," COLUMN(
    "sum", "money") "],"
                    "'rows':[[1704067200000,5]]," REST("EUR") KNOWN_2024;
static const char quantity[] =
    "{'columns':[" COLUMN("cohort", "time") "," COLUMN("rate", "number") "," COLUMN(
        "sum", "count") "],'rows':[[1704067200000,0.125,1500],[null,null,null]]," REST("")
        KNOWN_2024;

static void money_is_in_units_of_the_currency_of_its_row(void **state)
{
    (void)state;
    static const struct canned many[] = {{PROTO_OP_EVENT_QUERY, money, PROTO_OK}};
    static const struct canned one[] = {{PROTO_OP_EVENT_QUERY, euros, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"event query --members currency --sum amount --csv", CANNED(many), EX_OK,
         "event-query {\"sum\":\"amount\",\"members\":[\"currency\"]}\n",
         "currency,sum\nJPY,1500\nEUR,15.00\nBHD,-1.500\nEUR,\n",
         "icp event query: 3 events, 7 accounts looked at, sequence 9, newest event known none\n"},
        {"event query --period month --sum amount --csv", CANNED(one), EX_OK,
         "event-query {\"period\":\"month\",\"sum\":\"amount\"}\n", "period,sum\n2024-01-01,0.05\n",
         "icp event query: 3 events, 7 accounts looked at, sequence 9, newest event known "
         "2024-01-01, EUR\n"},
    };
    CANNED_ROWS(rows);
}

static void quantities_are_in_thousandths_and_nothing_is_an_empty_cell(void **state)
{
    (void)state;
    static const struct canned replies[] = {{PROTO_OP_EVENT_QUERY, quantity, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"event query --cohort year --sum quantity --csv", CANNED(replies), EX_OK,
         "event-query {\"cohort\":\"year\",\"sum\":\"quantity\"}\n",
         "cohort,rate,sum\n2024-01-01,0.125,1.5\n,,\n", NULL},
        {"event query", CANNED(replies), EX_OK, "event-query {}\n",
         "cohort        rate  sum\n2024-01-01  0.1250  1.5\n\n", NULL},
    };
    CANNED_ROWS(rows);
}

static void options_ask_for_times_and_lists(void **state)
{
    (void)state;
    static const struct canned replies[] = {{PROTO_OP_EVENT_QUERY, euros, PROTO_OK}};
    static const struct canned_row rows[] = {
        {"event query --types touch,stage --where \"kind = 'won'\" --filter a --segment b --seq 0 "
         "--since 2024-01-01 --until 2024-01-02 --known 2024-01-03 --csv",
         CANNED(replies), EX_OK,
         "event-query {\"where\":\"kind = 'won'\",\"filter\":\"a\",\"by\":\"b\","
         "\"types\":[\"touch\",\"stage\"],\"since\":1704067200000,\"until\":1704153600000,"
         "\"known\":1704240000000,\"seq\":0}\n",
         NULL, NULL},
        {"event query --since soon", CANNED(replies), EX_USAGE, "", "", NULL},
        {"event query --seq -1", CANNED(replies), EX_USAGE, "", "", NULL},
        {"event query touch", CANNED(replies), EX_USAGE, "", "", NULL},
    };
    CANNED_ROWS(rows);
}

static void table_that_does_not_hold_together_is_not_shown(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{'columns':[" COLUMN("kind", "text") "," COLUMN(
            "events", "count") "],"
                               "'rows':[['won'],['lost',2]]," REST("") "}",
        "{'columns':[" COLUMN("kind", "text") "],'rows':[['won',2]]," REST("") "}",
        "{'columns':[" COLUMN("kind", "text") "],'rows':['won']," REST("") "}",
        "{'columns':[],'rows':[]," REST("") "}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct canned replies[] = {{PROTO_OP_EVENT_QUERY, broken[i], PROTO_OK}};
        const struct canned_row rows[] = {
            {"event query --csv", CANNED(replies), EX_PROTOCOL, "event-query {}\n", "", NULL}};
        CANNED_ROWS(rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_in_units_of_the_currency_of_its_row),
        cmocka_unit_test(quantities_are_in_thousandths_and_nothing_is_an_empty_cell),
        cmocka_unit_test(options_ask_for_times_and_lists),
        cmocka_unit_test(table_that_does_not_hold_together_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
