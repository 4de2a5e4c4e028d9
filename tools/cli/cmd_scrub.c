/* SPDX-License-Identifier: Apache-2.0 */
/* icp scrub: asks a running server to read everything once, waits, says what is damaged: 65 then.
 */
#include <inttypes.h>

#include "tools/cli/cmd.h"
#include "tools/cli/job_wait.h"

enum { MB = 1000000 };

static int print_scrub(const struct cli *cli, const struct icp_reply *reply)
{
    int64_t faults = icp_reply_int(reply, "faults", 0);
    struct icp_value told;
    struct icp_value item;
    if (cli->style.form == OUT_JSON) {
        int status = cli_json_reply(cli, reply);
        return status != EX_OK || faults == 0 ? status : EX_DATAERR;
    }
    if (icp_reply_get(reply, "told", &told)) {
        struct icp_walk walk = icp_walk_over(&told);
        while (icp_next(&walk, NULL, &item)) {
            cli_print(cli, "bad: %.*s\n", (int)item.text.bytes, item.text.data);
        }
    }
    cli_print(cli, "%" PRId64 " fault%s found\n", faults, faults == 1 ? "" : "s");
    return faults == 0 ? EX_OK : EX_DATAERR;
}

int cmd_scrub(struct cli *cli)
{
    struct cli_request request;
    uint64_t rate = 0;
    if (!cli_arguments(cli, 0, 0) || !cli_number(cli, CLI_SCRUB_RATE, 1, 100000, 0, &rate)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (rate > 0) {
        icp_payload_int(request.payload, "bytes_per_second", (int64_t)rate * MB);
    }
    icp_payload_flag(request.payload, "progress", true);
    status = job_run(cli, request.client, ICP_OP_SCRUB, request.payload, &request.reply);
    if (status == EX_OK) {
        status = print_scrub(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
