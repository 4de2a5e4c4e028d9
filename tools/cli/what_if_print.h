/* SPDX-License-Identifier: Apache-2.0 */
/* Who would change grade, for people: the answer in a sentence, how many from which grade to which,
 * by the values of a field, and who. Errors: an exit status, messages printed. Threads: one. */
#ifndef CLI_WHAT_IF_PRINT_H
#define CLI_WHAT_IF_PRINT_H

#include "tools/cli/cli.h"

int what_if_print(const struct cli *cli, const struct icp_reply *reply);

#endif
