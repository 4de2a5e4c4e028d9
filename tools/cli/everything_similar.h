/* SPDX-License-Identifier: Apache-2.0 */
/* After an import: look-alike vectors are built as the file says that they were built before.
 * Ownership: borrows. Errors: exit statuses, messages printed. Threads: one. */
#ifndef CLI_EVERYTHING_SIMILAR_H
#define CLI_EVERYTHING_SIMILAR_H

#include "tools/cli/cli.h"

/* What the line {"similar": …} asks for, as a request of similar-build; false: it is no JSON
 * object.
 */
bool everything_similar_fill(const char *line, struct icp_payload *payload);
int everything_similar_build(const struct cli *cli, struct icp_client *client, const char *line);

#endif
