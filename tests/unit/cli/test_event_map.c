/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "tools/cli/event_map.h"

#define DAY INT64_C(86400000)
/* 2024-05-01 */
#define MAY INT64_C(1714521600000)
#define NOW (MAY + 365 * DAY)

struct opened {
    struct cli cli;
    struct csv_input *input;
    struct event_map map;
    int status;
};

static void open_with(struct opened *opened, const char *text, struct cli_setting *settings,
                      size_t count)
{
    struct proto_fault fault = {.code = PROTO_OK};
    *opened = (struct opened){.cli = {.settings = settings, .setting_count = count}};
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        if (strcmp(cli_commands()[i].name, "event import") == 0) {
            opened->cli.command = &cli_commands()[i];
        }
    }
    opened->input = csv_open_bytes(proto_span_text(text), "dir/f.csv", NULL, &fault);
    assert_non_null(opened->input);
    opened->status = event_map_open(&opened->map, &opened->cli, opened->input);
}

static void close_all(struct opened *opened)
{
    event_map_close(&opened->map);
    csv_close(opened->input);
}

struct row_told {
    bool good;
    size_t count;
    size_t column;
    struct proto_fault fault;
    struct event events[EVENT_ROW_MAX];
};

static struct row_told next(struct opened *opened)
{
    struct row_told told = {.column = SIZE_MAX};
    struct csv_row row;
    assert_true(csv_next(opened->input, &row, &told.fault));
    assert_false(row.bad);
    told.good = event_map_read(&opened->map, &row, NOW, told.events, &told.count, &told.column,
                               &told.fault);
    return told;
}

static void is_text(struct proto_span text, const char *right)
{
    if (!proto_span_is(text, right)) {
        fail_msg("'%.*s' is not '%s'", (int)text.bytes, (const char *)text.data, right);
    }
}

static void a_row_is_one_event_by_its_columns(void **state)
{
    (void)state;
    struct opened o;
    struct cli_setting settings[] = {
        {CLI_EVENT_IMPORT_ACCOUNT, "who"},    {CLI_EVENT_IMPORT_TYPE, "what"},
        {CLI_EVENT_IMPORT_AT, "when"},        {CLI_EVENT_IMPORT_ID, "no"},
        {CLI_EVENT_IMPORT_KIND, "=won"},      {CLI_EVENT_IMPORT_AMOUNT, "sum"},
        {CLI_EVENT_IMPORT_CURRENCY, "money"}, {CLI_EVENT_IMPORT_QUANTITY, "n"}};
    open_with(&o,
              "who,what,when,no,sum,money,n\nacme,outcome,25/05/2024,7,\"1,234.50\",usd,1.5\n"
              "acme,outcome,01/05/2024,8,1500,JPY,\nacme,stage,01/05/2024,9,,,\n",
              settings, sizeof settings / sizeof *settings);
    assert_int_equal(o.status, EX_OK);
    struct row_told told = next(&o);
    assert_true(told.good);
    assert_int_equal(told.count, 1);
    assert_string_equal(o.map.account, "acme");
    assert_int_equal(told.events[0].type, EVENT_OUTCOME);
    assert_int_equal(told.events[0].time_ms, MAY + 24 * DAY);
    assert_int_equal(told.events[0].amount, 123450);
    assert_int_equal(told.events[0].quantity, 1500);
    is_text(told.events[0].currency, "USD");
    is_text(told.events[0].kind, "won");
    is_text(told.events[0].id, "7");
    is_text(told.events[0].source, "f.csv");
    told = next(&o); /* the other row says that the day is first; a yen has no cents */
    assert_true(told.good);
    assert_int_equal(told.events[0].time_ms, MAY);
    assert_int_equal(told.events[0].amount, 1500);
    told = next(&o);
    assert_true(told.good);
    assert_int_equal(told.events[0].has, EVENT_HAS_KIND);
    close_all(&o);
}

static void refused(struct opened *o, size_t column, const char *words)
{
    struct row_told told = next(o);
    assert_false(told.good);
    assert_int_equal(told.count, 0);
    if (told.column != column || strstr(told.fault.message, words) == NULL) {
        fail_msg("column %zu: %s", told.column, told.fault.message);
    }
}

