/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages from command.def and option.def: icp(1) with all commands, and one for each, whose
 * name has hyphens where the command has blanks, so that `man icp import` and `man
 * icp-schema-infer` find them. A folder that cannot be made or written is told with its path. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "server/draw/draw_roff.h"
#include "tools/cli/cli.h"

#define NAME_BYTES 64
#define TEXT_BYTES 512

/* "schema infer" as "icp-schema-infer". */
static void page_name(const struct cli_command *command, char *name, size_t bytes)
{
    snprintf(name, bytes, "icp%s%s", command != NULL ? "-" : "",
             command != NULL ? command->name : "");
    for (char *at = name; (at = strchr(at, ' ')) != NULL;) {
        *at = '-';
    }
}

static void options_write(FILE *out, int command)
{
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *option = &cli_options()[i];
        char name[NAME_BYTES];
        if (option->command != command) {
            continue;
        }
        if (option->key != 0) {
            snprintf(name, sizeof name, "-%c, --%s", option->key, option->name);
        } else {
            snprintf(name, sizeof name, "--%s", option->name);
        }
        draw_roff_entry(out, name, option->argument, option->help);
    }
}

static bool has_options(const struct cli_command *command)
{
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        if (cli_options()[i].command == (int)command->id) {
            return true;
        }
    }
    return false;
}

static void environment_write(FILE *out)
{
    draw_roff_section(out, "ENVIRONMENT", NULL);
    draw_roff_entry(
        out, "ICP_URI", NULL,
        "where the server is, unless --uri says: icp://host:port, icps:// for TLS, "
        "several hosts with commas between, or icp+unix:/path; without both, " CLI_URI_DEFAULT);
    draw_roff_entry(out, "ICP_TOKEN", NULL, "the token, unless --token names a file");
    draw_roff_entry(out, "ICP_TLS_CA, ICP_TLS_CERTIFICATE, ICP_TLS_KEY", NULL,
                    "files for icps://, unless --tls-ca, --tls-certificate or --tls-key say");
    draw_roff_entry(out, "NO_COLOR", NULL, "any text: no colours on a terminal either");
    draw_roff_entry(out, "ICP_PAGER, PAGER", NULL,
                    "what shows on a terminal what is longer than it");
    draw_roff_entry(out, "ICP_HISTORY", NULL, "where icp-shell(1) keeps what was typed");
}

static void overview_write(FILE *out)
{
    draw_roff_begin(out, "icp", 1, icp_version(), "command line of icpd, the scoring server");
    draw_roff_section(out, "SYNOPSIS", NULL);
    (void)fputs(".B icp\n.I COMMAND\n[\\fIOPTION\\fR ...] [\\fIARGUMENT\\fR ...]\n.br\n.B icp\n",
                out);
    draw_roff_section(out, "DESCRIPTION",
                      "Imports accounts, learns ideal customer profiles from what happened, "
                      "scores leads, finds look-alikes, keeps target account lists, and "
                      "looks after a server. Without a command it reads one after another "
                      "(icp-shell(1)).");
    draw_roff_paragraph(out, "Results go to standard output: a table, or with --json and --csv "
                             "something for programs. Everything else goes to standard error.");
    draw_roff_section(out, "COMMANDS", NULL);
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const struct cli_command *command = &cli_commands()[i];
        char meaning[TEXT_BYTES];
        char name[NAME_BYTES];
        page_name(command, name, sizeof name);
        snprintf(meaning, sizeof meaning, "%s: %s(1)", command->summary, name);
        draw_roff_entry(out, command->name,
                        command->arguments[0] != '\0' ? command->arguments : NULL, meaning);
    }
    draw_roff_section(out, "OPTIONS OF EVERY COMMAND", NULL);
    options_write(out, -1);
    draw_roff_section(out, "EXIT STATUS", cli_exit_statuses());
    environment_write(out);
    draw_roff_section(out, "SEE ALSO", NULL);
    (void)fputs(".BR icpd (8)\n", out);
}

static void command_write(FILE *out, const struct cli_command *command)
{
    char name[NAME_BYTES];
    page_name(command, name, sizeof name);
    draw_roff_begin(out, name, 1, icp_version(), command->summary);
    draw_roff_section(out, "SYNOPSIS", NULL);
    (void)fprintf(out, ".B icp %s\n[\\fIOPTION\\fR ...]", command->name);
    if (command->arguments[0] != '\0') {
        (void)fputs(" \\fI", out);
        draw_roff_text(out, command->arguments);
        (void)fputs("\\fR", out);
    }
    (void)fputc('\n', out);
    if (has_options(command)) {
        draw_roff_section(out, "OPTIONS", NULL);
        options_write(out, (int)command->id);
    }
    draw_roff_section(out, "OPTIONS OF EVERY COMMAND", NULL);
    options_write(out, -1);
    draw_roff_section(out, "EXAMPLES", NULL);
    draw_roff_lines(out, command->examples);
    draw_roff_section(out, "EXIT STATUS", cli_exit_statuses());
    environment_write(out);
    draw_roff_section(out, "SEE ALSO", NULL);
    (void)fputs(".BR icp (1),\n.BR icpd (8)\n", out);
}

void cli_help_man(FILE *out, const struct cli_command *command)
{
    if (command != NULL) {
        command_write(out, command);
    } else {
        overview_write(out);
    }
}

static int page_file(const struct cli *cli, const char *folder, const struct cli_command *command)
{
    char name[NAME_BYTES];
    char path[4096];
    struct out_file output;
    page_name(command, name, sizeof name);
    if (snprintf(path, sizeof path, "%s/%s.1", folder, name) >= (int)sizeof path) {
        return cli_fail(cli, EX_USAGE, "the path of the folder is too long");
    }
    int status = cli_file_begin(cli, path, &output);
    if (status != EX_OK) {
        return status;
    }
    cli_help_man(output.file, command);
    return cli_file_commit(cli, &output);
}

int cli_help_man_pages(const struct cli *cli, const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return cli_fail(cli, EX_CANTCREAT, "cannot make the folder %s: %s", folder,
                        strerror(errno));
    }
    int status = EX_OK;
    for (size_t i = 0; i < CLI_COMMANDS && status == EX_OK; i++) {
        status = page_file(cli, folder, &cli_commands()[i]);
    }
    /* Last, for it says that all are there. */
    return status == EX_OK ? page_file(cli, folder, NULL) : status;
}
