/* SPDX-License-Identifier: Apache-2.0 */
/* icp event query: the options as a request, the rows of the reply as one table, money in units of
 * its currency. Whatever the server refuses ends it. */
#include <stdlib.h>

#include "proto/table.h"
#include "server/event/event_money.h"
#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/label.h"
#include "tools/cli/measure_cells.h"

#define NO_TIME INT64_MIN
/* Segment, cohort, period, members, events to high, sum. */
enum { COLUMNS_MAX = 3 + PROTO_QUERY_MEMBERS_MAX + 7, NAME_BYTES = 32 };

struct column {
    char name[NAME_BYTES];
    char kind[NAME_BYTES];
};

static int times_put(const struct cli *cli, struct icp_payload *payload)
{
    int64_t since_ms = NO_TIME;
    int64_t until_ms = NO_TIME;
    int64_t known_ms = NO_TIME;
    uint64_t seq = 0;
    if (!measure_option_day(cli, "since", false, &since_ms) ||
        !measure_option_day(cli, "until", false, &until_ms) ||
        !measure_option_day(cli, "known", false, &known_ms) ||
        !cli_number(cli, CLI_EVENT_QUERY_SEQ, 0, INT64_MAX, 0, &seq)) {
        return EX_USAGE;
    }
    if (since_ms != NO_TIME) {
        icp_payload_int(payload, "since", since_ms);
    }
    if (until_ms != NO_TIME) {
        icp_payload_int(payload, "until", until_ms);
    }
    if (known_ms != NO_TIME) {
        icp_payload_int(payload, "known", known_ms);
    }
    if (cli_has(cli, CLI_EVENT_QUERY_SEQ)) {
        icp_payload_uint(payload, "seq", seq);
    }
    return EX_OK;
}

