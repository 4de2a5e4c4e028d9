/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the server: connect, ask, hand back the reply; where it does not answer, say what to
 * look at. */
#include <stdlib.h>

#include "server/identity/domain.h"
#include "tools/cli/cli.h"

static const char *tls_file(const struct cli *cli, enum cli_option_id option, const char *variable)
{
    const char *path = cli_text(cli, option);
    return path != NULL ? path : getenv(variable);
}

struct icp_options cli_client_options(const struct cli *cli)
{
    return (struct icp_options){
        ICP_OPTIONS,
        .call_timeout_ms = cli->timeout_ms,
        .name = "icp",
        .token = cli->token[0] != '\0' ? cli->token : NULL,
        .tls_ca = tls_file(cli, CLI_G_TLS_CA, "ICP_TLS_CA"),
        .tls_certificate = tls_file(cli, CLI_G_TLS_CERTIFICATE, "ICP_TLS_CERTIFICATE"),
        .tls_key = tls_file(cli, CLI_G_TLS_KEY, "ICP_TLS_KEY"),
    };
}

struct icp_client *cli_connect(const struct cli *cli, int *status)
{
    struct icp_options options = cli_client_options(cli);
    struct icp_fault fault;
    struct icp_client *client = icp_connect(cli->uri, &options, &fault);
    *status = EX_OK;
    if (client != NULL) {
        return client;
    }
    *status = cli_icp_fault(cli, &fault);
    if (fault.code == ICP_CONNECT) {
        cli_say(cli, "is icpd running there? Name another server with --uri or ICP_URI");
    }
    return NULL;
}

/* What a measure is asked on the wire, and by which option here. */
static void option_name(const struct cli *cli, char *field, size_t bytes)
{
    static const char within[] = "parameters.";
    size_t prefix = sizeof within - 1;
    if (strncmp(field, within, prefix) == 0) {
        memcpy(field, "--", 2);
        memmove(field + 2, field + prefix, strlen(field + prefix) + 1);
    } else if (strcmp(field, "by") == 0 && cli_option_named(cli, "segment") < CLI_OPTIONS) {
        (void)snprintf(field, bytes, "--segment");
    } else if (strcmp(field, "churn_flag") == 0) {
        (void)snprintf(field, bytes, "--churn-flag");
    }
}

int cli_call(const struct cli *cli, struct icp_client *client, enum icp_op op,
             const struct icp_payload *payload, struct icp_reply *reply)
{
    if (icp_call(client, op, payload, reply)) {
        return EX_OK;
    }
    return cli_refused(cli, reply);
}

int cli_refused(const struct cli *cli, struct icp_reply *reply)
{
    option_name(cli, reply->fault.field, sizeof reply->fault.field);
    return cli_icp_fault(cli, &reply->fault);
}

int cli_request_open(const struct cli *cli, struct cli_request *request)
{
    int status = EX_OK;
    *request = (struct cli_request){.client = cli_connect(cli, &status)};
    if (request->client == NULL) {
        return status;
    }
    request->payload = icp_payload_create();
    if (request->payload != NULL) {
        return EX_OK;
    }
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

int cli_not_found(const struct cli *cli, const char *kind, const char *name)
{
    bool is_id = strcmp(kind, "id") == 0;
    const char *hint = "";
    if (is_id && strchr(name, '@') != NULL) {
        hint = "; it looks like an address: --email";
    } else if (is_id && strchr(name, ':') != NULL) {
        hint = "; it looks like a key: --key";
    } else if (strcmp(kind, "key") == 0 && strchr(name, ':') == NULL) {
        hint = "; a key has a namespace before it, such as domain:acme.com";
    }
    int status = cli_fail(cli, EX_DATAERR, "no account has the %s '%s'%s", kind, name, hint);
    if (strcmp(kind, "email") == 0) {
        cli_email_explain(cli, name);
    }
    return status;
}

void cli_email_explain(const struct cli *cli, const char *email)
{
    struct identity_domain domain;
    enum identity_domain_kind kind = identity_domain_from_email(proto_span_text(email), &domain);
    if (kind == IDENTITY_DOMAIN_FREE_MAIL) {
        cli_say(cli, "%s gives mailboxes to everybody: such an address names no company",
                domain.registrable);
    } else if (kind == IDENTITY_DOMAIN_NONE) {
        cli_say(cli, "'%s' is no email address with a domain that somebody can register", email);
    }
}
