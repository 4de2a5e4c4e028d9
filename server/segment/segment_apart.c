/* SPDX-License-Identifier: Apache-2.0 */
/* One pass for the distance, one for the test with rare bins taken together. */
#include "server/segment/segment_apart.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/math/chi_square.h"

#define EXPECTED_MIN 5.0

static uint64_t sum_of(const uint64_t *counts, size_t bins)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bins; i++) {
        sum += counts[i];
    }
    return sum;
}

/* p log2(p / m), 0 where p is. */
static double entropy_part(double p, double middle)
{
    return p > 0 ? p * log2(p / middle) : 0;
}

/* 2 n ln(n / expected) */
static double g_part(double n, double expected)
{
    return n > 0 ? 2 * n * log(n / expected) : 0;
}

static double chance_of(const uint64_t *within, const uint64_t *others, size_t bins, double a,
                        double b)
{
    double g = 0;
    double rare[2] = {0, 0};
    unsigned used = 0;
    double least = fmin(a, b) / (a + b);
    for (size_t i = 0; i < bins; i++) {
        double both = (double)within[i] + (double)others[i];
        if (both * least < EXPECTED_MIN) {
            rare[0] += (double)within[i];
            rare[1] += (double)others[i];
            continue;
        }
        g += g_part((double)within[i], both * a / (a + b)) +
             g_part((double)others[i], both * b / (a + b));
        used++;
    }
    double both = rare[0] + rare[1];
    if (both > 0) {
        g += g_part(rare[0], both * a / (a + b)) + g_part(rare[1], both * b / (a + b));
        used++;
    }
    return used < 2 ? 1 : 1 - math_gamma_p((used - 1) / 2.0, fmax(g, 0) / 2);
}

struct segment_apart segment_apart(const uint64_t *within, const uint64_t *others, size_t bins)
{
    double a = (double)sum_of(within, bins);
    double b = (double)sum_of(others, bins);
    struct segment_apart apart = {.chance = 1};
    double divergence = 0;
    double farthest = -1;
    if (a == 0 || b == 0) {
        return apart;
    }
    for (size_t i = 0; i < bins; i++) {
        double p = (double)within[i] / a;
        double q = (double)others[i] / b;
        double middle = (p + q) / 2;
        divergence += (entropy_part(p, middle) + entropy_part(q, middle)) / 2;
        if (fabs(p - q) > farthest) {
            farthest = fabs(p - q);
            apart.bin = i;
            apart.within = p;
            apart.others = q;
        }
    }
    apart.distance = sqrt(fmin(fmax(divergence, 0), 1));
    apart.chance = chance_of(within, others, bins, a, b);
    return apart;
}

struct placed {
    double chance;
    size_t place;
};

static int by_chance(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;
    if (a->chance != b->chance) {
        return a->chance < b->chance ? -1 : 1;
    }
    return (a->place > b->place) - (a->place < b->place);
}

void segment_holm(double *chances, size_t count)
{
    struct placed *order = calloc(count + 1, sizeof *order);
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (order != NULL) {
            order[i] = (struct placed){chances[i], i};
        } else {
            chances[i] = fmin(1, chances[i] * (double)count);
        }
    }
    if (order == NULL) {
        return;
    }
    qsort(order, count, sizeof *order, by_chance);
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fmin(1, order[i].chance * (double)(count - i)));
        chances[order[i].place] = largest;
    }
    free(order);
}
