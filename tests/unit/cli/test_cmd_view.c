/* SPDX-License-Identifier: Apache-2.0 */
/* Views of one score, from tables that are written down: what each cell says of a figure and of
 * none, amounts in currencies of 0, 2 and 3 digits, and tables that are not those that were asked
 * for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/measure/measure.h"
#include "tests/unit/cli/canned.h"

/* Rows as JSON with ' for "; the columns are put before them as measure.def has them. */
static const char grid_rows[] =
    "[['A','high',12345,10,143,26,0.18182,0.1249,0.2555,''],"
    "['B','none',1,0,0,0,null,null,null,'insufficient: 0 of 30 cases']]";
static const char sales_rows[] =
    "[[1,'acme','Ac\\u001b[2Jme','A',99.96,0.5,'high',12.25,1714564800000,2,'demo',0.478,0.36,0."
    "163,0.612,14,0.5,0.25,0.75,40,"
    "'+ industry','ref',0.826,''],"
    "[2,'b',null,'B',null,0.25,'none',0.0,null,0,'',null,null,null,null,null,null,null,null,0,'',"
    "null,null,"
    "'insufficient: 0 of 30 cases']]";
static const char finance_rows[] =
    "[['arr','all',1234567.8,null,null,12,''],['arr share','A',0.4996,0.25,0.75,12,''],"
    "['customers','all',12.0,null,null,12,''],['cac','A',-50.4,-100.0,null,3,''],['arpa','A',-0.4,"
    "null,null,3,''],"
    "['payback','A',null,null,null,3,'insufficient: 3 of 30 new customers'],"
    "['serving','A',-0.0004,null,null,3,''],['ltv',null,null,null,null,0,null],"
    "['ltv:cac','A',2.345,1.0,3.5,30,'']]";
static const char product_rows[] =
    "[[1,'dark mode','feature',3,1,1714564800000,2,1,150000,-1,'acme',0.996,'lighthouse',2],"
    "[2,'b','bug',1,0,null,1,0,0,0,'',null,'',1]]";
static const char short_rows[] = "[['arr','all',1.0]]";

static struct canned grid[] = {{PROTO_OP_VIEW, grid_rows, PROTO_OK}};
static struct canned sales[] = {{PROTO_OP_VIEW, sales_rows, PROTO_OK}};
static struct canned finance_eur[] = {{PROTO_OP_VIEW, finance_rows, PROTO_OK}};
static struct canned finance_jpy[] = {{PROTO_OP_VIEW, finance_rows, PROTO_OK}};
static struct canned finance_none[] = {{PROTO_OP_VIEW, "[]", PROTO_OK}};
static struct canned finance_short[] = {{PROTO_OP_VIEW, short_rows, PROTO_OK}};
static struct canned product[] = {{PROTO_OP_VIEW, product_rows, PROTO_OK}};
static const struct {
    struct canned *canned;
    enum measure_id id;
    const char *currency;
} tables[] = {
    {grid, MEASURE_ID_GRID, ""},
    {sales, MEASURE_ID_SALES, ""},
    {finance_eur, MEASURE_ID_FINANCE, "EUR"},
    {finance_jpy, MEASURE_ID_FINANCE, "JPY"},
    {finance_none, MEASURE_ID_FINANCE, "EUR"},
    {finance_short, MEASURE_ID_FINANCE, "EUR"},
    {product, MEASURE_ID_PRODUCT, "KWD"},
};
enum { TABLES = sizeof tables / sizeof *tables };

static json_t *rows_read(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *at = strchr(copy, '\''); at != NULL; at = strchr(at, '\'')) {
        *at = '"';
    }
    json_t *rows = json_loads(copy, 0, NULL);
    assert_non_null(rows);
    free(copy);
    return rows;
}

static int replies_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        size_t count = 0;
        const struct measure_column *columns = measure_columns(tables[i].id, &count);
        json_t *list = json_array();
        for (size_t c = 0; c < count; c++) {
            (void)json_array_append_new(list, json_pack("{s:s}", "name", columns[c].name));
        }
        json_t *reply = json_pack(
            "{s:i, s:i, s:I, s:s, s:i, s:{}, s:s, s:i, s:i, s:i, s:[{s:o, s:o}]}", "icp", 2, "seq",
            9, "at", (json_int_t)1714564800000, "definition", "usual", "version", 0, "rules",
            "currency", tables[i].currency, "accounts", 12345, "events", 5, "subscriptions", 1,
            "views", "columns", list, "rows", rows_read(tables[i].canned->reply));
        tables[i].canned->reply = json_dumps(reply, JSON_COMPACT);
        assert_non_null(tables[i].canned->reply);
        json_decref(reply);
    }
    return 0;
}

