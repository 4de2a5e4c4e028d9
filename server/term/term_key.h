/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys of signatories. The secret one lies in a file of its owner alone, PKCS#8 in PEM as
 * `openssl genpkey -algorithm ed25519` writes it, and never leaves the machine; icpd sees public
 * keys and signatures.
 *
 * Ownership: term_key_destroy. Errors: PROTO_BAD_FIELD for a file that holds no such key,
 * PROTO_IO, PROTO_NO_MEMORY where OpenSSL has none. Threads: pure; a key is used by one at a time.
 * Cost: some 50 µs a signature, 150 µs a verification. Source: RFC 8032, by OpenSSL's EVP. */
#ifndef TERM_TERM_KEY_H
#define TERM_TERM_KEY_H

#include <stdio.h>

#include "proto/fault.h"
#include "proto/span.h"

#define TERM_KEY_BYTES 32
#define TERM_SIGNATURE_BYTES 64

struct term_key;
/* A new one; of a seed; of a file. NULL with *fault. */
struct term_key *term_key_make(struct proto_fault *fault);
struct term_key *term_key_of(const uint8_t seed[TERM_KEY_BYTES], struct proto_fault *fault);
struct term_key *term_key_read(FILE *file, struct proto_fault *fault);
void term_key_destroy(struct term_key *key); /* NULL is fine */
bool term_key_write(const struct term_key *key, FILE *file, struct proto_fault *fault);

bool term_key_public(const struct term_key *key, uint8_t out[TERM_KEY_BYTES],
                     struct proto_fault *fault);
bool term_key_sign(const struct term_key *key, struct proto_span text,
                   uint8_t signature[TERM_SIGNATURE_BYTES], struct proto_fault *fault);
/* *good: whether the signature is that key's over that text. False with *fault: nobody knows. */
bool term_key_verify(const uint8_t key[TERM_KEY_BYTES], struct proto_span text,
                     const uint8_t signature[TERM_SIGNATURE_BYTES], bool *good,
                     struct proto_fault *fault);

#endif
