/* SPDX-License-Identifier: Apache-2.0 */
/* A score and what made it, from the reply of score: fit, grade and probability, then each field's
 * part as a row with a bar, so that the parts add up to the whole; then what is missing or old.
 * Points are hundredths of a logit, as in `icp show`: 100 multiply the odds by 2.7. Ownership:
 * borrows. Errors: members that are absent are passed over. Threads: one stream each. */
#ifndef CONSOLE_CONSOLE_WHY_H
#define CONSOLE_CONSOLE_WHY_H

#include <stdio.h>

#include "client/icp.h"

#define CONSOLE_REASONS 16 /* of each sign */

void console_why(FILE *out, const struct icp_reply *reply);

#endif
