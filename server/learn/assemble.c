/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/assemble.h"

#include <stdlib.h>

#include "server/learn/calibrate.h"

/* One term on its way into the scorecard. */
struct draft {
    uint16_t column_a, column_b;
    uint16_t bins_a, bins_b;
    double *table; /* bins_a · bins_b */
};

struct drafts {
    struct draft *items;
    size_t count;
    size_t entries;
    double intercept;
};

static void drafts_fini(struct drafts *drafts)
{
    for (size_t i = 0; i < drafts->count; i++) {
        free(drafts->items[i].table);
    }
    free(drafts->items);
}

/* Takes the mean over the rows out of the table and into the intercept. Only codes that occur have
 * a weight, but all are moved alike. */
static void draft_centre(const struct learn_grid *grid, struct draft *draft, double *intercept)
{
    const uint8_t *a = learn_grid_column(grid, draft->column_a);
    const uint8_t *b =
        draft->column_b == MODEL_NO_COLUMN ? NULL : learn_grid_column(grid, draft->column_b);
    double sum = 0.0;
    for (size_t i = 0; i < grid->rows; i++) {
        sum += draft->table[b == NULL ? a[i] : (size_t)a[i] * draft->bins_b + b[i]];
    }
    double mean = grid->rows > 0 ? sum / (double)grid->rows : 0.0;
    for (size_t e = 0; e < (size_t)draft->bins_a * draft->bins_b; e++) {
        draft->table[e] -= mean;
    }
    *intercept += mean;
}

/* Keeps the draft if it says anything; takes its table either way. */
static void draft_keep(const struct learn_grid *grid, struct draft draft, struct drafts *drafts)
{
    size_t entries = (size_t)draft.bins_a * draft.bins_b;
    draft_centre(grid, &draft, &drafts->intercept);
    for (size_t e = 0; e < entries; e++) {
        if (learn_micrologits(draft.table[e]) != 0) {
            drafts->items[drafts->count++] = draft;
            drafts->entries += entries;
            return;
        }
    }
    free(draft.table);
}

static bool column_draft(const struct learn_grid *grid, const struct learn_boost *mains,
                         size_t column, struct drafts *drafts)
{
    struct draft draft = {(uint16_t)column, MODEL_NO_COLUMN, grid->bins[column], 1, NULL};
    draft.table = calloc((size_t)draft.bins_a + 1, sizeof *draft.table);
    if (draft.table == NULL) {
        return false;
    }
    for (size_t b = 0; b < draft.bins_a; b++) {
        draft.table[b] = mains->tables[mains->offsets[column] + b];
    }
    draft_keep(grid, draft, drafts);
    return true;
}

static bool pair_draft(const struct learn_grid *grid, const struct learn_pair *pair,
                       const double *cells, struct drafts *drafts)
{
    struct draft draft = {pair->column_a, pair->column_b, grid->bins[pair->column_a],
                          grid->bins[pair->column_b], NULL};
    draft.table = calloc((size_t)draft.bins_a * draft.bins_b + 1, sizeof *draft.table);
    if (draft.table == NULL) {
        return false;
    }
    for (size_t a = 0; a < draft.bins_a; a++) {
        for (size_t b = 0; b < draft.bins_b; b++) {
            draft.table[a * draft.bins_b + b] =
                cells[pair->group_a[a] * pair->groups_b + pair->group_b[b]];
        }
    }
    draft_keep(grid, draft, drafts);
    return true;
}

static struct model_scorecard *scorecard_write(const struct drafts *drafts)
{
    struct model_scorecard *scorecard = model_create(drafts->count, drafts->entries);
    if (scorecard == NULL) {
        return NULL;
    }
    scorecard->intercept = learn_micrologits(drafts->intercept);
    size_t offset = 0;
    for (size_t t = 0; t < drafts->count; t++) {
        const struct draft *draft = &drafts->items[t];
        size_t entries = (size_t)draft->bins_a * draft->bins_b;
        scorecard->terms[t] = (struct model_term){draft->column_a, draft->column_b, draft->bins_a,
                                                  draft->bins_b, (uint32_t)offset};
        for (size_t e = 0; e < entries; e++) {
            scorecard->tables[offset + e] = (int32_t)learn_micrologits(draft->table[e]);
        }
        offset += entries;
    }
    return scorecard;
}

struct model_scorecard *learn_assemble(const struct learn_grid *grid,
                                       const struct learn_boost *mains,
                                       const struct learn_pairs *pairs,
                                       const struct learn_boost *pair_boost)
{
    size_t pair_count = pairs == NULL ? 0 : pairs->count;
    struct drafts drafts = {.intercept = mains->intercept};
    struct model_scorecard *scorecard = NULL;
    drafts.items = calloc(grid->columns + pair_count + 1, sizeof *drafts.items);
    bool ok = drafts.items != NULL;
    for (size_t c = 0; ok && c < grid->columns; c++) {
        ok = column_draft(grid, mains, c, &drafts);
    }
    for (size_t k = 0; ok && k < pair_count; k++) {
        ok = pair_draft(grid, &pairs->pairs[k], pair_boost->tables + pair_boost->offsets[k],
                        &drafts);
    }
    if (ok) {
        scorecard = scorecard_write(&drafts);
    }
    drafts_fini(&drafts);
    return scorecard;
}
