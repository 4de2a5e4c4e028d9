/* SPDX-License-Identifier: Apache-2.0 */
/* icp learn: starts the job, waits for it, prints the evidence. What is positive says a label over
 * the accounts as they are, or a policy, of which the cases are counted first, so that they are
 * told whatever comes of learning. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/readiness_floor.h"
#include "tools/cli/cmd.h"
#include "tools/cli/evidence_text.h"
#include "tools/cli/explain_none.h"
#include "tools/cli/job_wait.h"
#include "tools/cli/label.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/policy_file.h"
#include "tools/cli/remote_schema.h"

#define NO_TIME INT64_MIN

/* "complete=0.8" of each --floor. */
static int floors_fill(const struct cli *cli, struct icp_payload *payload)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_floors floors;
    size_t at = 0;
    if (!cli_has(cli, CLI_LEARN_FLOOR)) {
        return EX_OK;
    }
    icp_payload_map_begin(payload, "floors");
    for (const char *text; (text = cli_each(cli, CLI_LEARN_FLOOR, &at)) != NULL;) {
        const char *sign = strchr(text, '=');
        char name[32];
        double share = -1;
        if (sign == NULL || (size_t)(sign - text) >= sizeof name ||
            !feature_number_read(proto_span_text(sign + 1), &share)) {
            return cli_fail(cli, EX_USAGE, "--floor: '%s' is none such as complete=0.6", text);
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(sign - text), text);
        if (!measure_floors_set(&floors, proto_span_text(name), share, &fault)) {
            return cli_fail(cli, EX_USAGE, "--floor: %s", fault.message);
        }
        icp_payload_number(payload, name, share);
    }
    icp_payload_map_end(payload);
    return EX_OK;
}

/* Names of the --monotone that go one way, as a list. */
static bool direction_fill(const struct cli *cli, const char *key, char sign,
                           struct icp_payload *payload)
{
    bool begun = false;
    size_t at = 0;
    for (const char *text; (text = cli_each(cli, CLI_LEARN_MONOTONE, &at)) != NULL;) {
        size_t bytes = strlen(text);
        char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
        if (bytes < 3 || bytes - 2 >= sizeof name || text[bytes - 2] != '=' ||
            (text[bytes - 1] != '+' && text[bytes - 1] != '-')) {
            cli_say(cli, "--monotone: '%s' is none such as employees=+ or age=-", text);
            return false;
        }
        if (text[bytes - 1] != sign) {
            continue;
        }
        if (!begun) {
            icp_payload_list_begin(payload, key);
            begun = true;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(bytes - 2), text);
        icp_payload_text(payload, NULL, name);
    }
    if (begun) {
        icp_payload_list_end(payload);
    }
    return true;
}

/* The policy of the command line, if there is one; *text is the caller's. */
static int policy_fill(const struct cli *cli, struct icp_payload *payload, char **text)
{
    int64_t at_ms = NO_TIME;
    if (!cli_has(cli, CLI_LEARN_POLICY)) {
        return cli_has(cli, CLI_LEARN_AT)
                   ? cli_fail(cli, EX_USAGE, "--at is of a policy: --policy FILE.json")
                   : EX_OK;
    }
    if (!measure_option_day(cli, "at", false, &at_ms)) {
        return EX_USAGE;
    }
    int status = policy_file_read(cli, cli_text(cli, CLI_LEARN_POLICY), text);
    if (status == EX_OK) {
        icp_payload_text(payload, "policy", *text);
    }
    if (status == EX_OK && at_ms != NO_TIME) {
        icp_payload_int(payload, "at", at_ms);
    }
    return status;
}