static void a_row_that_is_wrong_names_its_cell(void **state)
{
    (void)state;
    struct opened o;
    struct cli_setting settings[] = {
        {CLI_EVENT_IMPORT_ACCOUNT, "who"}, {CLI_EVENT_IMPORT_TYPE, "spend"},
        {CLI_EVENT_IMPORT_AT, "when"},     {CLI_EVENT_IMPORT_ID, "no"},
        {CLI_EVENT_IMPORT_AMOUNT, "sum"},  {CLI_EVENT_IMPORT_CURRENCY, "money"}};
    open_with(&o,
              "who,when,no,sum,money\n"
              ",2024-05-01,1,5,USD\n"
              "acme,soon,1,5,USD\n"
              "acme,,1,5,USD\n"
              "acme,2024-05-01,,5,USD\n"
              "acme,2024-05-01,1,5.001,USD\n"
              "acme,2024-05-01,1,5.5,JPY\n"
              "acme,2024-05-01,1,5,dollars\n"
              "acme,2024-05-01,1,,USD\n"
              "acme,2034-05-01,1,5,USD\n",
              settings, sizeof settings / sizeof *settings);
    assert_int_equal(o.status, EX_OK);
    refused(&o, 0, "the account is missing");
    refused(&o, 1, "no date");
    refused(&o, 1, "empty");
    refused(&o, 2, "the id is missing");
    refused(&o, 3, "2 digits");
    refused(&o, 3, "no whole number up to");
    refused(&o, 4, "three letters");
    refused(&o, 3, "needs it");
    refused(&o, 1, "ahead of the clock");
    close_all(&o);
}

static void rows_without_an_id_are_known_by_what_they_tell(void **state)
{
    (void)state;
    const char *text = "who,when,sum\nacme,2024-05-01,5\nacme,2024-05-01,5\nacme,2024-05-01,6\n"
                       "other,2024-05-01,5\n";
    struct cli_setting settings[] = {{CLI_EVENT_IMPORT_ACCOUNT, "who"},
                                     {CLI_EVENT_IMPORT_TYPE, "spend"},
                                     {CLI_EVENT_IMPORT_AT, "when"},
                                     {CLI_EVENT_IMPORT_AMOUNT, "sum"},
                                     {CLI_EVENT_IMPORT_CURRENCY, "USD"}};
    char ids[2][4][64];
    for (size_t round = 0; round < 2; round++) {
        struct opened o;
        open_with(&o, text, settings, sizeof settings / sizeof *settings);
        assert_int_equal(o.status, EX_OK);
        assert_true(event_map_makes_ids(&o.map));
        for (size_t i = 0; i < 4; i++) {
            struct row_told told = next(&o);
            assert_true(told.good);
            snprintf(ids[round][i], 64, "%.*s", (int)told.events[0].id.bytes,
                     (const char *)told.events[0].id.data);
        }
        close_all(&o);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(ids[0][i], ids[1][i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(ids[0][i], ids[0][j]);
        }
    }
    /* The second of two that are alike is the second of that digest. */
    assert_memory_equal(ids[0][0], ids[0][1], 16);
    assert_string_equal(ids[0][1] + 16, ":2");
}

static void an_opportunity_is_created_and_won_or_lost(void **state)
{
    (void)state;
    struct opened o;
    struct cli_setting settings[] = {
        {CLI_EVENT_IMPORT_ACCOUNT, "account"},     {CLI_EVENT_IMPORT_ID, "opp"},
        {CLI_EVENT_IMPORT_CREATED, "from"},        {CLI_EVENT_IMPORT_WON, "stage = 'Won'"},
        {CLI_EVENT_IMPORT_LOST, "stage = 'Lost'"}, {CLI_EVENT_IMPORT_AT, "closed"},
        {CLI_EVENT_IMPORT_AMOUNT, "value"},        {CLI_EVENT_IMPORT_CURRENCY, "=USD"},
        {CLI_EVENT_IMPORT_LABEL, "product"}};
    open_with(&o,
              "opp,account,stage,from,closed,value,product\n"
              "o1,acme,Won,2024-05-01,2024-05-11,1054,GTX\n"
              "o2,acme,Lost,2024-05-01,2024-05-21,0,GTX\n"
              "o3,acme,Open,2024-05-01,,,GTX\n"
              "o4,acme,Open,,,,GTX\n"
              "o5,acme,Won,2024-05-01,,10,GTX\n",
              settings, sizeof settings / sizeof *settings);
    assert_int_equal(o.status, EX_OK);
    struct row_told told = next(&o);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.events[0].type, EVENT_STAGE);
    /* What it will be worth is not known when it begins. */
    assert_int_equal(told.events[0].has, EVENT_HAS_KIND | EVENT_HAS_LABEL | EVENT_HAS_SUBJECT);
    is_text(told.events[0].id, "o1:created");
    is_text(told.events[0].subject, "o1");
    assert_int_equal(told.events[1].type, EVENT_OUTCOME);
    assert_int_equal(told.events[1].amount, 105400);
    assert_int_equal(told.events[1].time_ms, MAY + 10 * DAY);
    is_text(told.events[1].kind, "won");
    is_text(told.events[1].id, "o1:won");
    told = next(&o);
    assert_int_equal(told.count, 2);
    is_text(told.events[1].kind, "lost");
    told = next(&o);
    assert_int_equal(told.count, 1);
    told = next(&o);
    assert_true(told.good);
    assert_int_equal(told.count, 0);
    refused(&o, 4, "empty"); /* won, and nobody knows when: not even its creation is told */
    close_all(&o);
}

