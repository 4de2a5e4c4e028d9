/* SPDX-License-Identifier: Apache-2.0 */
/* icp metric put, get, list: definitions of metrics that the server keeps. One that is put is a
 * file, or the usual rules of a metric, with the rules of the options on top; a slip is told before
 * anything is sent, by line and column of the file. */
#include <stdlib.h>

#include "server/measure/measure.h"
#include "tools/cli/cmd.h"
#include "tools/cli/member.h"
#include "tools/cli/metric_find.h"

static int name_take(const struct cli *cli, struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const char *name = cli_text(cli, CLI_METRIC_PUT_NAME);
    if (name != NULL) {
        if (strlen(name) >= sizeof definition->name) {
            return cli_fail(cli, EX_USAGE, "--name: a name has at most %zu bytes",
                            sizeof definition->name - 1);
        }
        (void)snprintf(definition->name, sizeof definition->name, "%s", name);
    }
    return measure_name_check(definition->name, &fault)
               ? EX_OK
               : cli_fail(cli, name != NULL ? EX_USAGE : EX_DATAERR, "%s: %s",
                          name != NULL ? "--name" : cli->arguments[0], fault.message);
}

static int metric_take(const struct cli *cli, struct measure_definition *definition)
{
    const char *metric = cli_text(cli, CLI_METRIC_PUT_METRIC);
    enum measure_metric of_file = definition->metric;
    if (metric != NULL) {
        definition->metric = measure_metric_find(metric);
        if (definition->metric == MEASURE_METRICS) {
            return cli_fail(cli, EX_USAGE,
                            "--metric: there is no metric '%s'; there are engagement, %s", metric,
                            measure_parameter_find(MEASURE_ID_BRIDGE, "metric")->help);
        }
        bool weighs = definition->metric == MEASURE_METRIC_ENGAGEMENT;
        if (cli->argument_count == 1 && weighs != (of_file == MEASURE_METRIC_ENGAGEMENT)) {
            return cli_fail(cli, EX_USAGE, "--metric: %s is a definition of %s", cli->arguments[0],
                            measure_metric_info(of_file)->name);
        }
    }
    return EX_OK;
}

/* From a file, or from nothing; then the options on top. */
static int draft_make(const struct cli *cli, struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const char *text = NULL;
    size_t at = 0;
    int status = EX_OK;
    *definition = (struct measure_definition){.version = 0};
    if (cli->argument_count == 1) {
        status = metric_file_read(cli, cli->arguments[0], true, definition);
    } else if (!cli_has(cli, CLI_METRIC_PUT_NAME) || !cli_has(cli, CLI_METRIC_PUT_METRIC)) {
        status = cli_fail(cli, EX_USAGE, "FILE.json is needed, or --name and --metric");
    } else {
        measure_rules_default(&definition->rules);
        measure_engagement_default(&definition->engagement);
    }
    if (status == EX_OK) {
        status = metric_take(cli, definition);
    }
    if (status == EX_OK) {
        status = name_take(cli, definition);
    }
    if (status == EX_OK && definition->metric == MEASURE_METRIC_ENGAGEMENT &&
        cli_has(cli, CLI_METRIC_PUT_RULE)) {
        return cli_fail(cli, EX_USAGE,
                        "--rule: engagement has weights and bands instead of rules; 'icp measure "
                        "list --definition engagement' writes a file to change");
    }
    while (status == EX_OK && (text = cli_each(cli, CLI_METRIC_PUT_RULE, &at)) != NULL) {
        if (!measure_rules_set_text(&definition->rules, text, &fault)) {
            status = cli_fail(cli, EX_USAGE, "--rule: %s", fault.message);
        }
    }
    return status;
}

