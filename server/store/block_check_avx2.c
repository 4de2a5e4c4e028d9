/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx2 (CMakeLists.txt); runs only where the processor has it. */
#include "server/store/block_check.h"

#ifdef __x86_64__
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t store_hash_avx2(const uint8_t *bytes, size_t count, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, count, seed);
}
#endif
