/* SPDX-License-Identifier: Apache-2.0 */
/* icp schema put --dry-run: what a schema would change if it were put. The document is numbered as
 * the server would number it, after the schema in force there, so that which field is the same one
 * is no guess; accounts with a value in a field that goes or gets another type are counted, and
 * those values read as the new type; profiles and target account lists that use the field are
 * named.
 *
 * Writes nothing. Errors: exit statuses, messages printed. Threads: one. Cost: a count for each
 * field that changes; of one that gets another type its values are read, 10,000 a request. */
#ifndef CLI_SCHEMA_CHANGE_H
#define CLI_SCHEMA_CHANGE_H

#include "tools/cli/cli.h"

int schema_change_show(const struct cli *cli, const char *path);
/* *version: of the schema in force, if the document says the same; else 0. */
int schema_change_none(const struct cli *cli, const char *path, uint32_t *version);

#endif
