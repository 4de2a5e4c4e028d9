/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/leaf.h"

#include <assert.h>

#define LEAVES_MAX 8

struct leaf {
    size_t from, end; /* bins */
    struct learn_sums sums;
    size_t split; /* best place to divide it, or 0 if there is none */
    struct learn_sums left;
    double gain;
};

static double score(struct learn_sums sums, double l2)
{
    return sums.gradient * sums.gradient / (sums.hessian + l2);
}

/* Finds the best split of one leaf. */
static void leaf_search(struct leaf *leaf, const struct learn_sums *sums,
                        const struct learn_leaf_options *options)
{
    leaf->split = 0;
    leaf->gain = 0.0;
    double whole = score(leaf->sums, options->l2);
    struct learn_sums left = {0.0, 0.0};
    for (size_t b = leaf->from; b + 1 < leaf->end; b++) {
        left.gradient += sums[b].gradient;
        left.hessian += sums[b].hessian;
        struct learn_sums right = {leaf->sums.gradient - left.gradient,
                                   leaf->sums.hessian - left.hessian};
        if (left.hessian < options->hessian_min || sums[b].hessian <= 0.0) {
            continue;
        }
        if (right.hessian < options->hessian_min) {
            break;
        }
        double gain = score(left, options->l2) + score(right, options->l2) - whole;
        if (gain > leaf->gain) {
            leaf->gain = gain;
            leaf->split = b + 1;
            leaf->left = left;
        }
    }
}

static void leaf_divide(struct leaf *leaf, struct leaf *right, const struct learn_sums *sums,
                        const struct learn_leaf_options *options)
{
    *right = (struct leaf){.from = leaf->split,
                           .end = leaf->end,
                           .sums = {leaf->sums.gradient - leaf->left.gradient,
                                    leaf->sums.hessian - leaf->left.hessian}};
    leaf->end = leaf->split;
    leaf->sums = leaf->left;
    leaf_search(leaf, sums, options);
    leaf_search(right, sums, options);
}

static double leaf_value(struct learn_sums sums, double l2,
                         const struct learn_leaf_options *options)
{
    if (sums.hessian < options->hessian_min) {
        return 0.0;
    }
    return -options->rate * sums.gradient / (sums.hessian + l2);
}

static void ordered_values(const struct learn_sums *sums, size_t bins,
                           const struct learn_leaf_options *options, double *values)
{
    struct leaf leaves[LEAVES_MAX];
    leaves[0] = (struct leaf){.from = 1, .end = bins};
    for (size_t b = 1; b < bins; b++) {
        leaves[0].sums.gradient += sums[b].gradient;
        leaves[0].sums.hessian += sums[b].hessian;
    }
    leaf_search(&leaves[0], sums, options);
    size_t count = 1;
    while (count < options->leaves_max) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++) {
            best = leaves[i].gain > leaves[best].gain ? i : best;
        }
        if (leaves[best].split == 0) {
            break;
        }
        leaf_divide(&leaves[best], &leaves[count++], sums, options);
    }
    values[0] = leaf_value(sums[0], options->l2, options);
    for (size_t i = 0; i < count; i++) {
        double value = leaf_value(leaves[i].sums, options->l2, options);
        for (size_t b = leaves[i].from; b < leaves[i].end; b++) {
            values[b] = value;
        }
    }
}

bool learn_leaf_values(const struct learn_sums *sums, size_t bins, bool ordered,
                       const struct learn_leaf_options *options, const double *table,
                       double *values)
{
    assert(options->leaves_max >= 1 && options->leaves_max <= LEAVES_MAX);
    if (ordered) {
        ordered_values(sums, bins, options, values);
    } else {
        for (size_t b = 0; b < bins; b++) {
            double pull = sums[b].gradient + options->ridge * table[b];
            values[b] = -options->rate * pull / (sums[b].hessian + options->l2_category);
        }
    }
    bool any = false;
    for (size_t b = 0; b < bins; b++) {
        any = any || values[b] != 0.0;
    }
    return any;
}

/* A run of bins with one value. */
struct pool {
    size_t end;
    struct learn_sums sums;
    double value;
};

static struct pool pool_join(const struct pool *left, const struct pool *right,
                             const struct learn_leaf_options *options)
{
    struct learn_sums sums = {left->sums.gradient + right->sums.gradient,
                              left->sums.hessian + right->sums.hessian};
    return (struct pool){right->end, sums, leaf_value(sums, options->l2, options)};
}

bool learn_leaf_monotone(const struct learn_sums *sums, size_t bins, int direction,
                         const struct learn_leaf_options *options, double *values)
{
    struct pool pools[LEAVES_MAX + 1];
    size_t count = 0;
    for (size_t from = 1, end = 1; from < bins; from = end) {
        struct pool pool = {0};
        for (; end < bins && values[end] == values[from]; end++) {
            pool.sums.gradient += sums[end].gradient;
            pool.sums.hessian += sums[end].hessian;
        }
        pool.end = end;
        pool.value = values[from];
        while (count > 0 && direction * (pool.value - pools[count - 1].value) < 0.0) {
            pool = pool_join(&pools[--count], &pool, options);
        }
        assert(count < LEAVES_MAX);
        pools[count++] = pool;
    }
    bool any = values[0] != 0.0;
    for (size_t p = 0, b = 1; p < count; p++) {
        any = any || pools[p].value != 0.0;
        for (; b < pools[p].end; b++) {
            values[b] = pools[p].value;
        }
    }
    return any;
}

double learn_leaf_gain(const struct learn_sums *sums, size_t bins, bool ordered,
                       const struct learn_leaf_options *options, const double *values)
{
    double l2 = ordered ? options->l2 : options->l2_category;
    double gain = 0.0;
    for (size_t from = 0, end = 0; from < bins; from = end) {
        struct learn_sums leaf = {0.0, 0.0};
        /* Ordered bins of one value are one leaf, but for the missing bin. */
        for (end = from;
             end < bins && (end == from || (ordered && from > 0 && values[end] == values[from]));
             end++) {
            leaf.gradient += sums[end].gradient;
            leaf.hessian += sums[end].hessian;
        }
        gain += values[from] == 0.0
                    ? 0.0
                    : (leaf.gradient * leaf.gradient - leaf.hessian) / (leaf.hessian + l2);
    }
    return gain;
}
