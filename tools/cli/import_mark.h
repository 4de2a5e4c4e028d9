/* SPDX-License-Identifier: Apache-2.0 */
/* What lets an import be listed and taken back: an id that its batches name, told to the server
 * with a name when it begins and when all of it is stored. A server that does not know of imports
 * is told nothing.
 *
 * Ownership: a mark is a plain value. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_IMPORT_MARK_H
#define CLI_IMPORT_MARK_H

#include "tools/cli/cli.h"

struct import_mark {
    char id[PROTO_IMPORT_BYTES_MAX + 1]; /* empty: batches name none */
};

#define IMPORT_MARK_NAME_BYTES 256

/* What an import of the file is called in the list: "FILE as SOURCE". */
void import_mark_name(const char *path, const char *source, char name[IMPORT_MARK_NAME_BYTES]);
/* id: the one to take, or NULL: one is made of the day and a random number. path: of the file. */
int import_mark_begin(const struct cli *cli, struct icp_client *client, const char *id,
                      const char *path, const char *source, struct import_mark *mark);
/* refused: rows of the file that are not stored. */
int import_mark_end(const struct cli *cli, struct icp_client *client,
                    const struct import_mark *mark, size_t refused);

#endif
