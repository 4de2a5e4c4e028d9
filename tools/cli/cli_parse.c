/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a command by argp, from option.def. */
#include <argp.h>
#include <stdlib.h>

#include "tools/cli/cli.h"

#define KEY_HELP '?'
#define KEY_USAGE 0xfff
/* argp keys of our options start beyond the characters, which short forms use. */
#define KEY_FIRST 0x1000

static const struct cli_option options[CLI_OPTIONS] = {
#define G(NAME, name, key, argument, help) {-1, name, key, argument, help},
#define O(COMMAND, NAME, name, key, argument, help)                                                \
    {CLI_COMMAND_##COMMAND, name, key, argument, help},
#include "tools/cli/option.def"
#undef O
#undef G
};

const struct cli_option *cli_options(void)
{
    return options;
}

static bool belongs(const struct cli *cli, const struct cli_option *option)
{
    return option->command == -1 || option->command == (int)cli->command->id;
}

static void setting_add(struct cli *cli, enum cli_option_id id, const char *value)
{
    cli->settings[cli->setting_count++] = (struct cli_setting){id, value != NULL ? value : ""};
    if (options[id].argument != NULL)
        return;
    if (strcmp(options[id].name, "json") == 0)
        cli->form = CLI_JSON;
    else if (strcmp(options[id].name, "csv") == 0)
        cli->form = CLI_CSV;
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct cli *cli = state->input;
    if (key == KEY_HELP) {
        /* Printed here: argp would wrap the examples, and a wrapped example does not run. */
        argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG);
        printf("\nExamples:\n%s", cli->command->examples);
        exit(EX_OK);
    }
    if (key == KEY_USAGE) {
        argp_state_help(state, stdout, ARGP_HELP_USAGE);
        exit(EX_OK);
    }
    if (key == ARGP_KEY_ARG) {
        cli->arguments[cli->argument_count++] = value;
        return 0;
    }
    for (int id = 0; id < CLI_OPTIONS; id++) {
        bool is_it = key == KEY_FIRST + id || (options[id].key != 0 && key == options[id].key);
        if (is_it && belongs(cli, &options[id])) {
            setting_add(cli, (enum cli_option_id)id, value);
            return 0;
        }
    }
    return ARGP_ERR_UNKNOWN;
}

/* The command's own options first, then those of every command under a heading of their own. */
static size_t table_fill(const struct cli *cli, struct argp_option *table)
{
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            table[count++] = (struct argp_option){.doc = "For every command:", .group = 2};
        for (int id = 0; id < CLI_OPTIONS; id++) {
            if (!belongs(cli, &options[id]) || (options[id].command == -1) != (pass == 1))
                continue;
            table[count++] = (struct argp_option){
                .name = options[id].name,
                .key = options[id].key != 0 ? options[id].key : KEY_FIRST + id,
                .arg = options[id].argument,
                .doc = options[id].help,
                .group = pass + 1,
            };
        }
    }
    table[count++] =
        (struct argp_option){.name = "help", .key = KEY_HELP, .doc = "show this", .group = 3};
    table[count++] =
        (struct argp_option){.name = "usage", .key = KEY_USAGE, .flags = OPTION_HIDDEN, .group = 3};
    table[count] = (struct argp_option){0};
    return count;
}

/* Leaves out argp's remark on long and short options, which tells nobody anything. */
static char *on_help(int key, const char *text, void *input)
{
    (void)input;
    char *same;
    memcpy(&same, &text, sizeof same); /* argp wants back the pointer that it gave as const */
    return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : same;
}

int cli_parse(struct cli *cli, int count, char **arguments)
{
    struct argp_option table[CLI_OPTIONS + 4];
    char doc[256];
    char name[64];
    (void)table_fill(cli, table);
    snprintf(doc, sizeof doc, "%s.", cli->command->summary);
    snprintf(name, sizeof name, "icp %s", cli->command->name);
    struct argp argp = {.options = table,
                        .parser = on_option,
                        .args_doc = cli->command->arguments,
                        .doc = doc,
                        .help_filter = on_help};
    cli->settings = calloc((size_t)count + 1, sizeof *cli->settings);
    cli->arguments = calloc((size_t)count + 1, sizeof *cli->arguments);
    if (cli->settings == NULL || cli->arguments == NULL)
        return cli_fail(cli, EX_OSERR, "no memory");
    arguments[0] = name;
    error_t error = argp_parse(&argp, count, arguments, ARGP_NO_HELP, NULL, cli);
    arguments[0] = NULL;
    return error == 0 ? EX_OK : EX_USAGE;
}

const char *cli_text(const struct cli *cli, enum cli_option_id option)
{
    for (size_t i = cli->setting_count; i-- > 0;) {
        if (cli->settings[i].option == option)
            return cli->settings[i].value;
    }
    return NULL;
}

const char *cli_each(const struct cli *cli, enum cli_option_id option, size_t *at)
{
    while (*at < cli->setting_count) {
        const struct cli_setting *setting = &cli->settings[(*at)++];
        if (setting->option == option)
            return setting->value;
    }
    return NULL;
}

bool cli_number(const struct cli *cli, enum cli_option_id option, uint64_t low, uint64_t high,
                uint64_t fallback, uint64_t *number)
{
    const char *text = cli_text(cli, option);
    *number = fallback;
    if (text == NULL)
        return true;
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 20 && text[digits] == '\0') {
        *number = strtoull(text, NULL, 10);
        if (*number >= low && *number <= high)
            return true;
    }
    (void)cli_fail(cli, EX_USAGE, "--%s: '%s' is not a whole number from %llu to %llu",
                   options[option].name, text, (unsigned long long)low, (unsigned long long)high);
    return false;
}

bool cli_arguments(const struct cli *cli, size_t least, size_t most)
{
    if (cli->argument_count >= least && cli->argument_count <= most)
        return true;
    const char *expected = cli->command->arguments[0] != '\0' ? cli->command->arguments : "nothing";
    if (cli->argument_count > most)
        (void)cli_fail(cli, EX_USAGE, "'%s' is one argument too many; expected %s (see --help)",
                       cli->arguments[most], expected);
    else
        (void)cli_fail(cli, EX_USAGE, "expected %s (see --help)", expected);
    return false;
}
