/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a CSV file holds which key, as "domain=website" on the command line or in a
 * schema; and the key that a cell gives. A website or email address in a column of the key domain
 * becomes its registrable domain; hosts that many organisations share, and free-mail domains, give
 * no key. Ownership: plain values. Errors: USAGE, with what was meant. Threads: one. */
#ifndef CLI_KEY_COLUMN_H
#define CLI_KEY_COLUMN_H

#include "server/feature/schema.h"
#include "server/identity/domain.h"
#include "tools/cli/csv/csv_input.h"

struct key_column {
    char name_space[FEATURE_NAMESPACE_BYTES_MAX + 1];
    size_t column;
};

/* Parses NAMESPACE=COLUMN; `option` is for the message. */
bool key_column_parse(const struct csv_input *input, const char *option, const char *text,
                      struct key_column *key, struct proto_fault *fault);
/* The column name nearest to a mistyped one; NULL if none is near. */
const char *csv_column_nearest(const struct csv_input *input, const char *name);
/* Faults: the file has no column of the name that `option` gave, but perhaps one near to it.
 * Returns false. */
bool csv_column_absent(const struct csv_input *input, const char *option, const char *name,
                       struct proto_fault *fault);

enum key_outcome {
    KEY_MADE,    /* out is namespace:value */
    KEY_EMPTY,   /* the cell is empty or a missing word */
    KEY_SHARED,  /* a host of many organisations; out is the host */
    KEY_FREE,    /* a free-mail domain; out is the host */
    KEY_NONSENSE /* no domain in it, or too long; out is the text, cut */
};
enum key_outcome key_column_make(const struct key_column *key, struct proto_span cell,
                                 char out[PROTO_ID_BYTES_MAX + 1]);

#endif
