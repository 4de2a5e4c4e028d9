/* SPDX-License-Identifier: Apache-2.0 */
/* icp tal drop: has the server give up a damaged list. `--damaged` must be said, so that nobody
 * does it for want of another word; the server refuses a list that is sound. */
#include "tools/cli/cmd.h"

static int drop_request(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t number = 0;
    bool named = cli->argument_count > 0;
    if (!cli_number(cli, CLI_TAL_DROP_NUMBER, 1, PROTO_TALS_MAX, 0, &number)) {
        return EX_USAGE;
    }
    if (named == (number > 0)) {
        return cli_fail(cli, EX_USAGE, "name the list, or say its --number");
    }
    if (!cli_has(cli, CLI_TAL_DROP_DAMAGED)) {
        return cli_fail(cli, EX_USAGE,
                        "what is given up does not come back: restore a backup, or say --damaged");
    }
    if (named) {
        icp_payload_text(payload, "name", cli->arguments[0]);
    } else {
        icp_payload_uint(payload, "number", number);
    }
    if (cli_has(cli, CLI_TAL_DROP_REASON)) {
        icp_payload_text(payload, "reason", cli_text(cli, CLI_TAL_DROP_REASON));
    }
    return EX_OK;
}

int cmd_tal_drop(struct cli *cli)
{
    struct cli_request request;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = drop_request(cli, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_TAL_DROP);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        cli_print(cli, "list number %lld is given up; its name is free\n",
                  (long long)icp_reply_int(&request.reply, "number", 0));
    }
    cli_request_close(&request);
    return status;
}
