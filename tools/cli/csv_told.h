/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file as the options --separator, --encoding and --decimal of the command say, and what was
 * found of it told where it is not the usual. Ownership: the caller closes. Errors: NULL with
 * *status and a message. Threads: one. */
#ifndef CLI_CSV_TOLD_H
#define CLI_CSV_TOLD_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_input.h"

struct csv_input *csv_told_open(const struct cli *cli, const char *path, int *status);
/* After the last row: rows that were filled up. */
void csv_told_end(const struct cli *cli, const struct csv_input *input);

/* Takes "FILE.csv:COLUMN=COLUMN" apart, in place: `text` becomes the name of the file. False, and
 * the text as it was, where it is none. */
bool csv_told_split(char *text, char **first, char **second);

#endif
