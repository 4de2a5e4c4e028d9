/* SPDX-License-Identifier: Apache-2.0 */
/* Kept segments as people read them. Ownership: replies are borrowed. Errors: exit statuses.
 * Threads: one. */
#ifndef CLI_SEGMENT_PRINT_H
#define CLI_SEGMENT_PRINT_H

#include "tools/cli/cli.h"

/* The reply of segment-put: what is kept, or would be, with its evidence in a sentence. */
void segment_put_print(const struct cli *cli, const struct icp_reply *reply, bool dry);
/* Of segment-list. */
int segment_list_print(const struct cli *cli, const struct icp_reply *reply);
/* Of segment-get. */
int segment_show_print(const struct cli *cli, const struct icp_reply *reply);

#endif
