/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands and options as data, and finding what was meant by a name that is in
 * neither: of a few slips of the finger, or of a beginning. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/cli.h"

static const struct cli_command commands[CLI_COMMANDS] = {
#define X(ID, name, handler, summary, arguments, examples)                                         \
    {CLI_COMMAND_##ID, name, summary, arguments, examples},
#include "tools/cli/command.def"
#undef X
};

static const struct cli_option options[CLI_OPTIONS] = {
#define G(NAME, name, key, argument, help) {-1, name, key, argument, help},
#define O(COMMAND, NAME, name, key, argument, help)                                                \
    {CLI_COMMAND_##COMMAND, name, key, argument, help},
#include "tools/cli/option.def"
#undef O
#undef G
};

/* Words for what other programs call otherwise: what was typed, the command that is meant. */
static const struct {
    const char *word;
    enum cli_command_id command;
} synonyms[] = {
#define S(word, COMMAND) {word, CLI_COMMAND_##COMMAND},
#include "tools/cli/synonym.def"
#undef S
};

static const char *const topics[CLI_COMMANDS] = {
#define T(COMMAND, heading) [CLI_COMMAND_##COMMAND] = (heading),
#include "tools/cli/topic.def"
#undef T
};

const char *cli_topic(const struct cli_command *command)
{
    return topics[command->id];
}

const struct cli_command *cli_commands(void)
{
    return commands;
}

const struct cli_option *cli_options(void)
{
    return options;
}

bool cli_option_belongs(const struct cli_command *command, const struct cli_option *option)
{
    return option->command == -1 || option->command == (int)command->id;
}

/* Words of a command's name, "schema infer" has two. */
static int words_of(const char *name)
{
    int words = 1;
    for (; *name != '\0'; name++) {
        words += *name == ' ';
    }
    return words;
}

static bool name_matches(const char *name, int count, char *const *words)
{
    for (int i = 0; i < count; i++) {
        size_t bytes = strcspn(name, " ");
        if (strlen(words[i]) != bytes || strncmp(words[i], name, bytes) != 0) {
            return false;
        }
        name += bytes + (name[bytes] == ' ');
        if (*name == '\0') {
            return true;
        }
    }
    return false;
}

const struct cli_command *cli_command_find(int count, char *const *words, int *used)
{
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        *used = words_of(commands[i].name);
        if (*used <= count && name_matches(commands[i].name, count, words)) {
            return &commands[i];
        }
    }
    return NULL;
}

const struct cli_command *cli_nearest(const char *words)
{
    const struct cli_command *nearest = NULL;
    size_t least = 3; /* two slips of the finger */
    bool least_whole = false;
    struct proto_span typed = proto_span_text(words);
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (feature_text_same(typed, proto_span_text(synonyms[i].word))) {
            return &commands[synonyms[i].command];
        }
    }
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        /* "schem" is near to "schema" although no command is called that alone. */
        struct proto_span name = proto_span_text(commands[i].name);
        struct proto_span first = {name.data, strcspn(commands[i].name, " ")};
        size_t whole = feature_text_distance(typed, name, least);
        size_t start = feature_text_distance(typed, first, least);
        size_t distance = whole < start ? whole : start;
        /* "imprt" is near to "import list" too, and nearer to the command of that name. Of two or
         * three letters, as many slips are another word. */
        bool nearer = distance < least ||
                      (nearest != NULL && distance == least && whole == distance && !least_whole);
        if (nearer && distance * 2 <= typed.bytes) {
            least = distance;
            least_whole = whole == distance;
            nearest = &commands[i];
        }
    }
    for (size_t i = 0; i < CLI_COMMANDS && nearest == NULL && typed.bytes >= 2; i++) {
        if (strncasecmp(commands[i].name, words, typed.bytes) == 0) {
            nearest = &commands[i];
        }
    }
    return nearest;
}

const struct cli_option *cli_nearest_option(const struct cli_command *command, const char *name)
{
    const struct cli_option *nearest = NULL;
    struct proto_span typed = proto_span_text(name);
    size_t least = typed.bytes / 3 + 2;
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        if (!cli_option_belongs(command, &options[i])) {
            continue;
        }
        size_t distance = feature_text_distance(typed, proto_span_text(options[i].name), least);
        /* "field" for "fields", "limits" for "limit": a beginning is nearer than it looks. */
        if (strncasecmp(options[i].name, name, typed.bytes) == 0 && typed.bytes > 1) {
            distance = 0;
        }
        if (distance < least && distance * 2 <= typed.bytes) {
            least = distance;
            nearest = &options[i];
        }
    }
    return nearest;
}
