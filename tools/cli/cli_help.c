/* SPDX-License-Identifier: Apache-2.0 */
/* Help on a screen as wide as it is, from command.def, topic.def and
 * option.def. */
#include <stdlib.h>

#include "tools/cli/cli.h"
#include "tools/cli/out/out_text.h"

/* Names stand to the left of what they mean, unless a name is longer than this. */
#define NAMES_MOST 24
/* A screen of this many columns has no room for two beside each other. */
#define NARROW 60

/* "  name   what it means", the meaning broken into a column of its own. */
static void entry_print(const struct out_sink *sink, const char *name, size_t names,
                        const char *meaning)
{
    size_t screen = sink->columns > 0 ? sink->columns : SIZE_MAX / 2;
    bool narrow = screen < NARROW;
    size_t left = narrow ? 6 : names + 4;
    bool first = true;
    out_tone(sink, OUT_BOLD);
    fprintf(sink->file, "  %s", name);
    out_tone(sink, OUT_PLAIN);
    if (narrow || out_width(name) > names) {
        fputc('\n', sink->file);
        first = false;
    } else {
        fprintf(sink->file, "%*s", (int)(names - out_width(name) + 2), "");
    }
    while (*meaning != '\0') {
        size_t skip = 0;
        size_t bytes = out_line(meaning, screen - left, false, &skip);
        fprintf(sink->file, "%*s%.*s\n", first ? 0 : (int)left, "", (int)bytes, meaning);
        meaning += bytes + skip;
        first = false;
    }
}

static void heading(const struct out_sink *sink, const char *text)
{
    out_tone(sink, OUT_BOLD);
    fprintf(sink->file, "%s\n", text);
    out_tone(sink, OUT_PLAIN);
}

static void overview_write(const struct out_sink *sink)
{
    out_print(sink, "icp is the command line of icpd, the in-memory scoring server.\n\n"
                    "Usage: icp COMMAND [OPTION…] [ARGUMENT…]\n");
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const char *topic = cli_topic(&cli_commands()[i]);
        if (topic != NULL) {
            fputc('\n', sink->file);
            heading(sink, topic);
        }
        entry_print(sink, cli_commands()[i].name, 16, cli_commands()[i].summary);
    }
    out_print(sink, "\n'icp help COMMAND' shows the options of one, with examples.\n");
}

static void option_name(const struct cli_option *option, char *name, size_t bytes)
{
    char key[8] = "    ";
    if (option->key != 0) {
        snprintf(key, sizeof key, "-%c, ", option->key);
    }
    snprintf(name, bytes, "%s--%s%s%s", key, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
}

static void options_print(const struct out_sink *sink, int command)
{
    size_t names = 0;
    char name[96];
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < CLI_OPTIONS; i++) {
            const struct cli_option *option = &cli_options()[i];
            if (option->command != command) {
                continue;
            }
            option_name(option, name, sizeof name);
            size_t width = out_width(name);
            if (pass == 1) {
                entry_print(sink, name, names, option->help);
            } else if (width > names && width <= NAMES_MOST) {
                names = width;
            }
        }
    }
}

/* Bytes of a line of a shell that fit the screen with a backslash behind: up to the last blank that
 * is not within single quotes (within double ones a backslash joins lines too). 0: it fits whole,
 * or cannot be broken so that it still runs. *quote: the one that is open there, at first and then.
 */
static size_t example_break(const char *line, size_t bytes, size_t columns, char *quote)
{
    size_t last = 0;
    char open = *quote;
    char open_at = 0;
    if (out_width_n(line, bytes) <= columns) {
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        bool blank = line[i] == ' ' && i > 0 && line[i - 1] != ' ' && open != '\'';
        if (blank && (out_width_n(line, i) + 2 <= columns || last == 0)) {
            last = i;
            open_at = open;
        }
        if (open != 0) {
            open = line[i] == open ? 0 : open;
        } else if (line[i] == '\'' || line[i] == '"') {
            open = line[i];
        }
    }
    *quote = open_at;
    return last;
}

/* As lines that run when they are copied, however narrow the screen. */
static void examples_print(const struct out_sink *sink, const char *examples)
{
    while (*examples != '\0') {
        size_t bytes = strcspn(examples, "\n");
        size_t indent = 0;
        size_t part;
        char quote = 0;
        while (sink->columns > 0 &&
               (part = example_break(examples, bytes, sink->columns - indent, &quote)) > 0) {
            fprintf(sink->file, "%*s%.*s \\\n", (int)indent, "", (int)part, examples);
            examples += part + 1;
            bytes -= part + 1;
            indent = quote == 0 ? 4 : 0; /* blanks within quotes are part of the text */
        }
        fprintf(sink->file, "%*s%.*s\n", (int)indent, "", (int)bytes, examples);
        examples += bytes + (examples[bytes] == '\n');
    }
}

static void command_write(const struct out_sink *sink, const struct cli_command *command)
{
    bool has_options = false;
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        has_options |= cli_options()[i].command == (int)command->id;
    }
    out_print(sink, "Usage: icp %s%s%s%s\n\n%s.\n\n", command->name,
              has_options ? " [OPTION…]" : "", command->arguments[0] != '\0' ? " " : "",
              command->arguments, command->summary);
    options_print(sink, (int)command->id);
    if (has_options) {
        fputc('\n', sink->file);
    }
    heading(sink, "For every command:");
    options_print(sink, -1);
    entry_print(sink, "    --help", NAMES_MOST - 2, "show this");
    fputc('\n', sink->file);
    heading(sink, "Examples:");
    examples_print(sink, command->examples);
}

/* Help is longer than many screens. */
static void paged(const struct out_sink *sink, const struct cli_command *command)
{
    struct out_sink memory = *sink;
    char *text = NULL;
    size_t bytes = 0;
    if ((memory.file = open_memstream(&text, &bytes)) == NULL) {
        return;
    }
    if (command != NULL) {
        command_write(&memory, command);
    } else {
        overview_write(&memory);
    }
    if (fclose(memory.file) == 0) {
        out_page(sink, text, bytes);
    }
    free(text);
}

void cli_help_overview(const struct out_sink *sink)
{
    paged(sink, NULL);
}

void cli_help_command(const struct out_sink *sink, const struct cli_command *command)
{
    paged(sink, command);
}
