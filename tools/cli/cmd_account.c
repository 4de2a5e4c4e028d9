/* SPDX-License-Identifier: Apache-2.0 */
/* icp get, history, delete. */
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/moment_option.h"

static int account_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"field", "value", "state", "source", "time"};
    struct out_table table;
    struct icp_value values;
    struct icp_value keys;
    struct icp_value entry;
    struct icp_value part;
    struct icp_text name;
    char text[512];
    if (cli->style.form == OUT_TABLE) {
        struct icp_text id = icp_reply_text(reply, "id");
        struct icp_text label = icp_reply_text(reply, "name");
        (void)icp_reply_get(reply, "keys", &keys);
        cli_print(cli, "%.*s%s%.*s  (%s)\n", (int)id.bytes, id.data, label.bytes > 0 ? "  " : "",
                  (int)label.bytes, label.data,
                  keys.count > 0 ? icp_value_print(&keys, text, sizeof text) : "no keys");
        if (icp_reply_get(reply, "sources", &part)) {
            cli_print(cli, "source records: %s\n", icp_value_print(&part, text, sizeof text));
        }
    }
    (void)icp_reply_get(reply, "values", &values);
    out_table_init(&table, headers, 5);
    struct icp_walk walk = icp_walk_over(&values);
    while (icp_next(&walk, &name, &entry)) {
        out_cell_text_n(&table, name);
        (void)icp_value_get(&entry, "value", &part);
        out_cell_value(&table, &part);
        (void)icp_value_get(&entry, "state", &part);
        out_cell_value(&table, &part);
        (void)icp_value_get(&entry, "source", &part);
        out_cell_value(&table, &part);
        (void)icp_value_get(&entry, "time", &part);
        out_cell_text(&table, "%s", out_time(part.integer, text));
    }
    return cli_table(cli, &table);
}

int cmd_get(struct cli *cli)
{
    int status = EX_OK;
    struct cli_request request;
    const char *key = cli_text(cli, CLI_GET_KEY);
    const char *email = cli_text(cli, CLI_GET_EMAIL);
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (cli->argument_count + (key != NULL) + (email != NULL) != 1) {
        return cli_fail(cli, EX_USAGE, "give one of ID, --key and --email");
    }
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    const char *name = key != NULL ? "key" : email != NULL ? "email" : "id";
    const char *asked = key != NULL ? key : email != NULL ? email : cli->arguments[0];
    icp_payload_text(request.payload, name, asked);
    icp_payload_flag(request.payload, "names", true);
    icp_payload_flag(request.payload, "record", cli_has(cli, CLI_GET_RECORD));
    status = as_of_put(cli, CLI_GET_AS_OF, CLI_GET_AT, request.payload);
    if (status != EX_OK) {
        cli_request_close(&request);
        return status;
    }
    if (icp_call(request.client, ICP_OP_ACCOUNT_GET, request.payload, &request.reply)) {
        status = cli->style.form == OUT_JSON ? cli_json_reply(cli, &request.reply)
                                             : account_print(cli, &request.reply);
    } else if (request.reply.fault.code == ICP_NOT_FOUND && !cli_has(cli, CLI_GET_AS_OF) &&
               !cli_has(cli, CLI_GET_AT)) {
        status = cli_not_found(cli, name, asked);
    } else {
        status = cli_icp_fault(cli, &request.reply.fault);
    }
    cli_request_close(&request);
    return status;
}

static int history_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"known", "seq", "field", "what", "was", "source", "time"};
    struct out_table table;
    struct icp_value changes;
    struct icp_value change;
    struct icp_value part;
    char text[64];
    (void)icp_reply_get(reply, "changes", &changes);
    out_table_init(&table, headers, 7);
    struct icp_walk walk = icp_walk_over(&changes);
    while (icp_next(&walk, NULL, &change)) {
        (void)icp_value_get(&change, "known", &part);
        out_cell_text(&table, "%s", out_time(part.integer, text));
        static const char *const names[] = {"seq", "field", "kind", "value", "source"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (icp_value_get(&change, names[i], &part)) {
                out_cell_value(&table, &part);
            } else {
                out_cell_text(&table, "%s", "");
            }
        }
        bool timed = icp_value_get(&change, "time", &part);
        out_cell_text(&table, "%s", timed ? out_time(part.integer, text) : "");
    }
    int status = cli_table(cli, &table);
    int64_t gone = icp_reply_int(reply, "gone", -1);
    if (status == EX_OK && gone >= 0 && cli->style.form == OUT_TABLE) {
        cli_say(cli, "changes up to sequence %lld are not kept any more", (long long)gone);
    }
    return status;
}

int cmd_history(struct cli *cli)
{
    struct cli_request request;
    const char *key = cli_text(cli, CLI_HISTORY_KEY);
    uint64_t limit;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (cli->argument_count + (key != NULL) != 1) {
        return cli_fail(cli, EX_USAGE, "give one of ID and --key");
    }
    if (!cli_number(cli, CLI_HISTORY_LIMIT, 1, PROTO_HISTORY_CHANGES_MAX, 100, &limit)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, key != NULL ? "key" : "id",
                     key != NULL ? key : cli->arguments[0]);
    if (cli_has(cli, CLI_HISTORY_FIELD)) {
        icp_payload_text(request.payload, "field", cli_text(cli, CLI_HISTORY_FIELD));
    }
    icp_payload_uint(request.payload, "limit", limit);
    icp_payload_flag(request.payload, "record", cli_has(cli, CLI_HISTORY_RECORD));
    status = cli_request_send(cli, &request, ICP_OP_ACCOUNT_HISTORY);
    if (status == EX_OK) {
        status = cli->style.form == OUT_JSON ? cli_json_reply(cli, &request.reply)
                                             : history_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

int cmd_delete(struct cli *cli)
{
    int status = EX_OK;
    struct cli_request request;
    if (!cli_arguments(cli, 1, PROTO_BATCH_ACCOUNTS_MAX)) {
        return EX_USAGE;
    }
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_list_begin(request.payload, "ids");
    for (size_t i = 0; i < cli->argument_count; i++) {
        icp_payload_text(request.payload, NULL, cli->arguments[i]);
    }
    icp_payload_list_end(request.payload);
    status = cli_request_send(cli, &request, ICP_OP_ACCOUNT_DELETE);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        cli_print(cli, "%lld of %zu accounts removed\n",
                  (long long)icp_reply_int(&request.reply, "count", 0), cli->argument_count);
    }
    cli_request_close(&request);
    return status;
}
