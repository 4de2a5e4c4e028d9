/* SPDX-License-Identifier: Apache-2.0 */
/* The file is read and parsed here first, then sent as it is. */
#include "tools/cli/document_put.h"

#include <stdlib.h>

#include "tools/cli/csv/csv_input.h"

static int document_send(const struct cli *cli, enum icp_op op, const char *what,
                         struct icp_text document)
{
    int status = EX_OK;
    struct cli_request request;
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text_n(request.payload, "document", document);
    status = cli_request_send(cli, &request, op);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        cli_print(
            cli, "%s version %lld\n", what,
            (long long)icp_reply_int(&request.reply, op == ICP_OP_ICP_PUT ? "icp" : "schema", 0));
    }
    cli_request_close(&request);
    return status;
}

int document_put(const struct cli *cli, enum icp_op op, const char *what)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *data = csv_file_read(cli->arguments[0], PROTO_DOCUMENT_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(cli, &fault);
    }
    /* Parsed here first, so that a slip in the file is told by its line and column. */
    json_error_t error;
    json_t *json = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, &error);
    int status;
    if (bytes == 0) {
        status =
            cli_fail(cli, EX_DATAERR, "%s is empty; it must hold a document", cli->arguments[0]);
    } else if (json == NULL) {
        status = cli_fail(cli, EX_DATAERR, "%s, line %d, column %d: %s", cli->arguments[0],
                          error.line, error.column, error.text);
    } else {
        status = document_send(cli, op, what, (struct icp_text){(const char *)data, bytes});
    }
    json_decref(json);
    free(data);
    return status;
}
