/* SPDX-License-Identifier: Apache-2.0 */
/* icp capture start, stop, state. */
#include "tools/cli/cmd.h"

static int call_print(struct cli *cli, enum icp_op op, const struct icp_payload *payload,
                      void (*print)(const struct cli *cli, const struct icp_reply *reply))
{
    int status = EX_OK;
    struct icp_reply reply = {0};
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = cli_call(cli, client, op, payload, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        print(cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}

static void print_started(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text file = icp_reply_text(reply, "file");
    cli_print(cli, "recording; once it has ended, on the server's machine: %.*s\n", (int)file.bytes,
              file.data);
}

static void print_counts(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value seconds = {0};
    char counts[4][OUT_NUMBER_BYTES];
    char left_out[96] = "";
    char lost[96] = "";
    uint64_t left = (uint64_t)icp_reply_int(reply, "left_out", 0);
    uint64_t gone = (uint64_t)icp_reply_int(reply, "lost", 0);
    (void)icp_reply_get(reply, "seconds", &seconds);
    if (left > 0) {
        snprintf(left_out, sizeof left_out, "; %s without their payload, which cannot be masked",
                 out_count(left, counts[2]));
    }
    if (gone > 0) {
        snprintf(lost, sizeof lost, "; %s LOST, for the disk was too slow",
                 out_count(gone, counts[3]));
    }
    cli_print(cli, "%s requests in %.1f s, %s%s%s\n",
              out_count((uint64_t)icp_reply_int(reply, "records", 0), counts[0]), seconds.number,
              out_size((double)icp_reply_int(reply, "bytes", 0), counts[1]), left_out, lost);
}

static void print_stopped(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text file = icp_reply_text(reply, "file");
    print_counts(cli, reply);
    cli_print(cli, "on the server's machine: %.*s\n", (int)file.bytes, file.data);
}

static void print_state(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value running = {0};
    struct icp_value file = {0};
    struct icp_value error = {0};
    (void)icp_reply_get(reply, "running", &running);
    (void)icp_reply_get(reply, "file", &file);
    (void)icp_reply_get(reply, "error", &error);
    if (file.text.bytes == 0) {
        cli_print(cli, "nothing was recorded since the server started\n");
        return;
    }
    if (error.text.bytes > 0) {
        cli_print(cli, "failed: %.*s\n", (int)error.text.bytes, error.text.data);
    } else {
        cli_print(cli, "%s\n", running.flag ? "recording" : "ended");
    }
    print_stopped(cli, reply);
}

int cmd_capture_start(struct cli *cli)
{
    uint64_t seconds = 0;
    uint64_t bytes = 0;
    if (!cli_arguments(cli, 1, 1) ||
        !cli_number(cli, CLI_CAPTURE_START_SECONDS, 1, PROTO_CAPTURE_SECONDS_MAX, 0, &seconds) ||
        !cli_number(cli, CLI_CAPTURE_START_BYTES, 1, PROTO_CAPTURE_BYTES_MAX, 0, &bytes)) {
        return EX_USAGE;
    }
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_text(payload, "name", cli->arguments[0]);
    if (seconds > 0) {
        icp_payload_uint(payload, "seconds", seconds);
    }
    if (bytes > 0) {
        icp_payload_uint(payload, "bytes", bytes);
    }
    int status = call_print(cli, ICP_OP_CAPTURE_START, payload, print_started);
    icp_payload_destroy(payload);
    return status;
}

int cmd_capture_stop(struct cli *cli)
{
    return cli_arguments(cli, 0, 0) ? call_print(cli, ICP_OP_CAPTURE_STOP, NULL, print_stopped)
                                    : EX_USAGE;
}

int cmd_capture_state(struct cli *cli)
{
    return cli_arguments(cli, 0, 0) ? call_print(cli, ICP_OP_CAPTURE_STATE, NULL, print_state)
                                    : EX_USAGE;
}
