/* SPDX-License-Identifier: Apache-2.0 */
/* What a primary id and a key look like: the one place that says so.
 *
 *   id     1 to PROTO_ID_BYTES_MAX bytes of UTF-8 without control characters
 *   key    an id of the form namespace:value, the namespace as a schema may declare it
 *          (feature/schema.h); values of domain: are in lower case, because host names are
 *          compared so
 *
 * That a text is UTF-8 is seen where it is decoded. Ownership: results are views of the texts given
 * or of the caller's room. Errors: PROTO_BAD_FIELD. Threads: pure. Cost: linear in the text. */
#ifndef IDENTITY_GRAMMAR_H
#define IDENTITY_GRAMMAR_H

#include "proto/fault.h"
#include "proto/span.h"

/* field: the name that the fault gives to the text. */
bool identity_id_check(struct proto_span id, const char *field, struct proto_fault *fault);

/* The key as it is stored and looked up. room holds key.bytes and is used if the text changes; a
 * key that is none is a fault. */
bool identity_key_normal(struct proto_span key, uint8_t *room, struct proto_span *normal,
                         const char *field, struct proto_fault *fault);

/* The same for whoever looks a key up: a text that is no key names nobody, which is no fault. */
struct proto_span identity_key_wanted(struct proto_span key, uint8_t *room);

#endif
