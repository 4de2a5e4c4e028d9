/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the server, and what each error means as an exit status. */
#include "proto/table.h"
#include "server/identity/domain.h"
#include "tools/cli/cli.h"

/* Where the error table's own word, retryable, is not enough. Everything else: 75 (try again) if
 * the table says retryable, else 65 (what was given is wrong). */
static const struct {
    enum proto_error error;
    int status;
} statuses[] = {
    {PROTO_OK, EX_OK},
    {PROTO_CONNECT, EX_UNAVAILABLE},
    {PROTO_USAGE, EX_USAGE},
    {PROTO_DENIED, EX_NOPERM},
    {PROTO_BAD_TOKEN, EX_NOPERM},
    {PROTO_BAD_FRAME, EX_PROTOCOL},
    {PROTO_BAD_VERSION, EX_PROTOCOL},
    {PROTO_UNKNOWN_OP, EX_PROTOCOL},
    {PROTO_BAD_REPLY, EX_PROTOCOL},
    {PROTO_INTERNAL, EX_SOFTWARE},
    {PROTO_CORRUPT, EX_SOFTWARE},
    {PROTO_IO, EX_IOERR},
    {PROTO_DISK_FULL, EX_IOERR},
    {PROTO_NO_MEMORY, EX_OSERR},
    {PROTO_BAD_CONFIG, EX_CONFIG},
};

int cli_exit_status(unsigned error)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if ((unsigned)statuses[i].error == error)
            return statuses[i].status;
    }
    return proto_error_find(error)->retryable ? EX_TEMPFAIL : EX_DATAERR;
}

int cli_fault(const struct cli *cli, const struct proto_fault *fault)
{
    bool named = fault->field[0] == '\0' || strstr(fault->message, fault->field) != NULL;
    return cli_fail(cli, cli_exit_status(fault->code), "%s%s%s", named ? "" : fault->field,
                    named ? "" : ": ", fault->message);
}

int cli_icp_fault(const struct cli *cli, const struct icp_fault *fault)
{
    struct proto_fault same = {.code = (enum proto_error)fault->code};
    memcpy(same.field, fault->field, sizeof same.field);
    memcpy(same.message, fault->message, sizeof same.message);
    return cli_fault(cli, &same);
}

struct icp_client *cli_connect(const struct cli *cli, int *status)
{
    struct icp_options options = {.call_timeout_ms = cli->timeout_ms,
                                  .name = "icp",
                                  .token = cli->token[0] != '\0' ? cli->token : NULL,
                                  .retry = true};
    struct icp_fault fault;
    struct icp_client *client = icp_connect(cli->uri, &options, &fault);
    *status = EX_OK;
    if (client != NULL)
        return client;
    *status = cli_icp_fault(cli, &fault);
    if (fault.code == ICP_CONNECT)
        cli_say(cli, "is icpd running there? Name another server with --uri or ICP_URI");
    return NULL;
}

int cli_call(const struct cli *cli, struct icp_client *client, enum icp_op op,
             const struct icp_payload *payload, struct icp_reply *reply)
{
    return icp_call(client, op, payload, reply) ? EX_OK : cli_icp_fault(cli, &reply->fault);
}

int cli_request_open(const struct cli *cli, struct cli_request *request)
{
    int status = EX_OK;
    *request = (struct cli_request){.client = cli_connect(cli, &status)};
    if (request->client == NULL)
        return status;
    request->payload = icp_payload_create();
    if (request->payload != NULL)
        return EX_OK;
    icp_close(request->client);
    return cli_fail(cli, EX_OSERR, "no memory");
}

int cli_request_send(const struct cli *cli, struct cli_request *request, enum icp_op op)
{
    return cli_call(cli, request->client, op, request->payload, &request->reply);
}

void cli_request_close(struct cli_request *request)
{
    icp_reply_fini(&request->reply);
    icp_payload_destroy(request->payload);
    icp_close(request->client);
}

void cli_email_explain(const struct cli *cli, const char *email)
{
    struct identity_domain domain;
    enum identity_domain_kind kind = identity_domain_from_email(proto_span_text(email), &domain);
    if (kind == IDENTITY_DOMAIN_FREE_MAIL)
        cli_say(cli, "%s gives mailboxes to everybody: such an address names no company",
                domain.registrable);
    else if (kind == IDENTITY_DOMAIN_NONE)
        cli_say(cli, "'%s' is no email address with a domain that somebody can register", email);
}
