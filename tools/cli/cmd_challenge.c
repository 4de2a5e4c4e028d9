/* SPDX-License-Identifier: Apache-2.0 */
/* icp challenge, challenge list and challenge show: a dispute is sent, and its verdict told with
 * what it rests on. */
#include "tools/cli/challenge_print.h"

#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"

static int claim_put(const struct cli *cli, struct icp_payload *payload, bool trial)
{
    static const struct {
        enum cli_option_id option;
        const char *name;
    } texts[] = {{CLI_CHALLENGE_CONDITION, "condition"}, {CLI_CHALLENGE_FIELD, "field"},
                 {CLI_CHALLENGE_CLAIM, "claim"},         {CLI_CHALLENGE_SLICE, "slice"},
                 {CLI_CHALLENGE_PERIOD, "period"},       {CLI_CHALLENGE_OUTCOME, "outcome"},
                 {CLI_CHALLENGE_NOTE, "note"},           {CLI_CHALLENGE_OPERATION, "operation"}};
    enum { KEPT_ALONE = 6 }; /* the last are of a challenge that is kept */
    uint64_t version;
    uint64_t margin;
    if (!cli_number(cli, CLI_CHALLENGE_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_CHALLENGE_MARGIN, 1, 50, 5, &margin)) {
        return EX_USAGE;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!cli_has(cli, texts[i].option)) {
            continue;
        }
        if (trial && i >= KEPT_ALONE) {
            return cli_fail(cli, EX_USAGE,
                            "--%s is of a challenge that is kept, and --try keeps none",
                            texts[i].name);
        }
        icp_payload_text(payload, texts[i].name, cli_text(cli, texts[i].option));
    }
    icp_payload_uint(payload, "icp", version);
    icp_payload_number(payload, "margin", (double)margin / 100);
    return EX_OK;
}

static int answer_print(struct cli *cli, struct icp_reply *reply)
{
    struct icp_value challenge;
    struct icp_value now;
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    if (!icp_reply_get(reply, "challenge", &challenge)) {
        return EX_SOFTWARE;
    }
    int status = challenge_print(cli, &challenge);
    if (status == EX_OK && icp_reply_get(reply, "now", &now)) {
        cli_print(cli, "\nas it is answered now:\n");
        status = challenge_print(cli, &now);
    }
    return status;
}

int cmd_challenge(struct cli *cli)
{
    struct cli_request request;
    bool trial = cli_has(cli, CLI_CHALLENGE_TRY);
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = claim_put(cli, request.payload, trial);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, trial ? ICP_OP_CHALLENGE_TRY : ICP_OP_CHALLENGE);
    }
    if (status == EX_OK) {
        status = answer_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

static bool number_read(const struct cli *cli, const char *text, uint64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    *number = digits > 0 && digits < 11 ? strtoull(text, NULL, 10) : 0;
    if (text[digits] == '\0' && *number > 0) {
        return true;
    }
    (void)cli_fail(
        cli, EX_USAGE,
        "'%s' is no challenge; they have numbers from 1, 'icp challenge list' shows them", text);
    return false;
}

int cmd_challenge_show(struct cli *cli)
{
    struct cli_request request;
    uint64_t number;
    uint64_t version;
    if (!cli_arguments(cli, 1, 1) || !number_read(cli, cli->arguments[0], &number) ||
        !cli_number(cli, CLI_CHALLENGE_SHOW_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_uint(request.payload, "number", number);
    icp_payload_uint(request.payload, "icp", version);
    icp_payload_flag(request.payload, "again",
                     version > 0 || cli_has(cli, CLI_CHALLENGE_SHOW_AGAIN));
    status = cli_request_send(cli, &request, ICP_OP_CHALLENGE_SHOW);
    if (status == EX_OK) {
        status = answer_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

static int list_print(struct cli *cli, struct icp_reply *reply)
{
    struct icp_value list;
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    if (!icp_reply_get(reply, "challenges", &list)) {
        return EX_SOFTWARE;
    }
    int status = challenge_list_print(cli, &list);
    long long damaged = (long long)icp_reply_int(reply, "damaged", 0);
    long long next = (long long)icp_reply_int(reply, "next", 0);
    if (damaged > 0) {
        cli_say(cli, "%lld %s damaged and passed over", damaged,
                damaged == 1 ? "challenge is" : "challenges are");
    }
    if (status == EX_OK && next > 0 && cli->style.form == OUT_TABLE) {
        cli_print(cli, "there are older ones: --before %lld\n", next);
    }
    return status;
}

int cmd_challenge_list(struct cli *cli)
{
    struct cli_request request;
    uint64_t version;
    uint64_t before;
    uint64_t limit;
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_CHALLENGE_LIST_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_CHALLENGE_LIST_BEFORE, 1, UINT32_MAX, UINT32_MAX, &before) ||
        !cli_number(cli, CLI_CHALLENGE_LIST_LIMIT, 1, 100, 50, &limit)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_uint(request.payload, "icp", version);
    icp_payload_uint(request.payload, "before", before);
    icp_payload_uint(request.payload, "limit", limit);
    status = cli_request_send(cli, &request, ICP_OP_CHALLENGE_LIST);
    if (status == EX_OK) {
        status = list_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
