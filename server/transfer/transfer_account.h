/* SPDX-License-Identifier: Apache-2.0 */
/* The line of an account as a stored record. Ownership: the reader owns the record, until the next
 * call. Errors: PROTO_BAD_FIELD and others with line and column; PROTO_NO_MEMORY. Threads: one. */
#ifndef TRANSFER_ACCOUNT_H
#define TRANSFER_ACCOUNT_H

#include "server/feature/record.h"
#include "server/feature/schema.h"
#include "server/transfer/transfer_line.h"

/* Of one account: a value for every field id, texts of keys, tags and vectors as they are stored.
 */
struct transfer_account {
    const struct feature_schema *schema; /* NULL: there is none; values then have no names */
    bool unnamed;                 /* a schema was given up: fields by id alone may be nobody's */
    struct feature_value *values; /* FEATURE_IDS_MAX */
    struct feature_value *others; /* as many, of a record that it is held against */
    struct proto_span sources[UINT8_MAX];
    size_t source_count;
    uint8_t *scratch; /* room for what is not in the JSON as it is stored */
    uint8_t *record;
    struct proto_span encoded;
    struct proto_span id; /* of the line, until it is let go of */
};

bool transfer_account_init(struct transfer_account *account, const struct feature_schema *schema,
                           struct proto_fault *fault);
void transfer_account_fini(struct transfer_account *account);
bool transfer_account_read(struct transfer_account *account, const struct transfer_line *line,
                           struct proto_fault *fault);
/* Whether a stored record says the same: id, times, keys in their order, values with source and
 * time. */
bool transfer_account_same(struct transfer_account *account, struct proto_span stored);

#endif
