/* SPDX-License-Identifier: Apache-2.0 */
/* icp segment put, list, show, drop: segments that the server keeps, by name. */
#include "tools/cli/cmd.h"
#include "tools/cli/segment_print.h"

/* Puts an option that was given as a text of the request. */
static void option_put(const struct cli *cli, struct icp_payload *payload, const char *name)
{
    const char *value = cli_text_named(cli, name);
    if (value != NULL) {
        icp_payload_text(payload, name, value);
    }
}

static int version_put(const struct cli *cli, enum cli_option_id option,
                       struct icp_payload *payload)
{
    uint64_t version = 0;
    if (!cli_number(cli, option, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    icp_payload_uint(payload, "icp", version);
    return EX_OK;
}

int cmd_segment_put(struct cli *cli)
{
    struct cli_request request;
    bool dry = cli_has(cli, CLI_SEGMENT_PUT_DRY_RUN);
    int status = cli_arguments(cli, 2, 2) ? cli_request_open(cli, &request) : EX_USAGE;
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", cli->arguments[0]);
    icp_payload_text(request.payload, "filter", cli->arguments[1]);
    icp_payload_flag(request.payload, "dry_run", dry);
    option_put(cli, request.payload, "note");
    option_put(cli, request.payload, "outcome");
    status = version_put(cli, CLI_SEGMENT_PUT_ICP, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_SEGMENT_PUT);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        segment_put_print(cli, &request.reply, dry);
    }
    cli_request_close(&request);
    return status;
}

int cmd_segment_drop(struct cli *cli)
{
    struct cli_request request;
    int status = cli_arguments(cli, 1, 1) ? cli_request_open(cli, &request) : EX_USAGE;
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", cli->arguments[0]);
    icp_payload_flag(request.payload, "drop", true);
    option_put(cli, request.payload, "note");
    status = cli_request_send(cli, &request, ICP_OP_SEGMENT_PUT);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        segment_put_print(cli, &request.reply, false);
    }
    cli_request_close(&request);
    return status;
}

int cmd_segment_list(struct cli *cli)
{
    struct cli_request request;
    bool all = cli_has(cli, CLI_SEGMENT_LIST_ALL);
    bool frontier = cli_has(cli, CLI_SEGMENT_LIST_FRONTIER);
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    if (!frontier &&
        (cli_has(cli, CLI_SEGMENT_LIST_ICP) || cli_has(cli, CLI_SEGMENT_LIST_OUTCOME))) {
        return cli_fail(cli, EX_USAGE, "--icp and --outcome go with --frontier");
    }
    if (frontier && all) {
        return cli_fail(cli, EX_USAGE, "--frontier is of the segments in force: leave --all out");
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_flag(request.payload, "all", all);
    icp_payload_flag(request.payload, "frontier", frontier);
    option_put(cli, request.payload, "outcome");
    status = version_put(cli, CLI_SEGMENT_LIST_ICP, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_SEGMENT_LIST);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        status = segment_list_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

int cmd_segment_show(struct cli *cli)
{
    struct cli_request request;
    uint64_t fields = 0;
    if (!cli_arguments(cli, 1, 1) || !cli_number(cli, CLI_SEGMENT_SHOW_FIELDS, 0, 64, 5, &fields)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", cli->arguments[0]);
    icp_payload_uint(request.payload, "fields", fields);
    option_put(cli, request.payload, "outcome");
    status = version_put(cli, CLI_SEGMENT_SHOW_ICP, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_SEGMENT_GET);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        status = segment_show_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