static int query_put(const struct cli *cli, struct icp_payload *payload)
{
    static const struct {
        enum cli_option_id option;
        const char *member;
    } texts[] = {{CLI_EVENT_QUERY_WHERE, "where"},   {CLI_EVENT_QUERY_FILTER, "filter"},
                 {CLI_EVENT_QUERY_SEGMENT, "by"},    {CLI_EVENT_QUERY_COHORT, "cohort"},
                 {CLI_EVENT_QUERY_PERIOD, "period"}, {CLI_EVENT_QUERY_SUM, "sum"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (cli_has(cli, texts[i].option)) {
            icp_payload_text(payload, texts[i].member, cli_text(cli, texts[i].option));
        }
    }
    if (!names_write(cli, CLI_EVENT_QUERY_TYPES, "types", payload) ||
        !names_write(cli, CLI_EVENT_QUERY_MEMBERS, "members", payload)) {
        return EX_USAGE;
    }
    return times_put(cli, payload);
}

static void text_take(const struct icp_value *map, const char *member, char out[NAME_BYTES])
{
    struct icp_value value = {.count = 0};
    out[0] = '\0';
    if (icp_value_get(map, member, &value)) {
        snprintf(out, NAME_BYTES, "%.*s", (int)value.text.bytes, value.text.data);
    }
}

/* 0: more columns than this icp knows how to show. */
static size_t columns_take(const struct icp_reply *reply, struct column columns[COLUMNS_MAX],
                           const char *headers[COLUMNS_MAX])
{
    struct icp_value list = {.count = 0};
    struct icp_value map;
    size_t count = 0;
    (void)icp_reply_get(reply, "columns", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (list.count <= COLUMNS_MAX && icp_next(&walk, NULL, &map)) {
        text_take(&map, "name", columns[count].name);
        text_take(&map, "kind", columns[count].kind);
        headers[count] = columns[count].name;
        count++;
    }
    return count;
}

/* Money in units of the currency, quantities as such, days as dates; the rest as it is. */
static void cell_add(const struct cli *cli, struct out_table *table, const struct column *column,
                     const struct icp_value *value, unsigned digits)
{
    char decimal[EVENT_DECIMAL_BYTES];
    char day[FEATURE_DATE_TEXT_BYTES];
    if (value->kind == ICP_KIND_NIL) {
        out_cell_number(table, "%s", "");
    } else if (strcmp(column->kind, "money") == 0) {
        out_cell_number(table, "%s", event_decimal_print(value->integer, digits, false, decimal));
    } else if (strcmp(column->name, "sum") == 0) {
        out_cell_number(table, "%s",
                        event_decimal_print(value->integer, EVENT_QUANTITY_DIGITS, true, decimal));
    } else if (strcmp(column->kind, "time") == 0) {
        (void)feature_date_print(value->integer, day);
        out_cell_text(table, "%s", day);
    } else if (strcmp(column->kind, "number") == 0) {
        out_cell_number(table, cli->style.form != OUT_TABLE ? "%.15g" : "%.4f", value->number);
    } else {
        out_cell_value(table, value);
    }
}

static void row_add(const struct cli *cli, struct out_table *table, const struct column *columns,
                    size_t count, const struct icp_value *row, unsigned digits)
{
    struct icp_value value;
    struct icp_walk cells = icp_walk_over(row);
    for (size_t i = 0; i < count && icp_next(&cells, NULL, &value); i++) {
        if (strcmp(columns[i].name, "currency") == 0 && value.kind == ICP_KIND_TEXT) {
            digits = event_money_digits(
                (struct proto_span){(const uint8_t *)value.text.data, value.text.bytes});
        }
        cell_add(cli, table, &columns[i], &value, digits);
    }
}

/* What the figures rest on, in a line on standard error. */
static void ground_tell(const struct cli *cli, const struct icp_reply *reply)
{
    char newest[FEATURE_DATE_TEXT_BYTES] = "none";
    struct icp_value value;
    struct icp_text currency = icp_reply_text(reply, "currency");
    if (icp_reply_get(reply, "newest", &value)) {
        (void)feature_date_print(value.integer, newest);
    }
    cli_say(cli, "%lld events, %lld accounts looked at, sequence %lld, newest event known %s%s%.*s",
            (long long)icp_reply_int(reply, "events", 0),
            (long long)icp_reply_int(reply, "accounts", 0),
            (long long)icp_reply_int(reply, "seq", 0), newest, currency.bytes > 0 ? ", " : "",
            (int)currency.bytes, currency.data);
}

static int reply_show(const struct cli *cli, const struct icp_reply *reply)
{
    struct column columns[COLUMNS_MAX];
    const char *headers[COLUMNS_MAX];
    struct icp_value rows = {.count = 0};
    struct icp_value row;
    struct out_table table;
    size_t count = columns_take(reply, columns, headers);
    struct icp_text currency = icp_reply_text(reply, "currency");
    unsigned digits =
        event_money_digits((struct proto_span){(const uint8_t *)currency.data, currency.bytes});
    if (count == 0) {
        return cli_fail(cli, EX_PROTOCOL,
                        "the server's table has other columns: icp and icpd are of versions that "
                        "differ");
    }
    ground_tell(cli, reply);
    (void)icp_reply_get(reply, "rows", &rows);
    out_table_init(&table, headers, count);
    struct icp_walk walk = icp_walk_over(&rows);
    bool fits = true;
    while (fits && icp_next(&walk, NULL, &row)) {
        fits = row.kind == ICP_KIND_LIST && row.count == count;
        row_add(cli, &table, columns, count, &row, digits);
    }
    int status = fits ? cli_table(cli, &table)
                      : cli_fail(cli, EX_PROTOCOL,
                                 "a row of the server's table has not a value for each of its %zu "
                                 "columns",
                                 count);
    out_table_fini(&table);
    return status;
}

int cmd_event_query(struct cli *cli)
{
    struct cli_request request;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = query_put(cli, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_EVENT_QUERY);
    }
    if (status == EX_OK) {
        status = reply_show(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
