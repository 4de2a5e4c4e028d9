/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command, reads the settings that all commands share, runs it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/cli.h"

static const struct cli_command commands[CLI_COMMANDS] = {
#define X(ID, name, handler, summary, arguments, examples)                                         \
    {CLI_COMMAND_##ID, name, handler, summary, arguments, examples},
#include "tools/cli/command.def"
#undef X
};

const struct cli_command *cli_commands(void)
{
    return commands;
}

/* Words of the command's name, "schema infer" has two. */
static int words_of(const char *name)
{
    int words = 1;
    for (; *name != '\0'; name++)
        words += *name == ' ';
    return words;
}

static bool name_matches(const char *name, int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        size_t bytes = strcspn(name, " ");
        if (strlen(arguments[i]) != bytes || strncmp(arguments[i], name, bytes) != 0)
            return false;
        name += bytes + (name[bytes] == ' ');
        if (*name == '\0')
            return true;
    }
    return false;
}

static const struct cli_command *command_find(int count, char **arguments)
{
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        if (words_of(commands[i].name) <= count && name_matches(commands[i].name, count, arguments))
            return &commands[i];
    }
    return NULL;
}

const struct cli_command *cli_nearest(const char *words)
{
    const struct cli_command *nearest = NULL;
    size_t least = 3; /* two slips of the finger */
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        /* "schem" is near to "schema" although no command is called that alone. */
        struct proto_span name = proto_span_text(commands[i].name);
        struct proto_span first = {name.data, strcspn(commands[i].name, " ")};
        size_t whole = feature_text_distance(proto_span_text(words), name, least);
        size_t start = feature_text_distance(proto_span_text(words), first, least);
        size_t distance = whole < start ? whole : start;
        if (distance < least) {
            least = distance;
            nearest = &commands[i];
        }
    }
    return nearest;
}

/* What stands on the command line names no command: says what would be right. */
static int command_unknown(int count, char **arguments)
{
    char words[128];
    size_t known = 0;
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        size_t bytes = strlen(arguments[0]);
        if (strncmp(commands[i].name, arguments[0], bytes) == 0 && commands[i].name[bytes] == ' ') {
            fprintf(stderr, "%s%s", known++ == 0 ? "icp: a word is missing; there is: " : ", ",
                    commands[i].name);
        }
    }
    if (known > 0) {
        fprintf(stderr, "\n");
        return EX_USAGE;
    }
    snprintf(words, sizeof words, "%s%s%s", arguments[0], count > 1 ? " " : "",
             count > 1 ? arguments[1] : "");
    const struct cli_command *nearest = cli_nearest(arguments[0]);
    if (nearest == NULL)
        nearest = cli_nearest(words);
    if (nearest != NULL)
        fprintf(stderr, "icp: there is no command '%s'; did you mean '%s'?\n", arguments[0],
                nearest->name);
    else
        fprintf(stderr, "icp: there is no command '%s'; 'icp help' lists them\n", arguments[0]);
    return EX_USAGE;
}

/* The token never stands on a command line, where every user of the machine could read it. */
static int token_read(struct cli *cli)
{
    const char *path = cli_text(cli, CLI_G_TOKEN);
    const char *environment = getenv("ICP_TOKEN");
    if (path == NULL) {
        if (environment != NULL && strlen(environment) >= sizeof cli->token)
            return cli_fail(cli, EX_USAGE, "ICP_TOKEN is longer than %zu bytes",
                            sizeof cli->token - 1);
        snprintf(cli->token, sizeof cli->token, "%s", environment != NULL ? environment : "");
        return EX_OK;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cli_fail(cli, EX_NOINPUT, "--token: cannot open %s: %s", path, strerror(errno));
    bool read = fgets(cli->token, sizeof cli->token, file) != NULL;
    fclose(file);
    cli->token[strcspn(cli->token, "\r\n")] = '\0';
    if (!read || cli->token[0] == '\0')
        return cli_fail(cli, EX_DATAERR,
                        "--token: the first line of %s is empty; it must be the "
                        "token",
                        path);
    return EX_OK;
}

static int settings_read(struct cli *cli)
{
    uint64_t seconds = 0;
    if (!cli_number(cli, CLI_G_TIMEOUT, 1, 86400, CLI_TIMEOUT_S_DEFAULT, &seconds))
        return EX_USAGE;
    cli->timeout_ms = (uint32_t)seconds * 1000;
    cli->uri = cli_text(cli, CLI_G_URI);
    if (cli->uri == NULL)
        cli->uri = getenv("ICP_URI");
    if (cli->uri == NULL || cli->uri[0] == '\0')
        cli->uri = CLI_URI_DEFAULT;
    return token_read(cli);
}

static int command_run(const struct cli_command *command, int count, char **arguments)
{
    struct cli cli = {.command = command};
    int status = cli_parse(&cli, count, arguments);
    if (status == EX_OK)
        status = settings_read(&cli);
    if (status == EX_OK)
        status = command->handler(&cli);
    /* A result that did not reach its reader is no result. */
    if (fflush(stdout) != 0 && status == EX_OK)
        status = cli_fail(&cli, EX_IOERR, "cannot write to standard output: %s", strerror(errno));
    free(cli.settings);
    free(cli.arguments);
    return status;
}

/* Options may stand before the command too: `icp --uri X ping`. They are moved behind it. */
static int leading_options(int count, char **arguments)
{
    int at = 1;
    while (at < count && arguments[at][0] == '-' && arguments[at][1] != '\0') {
        const char *name = arguments[at];
        bool takes_next = strcmp(name, "-u") == 0;
        for (int id = 0; id < CLI_OPTIONS; id++) {
            const struct cli_option *option = &cli_options()[id];
            takes_next |= option->command == -1 && option->argument != NULL &&
                          strncmp(name, "--", 2) == 0 && strcmp(name + 2, option->name) == 0;
        }
        at += takes_next ? 2 : 1;
    }
    return at < count ? at : count;
}

int cli_run(int count, char **arguments)
{
    int first = leading_options(count, arguments);
    if (count <= 1) {
        cli_help_overview(stderr);
        return EX_USAGE;
    }
    if (first == count) {
        bool is_version = strcmp(arguments[1], "--version") == 0 || strcmp(arguments[1], "-V") == 0;
        bool is_help = strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
                       strcmp(arguments[1], "-?") == 0;
        if (is_version)
            printf("icp %s\n", icp_version());
        else if (is_help)
            cli_help_overview(stdout);
        else
            fprintf(stderr, "icp: no command follows '%s'; 'icp help' lists them\n",
                    arguments[count - 1]);
        return is_version || is_help ? EX_OK : EX_USAGE;
    }
    const struct cli_command *command = command_find(count - first, arguments + first);
    if (command == NULL)
        return command_unknown(count - first, arguments + first);
    /* argv of the command: its name, what stood before it, what stands behind it. */
    int words = words_of(command->name);
    char **own = calloc((size_t)count + 1, sizeof *own);
    if (own == NULL)
        return EX_OSERR;
    int own_count = 1;
    for (int i = 1; i < count; i++) {
        if (i < first || i >= first + words)
            own[own_count++] = arguments[i];
    }
    int status = command_run(command, own_count, own);
    free(own);
    return status;
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "icp %s: ", cli->command->name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

int cli_fail(const struct cli *cli, int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "icp %s: ", cli->command->name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return status;
}
