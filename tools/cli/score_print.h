/* SPDX-License-Identifier: Apache-2.0 */
/* One score in words and as JSON, its reasons as one CSV cell, and the check that it adds up.
 * Threads: pure but for the output. */
#ifndef CLI_SCORE_PRINT_H
#define CLI_SCORE_PRINT_H

#include "tools/cli/cli.h"

/* With the display name, if the reply has one. */
int score_print(const struct cli *cli, const struct icp_score *score, bool checked);
/* intercept + reasons + rest = raw, to the last digit. */
bool score_adds_up(const struct icp_score *score);
/* "industry=Software +0.31; employees=20 -0.12", contributions in logits; cut at out_bytes. */
void score_reasons_text(const struct icp_score *score, char *out, size_t out_bytes);

#endif
