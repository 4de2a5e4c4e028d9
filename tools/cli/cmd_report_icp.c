/* SPDX-License-Identifier: Apache-2.0 */
/* icp report icp: a version's document, what was disputed of it, whether it holds and its segments
 * are asked of the server, and a page written beside its final name and then put there. What cannot
 * be asked says why in its section; a profile written by hand is held against the version only if
 * --profile names one, and what is wrong with it ends the command. --json gives what the page is
 * made of. */
#include <stdlib.h>

#include "server/report/report_icp.h"
#include "tools/cli/backtest_hand.h"
#include "tools/cli/cmd.h"
#include "tools/cli/out/out_json.h"
#include "tools/cli/profile_file.h"
#include "tools/cli/remote_schema.h"

struct gathered {
    struct report_icp page;
    json_t *document, *drift, *segments, *challenges, *hand;
    struct feature_codebook *codebook;
    struct model_scorecard *scorecard;
    char whys[3][512]; /* of a fault */
};

static void gathered_fini(struct gathered *gathered)
{
    json_decref(gathered->document);
    json_decref(gathered->drift);
    json_decref(gathered->segments);
    json_decref(gathered->challenges);
    json_decref(gathered->hand);
    model_destroy(gathered->scorecard);
    feature_codebook_destroy(gathered->codebook);
}

static int document_read(const struct cli *cli, struct icp_client *client, uint64_t version,
                         struct gathered *gathered)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct icp_reply reply = {0};
    int status = EX_OK;
    struct icp_payload *payload = icp_payload_create();
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    if (payload == NULL || schema == NULL) {
        icp_payload_destroy(payload);
        feature_schema_release(schema);
        return status != EX_OK ? status : cli_fail(cli, EX_OSERR, "no memory");
    }
    if (version > 0) {
        icp_payload_uint(payload, "icp", version);
    }
    status = cli_call(cli, client, ICP_OP_ICP_GET, payload, &reply);
    if (status == EX_OK) {
        struct icp_text text = icp_reply_text(&reply, "document");
        gathered->document = json_loadb(text.data, text.bytes, 0, NULL);
        gathered->codebook = feature_codebook_from_json(
            json_object_get(gathered->document, "codebook"), schema, &fault);
        gathered->scorecard =
            gathered->codebook == NULL
                ? NULL
                : model_from_json(json_object_get(gathered->document, "scorecard"),
                                  gathered->codebook, &fault);
        status = gathered->scorecard != NULL ? EX_OK : cli_fault(cli, &fault);
        gathered->page.version = (uint64_t)icp_reply_int(&reply, "icp", 0);
        gathered->page.active = icp_reply_flag(&reply, "active", false);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    feature_schema_release(schema);
    return status;
}

/* The reply to a question about the version; NULL with why. */
static json_t *part_ask(struct icp_client *client, enum icp_op op, uint64_t version, char why[512])
{
    struct icp_reply reply = {0};
    json_t *json = NULL;
    struct icp_payload *payload = icp_payload_create();
    if (payload != NULL) {
        icp_payload_uint(payload, "icp", version);
        if (icp_call(client, op, payload, &reply)) {
            struct icp_value whole = icp_reply_value(&reply);
            json = out_json_of(&whole);
        }
    }
    (void)snprintf(why, 512, "%s",
                   reply.fault.message[0] != '\0' ? reply.fault.message : "no memory");
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return json;
}

/* All pages of the challenges of a version, the newest first; NULL with why. */
static json_t *challenges_ask(struct icp_client *client, uint64_t version, char why[512])
{
    json_t *all = json_array();
    int64_t next = -1;
    bool more = true;
    while (more && all != NULL) {
        struct icp_reply reply = {0};
        struct icp_payload *payload = icp_payload_create();
        if (payload != NULL) {
            icp_payload_uint(payload, "icp", version);
            if (next >= 0) {
                icp_payload_uint(payload, "before", (uint64_t)next);
            }
        }
        if (payload == NULL || !icp_call(client, ICP_OP_CHALLENGE_LIST, payload, &reply)) {
            (void)snprintf(why, 512, "%s", payload != NULL ? reply.fault.message : "no memory");
            json_decref(all);
            all = NULL;
        } else {
            struct icp_value list;
            (void)icp_reply_get(&reply, "challenges", &list);
            json_t *page = out_json_of(&list);
            more = json_array_extend(all, page) == 0;
            json_decref(page);
            next = icp_reply_int(&reply, "next", -1);
            more = more && next >= 0;
        }
        icp_reply_fini(&reply);
        icp_payload_destroy(payload);
    }
    return all;
}

