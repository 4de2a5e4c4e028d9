/* SPDX-License-Identifier: Apache-2.0 */
/* An account's card in words: short lines, each with what it is of, for people and for whoever
 * reads text. Texts of accounts stand in quotes, so that none of them can pass for a line of the
 * card. Ownership: borrows. Errors: none. Threads: one. */
#ifndef CLI_CARD_PRINT_H
#define CLI_CARD_PRINT_H

#include <jansson.h>

#include "tools/cli/cli.h"

void card_print(const struct cli *cli, const json_t *card);

#endif
