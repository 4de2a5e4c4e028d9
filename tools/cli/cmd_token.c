/* SPDX-License-Identifier: Apache-2.0 */
/* icp token new, list, revoke: the file of named tokens, on the machine that has it. No server is
 * asked: icpd reads the file at its start and on SIGHUP. A new token is printed once, on standard
 * output and nowhere else; the file keeps a hash of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/auth/token_file.h"
#include "tools/cli/cmd.h"

#define FILE_DEFAULT "/etc/icpd/tokens"

static const char *file_of(const struct cli *cli)
{
    const char *path = cli_text_named(cli, "file");
    const char *named = path == NULL ? getenv("ICPD_TOKENS_FILE") : path;
    return named != NULL && named[0] != '\0' ? named : FILE_DEFAULT;
}

static int change_fail(const struct cli *cli, const struct proto_fault *fault)
{
    int status = fault->code == PROTO_IO ? EX_CANTCREAT : EX_DATAERR;
    return cli_fail(cli, status, "%s", fault->message);
}

/* "90d", "12h", "never", a date or a time. */
static bool expires_parse(const char *text, int64_t *expires_s)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool counted = text[0] >= '0' && text[0] <= '9' && errno == 0 && number >= 1 &&
                   number <= 36500 && (strcmp(end, "d") == 0 || strcmp(end, "h") == 0);
    if (counted) {
        *expires_s = (int64_t)time(NULL) + (int64_t)number * (end[0] == 'd' ? 86400 : 3600);
        return true;
    }
    *expires_s = 0;
    return strcmp(text, "never") == 0 ||
           (auth_time_parse(proto_span_text(text), expires_s) && *expires_s > (int64_t)time(NULL));
}

static bool rate_option(const struct cli *cli, enum cli_option_id option, bool bytes,
                        struct auth_rate *rate)
{
    const char *text = cli_text(cli, option);
    if (text == NULL || auth_rate_parse(proto_span_text(text), bytes, rate)) {
        return true;
    }
    (void)cli_fail(cli, EX_USAGE, "--%s: '%s' is no rate: N or N/BURST a second%s, such as %s",
                   bytes ? "bytes" : "requests", text, bytes ? ", with K or M behind it" : "",
                   bytes ? "1M/16M" : "500/1000");
    return false;
}

/* What the options say of the token; false with a message printed. */
static bool token_describe(const struct cli *cli, struct auth_token *token)
{
    const char *role = cli_text(cli, CLI_TOKEN_NEW_ROLE);
    const char *expires = cli_text(cli, CLI_TOKEN_NEW_EXPIRES);
    struct proto_span name = proto_span_text(cli->arguments[0]);
    uint64_t connections = 0;
    if (!auth_name_is_good(name)) {
        (void)cli_fail(cli, EX_USAGE,
                       "'%s' is no name: 1 to %d letters, digits, - and _ are wanted",
                       cli->arguments[0], AUTH_NAME_BYTES_MAX);
        return false;
    }
    memcpy(token->name, name.data, name.bytes);
    if (role == NULL || !auth_role_parse(proto_span_text(role), &token->role)) {
        (void)cli_fail(cli, EX_USAGE, "--role: score, read, write, admin or metrics is wanted");
        return false;
    }
    if (expires != NULL && !expires_parse(expires, &token->expires_s)) {
        (void)cli_fail(
            cli, EX_USAGE,
            "--expires: '%s' is no time to come: 90d, 12h, a date such as 2027-02-26, or "
            "never",
            expires);
        return false;
    }
    bool good =
        rate_option(cli, CLI_TOKEN_NEW_REQUESTS, false, &token->requests) &&
        rate_option(cli, CLI_TOKEN_NEW_BYTES, true, &token->bytes) &&
        cli_number(cli, CLI_TOKEN_NEW_CONNECTIONS, 1, AUTH_CONNECTIONS_MAX, 0, &connections);
    token->connections = (uint32_t)connections;
    return good;
}

int cmd_token_new(struct cli *cli)
{
    struct auth_token token = {0};
    struct proto_fault fault = {0};
    char text[AUTH_TEXT_BYTES];
    if (!cli_arguments(cli, 1, 1) || !token_describe(cli, &token)) {
        return EX_USAGE;
    }
    const char *path = file_of(cli);
    if (!auth_token_draw(&token, text, &fault) ||
        !auth_file_change(path, token.name, &token, &fault)) {
        explicit_bzero(text, sizeof text);
        return change_fail(cli, &fault);
    }
    cli_print(cli, "%s\n", text);
    explicit_bzero(text, sizeof text);
    if (fflush(stdout) != 0) {
        return cli_fail(cli, EX_IOERR,
                        "the token could not be printed and is lost: icp token revoke %s",
                        token.name);
    }
    cli_say(cli,
            "%s has its hash; this is the only time that the token is shown. A running icpd "
            "takes it over on SIGHUP",
            path);
    return EX_OK;
}

static void rate_cell(struct out_table *table, const struct auth_rate *rate)
{
    if (rate->per_s == 0) {
        out_cell_text(table, "%s", "");
    } else {
        out_cell_text(table, "%llu/%llu", (unsigned long long)rate->per_s,
                      (unsigned long long)rate->burst);
    }
}

int cmd_token_list(struct cli *cli)
{
    static const char *const headers[] = {"name",  "role",        "expires", "requests",
                                          "bytes", "connections", "state"};
    struct proto_fault fault = {0};
    struct auth_list list;
    struct out_table table;
    int64_t now_s = (int64_t)time(NULL);
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    if (!auth_list_read(file_of(cli), &list, &fault)) {
        return cli_fail(cli, EX_NOINPUT, "%s", fault.message);
    }
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (size_t i = 0; i < list.count; i++) {
        const struct auth_token *token = &list.tokens[i];
        char expires[24] = "never";
        if (token->expires_s != 0) {
            auth_time_print(token->expires_s, expires);
        }
        out_cell_text(&table, "%s", token->name);
        out_cell_text(&table, "%s", proto_role_name(token->role));
        out_cell_text(&table, "%s", expires);
        rate_cell(&table, &token->requests);
        rate_cell(&table, &token->bytes);
        if (token->connections > 0) {
            out_cell_text(&table, "%u", token->connections);
        } else {
            out_cell_text(&table, "%s", "");
        }
        bool over = token->expires_s != 0 && token->expires_s <= now_s;
        out_cell_text(&table, "%s", over ? "expired" : "valid");
    }
    auth_list_fini(&list);
    return cli_table(cli, &table);
}

int cmd_token_revoke(struct cli *cli)
{
    struct proto_fault fault = {0};
    const char *path = file_of(cli);
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    if (!auth_file_change(path, cli->arguments[0], NULL, &fault)) {
        return change_fail(cli, &fault);
    }
    cli_say(cli, "%s has no token %s any more; a running icpd ends its connections on SIGHUP", path,
            cli->arguments[0]);
    return EX_OK;
}