static void put_tell(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text name = icp_reply_text(reply, "name");
    struct icp_value changes = {.count = 0};
    struct icp_value change;
    struct icp_value flag;
    long long version = (long long)icp_reply_int(reply, "version", 0);
    long long before = (long long)icp_reply_int(reply, "before", 0);
    bool unchanged = icp_reply_get(reply, "unchanged", &flag) && flag.flag;
    bool dry = cli_has(cli, CLI_METRIC_PUT_DRY_RUN);
    struct icp_text metric = icp_reply_text(reply, "metric");
    bool of_engagement = metric.bytes == strlen("engagement") &&
                         memcmp(metric.data, "engagement", metric.bytes) == 0;
    if (unchanged) {
        cli_print(cli, "%.*s@%lld says the same and is in force: nothing %s stored\n",
                  (int)name.bytes, name.data, version, dry ? "would be" : "was");
        return;
    }
    cli_print(cli, "%.*s@%lld %s\n", (int)name.bytes, name.data, version,
              dry ? "would be in force" : "is in force");
    (void)icp_reply_get(reply, "changes", &changes);
    struct icp_walk walk = icp_walk_over(&changes);
    while (icp_next(&walk, NULL, &change)) {
        struct icp_text rule = member_text(&change, "rule");
        struct icp_text was = member_text(&change, "before");
        struct icp_text now = member_text(&change, "now");
        cli_print(cli, "  %.*s: %.*s -> %.*s\n", (int)rule.bytes, rule.data, (int)was.bytes,
                  was.data, (int)now.bytes, now.data);
    }
    if (before > 0 && !dry && !of_engagement) {
        cli_print(cli, "'icp metric bridge %.*s@%lld %.*s' says what that does to the number\n",
                  (int)name.bytes, name.data, before, (int)name.bytes, name.data);
    }
}

int cmd_metric_put(struct cli *cli)
{
    struct measure_definition definition;
    struct cli_request request;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    int status = draft_make(cli, &definition);
    char *text = status == EX_OK ? measure_definition_print(&definition) : NULL;
    if (status == EX_OK && text == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory for the definition");
    }
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status != EX_OK) {
        free(text);
        return status;
    }
    icp_payload_text(request.payload, "definition", text);
    free(text);
    if (cli_has(cli, CLI_METRIC_PUT_NOTE)) {
        icp_payload_text(request.payload, "note", cli_text(cli, CLI_METRIC_PUT_NOTE));
    }
    if (cli_has(cli, CLI_METRIC_PUT_DRY_RUN)) {
        icp_payload_flag(request.payload, "dry_run", true);
    }
    status = cli_request_send(cli, &request, ICP_OP_METRIC_PUT);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        put_tell(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

int cmd_metric_get(struct cli *cli)
{
    struct cli_request request;
    int status = cli_arguments(cli, 1, 1) ? cli_request_open(cli, &request) : EX_USAGE;
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", cli->arguments[0]);
    status = cli_request_send(cli, &request, ICP_OP_METRIC_GET);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        struct icp_text text = icp_reply_text(&request.reply, "definition");
        cli_print(cli, "%.*s\n", (int)text.bytes, text.data);
    }
    cli_request_close(&request);
    return status;
}

static int list_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"name", "version", "in force", "metric",
                                          "put",  "by",      "note"};
    struct icp_value list = {.count = 0};
    struct icp_value entry;
    struct out_table table;
    char time[24];
    (void)icp_reply_get(reply, "definitions", &list);
    struct icp_walk walk = icp_walk_over(&list);
    out_table_init(&table, headers, 7);
    while (icp_next(&walk, NULL, &entry)) {
        out_cell_text_n(&table, member_text(&entry, "name"));
        out_cell_number(&table, "%lld", (long long)member_int(&entry, "version"));
        out_cell_text(&table, "%s", member_flag(&entry, "in_force") ? "yes" : "");
        out_cell_text_n(&table, member_text(&entry, "metric"));
        out_cell_text(&table, "%s", out_time(member_int(&entry, "time"), time));
        out_cell_text_n(&table, member_text(&entry, "by"));
        out_cell_text_n(&table, member_text(&entry, "note"));
    }
    if (list.count == 0) {
        cli_say(cli, "no such definition is kept; 'icp metric put' keeps one");
    }
    long long damaged = (long long)icp_reply_int(reply, "damaged", 0);
    if (damaged > 0) {
        cli_say(cli, "%lld definitions are damaged and cannot be read, of whatever name", damaged);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    return status;
}

int cmd_metric_list(struct cli *cli)
{
    struct cli_request request;
    int status = cli_arguments(cli, 0, 1) ? cli_request_open(cli, &request) : EX_USAGE;
    if (status != EX_OK) {
        return status;
    }
    if (cli->argument_count == 1) {
        icp_payload_text(request.payload, "name", cli->arguments[0]);
    }
    if (cli_has(cli, CLI_METRIC_LIST_ALL)) {
        icp_payload_flag(request.payload, "all", true);
    }
    status = cli_request_send(cli, &request, ICP_OP_METRIC_LIST);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        status = list_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
