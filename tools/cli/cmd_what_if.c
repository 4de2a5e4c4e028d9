/* SPDX-License-Identifier: Apache-2.0 */
/* icp what-if: asks who would change grade, and prints it. */
#include "tools/cli/cmd.h"
#include "tools/cli/what_if_print.h"

int cmd_what_if(struct cli *cli)
{
    uint64_t version;
    uint64_t against;
    uint64_t limit;
    struct cli_request request;
    if (!cli_arguments(cli, 1, 1) || !cli_version_argument(cli, cli->arguments[0], &version) ||
        !cli_number(cli, CLI_WHAT_IF_AGAINST, 1, UINT32_MAX, 0, &against) ||
        !cli_number(cli, CLI_WHAT_IF_LIMIT, 0, PROTO_FILTER_LIMIT_MAX, 20, &limit)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_uint(request.payload, "icp", version);
    icp_payload_uint(request.payload, "against", against);
    icp_payload_uint(request.payload, "limit", limit);
    icp_payload_flag(request.payload, "names", true);
    if (cli_has(cli, CLI_WHAT_IF_FILTER)) {
        icp_payload_text(request.payload, "filter", cli_text(cli, CLI_WHAT_IF_FILTER));
    }
    if (cli_has(cli, CLI_WHAT_IF_BY)) {
        icp_payload_text(request.payload, "by", cli_text(cli, CLI_WHAT_IF_BY));
    }
    status = cli_request_send(cli, &request, ICP_OP_ICP_WHAT_IF);
    if (status == EX_OK) {
        status = cli->style.form == OUT_JSON ? cli_json_reply(cli, &request.reply)
                                             : what_if_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
