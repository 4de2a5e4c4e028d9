/* SPDX-License-Identifier: Apache-2.0 */
/* icp help: all commands, one of them, or the pages that are made from the tables. */
#include "tools/cli/cmd.h"

static int command_help(const struct cli *cli)
{
    int used = 0;
    int count = (int)cli->argument_count;
    const struct cli_command *command = cli_command_find(count, cli->arguments, &used);
    if (command != NULL && used == count) {
        cli_help_command(&cli->style.sink, command);
        return EX_OK;
    }
    char words[128];
    bool any = false;
    snprintf(words, sizeof words, "%s%s%s", cli->arguments[0], count > 1 ? " " : "",
             count > 1 ? cli->arguments[1] : "");
    /* "help tal": each command that begins with the word. */
    for (size_t i = 0; i < CLI_COMMANDS && count == 1; i++) {
        const struct cli_command *one = &cli_commands()[i];
        size_t bytes = strlen(words);
        if (strncmp(one->name, words, bytes) != 0 || one->name[bytes] != ' ') {
            continue;
        }
        cli_print(cli, "  %-16s %s\n", one->name, one->summary);
        any = true;
    }
    if (any) {
        return EX_OK;
    }
    command = cli_nearest(words);
    return cli_fail(cli, EX_USAGE, "there is no command '%s'%s%s%s", words,
                    command != NULL ? "; did you mean 'icp help " : "; 'icp help' lists them",
                    command != NULL ? command->name : "", command != NULL ? "'?" : "");
}

static int man_help(const struct cli *cli)
{
    int used = 0;
    int count = (int)cli->argument_count;
    if (cli_has(cli, CLI_HELP_OUT)) {
        return cli_arguments(cli, 0, 0) ? cli_help_man_pages(cli, cli_text(cli, CLI_HELP_OUT))
                                        : EX_USAGE;
    }
    const struct cli_command *command = cli_command_find(count, cli->arguments, &used);
    if (count > 0 && (command == NULL || used != count)) {
        return command_help(cli); /* says what was meant */
    }
    cli_help_man(stdout, command);
    return EX_OK;
}

int cmd_help(struct cli *cli)
{
    if (cli_has(cli, CLI_HELP_MAN)) {
        return man_help(cli);
    }
    if (cli_has(cli, CLI_HELP_OUT)) {
        return cli_fail(cli, EX_USAGE, "--out goes with --man");
    }
    if (cli_has(cli, CLI_HELP_MARKDOWN)) {
        cli_help_markdown(stdout);
    } else if (cli_has(cli, CLI_HELP_BASH)) {
        cli_help_bash(stdout);
    } else if (cli->argument_count == 0) {
        cli_help_overview(&cli->style.sink);
    } else {
        return cli_arguments(cli, 1, 2) ? command_help(cli) : EX_USAGE;
    }
    return EX_OK;
}
