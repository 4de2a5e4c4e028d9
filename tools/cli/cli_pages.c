/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page and the completion of bash, from command.def and option.def. */
#include "tools/cli/cli.h"

static const char exit_statuses[] = "The exit status is 0, or one of sysexits.h: 64 the command "
                                    "line is wrong, 65 the data are (bad "
                                    "rows, no evidence, not found), 66 a file cannot be read, 69 "
                                    "the server cannot be reached, 70 a "
                                    "fault of icpd, 71 out of memory, 73 a file cannot be written, "
                                    "74 reading or writing failed, 75 "
                                    "try again later, 76 the peers do not understand each other, "
                                    "77 the role does not allow it, 130 "
                                    "interrupted.";

const char *cli_exit_statuses(void)
{
    return exit_statuses;
}

static void markdown_options(FILE *out, int command)
{
    bool any = false;
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *option = &cli_options()[i];
        if (option->command != command) {
            continue;
        }
        if (!any) {
            fprintf(out, "\n| option | meaning |\n|---|---|\n");
        }
        any = true;
        fprintf(out, "| `--%s%s%s`", option->name, option->argument != NULL ? " " : "",
                option->argument != NULL ? option->argument : "");
        if (option->key != 0) {
            fprintf(out, ", `-%c`", option->key);
        }
        fprintf(out, " | %s |\n", option->help);
    }
}

void cli_help_markdown(FILE *out)
{
    fprintf(out,
            "# icp: the command line\n\n"
            "This page is written by `icp help --markdown` from the tables of commands and options "
            "(`tools/cli/*.def`); do not edit it.\n\n"
            "Results go to standard output: a table, or with `--json` and `--csv` something for "
            "programs. Everything else goes to standard error. %s\n\n## Options of every command\n",
            exit_statuses);
    markdown_options(out, -1);
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const struct cli_command *command = &cli_commands()[i];
        fprintf(out, "\n## icp %s%s%s\n\n%s.\n", command->name,
                command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
        markdown_options(out, (int)command->id);
        fprintf(out, "\n```sh\n%s```\n", command->examples);
    }
}

/* The first word of commands of two, if command i is the first that has it; its bytes. */
static size_t family_first(size_t i)
{
    const char *name = cli_commands()[i].name;
    size_t bytes = strcspn(name, " ");
    if (name[bytes] == '\0') {
        return 0;
    }
    for (size_t j = 0; j < i; j++) {
        if (strncmp(cli_commands()[j].name, name, bytes + 1) == 0) {
            return 0;
        }
    }
    return bytes;
}

static void families_print(FILE *out, const char *between)
{
    bool any = false;
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        size_t bytes = family_first(i);
        if (bytes > 0) {
            fprintf(out, "%s%.*s", any ? between : "", (int)bytes, cli_commands()[i].name);
        }
        any |= bytes > 0;
    }
}

/* What may stand behind the first word of commands of two. */
static void family_words(FILE *out, size_t first)
{
    const char *name = cli_commands()[first].name;
    size_t bytes = family_first(first);
    if (bytes == 0) {
        return;
    }
    fprintf(out, "    %.*s) words='", (int)bytes, name);
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        if (strncmp(cli_commands()[i].name, name, bytes + 1) == 0) {
            fprintf(out, "%s ", cli_commands()[i].name + bytes + 1);
        }
    }
    fprintf(out, "' ;;\n");
}

static void bash_words(FILE *out, const struct cli_command *command)
{
    fprintf(out, "    '%s') words='", command->name);
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *option = &cli_options()[i];
        if (option->command == -1 || option->command == (int)command->id) {
            fprintf(out, "--%s ", option->name);
        }
    }
    fprintf(out, "--help' ;;\n");
}

void cli_help_bash(FILE *out)
{
    fprintf(out, "# Completion of icp for bash; made by: icp help --bash\n"
                 "_icp() {\n"
                 "    local current=${COMP_WORDS[COMP_CWORD]} command='' words='' word\n"
                 "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                 "        [[ $word == -* ]] && break\n"
                 "        command+=${command:+ }$word\n"
                 "        case $command in ");
    families_print(out, "|");
    fprintf(out, ") ;; *) break ;; esac\n"
                 "    done\n"
                 "    case $command in\n"
                 "    '') words='");
    families_print(out, " ");
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        if (strchr(cli_commands()[i].name, ' ') == NULL) {
            fprintf(out, " %s", cli_commands()[i].name);
        }
    }
    fprintf(out, " --help --version' ;;\n");
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        family_words(out, i);
    }
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        bash_words(out, &cli_commands()[i]);
    }
    fprintf(out, "    esac\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                 "}\n"
                 "complete -o default -F _icp icp\n");
}
