/* SPDX-License-Identifier: Apache-2.0 */
/* icp score --csv: each row of a file is a lead, scored in a pipeline, written out in order with
 * the columns fit, p, grade, raw and reasons behind its own. A row is found in the store by the id
 * column if the file has one, else by a key, else by an email address; its columns that are fields
 * of the schema are laid over what is stored. Rows that cannot be read are told by line, and left
 * out. Errors: exit statuses, messages printed. Threads: one. Cost: one request a row. */
#ifndef CLI_LEAD_CSV_H
#define CLI_LEAD_CSV_H

#include "tools/cli/cli.h"

int score_csv(const struct cli *cli);

#endif
