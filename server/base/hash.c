/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3 in the widest registers that the processor has: libxxhash looks once and calls through a
 * pointer from then on. Where it has no dispatcher, its plain functions do the same. */
#include "server/base/hash.h"

#define XXH_STATIC_LINKING_ONLY /* a state on the stack */
#include <xxhash.h>

#ifdef __x86_64__
#define XXH_DISPATCH_DISABLE_REPLACE
#include <xxh_x86dispatch.h>
#define HASH XXH3_64bits_withSeed_dispatch
#define UPDATE XXH3_64bits_update_dispatch
#else
#define HASH XXH3_64bits_withSeed
#define UPDATE XXH3_64bits_update
#endif

uint64_t base_hash(const void *bytes, size_t count, uint64_t seed)
{
    return HASH(bytes, count, seed);
}

uint64_t base_hash_parts(const struct proto_span *parts, size_t count, uint64_t seed)
{
    XXH3_state_t state = {0};
    XXH3_64bits_reset_withSeed(&state, seed);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].bytes > 0) {
            (void)UPDATE(&state, parts[i].data, parts[i].bytes);
        }
    }
    return XXH3_64bits_digest(&state);
}
