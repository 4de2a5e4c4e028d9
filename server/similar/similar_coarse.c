/* SPDX-License-Identifier: Apache-2.0 */
/* The coarse step: which lists are near. An int8 scan of all centres, exact to about 0.1 %. */
#include "server/similar/similar_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void similar_coarse_put(struct similar_set *set, uint32_t list, const float *centre)
{
    struct similar_coarse *coarse = &set->coarse;
    uint32_t dim = set->space.dim_padded;
    int8_t bytes[SIMILAR_DIM_MAX];
    int32_t sum = 0;
    int8_t *group = coarse->bytes + (size_t)(list / 16) * 16 * dim;
    float *own = coarse->centres + (size_t)list * dim;
    memmove(own, centre, dim * sizeof *own);
    coarse->step[list] = similar_round_bytes(own, dim, bytes);
    for (uint32_t i = 0; i < dim; i++) {
        group[(size_t)(i / 4) * 64 + (list % 16) * 4 + i % 4] = bytes[i];
        sum += bytes[i];
    }
    coarse->correction[list] = 128 * sum;
    coarse->square_exact[list] = set->space.kernel->dot_pair(own, own, dim);
    coarse->square[list] = (float)coarse->square_exact[list];
}

void similar_coarse_kill(struct similar_set *set, uint32_t list)
{
    set->coarse.square[list] = INFINITY;
}

bool similar_coarse_save(struct similar_set *set, uint32_t list)
{
    const struct similar_source *source = &set->options.source;
    uint32_t number = list / 16;
    size_t bytes = similar_block_bytes(SIMILAR_KIND_CENTROID, set->space.dim);
    uint8_t *block = source->on_write(source->context, SIMILAR_KIND_CENTROID, number, bytes);
    if (block == NULL) {
        return false;
    }
    *(struct similar_header *)(void *)block = (struct similar_header){
        .magic = SIMILAR_BLOCK_MAGIC,
        .version = SIMILAR_BLOCK_VERSION,
        .kind = SIMILAR_KIND_CENTROID,
        .dim = (uint16_t)set->space.dim,
        .number = number,
        .list = number * 16,
    };
    memcpy(block + sizeof(struct similar_header), similar_centre(set, number * 16),
           bytes - sizeof(struct similar_header));
    return true;
}

void similar_coarse_score(const struct similar_set *set, const uint8_t *row, float step,
                          bool product, int32_t *dots, float *scores)
{
    const struct similar_coarse *coarse = &set->coarse;
    uint32_t groups = (set->list_count + 15) / 16;
    set->space.kernel->dot_groups(row, coarse->bytes, groups, set->space.dim_padded, dots);
    float weight = product ? step : 2 * step;
    for (uint32_t l = 0; l < groups * 16; l++) {
        float dot = (float)(dots[l] - coarse->correction[l]) * weight;
        float less = product && coarse->square[l] < INFINITY ? 0.0f : coarse->square[l];
        scores[l] = dot * coarse->step[l] - less;
    }
}

uint32_t similar_coarse_nearest(const struct similar_set *set, const float *rotated)
{
    enum { ROOM = 1024 };
    const struct similar_coarse *coarse = &set->coarse;
    uint32_t dim = set->space.dim_padded;
    int8_t bytes[SIMILAR_DIM_MAX];
    uint8_t row[SIMILAR_DIM_MAX];
    int32_t dots[ROOM];
    float step = similar_round_bytes(rotated, dim, bytes);
    for (uint32_t i = 0; i < dim; i++) {
        row[i] = (uint8_t)(bytes[i] + 128);
    }
    uint32_t best = SIMILAR_NONE;
    float best_score = -INFINITY;
    for (uint32_t from = 0; from < set->list_count; from += ROOM) {
        uint32_t count = set->list_count - from < ROOM ? set->list_count - from : ROOM;
        set->space.kernel->dot_groups(row, coarse->bytes + (size_t)from * dim, (count + 15) / 16,
                                      dim, dots);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t l = from + i;
            float dot = (float)(dots[i] - coarse->correction[l]) * (2 * step);
            float score = dot * coarse->step[l] - coarse->square[l];
            if (score > best_score) {
                best_score = score;
                best = l;
            }
        }
    }
    return best;
}
