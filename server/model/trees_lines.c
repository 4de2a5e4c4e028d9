/* SPDX-License-Identifier: Apache-2.0 */
/* Lines: for each tile of trees, column and code, which leaves a row with this code can reach. A
 * split takes the leaves of its right subtree from the codes that go left, and those of its left
 * subtree from all others; of a row's columns together one leaf remains of each tree. */
#include <stdlib.h>
#include <string.h>

#include "server/model/trees_plan.h"

/* Where a tree stands in its tile. */
struct place {
    struct model_tile *tile;
    size_t word;
    bool large;
};

void model_lines_free(struct model_trees_plan *plan)
{
    for (size_t t = 0; plan->tiles != NULL && t < plan->tile_count; t++) {
        free(plan->tiles[t].columns);
        free(plan->tiles[t].lines);
        free(plan->tiles[t].values);
    }
    free(plan->tiles);
    plan->tiles = NULL;
}

static size_t leaves_of(const struct model_trees *trees, size_t tree)
{
    size_t leaves = 0;
    for (size_t i = trees->firsts[tree]; i < trees->firsts[tree + 1]; i++) {
        leaves += trees->nodes[i].column == MODEL_TREES_LEAF;
    }
    return leaves;
}

static void bits_clear(struct model_line *line, const struct place *place, uint64_t bits)
{
    if (place->large) {
        line->words[place->word] &= ~bits;
    } else {
        uint32_t *words = (uint32_t *)(void *)line->words;
        words[place->word] &= ~(uint32_t)bits;
    }
}

/* Takes leaves from the codes of one column that do not reach them. */
static void split_note(const struct model_trees *trees, const struct place *place,
                       const struct model_tree_node *node, size_t bins, uint64_t left,
                       uint64_t right)
{
    const struct model_tile_column *column = place->tile->columns;
    while (column->column != node->column) {
        column++;
    }
    for (size_t code = 0; code < bins; code++) {
        bool goes_left = model_node_left(trees, node, (uint8_t)code);
        bits_clear(&place->tile->lines[column->line + code], place, goes_left ? right : left);
    }
}

/* A subtree in work: of what node, and the leaves before it and before its right child. */
struct open {
    size_t node;
    size_t before, middle;
};

static uint64_t bits_between(size_t from, size_t end)
{
    uint64_t below = end >= 64 ? UINT64_MAX : (UINT64_C(1) << end) - 1;
    return below & ~((UINT64_C(1) << from) - 1);
}

static void tree_note(const struct model_trees *trees, size_t tree, const struct place *place,
                      const struct feature_codebook *codebook)
{
    struct open open[MODEL_TREES_DEPTH_MAX + 1];
    size_t depth = 0;
    size_t leaf = 0;
    for (size_t i = trees->firsts[tree]; i < trees->firsts[tree + 1]; i++) {
        const struct model_tree_node *node = &trees->nodes[i];
        if (node->column != MODEL_TREES_LEAF) {
            open[depth++] = (struct open){.node = i, .before = leaf, .middle = SIZE_MAX};
            continue;
        }
        place->tile->values[place->word * (place->large ? 64 : 32) + leaf++] = node->value;
        while (depth > 0 && open[depth - 1].middle != SIZE_MAX) {
            const struct open *done = &open[--depth];
            const struct model_tree_node *split = &trees->nodes[done->node];
            split_note(trees, place, split, codebook->columns[split->column].bin_count,
                       bits_between(done->before, done->middle), bits_between(done->middle, leaf));
        }
        if (depth > 0) {
            open[depth - 1].middle = leaf;
        }
    }
}

/* The columns of the trees of a tile, and how many lines they have. */
static bool tile_columns(const struct model_trees *trees, size_t first, size_t end,
                         const struct feature_codebook *codebook, struct model_tile *tile,
                         size_t *lines)
{
    tile->columns = calloc(trees->column_count + 1, sizeof *tile->columns);
    bool *asked = calloc(codebook->column_count + 1, sizeof *asked);
    *lines = 0;
    if (tile->columns == NULL || asked == NULL) {
        free(asked);
        return false;
    }
    for (size_t i = trees->firsts[first]; i < trees->firsts[end]; i++) {
        if (trees->nodes[i].column != MODEL_TREES_LEAF) {
            asked[trees->nodes[i].column] = true;
        }
    }
    for (size_t c = 0; c < codebook->column_count; c++) {
        if (asked[c]) {
            tile->columns[tile->column_count++] =
                (struct model_tile_column){.column = (uint32_t)c, .line = (uint32_t)*lines};
            *lines += codebook->columns[c].bin_count;
        }
    }
    free(asked);
    return true;
}

/* Unused bits of a word are no leaves: they are taken from the lines of the tree's first column,
 * and of a tree without a split bit 0 is found first. */
static void tile_fill(const struct model_trees *trees, size_t first, size_t end, bool large,
                      const struct feature_codebook *codebook, struct model_tile *tile)
{
    for (size_t t = first; t < end; t++) {
        struct place place = {.tile = tile, .word = t - first, .large = large};
        const struct model_tree_node *root = &trees->nodes[trees->firsts[t]];
        tree_note(trees, t, &place, codebook);
        if (root->column != MODEL_TREES_LEAF) {
            uint64_t unused = ~bits_between(0, leaves_of(trees, t));
            split_note(trees, &place, root, codebook->columns[root->column].bin_count, unused,
                       unused);
        }
    }
}

static bool tile_make(const struct model_trees *trees, size_t first, size_t end, bool large,
                      const struct feature_codebook *codebook, struct model_tile *tile)
{
    size_t lines;
    if (!tile_columns(trees, first, end, codebook, tile, &lines)) {
        return false;
    }
    tile->lines = aligned_alloc(MODEL_LINE_BYTES, (lines + 256) * sizeof *tile->lines);
    tile->values = calloc(MODEL_TREES_SMALL * 32, sizeof *tile->values);
    if (tile->lines == NULL || tile->values == NULL) {
        return false;
    }
    memset(tile->lines, 0xff, (lines + 256) * sizeof *tile->lines);
    tile_fill(trees, first, end, large, codebook, tile);
    return true;
}

/* Bytes of all lines, as if every tile asked every column. */
static size_t lines_bytes(const struct model_trees *trees, const struct feature_codebook *codebook,
                          size_t tiles)
{
    size_t codes = 256;
    for (size_t c = 0; c < trees->column_count; c++) {
        codes += codebook->columns[trees->columns[c]].bin_count;
    }
    return codes * tiles * MODEL_LINE_BYTES;
}

bool model_lines_make(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault)
{
    struct model_trees_plan *plan = trees->plan;
    size_t most = 0;
    for (size_t t = 0; t < trees->tree_count; t++) {
        size_t leaves = leaves_of(trees, t);
        most = leaves > most ? leaves : most;
    }
    plan->large = most > 32;
    size_t width = plan->large ? MODEL_TREES_LARGE : MODEL_TREES_SMALL;
    size_t tiles = (trees->tree_count + width - 1) / width;
    if (most > 64 || lines_bytes(trees, codebook, tiles) > MODEL_TREES_LINES_MAX) {
        return true; /* rows are walked */
    }
    plan->tiles = calloc(tiles + 1, sizeof *plan->tiles);
    bool ok = plan->tiles != NULL;
    for (; ok && plan->tile_count < tiles; plan->tile_count++) {
        size_t first = plan->tile_count * width;
        size_t end = first + width < trees->tree_count ? first + width : trees->tree_count;
        struct model_tile *tile = &plan->tiles[plan->tile_count];
        ok = tile_make(trees, first, end, plan->large, codebook, tile);
    }
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
}
