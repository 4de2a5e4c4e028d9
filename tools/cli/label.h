/* SPDX-License-Identifier: Apache-2.0 */
/* Filter expressions of the command line: parsed here, errors shown with a caret under the column.
 * Ownership: the filter is returned, caller destroys it. Threads: one. */
#ifndef CLI_LABEL_H
#define CLI_LABEL_H

#include "server/filter/filter.h"
#include "tools/cli/cli.h"

/* NULL with the message printed. */
struct filter *label_parse(const struct cli *cli, const struct feature_schema *schema,
                           const char *option, const char *text);
/* Shows an expression with a caret under a column, counted in characters from 1. */
void label_caret(const char *text, size_t column);

/* The caret for a fault of the server whose message begins "column N:"; nothing for any other. */
void label_caret_fault(const char *text, const struct icp_fault *fault);

/* The next name of "a, b,c" at *text, which moves on; outer blanks are dropped, empty names passed
 * over, a comma within a name is written "\,". False at the end. */
bool name_next(const char **text, char *name, size_t name_bytes);
/* Whether the schema has a field of each name that a repeated option lists; tells of those that it
 * does not have, with the nearest. */
bool names_known(const struct cli *cli, enum cli_option_id option,
                 const struct feature_schema *schema);
/* "a,b" of a repeated option as a list of texts under `key`; nothing if the option was not given.
 * False, with a message, if no name is in it. */
bool names_write(const struct cli *cli, enum cli_option_id option, const char *key,
                 struct icp_payload *payload);

#endif
