/* SPDX-License-Identifier: Apache-2.0 */
/* The line is cut into words as far as it goes; what the last one is follows from those before it:
 * a command, an option, the value of an option, or an argument. */
#include "tools/cli/shell_complete.h"

#include <stdlib.h>
#include <strings.h>

struct completion {
    struct shell_candidates *candidates;
    const struct shell_source *source;
    const char *begin; /* of what is completed */
};

void shell_candidates_fini(struct shell_candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->texts[i]);
    }
    candidates->count = 0;
}

size_t shell_candidates_common(const struct shell_candidates *candidates)
{
    size_t bytes = candidates->count > 0 ? strlen(candidates->texts[0]) : 0;
    for (size_t i = 1; i < candidates->count; i++) {
        size_t same = 0;
        while (same < bytes && candidates->texts[i][same] == candidates->texts[0][same]) {
            same++;
        }
        bytes = same;
    }
    /* Not within a character. */
    while (bytes > 0 && candidates->count > 0 &&
           ((unsigned char)candidates->texts[0][bytes] & 0xc0) == 0x80) {
        bytes--;
    }
    return bytes;
}

/* Adds a text that begins as what is there, in whatever case, once. */
static void add(void *to, const char *text)
{
    struct completion *completion = to;
    struct shell_candidates *candidates = completion->candidates;
    if (strncasecmp(text, completion->begin, strlen(completion->begin)) != 0 ||
        candidates->count == SHELL_CANDIDATES_MAX) {
        return;
    }
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->texts[i], text) == 0) {
            return;
        }
    }
    char *copy = strdup(text);
    if (copy != NULL) {
        candidates->texts[candidates->count++] = copy;
    }
}

/* The first words of commands, or what may follow the words that stand. */
static void commands_add(struct completion *completion, const char *before)
{
    char word[64];
    size_t bytes = strlen(before);
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const char *name = cli_commands()[i].name;
        if (strncmp(name, before, bytes) != 0) {
            continue;
        }
        snprintf(word, sizeof word, "%.*s", (int)strcspn(name + bytes, " "), name + bytes);
        add(completion, word);
    }
}

static void options_add(struct completion *completion, const struct cli_command *command)
{
    char name[64];
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        if (!cli_option_belongs(command, &cli_options()[i])) {
            continue;
        }
        snprintf(name, sizeof name, "--%s", cli_options()[i].name);
        add(completion, name);
    }
}

static void fields_add(struct completion *completion)
{
    completion->source->fields(completion->source->context, add, completion);
}

struct last_field {
    const char *text; /* searched, up to `end` */
    const char *end;
    const char *at; /* of the rightmost found */
    char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
};

static void last_field_look(void *to, const char *name)
{
    struct last_field *last = to;
    size_t bytes = strlen(name);
    for (const char *at = last->text; at + bytes <= last->end; at++) {
        bool further = at > last->at || (at == last->at && bytes > strlen(last->name));
        if (further && strncasecmp(at, name, bytes) == 0) {
            last->at = at;
            snprintf(last->name, sizeof last->name, "%s", name);
        }
    }
}

/* Within quotes: values of the field that stands nearest before them. */
static void values_add(struct completion *completion, const char *expression, const char *quote)
{
    struct last_field last = {.text = expression, .end = quote, .at = expression - 1};
    completion->source->fields(completion->source->context, last_field_look, &last);
    completion->begin = quote + 1;
    if (last.name[0] != '\0') {
        completion->source->values(completion->source->context, last.name, quote + 1, add,
                                   completion);
    }
}