static int replies_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        free((char *)(uintptr_t)tables[i].canned->reply);
    }
    return 0;
}

static void each_view_is_a_table_in_its_own_words(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"view grid", CANNED(grid), EX_OK,
         "view {\"views\":[\"grid\"],\"parameters\":{},\"rules\":{},\"icp\":0}\n",
         "grade  engagement  accounts  customers  won, of cases that began there\n"
         "A      high          12,345         10  18 % (12 to 26), n 143\n"
         "B      none               1          0  insufficient: 0 of 30 cases\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events\n"
         "icp view: grid: 16 intervals at once: read them at 1 - 0.05/16 before ranking cells\n"},
        {"view sales --top 2 --icp 2 --filter x --seq 9 --known 2024-05-01", CANNED(sales), EX_OK,
         "view "
         "{\"views\":[\"sales\"],\"parameters\":{\"top\":\"2\"},\"rules\":{},\"icp\":2,\"filter\":"
         "\"x\",\"seq\":9,\"known\":1714521600000}\n",
         "#  account  name         grade    fit  engagement  last        open  stage  wins from it "
         " "
         "won, of all in the stage  won, of such cases           reasons     reference\n"
         "1  acme     Ac\\x1b[2Jme  A      100.0  high 12.2   2024-05-01     2  demo   48 %        "
         "  "
         "36 % (16 to 61), n 14     50 % (25 to 75), n 40        + industry  ref, 83 % alike\n"
         "2  b                     B             none 0.0                   0                      "
         " "
         "                          insufficient: 0 of 30 cases\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events\n"
         "icp view: sales: accounts of one cell share one rate and one interval\n"},
        {"view product --kind feature --dominates 0.9", CANNED(product), EX_OK,
         "view "
         "{\"views\":[\"product\"],\"parameters\":{\"kind\":\"feature\",\"dominates\":\"0.9\"},"
         "\"rules\":{},\"icp\":0}\n",
         "#  request    kind     asked  open  accounts  A or B      arr  weighed by fit  loudest  "
         "its share  flag        # by arr\n"
         "1  dark mode  feature      3     1         2       1  150.000          -0.001  acme     "
         "100 %      lighthouse         2\n"
         "2  b          bug          1     0         1       0    0.000           0.000            "
         "                             1\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, KWD\n"},
    };
    CANNED_ROWS(rows);
}

static void figures_of_finance_have_their_units(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"view finance --segment tier", CANNED(finance_eur), EX_OK,
         "view "
         "{\"views\":[\"finance\"],\"parameters\":{},\"rules\":{},\"icp\":0,\"by\":\"tier\"}\n",
         "figure     of   value                                95 %               n\n"
         "arr        all  12345.68                                               12\n"
         "arr share  A    50.0 %                               25.0 % to 75.0 %  12\n"
         "customers  all  12                                                     12\n"
         "cac        A    -0.50                                from -1.00         3\n"
         "arpa       A    0.00                                                    3\n"
         "payback    A    insufficient: 3 of 30 new customers                     3\n"
         "serving    A    0.0 %                                                   3\n"
         "ltv                                                                     0\n"
         "ltv:cac    A    2.35                                 1.00 to 3.50      30\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, EUR\n"
         "icp view: finance: intervals are for one row each; for k rows read them at 1 - 0.05/k\n"},
        {"view finance --rule trials=excluded", CANNED(finance_jpy), EX_OK, NULL,
         "figure     of   value                                95 %               n\n"
         "arr        all  1234568                                                12\n"
         "arr share  A    50.0 %                               25.0 % to 75.0 %  12\n"
         "customers  all  12                                                     12\n"
         "cac        A    -50                                  from -100          3\n"
         "arpa       A    0                                                       3\n"
         "payback    A    insufficient: 3 of 30 new customers                     3\n"
         "serving    A    0.0 %                                                   3\n"
         "ltv                                                                     0\n"
         "ltv:cac    A    2.35                                 1.00 to 3.50      30\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, JPY\n"
         "icp view: finance: intervals are for one row each; for k rows read them at 1 - 0.05/k\n"},
        {"view finance", CANNED(finance_none), EX_OK, NULL, "figure  of  value  95 %  n\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, EUR\n"
         "icp view: finance: there is nothing to list: subscriptions, spend, stages, scores; "
         "perhaps a segment for each account\n"},
        {"view finance --csv", CANNED(finance_eur), EX_OK, NULL,
         "figure,of,value,low,high,n,verdict\n"
         "arr,all,1234567.8,,,12,\n"
         "arr share,A,0.4996,0.25,0.75,12,\n"
         "customers,all,12,,,12,\n"
         "cac,A,-50.4,-100,,3,\n"
         "arpa,A,-0.4,,,3,\n"
         "payback,A,,,,3,insufficient: 3 of 30 new customers\n"
         "serving,A,-0.0004,,,3,\n"
         "ltv,,,,,0,\n"
         "ltv:cac,A,2.345,1,3.5,30,\n",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, EUR\n"},
    };
    CANNED_ROWS(rows);
}

