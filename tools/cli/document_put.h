/* SPDX-License-Identifier: Apache-2.0 */
/* Sends a JSON file as the document of schema-put or icp-put and prints the version it got. A slip
 * in the file is told by its line and column. Errors: exit statuses, messages printed. */
#ifndef CLI_DOCUMENT_PUT_H
#define CLI_DOCUMENT_PUT_H

#include "tools/cli/cli.h"

int document_put(const struct cli *cli, enum icp_op op, const char *what);

#endif
