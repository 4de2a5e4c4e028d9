/* SPDX-License-Identifier: Apache-2.0 */
/* icp learn: starts the job, draws its progress, cancels it on Ctrl-C, prints the evidence. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "tools/cli/cmd.h"
#include "tools/cli/evidence_text.h"
#include "tools/cli/label.h"
#include "tools/cli/out/out_progress.h"
#include "tools/cli/remote_schema.h"

/* How long to wait for a frame before looking whether Ctrl-C was pressed. */
#define WAIT_MS 200
#define EXIT_INTERRUPTED 130 /* as a shell reports an end by SIGINT */

/* Signals are blocked and asked for, so that no handler and no variable of the file is needed. */
static bool interrupted(void)
{
    sigset_t set;
    struct timespec none = {0};
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return sigtimedwait(&set, NULL, &none) > 0;
}

static void signals_block(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(how, &set, NULL);
}

static int request_fill(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t seed = 0;
    uint64_t pairs = 0;
    if (!cli_number(cli, CLI_LEARN_SEED, 0, INT64_MAX, 1, &seed) ||
        !cli_number(cli, CLI_LEARN_PAIRS, 0, 64, 0, &pairs))
        return EX_USAGE;
    static const struct {
        enum cli_option_id option;
        const char *key;
    } texts[] = {{CLI_LEARN_LABEL, "label"},
                 {CLI_LEARN_WHERE, "where"},
                 {CLI_LEARN_NAME, "name"},
                 {CLI_LEARN_TIME_FIELD, "time_field"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (cli_has(cli, texts[i].option))
            icp_payload_text(payload, texts[i].key, cli_text(cli, texts[i].option));
    }
    if (!names_write(cli, CLI_LEARN_FIELDS, "fields", payload) ||
        !names_write(cli, CLI_LEARN_EXCLUDE, "exclude", payload))
        return EX_USAGE;
    icp_payload_uint(payload, "seed", seed);
    if (pairs > 0)
        icp_payload_uint(payload, "pairs", pairs);
    /* With a reason the activation is a request of its own, for the record to hold it. */
    if (cli_has(cli, CLI_LEARN_ACTIVATE) && !cli_has(cli, CLI_LEARN_REASON))
        icp_payload_flag(payload, "activate", true);
    icp_payload_flag(payload, "progress", true);
    return EX_OK;
}

static int job_cancel(const struct cli *cli, struct icp_client *client, int64_t job)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL)
        return cli_fail(cli, EX_OSERR, "no memory");
    icp_payload_uint(payload, "job", (uint64_t)job);
    int status = cli_call(cli, client, ICP_OP_JOB_CANCEL, payload, &reply);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

/* Waits for the job. Ctrl-C cancels it and goes on waiting for its last word; a second one leaves.
 */
static int job_wait(const struct cli *cli, struct icp_client *client, uint32_t id,
                    struct icp_reply *reply)
{
    struct out_progress progress = {0};
    int64_t job = 0;
    int presses = 0;
    bool cancelled = false;
    for (;;) {
        bool received = icp_receive(client, id, WAIT_MS, reply);
        if (received && !reply->more)
            break;
        if (!received && reply->fault.code != ICP_TIMEOUT)
            break;
        if (received) {
            struct icp_text stage = icp_reply_text(reply, "stage");
            char text[64];
            job = icp_reply_int(reply, "job", 0);
            snprintf(text, sizeof text, "%.*s", (int)stage.bytes, stage.data);
            out_progress_draw(&progress, icp_reply_number(reply, "done", 0), text);
        }
        presses += interrupted();
        if (presses > 0 && job > 0 && !cancelled) {
            out_progress_end(&progress);
            cli_say(cli, "cancelling job %lld; Ctrl-C once more leaves it alone", (long long)job);
            cancelled = true;
            (void)job_cancel(cli, client, job);
        }
        if (presses > 1)
            return cli_fail(cli, EXIT_INTERRUPTED, "left; 'icp jobs' tells what became of the job");
    }
    out_progress_end(&progress);
    if (reply->fault.code == ICP_OK)
        return EX_OK;
    int status = cli_icp_fault(cli, &reply->fault);
    return reply->fault.code == ICP_CANCELLED ? EXIT_INTERRUPTED : status;
}

static int activate(const struct cli *cli, struct icp_client *client, int64_t version)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL)
        return cli_fail(cli, EX_OSERR, "no memory");
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
    if (wants && cli_has(cli, CLI_LEARN_REASON))
        status = activate(cli, client, version);
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
    if (!wants)
        cli_print(
            cli, "\n'icp show %lld' shows all of it, 'icp activate %lld' makes it the active one\n",
            (long long)version, (long long)version);
    return status != EX_OK ? status : printed;
}

/* A label that does not parse is shown with a caret before anything is asked of the server. */
static int expressions_check(const struct cli *cli, struct icp_client *client)
{
    int status = EX_OK;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    if (schema == NULL)
        return status;
    struct filter *label = label_parse(cli, schema, "label", cli_text(cli, CLI_LEARN_LABEL));
    struct filter *where = NULL;
    if (label == NULL)
        status = EX_DATAERR;
    if (label != NULL && cli_has(cli, CLI_LEARN_WHERE)) {
        where = label_parse(cli, schema, "where", cli_text(cli, CLI_LEARN_WHERE));
        if (where == NULL)
            status = EX_DATAERR;
    }
    if (label != NULL)
        filter_destroy(label);
    if (where != NULL)
        filter_destroy(where);
    feature_schema_release(schema);
    return status;
}

static int learn(const struct cli *cli, struct icp_client *client, struct icp_payload *payload)
{
    struct icp_reply reply = {0};
    struct icp_fault fault;
    int status = request_fill(cli, payload);
    if (status == EX_OK)
        status = expressions_check(cli, client);
    if (status != EX_OK)
        return status;
    signals_block(SIG_BLOCK);
    uint32_t id = icp_send(client, ICP_OP_ICP_LEARN, payload, &fault);
    status = id == 0 ? cli_icp_fault(cli, &fault) : job_wait(cli, client, id, &reply);
    signals_block(SIG_UNBLOCK);
    if (status == EX_OK)
        status = learned_print(cli, client, &reply);
    icp_reply_fini(&reply);
    return status;
}

int cmd_learn(struct cli *cli)
{
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 0))
        return EX_USAGE;
    if (!cli_has(cli, CLI_LEARN_LABEL))
        return cli_fail(cli, EX_USAGE, "--label EXPRESSION is needed, such as \"stage = 'Won'\"");
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL)
        return status;
    struct icp_payload *payload = icp_payload_create();
    status = payload != NULL ? learn(cli, client, payload) : cli_fail(cli, EX_OSERR, "no memory");
    icp_payload_destroy(payload);
    icp_close(client);
    return status;
}
