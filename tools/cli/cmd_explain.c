/* SPDX-License-Identifier: Apache-2.0 */
/* icp explain: asks for one explanation and prints it. */
#include "tools/cli/cmd.h"
#include "tools/cli/explain_print.h"
#include "tools/cli/lead_set.h"
#include "tools/cli/moment_option.h"

/* Whom to explain, and with which values. */
static int subject_put(const struct cli *cli, struct cli_request *request, const char **name,
                       const char **asked)
{
    const char *key = cli_text(cli, CLI_EXPLAIN_KEY);
    const char *email = cli_text(cli, CLI_EXPLAIN_EMAIL);
    const char *id = cli->argument_count > 0 ? cli->arguments[0] : NULL;
    int status = EX_OK;
    *name = key != NULL ? "key" : email != NULL ? "email" : "id";
    *asked = key != NULL ? key : email != NULL ? email : id;
    if (*asked != NULL) {
        icp_payload_text(request->payload, *name, *asked);
    }
    if (cli_has(cli, CLI_EXPLAIN_SET)) {
        icp_payload_map_begin(request->payload, "values");
        status = lead_set_fill(cli, request->payload);
        icp_payload_map_end(request->payload);
        if (status == EX_OK) {
            status = lead_set_check(cli, request->client);
        }
    }
    return status;
}

static int numbers_put(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t version;
    uint64_t around;
    uint64_t shapes;
    uint64_t changes;
    if (!cli_number(cli, CLI_EXPLAIN_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_EXPLAIN_AROUND, 0, PROTO_EXPLAIN_AROUND_MAX, 2, &around) ||
        !cli_number(cli, CLI_EXPLAIN_SHAPES, 0, PROTO_COLUMNS_MAX, 3, &shapes) ||
        !cli_number(cli, CLI_EXPLAIN_CHANGES, 0, PROTO_EXPLAIN_CHANGES_MAX, 3, &changes)) {
        return EX_USAGE;
    }
    icp_payload_uint(payload, "icp", version);
    icp_payload_uint(payload, "around", around);
    icp_payload_uint(payload, "shapes", shapes);
    icp_payload_uint(payload, "changes", changes);
    if (cli_has(cli, CLI_EXPLAIN_VALUE)) {
        icp_payload_flag(payload, "value", true);
    }
    if (cli_has(cli, CLI_EXPLAIN_ENGAGEMENT)) {
        icp_payload_text(payload, "engagement", cli_text(cli, CLI_EXPLAIN_ENGAGEMENT));
    }
    return EX_OK;
}

static int explain_ask(const struct cli *cli, struct cli_request *request)
{
    const char *name;
    const char *asked;
    int status = numbers_put(cli, request->payload);
    if (status == EX_OK) {
        status = as_of_put(cli, CLI_EXPLAIN_AS_OF, CLI_EXPLAIN_AT, request->payload);
    }
    if (status == EX_OK) {
        status = subject_put(cli, request, &name, &asked);
    }
    if (status != EX_OK) {
        return status;
    }
    if (icp_call(request->client, ICP_OP_EXPLAIN, request->payload, &request->reply)) {
        return cli->style.form == OUT_JSON ? cli_json_reply(cli, &request->reply)
                                           : explain_print(cli, &request->reply);
    }
    if (request->reply.fault.code == ICP_NOT_FOUND && request->reply.fault.field[0] == '\0' &&
        asked != NULL) {
        return cli_not_found(cli, name, asked);
    }
    return cli_icp_fault(cli, &request->reply.fault);
}

int cmd_explain(struct cli *cli)
{
    struct cli_request request;
    size_t named =
        cli->argument_count + cli_has(cli, CLI_EXPLAIN_KEY) + cli_has(cli, CLI_EXPLAIN_EMAIL);
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (named > 1 || (named == 0 && !cli_has(cli, CLI_EXPLAIN_SET))) {
        return cli_fail(cli, EX_USAGE, "give one of ID, --key and --email, or values with --set");
    }
    int status = cli_request_open(cli, &request);
    if (status == EX_OK) {
        status = explain_ask(cli, &request);
        cli_request_close(&request);
    }
    return status;
}
