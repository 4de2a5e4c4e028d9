/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a sheet: how its rows stand, and the link rate. Threads: one. */
#ifndef CLI_MATCH_REVIEW_H
#define CLI_MATCH_REVIEW_H

#include "tools/cli/cli.h"
#include "tools/cli/match_sheet.h"

void tally_say(const struct cli *cli, const struct sheet *sheet);

#endif
