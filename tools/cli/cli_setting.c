/* SPDX-License-Identifier: Apache-2.0 */
/* What was given on the command line, asked for by option; and numbers and counts of arguments,
 * with a message that says what would be right. */
#include <stdlib.h>

#include "tools/cli/cli.h"

const char *cli_text(const struct cli *cli, enum cli_option_id option)
{
    for (size_t i = cli->setting_count; i-- > 0;) {
        if (cli->settings[i].option == option) {
            return cli->settings[i].value;
        }
    }
    return NULL;
}

enum cli_option_id cli_option_named(const struct cli *cli, const char *name)
{
    for (int id = 0; id < CLI_OPTIONS; id++) {
        const struct cli_option *option = &cli_options()[id];
        if (cli_option_belongs(cli->command, option) && strcmp(option->name, name) == 0) {
            return (enum cli_option_id)id;
        }
    }
    return CLI_OPTIONS;
}

const char *cli_text_named(const struct cli *cli, const char *name)
{
    return cli_text(cli, cli_option_named(cli, name));
}

const char *cli_each(const struct cli *cli, enum cli_option_id option, size_t *at)
{
    while (*at < cli->setting_count) {
        const struct cli_setting *setting = &cli->settings[(*at)++];
        if (setting->option == option) {
            return setting->value;
        }
    }
    return NULL;
}

bool cli_number(const struct cli *cli, enum cli_option_id option, uint64_t low, uint64_t high,
                uint64_t fallback, uint64_t *number)
{
    const char *text = cli_text(cli, option);
    *number = fallback;
    if (text == NULL) {
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 20 && text[digits] == '\0') {
        *number = strtoull(text, NULL, 10);
        if (*number >= low && *number <= high) {
            return true;
        }
    }
    (void)cli_fail(cli, EX_USAGE, "--%s: '%s' is not a whole number from %llu to %llu",
                   cli_options()[option].name, text, (unsigned long long)low,
                   (unsigned long long)high);
    return false;
}

bool cli_arguments(const struct cli *cli, size_t least, size_t most)
{
    if (cli->argument_count >= least && cli->argument_count <= most) {
        return true;
    }
    const char *name = cli->command->name;
    const char *expected = cli->command->arguments;
    if (cli->argument_count > most && most == 0) {
        (void)cli_fail(cli, EX_USAGE,
                       "'%s' is too much: only options may follow; 'icp help %s' lists them",
                       cli->arguments[0], name);
    } else if (cli->argument_count > most) {
        (void)cli_fail(cli, EX_USAGE,
                       "'%s' is one argument too many; expected %s: if it holds blanks, put quotes "
                       "around it ('icp help %s' has examples)",
                       cli->arguments[most], expected, name);
    } else {
        (void)cli_fail(cli, EX_USAGE, "%s is missing; 'icp help %s' has examples", expected, name);
    }
    return false;
}

bool cli_version_argument(const struct cli *cli, const char *text, uint64_t *version)
{
    size_t digits = strspn(text, "0123456789");
    *version = digits > 0 && digits < 11 ? strtoull(text, NULL, 10) : 0;
    if (text[digits] == '\0' && *version > 0) {
        return true;
    }
    (void)cli_fail(cli, EX_USAGE,
                   "'%s' is no version; versions are numbers from 1, 'icp list' shows them", text);
    return false;
}
