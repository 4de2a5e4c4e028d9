/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces double in length from one round of merges to the next; each round writes into the other of
 * two arrays. */
#include "server/measure/long_sort.h"

#include <stdlib.h>

struct merging {
    size_t bytes;
    int (*order)(const void *left, const void *right);
    const struct measure_pace *pace;
    size_t merged;
};

static bool step(struct merging *merging, struct proto_fault *fault)
{
    return ++merging->merged % MEASURE_PIECE != 0 || measure_goes_on(merging->pace, fault);
}

/* from[first … middle − 1] and from[middle … last − 1] into the same places of `to`. */
static bool merge(struct merging *merging, const uint8_t *from, uint8_t *to, size_t first,
                  size_t middle, size_t last, struct proto_fault *fault)
{
    size_t bytes = merging->bytes;
    size_t a = first;
    size_t b = middle;
    for (size_t i = first; i < last; i++) {
        bool left =
            a < middle && (b == last || merging->order(from + a * bytes, from + b * bytes) <= 0);
        memcpy(to + i * bytes, from + (left ? a : b) * bytes, bytes);
        a += left;
        b += !left;
        if (!step(merging, fault)) {
            return false;
        }
    }
    return true;
}

static bool pieces_merge(struct merging *merging, uint8_t *items, uint8_t *other, size_t count,
                         struct proto_fault *fault)
{
    uint8_t *from = items;
    uint8_t *to = other;
    for (size_t piece = MEASURE_PIECE; piece < count; piece *= 2) {
        for (size_t first = 0; first < count; first += 2 * piece) {
            size_t middle = first + piece < count ? first + piece : count;
            size_t last = first + 2 * piece < count ? first + 2 * piece : count;
            if (!merge(merging, from, to, first, middle, last, fault)) {
                return false;
            }
        }
        uint8_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) {
        memcpy(items, from, count * merging->bytes);
    }
    return true;
}

bool measure_sort(void *items, size_t count, size_t bytes,
                  int (*order)(const void *left, const void *right),
                  const struct measure_pace *pace, struct proto_fault *fault)
{
    struct merging merging = {bytes, order, pace, 0};
    for (size_t first = 0; first < count; first += MEASURE_PIECE) {
        size_t most = count - first < MEASURE_PIECE ? count - first : MEASURE_PIECE;
        qsort((uint8_t *)items + first * bytes, most, bytes, order);
        if (first + most < count && !measure_goes_on(pace, fault)) {
            return false;
        }
    }
    if (count <= MEASURE_PIECE) {
        return true;
    }
    uint8_t *other = malloc(count * bytes);
    if (other == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to sort %zu", count);
    }
    bool good = pieces_merge(&merging, items, other, count, fault);
    free(other);
    return good;
}
