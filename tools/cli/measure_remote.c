/* SPDX-License-Identifier: Apache-2.0 */
/* The request is written from the options, rules as they were read already; the reply becomes the
 * table that a measure over files fills. Options of files, a server of another version and whatever
 * the server refuses end it. */
#include "tools/cli/measure_remote.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_show.h"

bool measure_is_remote(const struct measure_call *call)
{
    bool served = call->id == MEASURE_ID_MRR || call->id == MEASURE_ID_RETENTION ||
                  call->id == MEASURE_ID_SURVIVAL || call->id == MEASURE_ID_BRIDGE;
    return served && cli_text_named(call->cli, "subscriptions") == NULL;
}

int measure_local_check(const struct measure_call *call)
{
    static const char *const options[] = {"filter", "seq", "known"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (cli_text_named(call->cli, options[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; files are measured as they are",
                            options[i]);
        }
    }
    return EX_OK;
}

/* Columns and forms of files say nothing to the server. */
static int files_check(const struct measure_call *call)
{
    static const char *const options[] = {
        "account",   "start",     "end",       "amount",          "term",         "currency",
        "trial",     "one-off",   "cancelled", "paid-until",      "past-due",     "paused",
        "resumed",   "accounts",  "at",        "discount-amount", "discount-end", "churn-events",
        "skip-bad",  "separator", "encoding",  "decimal",         "dates",        "churn-date",
        "purchases", "rows",      "source"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (cli_text_named(call->cli, options[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is of files: name one with --subscriptions FILE.csv; without a "
                            "file the server measures what it was told",
                            options[i]);
        }
    }
    return EX_OK;
}

static void rules_put(struct icp_payload *payload, const char *key,
                      const struct measure_rules *rules)
{
    icp_payload_map_begin(payload, key);
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        enum measure_choice choice = (enum measure_choice)rules->choice[rule];
        icp_payload_text(payload, measure_rule_name((enum measure_rule)rule),
                         measure_choice_info(choice)->word);
    }
    if (rules->base[0] != '\0') {
        icp_payload_text(payload, "currency", rules->base);
    }
    for (uint32_t i = 0; i < rules->rate_count; i++) {
        char name[16];
        char rate[40];
        (void)snprintf(name, sizeof name, "rate-%s", rules->rates[i].currency);
        (void)snprintf(rate, sizeof rate, "%lld.%06lld",
                       (long long)(rules->rates[i].millionths / MEASURE_RATE_ONE),
                       (long long)(rules->rates[i].millionths % MEASURE_RATE_ONE));
        icp_payload_text(payload, name, rate);
    }
    icp_payload_map_end(payload);
}

/* What is missing or no day is told in words of the command line, before the server tells it in
 * those of a request. */
static int parameters_check(const struct measure_call *call)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(call->id, &count);
    for (size_t i = 0; i < count; i++) {
        bool needed = p[i].fallback[0] == '\0';
        int64_t ms = 0;
        if (p[i].kind == MEASURE_KIND_TIME &&
            !measure_option_day(call->cli, p[i].name, needed, &ms)) {
            return EX_USAGE;
        }
        if (needed && cli_text_named(call->cli, p[i].name) == NULL) {
            return cli_fail(call->cli, EX_USAGE, "--%s is needed: %s", p[i].name, p[i].help);
        }
    }
    return EX_OK;
}

static void parameters_put(const struct measure_call *call, struct icp_payload *payload)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(call->id, &count);
    icp_payload_map_begin(payload, "parameters");
    for (size_t i = 0; i < count; i++) {
        const char *text = cli_text_named(call->cli, p[i].name);
        if (text != NULL) {
            icp_payload_text(payload, p[i].name, text);
        }
    }
    icp_payload_map_end(payload);
}

/* Of what and as of when. */
static int scope_put(const struct measure_call *call, struct icp_payload *payload)
{
    const struct cli *cli = call->cli;
    static const char *const texts[][2] = {
        {"filter", "filter"}, {"segment", "by"}, {"churn-flag", "churn_flag"}};
    uint64_t seq = 0;
    int64_t known_ms = 0;
    bool whole_day = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = cli_text_named(cli, texts[i][0]);
        if (text != NULL) {
            icp_payload_text(payload, texts[i][1], text);
        }
    }
    if (!cli_number(cli, CLI_MEASURE_SEQ, 0, INT64_MAX, 0, &seq)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_MEASURE_SEQ)) {
        icp_payload_uint(payload, "seq", seq);
    }
    const char *known = cli_text(cli, CLI_MEASURE_KNOWN);
    if (known != NULL && !feature_date_read(proto_span_text(known), &known_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--known: '%s' is no time such as 2024-01-01T12:00:00Z",
                        known);
    }
    if (known != NULL) {
        icp_payload_int(payload, "known", known_ms);
    }
    return EX_OK;
}

