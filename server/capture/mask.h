/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a request unreadable but keeps its form, so that a server does the same work for it.
 *
 * What changes: every text, number, flag and binary value is replaced by another of the same
 * encoded length, worked out from it by a keyed hash (siphash.h): equal values stay equal within
 * one key, and nothing can be read back without the key. Texts become letters of base 32. Texts
 * that name an account (id, key, email) are in upper case if no account was stored under them. Of
 * an email address the @ stays, of a key a leading "domain:"; a domain is hashed without regard to
 * case, so that an address and a key of one domain still agree. Numbers lose their sign and
 * become uniform within their encoded width. `time` within an account becomes the time given.
 * What stays: names of fields that the protocol or the schema declares (other keys of maps are
 * hashed), numbers and flags that are parameters of the operation itself (k, reasons, deadline_ms
 * …), counts, lengths, nil.
 * What cannot be masked is left out: operations of the role admin, and requests with a text that
 * is neither the name of an account nor its source (filter expressions, names of lists, tokens).
 *
 * Ownership: borrows. Errors: false = left out. Threads: pure, but for the callbacks. Cost: about
 * 40 ns a value, and what is_stored takes for each name of an account. */
#ifndef CAPTURE_MASK_H
#define CAPTURE_MASK_H

#include "proto/table.h"
#include "server/capture/siphash.h"

/* How a text names an account. */
enum capture_name { CAPTURE_BY_NOTHING, CAPTURE_BY_ID, CAPTURE_BY_KEY, CAPTURE_BY_EMAIL };

struct capture_lookup {
    void *context;
    /* Whether the schema has a field of this name. NULL: it has none. */
    bool (*is_field)(void *context, struct proto_span name);
    /* Whether an account is stored under this name. NULL: always. */
    bool (*is_stored)(void *context, enum capture_name by, struct proto_span text);
};

/* payload[bytes] is masked in place; what it holds after a false is of no use. time_ms stands in
 * for the time of an account. */
bool capture_mask(const uint8_t key[CAPTURE_KEY_BYTES], const struct capture_lookup *lookup,
                  const struct proto_op_info *op, uint8_t *payload, size_t bytes, int64_t time_ms);

/* How the value of a key of a map names an account, for masking and for replay alike. */
enum capture_name capture_name_of(struct proto_span key);

#endif
