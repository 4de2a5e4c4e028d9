/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on standard error, and what each error means as an exit status. Nothing here knows a
 * command or the server, so that everything may use it. */
#include <stdarg.h>
#include <stdlib.h>

#include "proto/table.h"
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
        if ((unsigned)statuses[i].error == error) {
            return statuses[i].status;
        }
    }
    return proto_error_find(error)->retryable ? EX_TEMPFAIL : EX_DATAERR;
}

static void __attribute__((format(printf, 2, 0)))
say(const struct cli *cli, const char *format, va_list list)
{
    struct out_sink sink = out_sink_of(stderr);
    char *text = NULL;
    if (vasprintf(&text, format, list) < 0) {
        return;
    }
    /* In one piece, for it is broken where the screen ends. */
    out_print(&sink, "icp %s: %s\n", cli->command->name, text);
    free(text);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(cli, format, list);
    va_end(list);
}

int cli_fail(const struct cli *cli, int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(cli, format, list);
    va_end(list);
    return status;
}

int cli_fault(const struct cli *cli, const struct proto_fault *fault)
{
    bool named = fault->field[0] == '\0' || strstr(fault->message, fault->field) != NULL;
    int status = cli_fail(cli, cli_exit_status(fault->code), "%s%s%s", named ? "" : fault->field,
                          named ? "" : ": ", fault->message);
    if ((strstr(fault->message, "there is no field") != NULL ||
         strstr(fault->message, "the schema has no field") != NULL) &&
        strstr(fault->message, "did you mean") == NULL) {
        cli_say(cli, "'icp schema get' lists the fields");
    }
    return status;
}

int cli_icp_fault(const struct cli *cli, const struct icp_fault *fault)
{
    struct proto_fault same = {.code = (enum proto_error)fault->code};
    memcpy(same.field, fault->field, sizeof same.field);
    memcpy(same.message, fault->message, sizeof same.message);
    return cli_fault(cli, &same);
}

int cli_file_fault(const struct cli *cli, const struct proto_fault *fault)
{
    int status = fault->code == PROTO_IO ? EX_NOINPUT : cli_exit_status(fault->code);
    return cli_fail(cli, status, "%s", fault->message);
}
