/* SPDX-License-Identifier: Apache-2.0 */
/* icp list, activate, revert, put. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/document_put.h"

static void value_add(struct out_table *table, const struct icp_value *map, const char *name)
{
    struct icp_value value;
    (void)icp_value_get(map, name, &value);
    out_cell_value(table, &value);
}

static int versions_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"icp", "active",  "name",    "label",
                                          "auc", "created", "accounts"};
    struct out_table table;
    struct icp_value list;
    struct icp_value entry;
    struct icp_value value;
    (void)icp_reply_get(reply, "icps", &list);
    struct icp_walk walk = icp_walk_over(&list);
    out_table_init(&table, headers, 7);
    while (icp_next(&walk, NULL, &entry)) {
        value_add(&table, &entry, "icp");
        (void)icp_value_get(&entry, "active", &value);
        out_cell_text(&table, "%s", value.flag ? "active" : "");
        value_add(&table, &entry, "name");
        value_add(&table, &entry, "label");
        (void)icp_value_get(&entry, "auc", &value);
        out_cell_number(&table, "%.3f", value.number);
        value_add(&table, &entry, "created");
        value_add(&table, &entry, "accounts");
    }
    if (list.count == 0 && cli->style.form == OUT_TABLE) {
        cli_print(cli, "no ICP version yet; 'icp learn' makes one\n");
    }
    return cli_table(cli, &table);
}

static void switches_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value list;
    struct icp_value entry;
    struct icp_value icp;
    struct icp_value time;
    struct icp_value reason;
    char text[24];
    (void)icp_reply_get(reply, "switches", &list);
    struct icp_walk walk = icp_walk_over(&list);
    if (list.count > 0) {
        cli_print(cli, "\nswitches, oldest first (UTC):\n");
    }
    while (icp_next(&walk, NULL, &entry)) {
        (void)icp_value_get(&entry, "icp", &icp);
        (void)icp_value_get(&entry, "time", &time);
        (void)icp_value_get(&entry, "reason", &reason);
        cli_print(cli, "  %s  version %lld  %.*s\n", out_time(time.integer, text),
                  (long long)icp.integer, (int)reason.text.bytes,
                  reason.text.bytes > 0 ? reason.text.data : "");
    }
}

int cmd_list(struct cli *cli)
{
    int status = EX_OK;
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = cli_call(cli, client, ICP_OP_ICP_LIST, NULL, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        status = versions_print(cli, &reply);
    }
    if (status == EX_OK && cli->style.form == OUT_TABLE) {
        switches_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}

/* activate and revert answer alike. */
static int switch_call(const struct cli *cli, enum icp_op op, uint64_t version, const char *reason)
{
    int status = EX_OK;
    struct cli_request request;
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (version > 0) {
        icp_payload_uint(request.payload, "icp", version);
    }
    if (reason != NULL) {
        icp_payload_text(request.payload, "reason", reason);
    }
    status = cli_request_send(cli, &request, op);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        int64_t previous = icp_reply_int(&request.reply, "previous", 0);
        char before[64] = "";
        if (previous > 0) {
            snprintf(before, sizeof before, ", version %lld was before", (long long)previous);
        }
        cli_print(cli, "version %lld is active%s\n",
                  (long long)icp_reply_int(&request.reply, "icp", 0), before);
    }
    cli_request_close(&request);
    return status;
}

int cmd_activate(struct cli *cli)
{
    uint64_t version = 0;
    if (!cli_arguments(cli, 1, 1) || !cli_version_argument(cli, cli->arguments[0], &version)) {
        return EX_USAGE;
    }
    return switch_call(cli, ICP_OP_ICP_ACTIVATE, version, cli_text(cli, CLI_ACTIVATE_REASON));
}

int cmd_revert(struct cli *cli)
{
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    return switch_call(cli, ICP_OP_ICP_REVERT, 0, cli_text(cli, CLI_REVERT_REASON));
}

int cmd_put(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    return document_put(cli, ICP_OP_ICP_PUT, "ICP");
}
