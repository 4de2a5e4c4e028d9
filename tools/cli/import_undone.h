/* SPDX-License-Identifier: Apache-2.0 */
/* What was taken back stays taken back: an event that an undo retracted is known under its source
 * and id and told again changes nothing. Whoever imports such a file again is told so, for the
 * counts alone ("told already") look as if the events were there.
 *
 * Errors: none; a server that gives no list of imports, or not to this role, is passed over.
 * Threads: one. */
#ifndef CLI_IMPORT_UNDONE_H
#define CLI_IMPORT_UNDONE_H

#include "tools/cli/cli.h"

/* name: as import_mark_name makes it. Says which imports that are so called were taken back. One
 * request. */
void import_undone_ask(const struct cli *cli, struct icp_client *client, const char *name);
/* The same of one import of a list that the caller has. True if it told events, was taken back,
 * wholly or in part, and that was said. */
bool import_undone_tell(const struct cli *cli, const struct icp_value *import);

#endif
