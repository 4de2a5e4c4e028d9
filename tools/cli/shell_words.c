/* SPDX-License-Identifier: Apache-2.0 */
/* The command's words are taken first; they say whether the rest is an expression. */
#include "tools/cli/shell_words.h"

#include <stdlib.h>

void shell_words_fini(struct shell_words *words)
{
    for (int i = 0; i < words->count; i++) {
        free(words->words[i]);
    }
    *words = (struct shell_words){.count = 0};
}

/* Takes what was allocated, NULL for no memory. */
static bool word_add(struct shell_words *words, char *word, struct proto_fault *fault)
{
    if (word == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the line");
    }
    if (words->count == SHELL_WORDS_MAX) {
        free(word);
        return proto_fault_set(fault, PROTO_USAGE, "", "more than %d words", SHELL_WORDS_MAX);
    }
    words->words[words->count++] = word;
    return true;
}

/* One word at *at, which moves behind it. */
static bool word_take(const char **at, struct shell_words *words, struct proto_fault *fault)
{
    char *word = malloc(strlen(*at) + 1);
    size_t used = 0;
    char quote = 0;
    const char *text = *at;
    for (; word != NULL && *text != '\0' && (quote != 0 || *text != ' '); text++) {
        if (quote != 0 && *text == quote) {
            quote = 0;
        } else if (quote == 0 && (*text == '\'' || *text == '"')) {
            quote = *text;
        } else if (*text == '\\' && quote != '\'' && text[1] != '\0') {
            word[used++] = *++text;
        } else {
            word[used++] = *text;
        }
    }
    *at = text;
    if (word != NULL) {
        word[used] = '\0';
    }
    if (quote != 0) {
        free(word);
        return proto_fault_set(fault, PROTO_USAGE, "", "a quote %c is not closed", quote);
    }
    return word_add(words, word, fault);
}

static const char *blanks_skip(const char *at)
{
    return at + strspn(at, " \t");
}

/* Whether the words so far are a command that takes an expression and nothing else. */
static bool takes_expression(const struct shell_words *words)
{
    int used = 0;
    /* "icp filter …" is what somebody copies from elsewhere. */
    int skip = words->count > 0 && strcmp(words->words[0], "icp") == 0;
    int count = words->count - skip;
    const struct cli_command *command =
        count > 0 ? cli_command_find(count, words->words + skip, &used) : NULL;
    return command != NULL && used == count && strcmp(command->arguments, "EXPRESSION") == 0;
}

/* Where the options behind an expression begin: " -" outside quotes before a letter or another "-";
 * the end if there are none. */
static const char *expression_end(const char *at)
{
    char quote = 0;
    for (; *at != '\0'; at++) {
        if (quote != 0) {
            quote = *at == quote ? 0 : quote;
        } else if (*at == '\'' || *at == '"' || *at == '`') {
            quote = *at;
        } else if (*at == ' ' && at[1] == '-' && (at[2] == '-' || (at[2] >= 'a' && at[2] <= 'z'))) {
            break;
        }
    }
    return at;
}

/* The expression as it stands, unless the whole of it is within quotes, as in a shell. */
static bool expression_take(const char **at, struct shell_words *words, struct proto_fault *fault)
{
    const char *end = expression_end(*at);
    char quote = **at;
    const char *closed = quote == '"' || quote == '\'' ? strchr(*at + 1, quote) : NULL;
    bool whole = closed != NULL && blanks_skip(closed + 1) >= end;
    if (whole) {
        return word_take(at, words, fault);
    }
    size_t bytes = (size_t)(end - *at);
    while (bytes > 0 && (*at)[bytes - 1] == ' ') {
        bytes--;
    }
    bool added = word_add(words, strndup(*at, bytes), fault);
    *at = end;
    return added;
}

bool shell_words_split(const char *line, struct shell_words *words, struct proto_fault *fault)
{
    const char *at = blanks_skip(line);
    bool expression = false;
    *words = (struct shell_words){.count = 0};
    while (*at != '\0') {
        bool here = !expression && *at != '-' && takes_expression(words);
        expression |= here;
        if (!(here ? expression_take(&at, words, fault) : word_take(&at, words, fault))) {
            shell_words_fini(words);
            return false;
        }
        at = blanks_skip(at);
    }
    return true;
}
