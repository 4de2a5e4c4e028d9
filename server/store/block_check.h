/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a whole block of rows, for scans: one long XXH3 costs a third of 63 short ones, and
 * wide registers halve it again. The same value on every instruction set. Threads: pure. Cost of a
 * block of 8 KiB: 0.6 µs with SSE2, 0.3 µs with AVX2. Source: xxHash, XXH3. */
#ifndef STORE_BLOCK_CHECK_H
#define STORE_BLOCK_CHECK_H

#include <stddef.h>
#include <stdint.h>

uint64_t store_hash_plain(const uint8_t *bytes, size_t count, uint64_t seed);
#ifdef __x86_64__
uint64_t store_hash_avx2(const uint8_t *bytes, size_t count, uint64_t seed);
#endif

#endif
