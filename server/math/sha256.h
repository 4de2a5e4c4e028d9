/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of bytes that come in parts. Ownership: the state is the caller's, a plain value. Errors:
 * none. Threads: pure. Cost: some 300 MB/s. Source: FIPS 180-4. */
#ifndef MATH_SHA256_H
#define MATH_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define MATH_SHA256_HEX_BYTES 65 /* with the zero at the end */
#define MATH_SHA256_BYTES 32

struct math_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64]; /* of it bytes % 64 are filled */
};

void math_sha256_begin(struct math_sha256 *sha);
void math_sha256_add(struct math_sha256 *sha, const void *data, size_t bytes);
/* The sum, as bytes or in lower-case digits; nothing is added after it. */
void math_sha256_end(struct math_sha256 *sha, uint8_t sum[MATH_SHA256_BYTES]);
void math_sha256_hex(struct math_sha256 *sha, char hex[MATH_SHA256_HEX_BYTES]);

#endif
