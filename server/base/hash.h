/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3-64 of long runs of bytes, records, entries and batches, in the widest registers that the
 * processor has; short ones are cheaper inline. The same value everywhere.
 *
 * Ownership: borrows. Errors: none. Threads: pure. Cost: of 1 KiB some 60 ns with SSE2, 35 with
 * AVX2. Source: XXH3 of xxHash; its own dispatcher, which libxxhash has had since 0.8.0. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "proto/span.h"

#define BASE_HASH_SHORT 240 /* up to here XXH3 has ways without wide registers */

uint64_t base_hash(const void *bytes, size_t count, uint64_t seed);
/* Of the parts as if they followed each other. */
uint64_t base_hash_parts(const struct proto_span *parts, size_t count, uint64_t seed);

#endif
