/* SPDX-License-Identifier: Apache-2.0 */
/* icp card: asks for the card of one account and prints it, in words or as it is. */
#include "server/feature/date_text.h"
#include "tools/cli/card_print.h"
#include "tools/cli/cmd.h"

static int ask_put(const struct cli *cli, struct icp_payload *payload)
{
    const char *at = cli_text(cli, CLI_CARD_AT);
    uint64_t events;
    uint64_t similar;
    int64_t at_ms = 0;
    bool whole_day = false;
    if (!cli_number(cli, CLI_CARD_EVENTS, 0, 50, 10, &events) ||
        !cli_number(cli, CLI_CARD_SIMILAR, 0, 20, 5, &similar)) {
        return EX_USAGE;
    }
    if (at != NULL && !feature_date_read(proto_span_text(at), &at_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--at: '%s' is no time such as 2024-01-01T12:00:00Z", at);
    }
    icp_payload_uint(payload, "events", events);
    icp_payload_uint(payload, "similar", similar);
    if (at != NULL) {
        icp_payload_int(payload, "at", at_ms);
    }
    if (cli_has(cli, CLI_CARD_ENGAGEMENT)) {
        icp_payload_text(payload, "engagement", cli_text(cli, CLI_CARD_ENGAGEMENT));
    }
    return EX_OK;
}

static int reply_show(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text text = icp_reply_text(reply, "card");
    json_t *card = json_loadb(text.data, text.bytes, 0, NULL);
    if (card == NULL) {
        return cli_fail(cli, EX_PROTOCOL, "the server's card is no JSON");
    }
    if (cli->style.form == OUT_JSON) {
        return cli_json(cli, card);
    }
    card_print(cli, card);
    json_decref(card);
    return EX_OK;
}

static int card_ask(const struct cli *cli, struct cli_request *request, const char *kind,
                    const char *name)
{
    int status = ask_put(cli, request->payload);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request->payload, kind, name);
    if (icp_call(request->client, ICP_OP_CARD, request->payload, &request->reply)) {
        return reply_show(cli, &request->reply);
    }
    return request->reply.fault.code == ICP_NOT_FOUND && request->reply.fault.field[0] == '\0'
               ? cli_not_found(cli, kind, name)
               : cli_icp_fault(cli, &request->reply.fault);
}

int cmd_card(struct cli *cli)
{
    struct cli_request request;
    const char *key = cli_text(cli, CLI_CARD_KEY);
    const char *email = cli_text(cli, CLI_CARD_EMAIL);
    const char *id = cli->argument_count > 0 ? cli->arguments[0] : NULL;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if ((id != NULL) + (key != NULL) + (email != NULL) != 1) {
        return cli_fail(cli, EX_USAGE, "give one of ID, --key and --email");
    }
    int status = cli_request_open(cli, &request);
    if (status == EX_OK) {
        status = card_ask(cli, &request,
                          id != NULL    ? "id"
                          : key != NULL ? "key"
                                        : "email",
                          id != NULL    ? id
                          : key != NULL ? key
                                        : email);
        cli_request_close(&request);
    }
    return status;
}
