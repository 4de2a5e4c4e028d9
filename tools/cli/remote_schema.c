/* SPDX-License-Identifier: Apache-2.0 */
/* The schema comes from the server, or from a file for a run without one. */
#include "tools/cli/remote_schema.h"

#include <stdlib.h>

#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/key_column.h"

struct feature_schema *schema_from_server(const struct cli *cli, struct icp_client *client,
                                          int *status)
{
    struct feature_schema *schema = NULL;
    struct proto_fault fault = {.code = PROTO_OK};
    struct icp_reply reply = {0};
    *status = cli_call(cli, client, ICP_OP_SCHEMA_GET, NULL, &reply);
    if (*status == EX_OK) {
        struct icp_text text = icp_reply_text(&reply, "document");
        struct proto_span document = {(const uint8_t *)text.data, text.bytes};
        schema = feature_schema_parse(document, 0, NULL, &fault);
        if (schema == NULL) {
            *status = cli_fault(cli, &fault);
        }
    } else if (reply.fault.code == ICP_NO_SCHEMA) {
        cli_say(cli, "'icp schema infer FILE.csv > schema.json' and 'icp schema put schema.json' "
                     "make one");
    }
    icp_reply_fini(&reply);
    return schema;
}

struct feature_schema *schema_from_file(const struct cli *cli, const char *path, int *status)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *data = csv_file_read(path, PROTO_DOCUMENT_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        *status = cli_file_fault(cli, &fault);
        return NULL;
    }
    struct feature_schema *schema =
        feature_schema_parse((struct proto_span){data, bytes}, 1, NULL, &fault);
    if (schema == NULL) {
        *status = cli_fail(cli, EX_DATAERR, "%s: %s%s%s", path, fault.field,
                           fault.field[0] != '\0' ? ": " : "", fault.message);
    }
    free(data);
    return schema;
}