static int request_put(const struct measure_call *call, const struct measure_definition *definition,
                       struct icp_payload *payload)
{
    struct measure_rules second;
    icp_payload_text(payload, "measure", measure_info(call->id)->name);
    parameters_put(call, payload);
    rules_put(payload, "rules", &call->rules);
    if (definition->version > 0) {
        char *text = measure_definition_print(definition);
        if (text == NULL) {
            return cli_fail(call->cli, EX_OSERR, "no memory for the definition");
        }
        icp_payload_text(payload, "definition", text);
        free(text);
    }
    if (call->id == MEASURE_ID_BRIDGE) {
        enum measure_metric metric = measure_metric_find(measure_text(call, "metric"));
        if (metric == MEASURE_METRICS) {
            return cli_fail(call->cli, EX_USAGE, "--metric: there is no metric '%s'",
                            measure_text(call, "metric"));
        }
        int status = measure_against_read(call, metric, &second);
        if (status != EX_OK) {
            return status;
        }
        rules_put(payload, "against", &second);
    }
    return scope_put(call, payload);
}

static void cell_take(struct measure_table *table, enum measure_kind kind,
                      const struct icp_value *value)
{
    if (value->kind == ICP_KIND_NIL) {
        measure_add_absent(table);
    } else if (kind == MEASURE_KIND_NUMBER) {
        measure_add_number(table, value->number);
    } else if (kind == MEASURE_KIND_TEXT) {
        char *text = strndup(value->text.data, value->text.bytes);
        measure_add_text(table, text != NULL ? text : "");
        table->failed |= text == NULL;
        free(text);
    } else {
        measure_add_whole(table, value->integer);
    }
}

/* Whether the columns are those that this icp knows. */
static bool columns_same(const struct icp_reply *reply, enum measure_id id)
{
    struct icp_value list = {.count = 0};
    struct icp_value column;
    struct icp_value name;
    size_t count = 0;
    size_t at = 0;
    const struct measure_column *columns = measure_columns(id, &count);
    (void)icp_reply_get(reply, "columns", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (list.count == count && icp_next(&walk, NULL, &column)) {
        if (!icp_value_get(&column, "name", &name) || strlen(columns[at].name) != name.text.bytes ||
            memcmp(columns[at].name, name.text.data, name.text.bytes) != 0) {
            return false;
        }
        at++;
    }
    return at == count;
}

static int table_show(const struct measure_call *call, const struct icp_reply *reply)
{
    struct measure_table table;
    struct icp_value rows = {.count = 0};
    struct icp_value row;
    struct icp_value value;
    size_t count = 0;
    const struct measure_column *columns = measure_columns(call->id, &count);
    if (!columns_same(reply, call->id)) {
        return cli_fail(call->cli, EX_PROTOCOL,
                        "the server's table of %s has other columns: icp and icpd are of versions "
                        "that differ",
                        measure_info(call->id)->name);
    }
    measure_table_init(&table, call->id);
    (void)icp_reply_get(reply, "rows", &rows);
    struct icp_walk walk = icp_walk_over(&rows);
    while (icp_next(&walk, NULL, &row)) {
        struct icp_walk cells = icp_walk_over(&row);
        for (size_t i = 0; i < count && icp_next(&cells, NULL, &value); i++) {
            cell_take(&table, columns[i].kind, &value);
        }
    }
    int status = measure_table_good(&table)
                     ? measure_show(call->cli, &table)
                     : cli_fail(call->cli, EX_OSERR, "no memory for the table");
    measure_table_fini(&table);
    return status;
}

/* What the figure rests on, in a line on standard error. */
static void ground_tell(const struct measure_call *call, const struct icp_reply *reply)
{
    char newest[FEATURE_DATE_TEXT_BYTES] = "none";
    struct icp_value value;
    struct icp_text currency = icp_reply_text(reply, "currency");
    if (icp_reply_get(reply, "newest", &value)) {
        (void)feature_date_print(value.integer, newest);
    }
    cli_say(call->cli, "%lld subscriptions of %lld accounts, sequence %lld, newest event %s, %.*s",
            (long long)icp_reply_int(reply, "subscriptions", 0),
            (long long)icp_reply_int(reply, "accounts", 0),
            (long long)icp_reply_int(reply, "seq", 0), newest, (int)currency.bytes, currency.data);
    measure_rules_tell(call);
}

int measure_remote(const struct measure_call *call, const struct measure_definition *definition)
{
    struct cli_request request;
    int status = files_check(call);
    if (status == EX_OK) {
        status = parameters_check(call);
    }
    if (status == EX_OK) {
        status = cli_request_open(call->cli, &request);
    }
    if (status != EX_OK) {
        return status;
    }
    status = request_put(call, definition, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(call->cli, &request, ICP_OP_MEASURE);
    }
    if (status == EX_OK) {
        ground_tell(call, &request.reply);
        status = table_show(call, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
