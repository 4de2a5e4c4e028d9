/* SPDX-License-Identifier: Apache-2.0 */
/* The schema that is in force at the server, or one from a file. Ownership: returned with one
 * reference; NULL with *status set and a message printed. Threads: one. */
#ifndef CLI_REMOTE_SCHEMA_H
#define CLI_REMOTE_SCHEMA_H

#include "server/feature/schema.h"
#include "tools/cli/cli.h"

struct feature_schema *schema_from_server(const struct cli *cli, struct icp_client *client,
                                          int *status);
struct feature_schema *schema_from_file(const struct cli *cli, const char *path, int *status);

#endif
