/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand at the end of a line of the shell: commands, options, fields of the schema and,
 * within quotes, values of a field. Pure: fields and values come from callbacks, which may ask a
 * server. Ownership: candidates are copies, shell_candidates_fini frees. Errors: none; without
 * memory there are fewer. Threads: one. */
#ifndef SHELL_SHELL_COMPLETE_H
#define SHELL_SHELL_COMPLETE_H

#include "tools/cli/cli.h"

#define SHELL_CANDIDATES_MAX 200

struct shell_candidates {
    size_t from; /* offset in the line of what each of them replaces, up to the end */
    char *texts[SHELL_CANDIDATES_MAX];
    size_t count;
};

struct shell_source {
    void *context;
    /* Adds the names of all fields. */
    void (*fields)(void *context, void (*add)(void *to, const char *text), void *to);
    /* Adds values of a field that begin so. */
    void (*values)(void *context, const char *field, const char *begin,
                   void (*add)(void *to, const char *text), void *to);
};

void shell_complete(const char *line, const struct shell_source *source,
                    struct shell_candidates *candidates);
void shell_candidates_fini(struct shell_candidates *candidates);
/* Bytes that all candidates begin with. */
size_t shell_candidates_common(const struct shell_candidates *candidates);

#endif
