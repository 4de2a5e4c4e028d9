/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_rotate.h"

#include "server/similar/similar_random.h"

void similar_rotate_signs(uint64_t seed, uint32_t dim, float *signs)
{
    uint64_t state = seed ^ 0x726f74617465ULL;
    uint32_t count = SIMILAR_ROTATE_ROUNDS * dim;
    for (uint32_t i = 0; i < count; i += 64) {
        uint64_t bits = similar_random(&state);
        for (uint32_t j = 0; j < 64; j++) {
            signs[i + j] = (bits >> j & 1) != 0 ? 1.0f : -1.0f;
        }
    }
}
