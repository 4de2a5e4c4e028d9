/* SPDX-License-Identifier: Apache-2.0 */
/* What a person says of a lead on the command line, --set FIELD=VALUE, for every command that has
 * an option of that name. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_LEAD_SET_H
#define CLI_LEAD_SET_H

#include "tools/cli/cli.h"

/* Each --set as a member of values: texts, which the server reads by the type of the field. */
int lead_set_fill(const struct cli *cli, struct icp_payload *values);
/* The server passes over values of fields that it does not know, as a lead may carry more than the
 * schema; what somebody typed is more often a slip, and is told. */
int lead_set_check(const struct cli *cli, struct icp_client *client);

#endif
