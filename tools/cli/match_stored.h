/* SPDX-License-Identifier: Apache-2.0 */
/* icp match --stored: pairs of stored accounts that may be one. Every account's name is looked for
 * among all of them (the operation match), and accounts that agree in a field of --same are paired
 * by that; what comes out is a sheet (match_sheet.h) with a row for each pair, for a person to
 * review: key is "account:" and the id of the first, id the other. A pair is `same` where all words
 * of the names agree and one of --same does, else `maybe`; nothing is merged here.
 *
 * Pairs that a never keeps apart are left out, and accounts that are one already are one here.
 * Errors: exit statuses, messages printed. Threads: one. Cost: a request for each 10,000 accounts,
 * each a pass over all; some 300 bytes an account here, STORED_MOST at most. */
#ifndef CLI_MATCH_STORED_H
#define CLI_MATCH_STORED_H

#include "tools/cli/cli.h"
#include "tools/cli/match_sheet.h"

int match_stored(const struct cli *cli, struct sheet *sheet);

#endif
