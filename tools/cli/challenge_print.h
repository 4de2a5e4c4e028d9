/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge for people: the verdict in a sentence, what it rests on in the next, then the bins.
 * Ownership: borrows. Errors: exit statuses. Threads: one. */
#ifndef CLI_CHALLENGE_PRINT_H
#define CLI_CHALLENGE_PRINT_H

#include "tools/cli/cmd.h"

/* As a table or as CSV. */
int challenge_print(const struct cli *cli, const struct icp_value *challenge);
int challenge_list_print(const struct cli *cli, const struct icp_value *list);

#endif
