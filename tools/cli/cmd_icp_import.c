/* SPDX-License-Identifier: Apache-2.0 */
/* icp icp import: a model file becomes a document here, by the schema of the server; the server
 * completes it by its accounts and keeps it. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/evidence_text.h"
#include "tools/cli/job_wait.h"
#include "tools/cli/label.h"
#include "tools/cli/model_file.h"
#include "tools/cli/remote_schema.h"

/* A slip in an expression is shown with a caret before anything is sent. */
static int expressions_check(const struct cli *cli, const struct feature_schema *schema)
{
    static const struct {
        enum cli_option_id option;
        const char *name;
    } all[] = {{CLI_ICP_IMPORT_LABEL, "label"}, {CLI_ICP_IMPORT_WHERE, "where"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (cli_has(cli, all[i].option)) {
            struct filter *filter =
                label_parse(cli, schema, all[i].name, cli_text(cli, all[i].option));
            if (filter == NULL) {
                return EX_DATAERR;
            }
            filter_destroy(filter);
        }
    }
    return EX_OK;
}

static int imported_print(const struct cli *cli, const struct icp_reply *reply,
                          const struct model_told *told)
{
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    long long version = (long long)icp_reply_int(reply, "icp", 0);
    bool active = cli_has(cli, CLI_ICP_IMPORT_ACTIVATE);
    struct icp_text text = icp_reply_text(reply, "evidence");
    json_t *evidence = json_loadb(text.data, text.bytes, 0, NULL);
    cli_print(cli, "ICP version %lld imported%s\n", version, active ? ", and active" : "");
    cli_print(cli, "%s: %zu trees, %zu leaves; %zu features from %zu fields\n\n", told->what,
              told->trees, told->leaves, told->features, told->fields);
    int status = evidence_print(cli, evidence, 12);
    json_decref(evidence);
    if (!active) {
        cli_print(cli,
                  "\n'icp what-if %lld' shows who would change grade, 'icp activate %lld' makes it "
                  "the active one\n",
                  version, version);
    }
    return status;
}

static int import_send(const struct cli *cli, struct icp_client *client, const char *document,
                       const struct model_told *told)
{
    static const struct {
        enum cli_option_id option;
        const char *key;
    } texts[] = {{CLI_ICP_IMPORT_LABEL, "label"}, {CLI_ICP_IMPORT_WHERE, "where"}};
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_text(payload, "document", document);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (cli_has(cli, texts[i].option)) {
            icp_payload_text(payload, texts[i].key, cli_text(cli, texts[i].option));
        }
    }
    if (cli_has(cli, CLI_ICP_IMPORT_ACTIVATE)) {
        icp_payload_flag(payload, "activate", true);
    }
    icp_payload_flag(payload, "progress", true);
    int status = job_run(cli, client, ICP_OP_ICP_IMPORT, payload, &reply);
    if (status == EX_OK) {
        status = imported_print(cli, &reply, told);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static int import(const struct cli *cli, struct icp_client *client)
{
    int status = EX_OK;
    char *document = NULL;
    struct model_told told;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    if (schema == NULL) {
        return status;
    }
    const char *name = cli_text(cli, CLI_ICP_IMPORT_NAME);
    status = expressions_check(cli, schema);
    if (status == EX_OK) {
        status = model_file_read(cli, cli->arguments[0], schema, name != NULL ? name : "",
                                 &document, &told);
    }
    feature_schema_release(schema);
    if (status == EX_OK && cli_has(cli, CLI_ICP_IMPORT_DRAFT)) {
        cli_print(cli, "%s\n", document);
    } else if (status == EX_OK) {
        status = import_send(cli, client, document, &told);
    }
    free(document);
    return status;
}

int cmd_icp_import(struct cli *cli)
{
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = import(cli, client);
    icp_close(client);
    return status;
}
