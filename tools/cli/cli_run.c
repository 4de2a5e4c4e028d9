/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command, reads the settings that all commands share, runs it. What names no command is
 * answered with the one that was meant. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/cmd.h"

typedef int (*cli_handler)(struct cli *cli);

static const cli_handler handlers[CLI_COMMANDS] = {
#define X(ID, name, handler, summary, arguments, examples) handler,
#include "tools/cli/command.def"
#undef X
};

/* The commands that begin with this word, if it is the first of two. */
static bool word_missing(const struct out_sink *sink, const char *word)
{
    char names[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const char *name = cli_commands()[i].name;
        size_t bytes = strlen(word);
        if (strncmp(name, word, bytes) == 0 && name[bytes] == ' ' && used < sizeof names) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     used > 0 ? ", " : "", name);
        }
    }
    if (used > 0) {
        out_print(sink, "icp: a word is missing; there is: %s\n", names);
    }
    return used > 0;
}

static int command_unknown(int count, char *const *words)
{
    struct out_sink sink = out_sink_of(stderr);
    char two[128];
    snprintf(two, sizeof two, "%s%s%s", words[0], count > 1 ? " " : "", count > 1 ? words[1] : "");
    /* "schema inferr": the second word is a slip. */
    const struct cli_command *nearest = count > 1 ? cli_nearest(two) : NULL;
    if (nearest == NULL || strchr(nearest->name, ' ') == NULL) {
        if (word_missing(&sink, words[0])) {
            return EX_USAGE;
        }
        nearest = cli_nearest(words[0]);
    }
    if (nearest != NULL) {
        out_print(&sink, "icp: there is no command '%s'; did you mean 'icp %s'? (%s)\n",
                  strchr(nearest->name, ' ') != NULL ? two : words[0], nearest->name,
                  nearest->summary);
    } else {
        out_print(&sink, "icp: there is no command '%s'; 'icp help' lists them\n", words[0]);
    }
    return EX_USAGE;
}

/* The token never stands on a command line, where every user of the machine could read it. */
static int token_read(struct cli *cli)
{
    const char *path = cli_text(cli, CLI_G_TOKEN);
    const char *environment = getenv("ICP_TOKEN");
    if (path == NULL) {
        if (environment != NULL && strlen(environment) >= sizeof cli->token) {
            return cli_fail(cli, EX_USAGE, "ICP_TOKEN is longer than %zu bytes",
                            sizeof cli->token - 1);
        }
        snprintf(cli->token, sizeof cli->token, "%s", environment != NULL ? environment : "");
        return EX_OK;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return cli_fail(cli, EX_NOINPUT, "--token: cannot open %s: %s", path, strerror(errno));
    }
    bool read = fgets(cli->token, sizeof cli->token, file) != NULL;
    fclose(file);
    cli->token[strcspn(cli->token, "\r\n")] = '\0';
    if (!read || cli->token[0] == '\0') {
        return cli_fail(cli, EX_DATAERR,
                        "--token: the first line of %s is empty; it must be the token", path);
    }
    return EX_OK;
}

/* Commands that write CSV without being asked to. */
static bool csv_is_written(const struct cli *cli)
{
    return cli->command->id == CLI_COMMAND_TAL_EXPORT ||
           (cli->command->id == CLI_COMMAND_SCORE && cli_has(cli, CLI_SCORE_CSV));
}

static int settings_read(struct cli *cli)
{
    uint64_t seconds = 0;
    if (!cli_number(cli, CLI_G_TIMEOUT, 1, 86400, CLI_TIMEOUT_S_DEFAULT, &seconds)) {
        return EX_USAGE;
    }
    cli->timeout_ms = (uint32_t)seconds * 1000;
    cli->style.records = cli_has(cli, CLI_G_RECORDS);
    cli->style.page = true;
    cli->style.spreadsheet = cli_has(cli, CLI_G_FOR_SPREADSHEET);
    if (cli->style.spreadsheet && cli->style.form != OUT_CSV && !csv_is_written(cli)) {
        return cli_fail(cli, EX_USAGE, "--for-spreadsheet goes with --csv");
    }
    cli->uri = cli_text(cli, CLI_G_URI);
    if (cli->uri == NULL) {
        cli->uri = getenv("ICP_URI");
    }
    if (cli->uri == NULL || cli->uri[0] == '\0') {
        cli->uri = CLI_URI_DEFAULT;
    }
    return token_read(cli);
}

static int command_run(const struct cli_command *command, int count, char **words)
{
    struct cli cli = {.command = command, .style.sink = out_sink_of(stdout), .run = cli_run};
    bool help = false;
    int status = cli_parse(&cli, count, words, &help);
    if (status == EX_OK && help) {
        cli_help_command(&cli.style.sink, command);
    } else {
        if (status == EX_OK) {
            status = settings_read(&cli);
        }
        if (status == EX_OK) {
            status = handlers[command->id](&cli);
        }
    }
    /* A result that did not reach its reader is no result. */
    if (fflush(stdout) != 0 && status == EX_OK) {
        status = cli_fail(&cli, EX_IOERR, "cannot write to standard output: %s", strerror(errno));
    }
    free(cli.settings);
    free(cli.arguments);
    return status;
}

/* Options may stand before the command too: `icp --uri X ping`, by the beginning of a name as well.
 * They are moved behind it. */
static int leading_options(int count, char **arguments)
{
    int at = 1;
    while (at < count && arguments[at][0] == '-' && arguments[at][1] != '\0') {
        const char *name = arguments[at];
        bool takes_next = strcmp(name, "-u") == 0;
        for (int id = 0; id < CLI_OPTIONS; id++) {
            const struct cli_option *option = &cli_options()[id];
            takes_next |= option->command == -1 && option->argument != NULL &&
                          strncmp(name, "--", 2) == 0 && name[2] != '\0' &&
                          strncmp(name + 2, option->name, strlen(name + 2)) == 0;
        }
        at += takes_next ? 2 : 1;
    }
    return at < count ? at : count;
}

/* No command is there: `icp --version`, `icp --help`, or a slip. */
static int no_command(const char *word, const char *last)
{
    struct out_sink sink = out_sink_of(stdout);
    struct out_sink errors = out_sink_of(stderr);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        out_print(&sink, "icp %s\n", icp_version());
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0) {
        cli_help_overview(&sink);
    } else {
        out_print(&errors, "icp: no command follows '%s'; 'icp help' lists them\n", last);
        return EX_USAGE;
    }
    return EX_OK;
}

int cli_run(int count, char **arguments)
{
    /* Alone on a terminal: a conversation. */
    if (count <= 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        return command_run(&cli_commands()[CLI_COMMAND_SHELL], 0, arguments + count);
    }
    if (count <= 1) {
        struct out_sink errors = out_sink_of(stderr);
        cli_help_overview(&errors);
        return EX_USAGE;
    }
    int first = leading_options(count, arguments);
    if (first == count) {
        return no_command(arguments[1], arguments[count - 1]);
    }
    int used = 0;
    const struct cli_command *command = cli_command_find(count - first, arguments + first, &used);
    if (command == NULL) {
        return command_unknown(count - first, arguments + first);
    }
    /* What stood before the command's name, then what stands behind it. */
    char **own = calloc((size_t)count + 1, sizeof *own);
    if (own == NULL) {
        return EX_OSERR;
    }
    int own_count = 0;
    for (int i = 1; i < count; i++) {
        if (i < first || i >= first + used) {
            own[own_count++] = arguments[i];
        }
    }
    int status = command_run(command, own_count, own);
    free(own);
    return status;
}