static void a_table_that_was_not_asked_for_is_refused(void **state)
{
    (void)state;
    static const struct canned denied[] = {
        {PROTO_OP_VIEW, "parameters.top: a whole number from 1 to 1000 is wanted",
         PROTO_BAD_FIELD}};
    static const struct canned_row rows[] = {
        {"view sales", CANNED(finance_eur), EX_PROTOCOL, NULL, "",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, EUR\n"
         "icp view: the server's table of view-sales has other columns: icp and icpd are of "
         "versions that differ\n"},
        {"view finance", CANNED(finance_short), EX_PROTOCOL, NULL, "",
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events, EUR\n"
         "icp view: the server's table of view-finance has other columns: icp and icpd are of "
         "versions that differ\n"},
        {"view grid sales", CANNED(grid), EX_PROTOCOL, NULL, NULL,
         "icp view: ICP 2, sequence 9, as of 2024-05-01T12:00:00Z, engagement usual@0, 12345 "
         "accounts, 5 events\n"
         "icp view: grid: 16 intervals at once: read them at 1 - 0.05/16 before ranking cells\n"
         "icp view: the server was asked for 2 views and told of 1\n"},
        {"view sales --top 0", CANNED(denied), EX_DATAERR,
         "view {\"views\":[\"sales\"],\"parameters\":{\"top\":\"0\"},\"rules\":{},\"icp\":0}\n", "",
         "icp view: --top: a whole number from 1 to 1000 is wanted\n"},
    };
    CANNED_ROWS(rows);
}

static void what_no_view_has_is_refused(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"view", NULL, 0, EX_USAGE, "", "",
         "icp view: VIEW… is missing; 'icp help view' has examples\n"},
        {"view finances", NULL, 0, EX_USAGE, "", "",
         "icp view: there is no view 'finances'; there are sales, marketing, success, product, "
         "finance and grid\n"},
        {"view view-sales", NULL, 0, EX_USAGE, "", "",
         "icp view: there is no view 'view-sales'; there are sales, marketing, success, product, "
         "finance and grid\n"},
        {"view grid grid", NULL, 0, EX_USAGE, "", "", "icp view: 'grid' is asked for twice\n"},
        {"view grid sales --csv", NULL, 0, EX_USAGE, "", "",
         "icp view: --csv is of one view; --json takes several\n"},
        {"view grid --top 3", NULL, 0, EX_USAGE, "", "",
         "icp view: --top: grid has no such parameter\n"},
        {"view sales --margin 0.5", NULL, 0, EX_USAGE, "", "",
         "icp view: --margin: sales has no such parameter\n"},
        {"view sales --rule trials", NULL, 0, EX_USAGE, "", "",
         "icp view: --rule: a rule is given as NAME=CHOICE, such as churn-at=cancel, not "
         "'trials'\n"},
        {"view sales --rule trials=x", NULL, 0, EX_USAGE, "", "",
         "icp view: --rule: the rule trials is one of excluded, counted, not 'x'\n"},
        {"view sales --known never", NULL, 0, EX_USAGE, "", "",
         "icp view: --known: 'never' is no time such as 2024-01-01T12:00:00Z\n"},
        {"view sales --seq -1", NULL, 0, EX_USAGE, "", "",
         "icp view: --seq: '-1' is not a whole number from 0 to 9223372036854775807\n"},
        {"view grid sales marketing success product finance grid", NULL, 0, EX_USAGE, "", "",
         "icp view: 'grid' is one argument too many; expected VIEW…: if it holds blanks, put "
         "quotes around it ('icp help view' has examples)\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_view_is_a_table_in_its_own_words),
        cmocka_unit_test(figures_of_finance_have_their_units),
        cmocka_unit_test(a_table_that_was_not_asked_for_is_refused),
        cmocka_unit_test(what_no_view_has_is_refused),
    };
    return cmocka_run_group_tests(tests, replies_make, replies_free);
}
