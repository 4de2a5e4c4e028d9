/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that a spreadsheet has rewritten: 1001 became 1001.0, 1.001E+03 or, of 001001, lost its
 * zeros. Such a row is another account than the one that was there before, silently; so it is told.
 * By the text alone (id_rewritten), and by what is stored: some ids of the file that nobody has are
 * asked for in their other forms. Ownership: borrows everything. Errors: exit statuses, messages
 * printed. Threads: one. Cost: some hundred account-get of a file whose ids are digits. */
#ifndef CLI_IMPORT_IDS_H
#define CLI_IMPORT_IDS_H

#include "client/icp.h"
#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_input.h"

/* "1001.0", "1.001E+03". */
bool id_rewritten(struct proto_span id);
/* Asks for the other forms of ids in the column and says so if somebody has one; rewinds. */
int import_ids_look(const struct cli *cli, struct icp_client *client, struct csv_input *input,
                    size_t column);

#endif
