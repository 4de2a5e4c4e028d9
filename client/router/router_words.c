/* SPDX-License-Identifier: Apache-2.0 */
/* A line is copied and cut into words in place. A line that is too long, a quote that is not
 * closed, a sign that is none of a text, and too many words are refused where they stand. */
#include "client/router/router_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool router_refuse(struct router_fault *fault, size_t line, size_t column, const char *format, ...)
{
    va_list arguments;
    fault->line = line;
    fault->column = column;
    va_start(arguments, format);
    (void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    return false;
}

static bool line_copy(struct router_lines *lines, struct router_line *line,
                      struct router_fault *fault)
{
    const char *end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    size_t bytes = (size_t)((end != NULL ? end : lines->end) - lines->at);
    line->number = ++lines->number;
    line->count = 0;
    if (bytes >= sizeof line->text) {
        return router_refuse(fault, line->number, sizeof line->text,
                             "the line has %zu bytes; at most %zu", bytes, sizeof line->text - 1);
    }
    memcpy(line->text, lines->at, bytes);
    lines->at += bytes + (end != NULL);
    if (bytes > 0 && line->text[bytes - 1] == '\r') {
        bytes--;
    }
    line->text[bytes] = '\0';
    line->bytes = bytes;
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)line->text[i] < ' ' && line->text[i] != '\t') {
            return router_refuse(fault, line->number, i + 1, "a control character");
        }
    }
    return true;
}

/* Cuts the word that begins at `at`; where the next may begin, NULL with *fault. */
static char *word_cut(struct router_line *line, char *at, struct router_fault *fault)
{
    if (line->count == ROUTER_WORDS_MAX) {
        (void)router_refuse(fault, line->number, (size_t)(at - line->text) + 1,
                            "more than %d words in a line", ROUTER_WORDS_MAX);
        return NULL;
    }
    struct router_word *word = &line->words[line->count++];
    *word = (struct router_word){.name = at, .column = (size_t)(at - line->text) + 1};
    char *out = at;
    bool quoted = false;
    for (; *at != '\0' && (quoted || (*at != ' ' && *at != '\t')); at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (*at == '=' && !quoted && word->value == NULL) {
            *out++ = '\0';
            word->value = out;
        } else {
            *out++ = *at;
        }
    }
    if (quoted) {
        (void)router_refuse(fault, line->number, word->column, "a quote that is not closed");
        return NULL;
    }
    char *next = *at != '\0' ? at + 1 : at;
    *out = '\0';
    return next;
}

bool router_line_next(struct router_lines *lines, struct router_line *line,
                      struct router_fault *fault)
{
    *fault = (struct router_fault){.line = 0};
    while (lines->at < lines->end) {
        if (!line_copy(lines, line, fault)) {
            return false;
        }
        for (char *at = line->text; *at != '\0' && *at != '#';) {
            if (*at == ' ' || *at == '\t') {
                at++;
                continue;
            }
            at = word_cut(line, at, fault);
            if (at == NULL) {
                return false;
            }
        }
        if (line->count > 0) {
            return true;
        }
    }
    return false;
}