static void a_subscription_begins_and_churns(void **state)
{
    (void)state;
    struct opened o;
    struct cli_setting settings[] = {
        {CLI_EVENT_IMPORT_ACCOUNT, "a"},     {CLI_EVENT_IMPORT_ID, "s"},
        {CLI_EVENT_IMPORT_START, "from"},    {CLI_EVENT_IMPORT_END, "to"},
        {CLI_EVENT_IMPORT_AMOUNT, "mrr"},    {CLI_EVENT_IMPORT_CURRENCY, "USD"},
        {CLI_EVENT_IMPORT_TRIAL, "trial"},   {CLI_EVENT_IMPORT_CHURNED, "churned"},
        {CLI_EVENT_IMPORT_QUANTITY, "seats"}};
    open_with(&o,
              "s,a,from,to,mrr,trial,churned,seats\n"
              "s1,acme,2024-05-01,2024-06-01,27.86,false,true,14\n"
              "s2,acme,2024-05-01,,0,true,false,1\n"
              "s3,acme,2024-05-01,,5,false,true,1\n",
              settings, sizeof settings / sizeof *settings);
    assert_int_equal(o.status, EX_OK);
    struct row_told told = next(&o);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.events[0].type, EVENT_SUBSCRIPTION);
    assert_int_equal(told.events[0].amount, 2786);
    assert_int_equal(told.events[0].months, 1);
    assert_int_equal(told.events[0].quantity, 14000);
    assert_int_equal(told.events[0].end_ms, MAY + 31 * DAY);
    is_text(told.events[0].id, "s1:2024-06-01");
    is_text(told.events[0].subject, "s1");
    is_text(told.events[1].kind, "churned");
    is_text(told.events[1].id, "s1:churned");
    assert_int_equal(told.events[1].time_ms, MAY + 31 * DAY);
    told = next(&o);
    assert_int_equal(told.count, 1);
    is_text(told.events[0].kind, "trial");
    is_text(told.events[0].id, "s2");
    refused(&o, 3, "empty");
    close_all(&o);
}

static void what_is_told_in_vain_is_refused(void **state)
{
    (void)state;
    struct opened o;
    struct cli_setting none[] = {{CLI_EVENT_IMPORT_ACCOUNT, "a"}};
    open_with(&o, "a,b\n1,2\n", none, 1);
    assert_int_equal(o.status, EX_USAGE); /* when? */
    close_all(&o);
    struct cli_setting absent[] = {{CLI_EVENT_IMPORT_ACCOUNT, "c"}};
    open_with(&o, "a,b\n1,2\n", absent, 1);
    assert_int_not_equal(o.status, EX_OK);
    close_all(&o);
    struct cli_setting both[] = {{CLI_EVENT_IMPORT_ACCOUNT, "a"},
                                 {CLI_EVENT_IMPORT_START, "b"},
                                 {CLI_EVENT_IMPORT_CREATED, "b"}};
    open_with(&o, "a,b\n1,2\n", both, 3);
    assert_int_equal(o.status, EX_USAGE);
    close_all(&o);
    struct cli_setting bare[] = {{CLI_EVENT_IMPORT_ACCOUNT, "a"},
                                 {CLI_EVENT_IMPORT_AT, "b"},
                                 {CLI_EVENT_IMPORT_TYPE, "spend"},
                                 {CLI_EVENT_IMPORT_AMOUNT, "b"}};
    open_with(&o, "a,b\n1,2\n", bare, 4);
    assert_int_equal(o.status, EX_USAGE); /* of which currency? */
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_one_event_by_its_columns),
        cmocka_unit_test(a_row_that_is_wrong_names_its_cell),
        cmocka_unit_test(rows_without_an_id_are_known_by_what_they_tell),
        cmocka_unit_test(an_opportunity_is_created_and_won_or_lost),
        cmocka_unit_test(a_subscription_begins_and_churns),
        cmocka_unit_test(what_is_told_in_vain_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
