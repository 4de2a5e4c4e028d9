/* SPDX-License-Identifier: Apache-2.0 */
/* For every first cut the lines of either side are summed up and cut in two by themselves; the best
 * tree of all is kept as two sides, each with the leaf of every group. */
#include "server/learn/leaf_cells.h"

#include <assert.h>
#include <string.h>

/* The cells seen along one column: line i, entry k of it at i · line_step + k · entry_step. */
struct view {
    const struct learn_sums *sums;
    size_t lines, line_step, entries, entry_step;
    bool lines_ordered, entries_ordered;
};

/* One side of the first cut, cut once more or not. */
struct side {
    struct learn_sums entries[LEARN_CELL_GROUPS];
    struct learn_sums whole, left;
    bool is_left[LEARN_CELL_GROUPS]; /* entries on the left of the second cut */
    bool cut;
    double score;
};

struct tree {
    bool is_first[LEARN_CELL_GROUPS]; /* lines on the first side */
    struct side first, second;
    double score;
};

static double score(struct learn_sums sums, double l2)
{
    return sums.gradient * sums.gradient / (sums.hessian + l2);
}

static void sums_add(struct learn_sums *to, struct learn_sums sums)
{
    to->gradient += sums.gradient;
    to->hessian += sums.hessian;
}

static struct learn_sums sums_less(struct learn_sums from, struct learn_sums sums)
{
    return (struct learn_sums){from.gradient - sums.gradient, from.hessian - sums.hessian};
}

/* Entries in the order that they are cut in: as they are, or by what each would be moved by. */
static void entries_sort(const struct side *side, const struct view *view, double l2, size_t *order)
{
    for (size_t k = 0; k < view->entries; k++) {
        double own = side->entries[k].gradient / (side->entries[k].hessian + l2);
        size_t at = k;
        while (!view->entries_ordered && at > 0 &&
               side->entries[order[at - 1]].gradient / (side->entries[order[at - 1]].hessian + l2) >
                   own) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = k;
    }
}

/* Cuts the side where that explains most. */
static void side_cut(struct side *side, const struct view *view,
                     const struct learn_leaf_options *options)
{
    size_t order[LEARN_CELL_GROUPS];
    size_t best = 0;
    struct learn_sums left = {0.0, 0.0};
    side->score = score(side->whole, options->l2);
    entries_sort(side, view, options->l2, order);
    for (size_t k = 0; k + 1 < view->entries; k++) {
        sums_add(&left, side->entries[order[k]]);
        struct learn_sums right = sums_less(side->whole, left);
        if (left.hessian < options->hessian_min) {
            continue;
        }
        if (right.hessian < options->hessian_min) {
            break;
        }
        double both = score(left, options->l2) + score(right, options->l2);
        if (both > side->score) {
            side->score = both;
            side->left = left;
            best = k + 1;
        }
    }
    side->cut = best > 0;
    for (size_t k = 0; k < view->entries; k++) {
        side->is_left[order[k]] = k < best;
    }
}

/* The best tree whose first cut is between lines. */
static void view_search(const struct view *view, const struct learn_leaf_options *options,
                        struct tree *best)
{
    struct tree tree = {0};
    struct learn_sums all[LEARN_CELL_GROUPS] = {0};
    for (size_t i = 0; i < view->lines; i++) {
        for (size_t k = 0; k < view->entries; k++) {
            sums_add(&all[k], view->sums[i * view->line_step + k * view->entry_step]);
        }
    }
    for (size_t i = 0; i < view->lines; i++) {
        if (!view->lines_ordered) {
            memset(&tree.first, 0, sizeof tree.first);
            memset(tree.is_first, 0, sizeof tree.is_first);
        }
        tree.is_first[i] = true;
        tree.first.whole = tree.second.whole = (struct learn_sums){0.0, 0.0};
        for (size_t k = 0; k < view->entries; k++) {
            sums_add(&tree.first.entries[k],
                     view->sums[i * view->line_step + k * view->entry_step]);
            tree.second.entries[k] = sums_less(all[k], tree.first.entries[k]);
            sums_add(&tree.first.whole, tree.first.entries[k]);
            sums_add(&tree.second.whole, tree.second.entries[k]);
        }
        if (tree.first.whole.hessian < options->hessian_min ||
            tree.second.whole.hessian < options->hessian_min) {
            continue;
        }
        side_cut(&tree.first, view, options);
        side_cut(&tree.second, view, options);
        tree.score = tree.first.score + tree.second.score;
        if (tree.score > best->score) {
            *best = tree;
        }
    }
}

static double leaf_value(const struct side *side, bool left,
                         const struct learn_leaf_options *options)
{
    struct learn_sums sums = !side->cut ? side->whole
                             : left     ? side->left
                                        : sums_less(side->whole, side->left);
    return -options->rate * sums.gradient / (sums.hessian + options->l2);
}

double learn_cells_values(const struct learn_sums *sums, const struct learn_cells *cells,
                          const struct learn_leaf_options *options, double *values)
{
    assert(cells->a <= LEARN_CELL_GROUPS && cells->b <= LEARN_CELL_GROUPS);
    const struct view views[2] = {
        {sums, cells->a, cells->b, cells->b, 1, cells->ordered_a, cells->ordered_b},
        {sums, cells->b, 1, cells->a, cells->b, cells->ordered_b, cells->ordered_a},
    };
    struct learn_sums whole = {0.0, 0.0};
    struct tree best = {0};
    const struct view *chosen = NULL;
    for (size_t c = 0; c < (size_t)cells->a * cells->b; c++) {
        sums_add(&whole, sums[c]);
    }
    double least = score(whole, options->l2);
    best.score = least;
    for (size_t v = 0; v < 2; v++) {
        double before = best.score;
        view_search(&views[v], options, &best);
        chosen = best.score > before ? &views[v] : chosen;
    }
    for (size_t i = 0; values != NULL && chosen != NULL && i < chosen->lines; i++) {
        const struct side *side = best.is_first[i] ? &best.first : &best.second;
        for (size_t k = 0; k < chosen->entries; k++) {
            values[i * chosen->line_step + k * chosen->entry_step] =
                leaf_value(side, side->is_left[k], options);
        }
    }
    return chosen == NULL ? 0.0 : best.score - least;
}