static int request_fill(const struct cli *cli, struct icp_payload *payload, char **policy)
{
    uint64_t seed = 0;
    uint64_t pairs = 0;
    if (!cli_number(cli, CLI_LEARN_SEED, 0, INT64_MAX, 1, &seed) ||
        !cli_number(cli, CLI_LEARN_PAIRS, 0, PROTO_LEARN_PAIRS_MAX, 0, &pairs)) {
        return EX_USAGE;
    }
    static const struct {
        enum cli_option_id option;
        const char *key;
    } texts[] = {{CLI_LEARN_LABEL, "label"},   {CLI_LEARN_WHERE, "where"},
                 {CLI_LEARN_NAME, "name"},     {CLI_LEARN_TIME_FIELD, "time_field"},
                 {CLI_LEARN_WEIGHT, "weight"}, {CLI_LEARN_VALUE, "value"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (cli_has(cli, texts[i].option)) {
            icp_payload_text(payload, texts[i].key, cli_text(cli, texts[i].option));
        }
    }
    if (!names_write(cli, CLI_LEARN_FIELDS, "fields", payload) ||
        !names_write(cli, CLI_LEARN_EXCLUDE, "exclude", payload) ||
        !names_write(cli, CLI_LEARN_KEEP_LEAKS, "keep_leaks", payload) ||
        !direction_fill(cli, "rising", '+', payload) ||
        !direction_fill(cli, "falling", '-', payload)) {
        return EX_USAGE;
    }
    icp_payload_uint(payload, "seed", seed);
    if (cli_has(cli, CLI_LEARN_PAIRS)) { /* else as many as the server's table says */
        icp_payload_uint(payload, "pairs", pairs);
    }
    /* With a reason the activation is a request of its own, for the record to hold it. */
    if (cli_has(cli, CLI_LEARN_ACTIVATE) && !cli_has(cli, CLI_LEARN_REASON)) {
        icp_payload_flag(payload, "activate", true);
    }
    if (cli_has(cli, CLI_LEARN_DESPITE_READINESS)) {
        icp_payload_flag(payload, "despite_readiness", true);
    }
    icp_payload_flag(payload, "progress", true);
    int status = floors_fill(cli, payload);
    return status == EX_OK ? policy_fill(cli, payload, policy) : status;
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

/* What was learned of values, if it was. */
static void value_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value text;
    if (!icp_reply_get(reply, "value", &text)) {
        return;
    }
    json_t *value = json_loadb(text.text.data, text.text.bytes, 0, NULL);
    const json_t *evidence = json_object_get(value, "evidence");
    cli_print(
        cli,
        "\n%s of %lld accounts with the outcome: mean %.6g; on %lld held out the gain over it "
        "is %.3f (%.3f to %.3f), and they came to %.2f times what was said\n",
        json_string_value(json_object_get(value, "field")),
        (long long)json_integer_value(json_object_get(value, "n")),
        json_number_value(json_object_get(value, "mean")),
        (long long)json_integer_value(json_object_get(evidence, "n")),
        json_number_value(json_object_get(evidence, "gain")),
        json_number_value(json_object_get(evidence, "gain_low")),
        json_number_value(json_object_get(evidence, "gain_high")),
        json_number_value(json_object_get(evidence, "total")));
    json_decref(value);
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
    value_print(cli, reply);
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
    bool labelled = cli_has(cli, CLI_LEARN_LABEL);
    struct filter *label =
        labelled ? label_parse(cli, schema, "label", cli_text(cli, CLI_LEARN_LABEL)) : NULL;
    struct filter *where = NULL;
    if ((labelled && label == NULL) || !names_known(cli, CLI_LEARN_FIELDS, schema) ||
        !names_known(cli, CLI_LEARN_EXCLUDE, schema) ||
        !names_known(cli, CLI_LEARN_KEEP_LEAKS, schema)) {
        status = EX_DATAERR;
    }
    if (status == EX_OK && cli_has(cli, CLI_LEARN_WHERE)) {
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
    char *policy = NULL;
    int status = request_fill(cli, payload, &policy);
    if (status == EX_OK) {
        status = expressions_check(cli, client);
    }
    if (status == EX_OK && policy != NULL) {
        status = policy_ground_tell(cli, client, policy);
    }
    free(policy);
    if (status != EX_OK) {
        return status;
    }
    status = job_run(cli, client, ICP_OP_ICP_LEARN, payload, &reply);
    if (status == EX_OK) {
        status = learned_print(cli, client, &reply);
    } else if (status == EX_DATAERR &&
               cli_has(cli, CLI_LEARN_LABEL)) { /* no positives, for a slip in the label? */
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
    if (cli_has(cli, CLI_LEARN_LABEL) == cli_has(cli, CLI_LEARN_POLICY)) {
        return cli_fail(cli, EX_USAGE,
                        "one of --label EXPRESSION, such as \"stage = 'Won'\", and --policy "
                        "FILE.json is needed");
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