static void expression_add(struct completion *completion, const char *line, const char *expression)
{
    static const char *const words[] = {"and",      "or",          "not",        "in",
                                        "has",      "between",     "is missing", "is not missing",
                                        "contains", "starts with", "true"};
    const char *quote = NULL;
    for (const char *at = expression; *at != '\0'; at++) {
        if (*at == '\'') {
            quote = quote == NULL ? at : NULL;
        }
    }
    if (quote != NULL) {
        completion->candidates->from = (size_t)(quote + 1 - line);
        values_add(completion, expression, quote);
        return;
    }
    const char *begin = expression + strlen(expression);
    while (begin > expression && strchr(" (,\"", begin[-1]) == NULL) {
        begin--;
    }
    completion->begin = begin;
    completion->candidates->from = (size_t)(begin - line);
    fields_add(completion);
    for (size_t i = 0; begin > expression && i < sizeof words / sizeof *words; i++) {
        add(completion, words[i]);
    }
}

/* The value of an option, by what the table says it is. */
static void value_add(struct completion *completion, const char *line,
                      const struct cli_option *option, const char *begin)
{
    const char *kind = option->argument;
    if (strcmp(kind, "EXPRESSION") == 0) {
        expression_add(completion, line, begin + (*begin == '"'));
    } else if (strcmp(kind, "A,B,C") == 0 || strncmp(kind, "FIELD", 5) == 0) {
        const char *comma = strrchr(begin, ',');
        completion->begin = comma != NULL ? comma + 1 : begin;
        completion->candidates->from = (size_t)(completion->begin - line);
        fields_add(completion);
    }
}

/* The option whose value stands at the end: its name, then a blank. NULL if none does. */
static const struct cli_option *option_before(const struct cli_command *command, const char *line,
                                              const char *begin)
{
    const char *end = begin;
    while (end > line && end[-1] == ' ') {
        end--;
    }
    const char *start = end;
    while (start > line && start[-1] != ' ') {
        start--;
    }
    for (size_t i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *option = &cli_options()[i];
        bool named = end - start == (long)strlen(option->name) + 2 &&
                     strncmp(start, "--", 2) == 0 &&
                     strncmp(start + 2, option->name, strlen(option->name)) == 0;
        bool keyed = end - start == 2 && start[0] == '-' && start[1] == option->key;
        if ((named || keyed) && option->argument != NULL && cli_option_belongs(command, option)) {
            return option;
        }
    }
    return NULL;
}

/* Where the word at the end begins: behind the last blank outside double quotes. */
static const char *word_begin(const char *line)
{
    const char *begin = line;
    bool open = false;
    for (const char *at = line; *at != '\0'; at++) {
        open ^= *at == '"';
        if (*at == ' ' && !open) {
            begin = at + 1;
        }
    }
    return begin;
}

/* The command that the line begins with, *behind where its name ends; NULL if it is not whole. */
static const struct cli_command *command_of(const char *line, const char **behind)
{
    const struct cli_command *longest = NULL;
    for (size_t i = 0; i < CLI_COMMANDS; i++) {
        const struct cli_command *command = &cli_commands()[i];
        size_t bytes = strlen(command->name);
        if (strncmp(line, command->name, bytes) == 0 && line[bytes] == ' ') {
            longest = command;
            *behind = line + bytes + 1;
        }
    }
    return longest;
}

void shell_complete(const char *line, const struct shell_source *source,
                    struct shell_candidates *candidates)
{
    const char *start = line + strspn(line, " ");
    const char *behind = start;
    const struct cli_command *command = command_of(start, &behind);
    const char *begin = word_begin(start);
    struct completion completion = {candidates, source, begin};
    *candidates = (struct shell_candidates){.from = (size_t)(begin - line)};
    if (command == NULL) {
        char before[64];
        snprintf(before, sizeof before, "%.*s", (int)(begin - start), start);
        commands_add(&completion, before);
        return;
    }
    const struct cli_option *option = option_before(command, start, begin);
    if (option != NULL) {
        value_add(&completion, line, option, begin);
    } else if (*begin == '-') {
        options_add(&completion, command);
    } else if (strcmp(command->arguments, "EXPRESSION") == 0) {
        expression_add(&completion, line, behind + (*behind == '"'));
    }
}
