/* SPDX-License-Identifier: Apache-2.0 */
/* icp backup: asks the server to write a backup, waits for it, says what was written. */
#include "tools/cli/cmd.h"
#include "tools/cli/job_wait.h"

static int print_backup(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text kind = icp_reply_text(reply, "kind");
    struct icp_text file = icp_reply_text(reply, "file");
    char size[OUT_NUMBER_BYTES];
    char count[OUT_NUMBER_BYTES];
    bool base = kind.bytes == 4 && memcmp(kind.data, "base", 4) == 0;
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    if (file.bytes == 0) {
        cli_print(cli, "nothing is new: the backup reaches batch %lld\n",
                  (long long)icp_reply_int(reply, "seq", 0));
        return EX_OK;
    }
    cli_print(cli, "%.*s: %s %s; %s written\n", (int)file.bytes, file.data,
              out_count((uint64_t)icp_reply_int(reply, base ? "entries" : "batches", 0), count),
              base ? "values, everything" : "batches since the last time",
              out_size((double)icp_reply_int(reply, "bytes", 0), size));
    cli_print(cli, "the backup reaches batch %lld\n", (long long)icp_reply_int(reply, "seq", 0));
    return EX_OK;
}

int cmd_backup(struct cli *cli)
{
    struct cli_request request;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (cli->argument_count > 0) {
        icp_payload_text(request.payload, "name", cli->arguments[0]);
    }
    if (cli_has(cli, CLI_BACKUP_FULL)) {
        icp_payload_flag(request.payload, "full", true);
    }
    icp_payload_flag(request.payload, "progress", true);
    status = job_run(cli, request.client, ICP_OP_BACKUP, request.payload, &request.reply);
    if (status == EX_OK) {
        status = print_backup(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
