/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the shell of icp as words: blanks divide, '…' and "…" hold together, a backslash takes
 * the next character as it is. An expression needs no quotes of its own: of a command whose
 * argument is an EXPRESSION, everything that is neither the command nor, at the end, an option is
 * one word. Ownership: shell_words_fini frees. Errors: a quote that is not closed; no memory.
 * Threads: pure. */
#ifndef SHELL_SHELL_WORDS_H
#define SHELL_SHELL_WORDS_H

#include "tools/cli/cli.h"

#define SHELL_WORDS_MAX 256

struct shell_words {
    char *words[SHELL_WORDS_MAX + 1];
    int count;
};

bool shell_words_split(const char *line, struct shell_words *words, struct proto_fault *fault);
void shell_words_fini(struct shell_words *words);

#endif
