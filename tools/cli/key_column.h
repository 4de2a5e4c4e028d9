/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a CSV file holds which key, as "domain=website" on the command line or in a
 * schema; and the key that a cell gives. A website or email address in a column of the key domain
 * becomes its registrable domain; hosts that many organisations share, and free-mail domains, give
 * no key. Ownership: plain values. Errors: messages printed, exit status returned. Threads: one. */
#ifndef CLI_KEY_COLUMN_H
#define CLI_KEY_COLUMN_H

#include "server/feature/schema.h"
#include "server/identity/domain.h"
#include "tools/cli/cli.h"
#include "tools/cli/csv_input.h"

struct key_column {
    char name_space[FEATURE_NAMESPACE_BYTES_MAX + 1];
    size_t column;
};

/* Parses NAMESPACE=COLUMN; `option` is for the message. */
int key_column_parse(const struct cli *cli, const struct csv_input *input, const char *option,
                     const char *text, struct key_column *key);
/* The column name nearest to a mistyped one; NULL if none is near. */
const char *csv_column_nearest(const struct csv_input *input, const char *name);

enum key_outcome {
    KEY_MADE,    /* out is namespace:value */
    KEY_EMPTY,   /* the cell is empty or a missing word */
    KEY_SHARED,  /* a host of many organisations; out is the host */
    KEY_FREE,    /* a free-mail domain; out is the host */
    KEY_NONSENSE /* no domain in it, or too long; out is the text, cut */
};
enum key_outcome key_column_make(const struct key_column *key, struct proto_span cell,
                                 char out[PROTO_ID_BYTES_MAX + 1]);

/* A fault on a file rather than a request: EX_NOINPUT where it cannot be opened. */
int cli_file_fault(const struct cli *cli, const struct proto_fault *fault);
/* Sends a JSON file as the document of schema-put or icp-put and prints the version it got. */
int document_put(const struct cli *cli, enum icp_op op, const char *what);

#endif
