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

#endif
