/* SPDX-License-Identifier: Apache-2.0 */
/* Results, as the options of the command line say; what fails is told as by any command. */
#include <stdarg.h>

#include "tools/cli/cli.h"

void cli_print(const struct cli *cli, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    out_vprint(&cli->style.sink, format, list);
    va_end(list);
}

bool cli_named(const struct icp_value *accounts)
{
    struct icp_value first;
    struct icp_value name;
    struct icp_walk walk = icp_walk_over(accounts);
    return icp_next(&walk, NULL, &first) && icp_value_get(&first, "name", &name);
}

int cli_table(const struct cli *cli, struct out_table *table)
{
    if (out_table_show(table, &cli->style)) {
        return EX_OK;
    }
    return cli_fail(cli, EX_OSERR, "no memory for the result");
}

int cli_json(const struct cli *cli, json_t *json)
{
    if (out_json_write(cli->style.sink.file, json)) {
        return EX_OK;
    }
    return cli_fail(cli, EX_OSERR, "cannot write the result as JSON");
}

int cli_json_reply(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value value = icp_reply_value(reply);
    return cli_json(cli, out_json_of(&value));
}

int cli_file_begin(const struct cli *cli, const char *path, struct out_file *output)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (out_file_begin(output, path, &fault)) {
        return EX_OK;
    }
    return cli_fail(cli, fault.code == PROTO_IO ? EX_CANTCREAT : EX_OSERR, "%s", fault.message);
}

int cli_file_commit(const struct cli *cli, struct out_file *output)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (out_file_commit(output, &fault)) {
        return EX_OK;
    }
    return cli_fail(cli, EX_IOERR, "%s", fault.message);
}
