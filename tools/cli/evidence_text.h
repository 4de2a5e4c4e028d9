/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence section of an ICP document in words. Ownership: borrows. Errors: members that are
 * absent are passed over. Threads: pure but for the output. */
#ifndef CLI_EVIDENCE_TEXT_H
#define CLI_EVIDENCE_TEXT_H

#include "tools/cli/cli.h"

/* fields_most: how many of the most important fields to list. */
int evidence_print(const struct cli *cli, const json_t *evidence, size_t fields_most);

#endif