/* The profile that was read beside the version, as icp backtest holds it. */
static int hand_gather(const struct cli *cli, struct icp_client *client, const json_t *profile,
                       struct gathered *gathered)
{
    struct backtest_data data = {.icp = gathered->page.version};
    struct backtest_hand hand = {.profile = profile};
    int status = backtest_read(cli, client, cli_text(cli, CLI_REPORT_ICP_LABEL),
                               cli_text(cli, CLI_REPORT_ICP_WHERE), NULL, &data);
    if (status == EX_OK) {
        status = backtest_hand_make(cli, client, &data, &hand);
    }
    if (status == EX_OK) {
        gathered->hand = backtest_hand_json(&data, &hand);
        status = gathered->hand != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
    }
    gathered->page.hand = gathered->hand;
    backtest_hand_free(&hand);
    backtest_free(&data);
    return status;
}

static int gather(const struct cli *cli, struct icp_client *client, uint64_t version,
                  struct gathered *gathered)
{
    int status = document_read(cli, client, version, gathered);
    if (status != EX_OK) {
        return status;
    }
    version = gathered->page.version;
    gathered->challenges = challenges_ask(client, version, gathered->whys[0]);
    gathered->drift = part_ask(client, ICP_OP_ICP_DRIFT, version, gathered->whys[1]);
    gathered->segments = part_ask(client, ICP_OP_SEGMENT_FIND, version, gathered->whys[2]);
    struct report_icp *page = &gathered->page;
    page->document = gathered->document;
    page->codebook = gathered->codebook;
    page->scorecard = gathered->scorecard;
    page->challenges = gathered->challenges;
    page->no_challenges = gathered->whys[0];
    page->drift = gathered->drift;
    page->no_drift = gathered->whys[1];
    page->segments = gathered->segments;
    page->no_segments = gathered->whys[2];
    return EX_OK;
}

static int page_write(const struct cli *cli, const struct gathered *gathered)
{
    const char *path = cli_text(cli, CLI_REPORT_ICP_OUT);
    struct out_file output;
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    report_icp(output.file, &gathered->page);
    status = cli_file_commit(cli, &output);
    out_file_abandon(&output);
    return status;
}

static int json_print(const struct cli *cli, const struct gathered *gathered)
{
    return cli_json(cli, json_pack("{s:I, s:b, s:O, s:O?, s:O?, s:O?, s:O?}", "icp",
                                   (json_int_t)gathered->page.version, "active",
                                   gathered->page.active, "document", gathered->document,
                                   "challenges", gathered->challenges, "drift", gathered->drift,
                                   "segments", gathered->segments, "hand_written", gathered->hand));
}

static int report_make(struct cli *cli, uint64_t version, const json_t *profile)
{
    int status = EX_OK;
    struct gathered gathered = {.document = NULL};
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = gather(cli, client, version, &gathered);
    if (status == EX_OK && profile != NULL) {
        status = hand_gather(cli, client, profile, &gathered);
    }
    if (status == EX_OK) {
        status =
            cli->style.form == OUT_JSON ? json_print(cli, &gathered) : page_write(cli, &gathered);
    }
    gathered_fini(&gathered);
    icp_close(client);
    return status;
}

int cmd_report_icp(struct cli *cli)
{
    int status = EX_OK;
    uint64_t version = 0;
    json_t *profile = NULL;
    if (!cli_arguments(cli, 0, 1) ||
        (cli->argument_count > 0 && !cli_version_argument(cli, cli->arguments[0], &version))) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_REPORT_ICP_PROFILE)) {
        profile = profile_file_read(cli, cli_text(cli, CLI_REPORT_ICP_PROFILE), &status);
        if (profile == NULL) {
            return status;
        }
    } else if (cli_has(cli, CLI_REPORT_ICP_LABEL) || cli_has(cli, CLI_REPORT_ICP_WHERE)) {
        return cli_fail(cli, EX_USAGE,
                        "--label and --where say whom a profile written by hand is compared on: "
                        "name one with --profile");
    }
    status = report_make(cli, version, profile);
    json_decref(profile);
    return status;
}
