/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's encoder, shared by the writer, who encodes what comes in, and the folder, who
 * encodes what is stored. Whoever lets go last releases it; without memory to share it is released
 * at once, and rows stay those of the codebook before, under its digest: nobody is misled. */
#include <stdlib.h>

#include "server/store/store_parts.h"

struct store_held_encoder *store_encoder_hold(const struct store_encoder *encoder)
{
    struct store_held_encoder *held = malloc(sizeof *held);
    if (held == NULL) {
        if (encoder->release != NULL) {
            encoder->release(encoder->context);
        }
        return NULL;
    }
    held->encoder = *encoder;
    atomic_init(&held->references, 1);
    return held;
}

struct store_held_encoder *store_encoder_share(struct store_held_encoder *held)
{
    atomic_fetch_add_explicit(&held->references, 1, memory_order_relaxed);
    return held;
}

void store_encoder_drop(struct store_held_encoder *held)
{
    if (held == NULL || atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    if (held->encoder.release != NULL) {
        held->encoder.release(held->encoder.context);
    }
    free(held);
}
