/* SPDX-License-Identifier: Apache-2.0 */
/* icp learn: starts the job, waits for it, prints the evidence. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/evidence_text.h"
#include "tools/cli/explain_none.h"
#include "tools/cli/job_wait.h"
#include "tools/cli/label.h"
#include "tools/cli/remote_schema.h"

/* Those that are not proved cost the search alone. */
#define PAIRS_DEFAULT 16

static int request_fill(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t seed = 0;
    uint64_t pairs = 0;
    if (!cli_number(cli, CLI_LEARN_SEED, 0, INT64_MAX, 1, &seed) ||
        !cli_number(cli, CLI_LEARN_PAIRS, 0, 64, PAIRS_DEFAULT, &pairs)) {
        return EX_USAGE;
    }
    static const struct {
        enum cli_option_id option;
        const char *key;
    } texts[] = {{CLI_LEARN_LABEL, "label"},
                 {CLI_LEARN_WHERE, "where"},
                 {CLI_LEARN_NAME, "name"},
                 {CLI_LEARN_TIME_FIELD, "time_field"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (cli_has(cli, texts[i].option)) {
            icp_payload_text(payload, texts[i].key, cli_text(cli, texts[i].option));
        }
    }
    if (!names_write(cli, CLI_LEARN_FIELDS, "fields", payload) ||
        !names_write(cli, CLI_LEARN_EXCLUDE, "exclude", payload)) {
        return EX_USAGE;
    }
    icp_payload_uint(payload, "seed", seed);
    icp_payload_uint(payload, "pairs", pairs);
    /* With a reason the activation is a request of its own, for the record to hold it. */
    if (cli_has(cli, CLI_LEARN_ACTIVATE) && !cli_has(cli, CLI_LEARN_REASON)) {
        icp_payload_flag(payload, "activate", true);
    }
    icp_payload_flag(payload, "progress", true);
    return EX_OK;
}

static int activate(const struct cli *cli, struct icp_client *client, int64_t version)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "icp", (uint64_t)version);
    icp_payload_text(payload, "reason", cli_text(cli, CLI_LEARN_REASON));
    int status = cli_call(cli, client, ICP_OP_ICP_ACTIVATE, payload, &reply);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static int learned_print(const struct cli *cli, struct icp_client *client,
                         const struct icp_reply *reply)
{
    int64_t version = icp_reply_int(reply, "icp", 0);
    bool wants = cli_has(cli, CLI_LEARN_ACTIVATE);
    int status = EX_OK;
    if (wants && cli_has(cli, CLI_LEARN_REASON)) {
        status = activate(cli, client, version);
    }
    if (cli->style.form == OUT_JSON) {
        int printed = cli_json_reply(cli, reply);
        return status != EX_OK ? status : printed;
    }
    struct icp_text text = icp_reply_text(reply, "evidence");
    json_t *evidence = json_loadb(text.data, text.bytes, 0, NULL);
    cli_print(cli, "ICP version %lld learned%s\n\n", (long long)version,
              wants && status == EX_OK ? ", and active" : "");
    int printed = evidence_print(cli, evidence, 12);
    json_decref(evidence);
    if (!wants) {
        cli_print(
            cli, "\n'icp show %lld' shows all of it, 'icp activate %lld' makes it the active one\n",
            (long long)version, (long long)version);
    }
    return status != EX_OK ? status : printed;
}

/* A label that does not parse is shown with a caret before anything is asked of the server. */
static int expressions_check(const struct cli *cli, struct icp_client *client)
{
    int status = EX_OK;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    if (schema == NULL) {
        return status;
    }
    struct filter *label = label_parse(cli, schema, "label", cli_text(cli, CLI_LEARN_LABEL));
    struct filter *where = NULL;
    if (label == NULL || !names_known(cli, CLI_LEARN_FIELDS, schema) ||
        !names_known(cli, CLI_LEARN_EXCLUDE, schema)) {
        status = EX_DATAERR;
    }
    if (label != NULL && cli_has(cli, CLI_LEARN_WHERE)) {
        where = label_parse(cli, schema, "where", cli_text(cli, CLI_LEARN_WHERE));
        if (where == NULL) {
            status = EX_DATAERR;
        }
    }
    if (label != NULL) {
        filter_destroy(label);
    }
    if (where != NULL) {
        filter_destroy(where);
    }
    feature_schema_release(schema);
    return status;
}

static int learn(const struct cli *cli, struct icp_client *client, struct icp_payload *payload)
{
    struct icp_reply reply = {0};
    int status = request_fill(cli, payload);
    if (status == EX_OK) {
        status = expressions_check(cli, client);
    }
    if (status != EX_OK) {
        return status;
    }
    status = job_run(cli, client, ICP_OP_ICP_LEARN, payload, &reply);
    if (status == EX_OK) {
        status = learned_print(cli, client, &reply);
    } else if (status == EX_DATAERR) { /* no positives, for a slip in the label? */
        explain_none(cli, client, cli_text(cli, CLI_LEARN_LABEL));
    }
    icp_reply_fini(&reply);
    return status;
}

int cmd_learn(struct cli *cli)
{
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    if (!cli_has(cli, CLI_LEARN_LABEL)) {
        return cli_fail(cli, EX_USAGE, "--label EXPRESSION is needed, such as \"stage = 'Won'\"");
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    struct icp_payload *payload = icp_payload_create();
    status = payload != NULL ? learn(cli, client, payload) : cli_fail(cli, EX_OSERR, "no memory");
    icp_payload_destroy(payload);
    icp_close(client);
    return status;
}
