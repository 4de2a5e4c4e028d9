/* SPDX-License-Identifier: Apache-2.0 */
/* The chain over the entries of a plan: each hash covers its entry and, by the hash before, every
 * entry before it.
 *
 *     h(0) = 32 zero bytes
 *     h(i) = SHA-256(0x01 || h(i-1) || SHA-256(0x00 || entry i in canonical JSON))
 *
 * The first bytes keep an entry from passing for a link. Ownership: values. Errors: none. Threads:
 * pure. Cost: that of SHA-256. */
#ifndef TERM_TERM_CHAIN_H
#define TERM_TERM_CHAIN_H

#include <stdbool.h>

#include "proto/span.h"
#include "server/math/sha256.h"

#define TERM_HASH_BYTES MATH_SHA256_BYTES
#define TERM_HASH_HEX (2 * TERM_HASH_BYTES)

struct term_hash {
    uint8_t bytes[TERM_HASH_BYTES];
};

struct term_hash term_chain_next(const struct term_hash *before, struct proto_span entry);

/* SHA-256 of the text, for what an entry names and does not hold. */
struct term_hash term_hash_of(struct proto_span text);
bool term_hash_equal(const struct term_hash *a, const struct term_hash *b);

/* Lower-case digits with a zero at the end: 2 * count + 1 bytes. */
void term_hex_print(const uint8_t *bytes, size_t count, char *out);
/* Exactly 2 * count lower-case digits; false otherwise. */
bool term_hex_read(struct proto_span text, uint8_t *bytes, size_t count);

#endif
