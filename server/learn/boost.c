/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/boost.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/learn/boost_bag.h"
#include "server/learn/crew.h"

static bool boost_init(struct learn_boost *boost, const struct learn_grid *grid, unsigned folds)
{
    *boost = (struct learn_boost){.columns = grid->columns, .folds = folds};
    boost->offsets = calloc(grid->columns + 1, sizeof *boost->offsets);
    if (boost->offsets == NULL) {
        return false;
    }
    for (size_t c = 0; c < grid->columns; c++) {
        boost->offsets[c + 1] = boost->offsets[c] + grid->bins[c];
    }
    size_t entries = boost->offsets[grid->columns];
    boost->tables = calloc(entries + 1, sizeof *boost->tables);
    boost->fold_tables = calloc(entries * folds + 1, sizeof *boost->fold_tables);
    return boost->tables != NULL && boost->fold_tables != NULL;
}

static void bags_average(struct learn_boost *boost, unsigned bags)
{
    size_t entries = boost->offsets[boost->columns];
    double n = (double)bags;
    for (unsigned k = 0; k < bags; k++) {
        boost->intercept += boost->fold_intercepts[k] / n;
        for (size_t e = 0; e < entries; e++) {
            boost->tables[e] += boost->fold_tables[k * entries + e] / n;
        }
    }
}

/* One fit, shared by the threads that fit its bags. */
struct fitting {
    const struct learn_grid *grid;
    const uint8_t *folds;
    const double *start;
    const struct learn_boost_options *options;
    struct learn_boost *boost;
    unsigned bags;
    atomic_uint done;
    atomic_bool failed;
    bool ok[LEARN_FOLDS_MAX];
    struct proto_fault faults[LEARN_FOLDS_MAX];
};

/* What a bag is told, on whatever thread; only the caller's own asks and tells the caller. */
struct told {
    struct fitting *fitting;
    bool own;
};

static bool bag_progress(void *context, double done)
{
    const struct told *told = context;
    struct fitting *fitting = told->fitting;
    const struct learn_boost_options *options = fitting->options;
    double share = ((double)atomic_load(&fitting->done) + done) / fitting->bags;
    if (told->own && options->on_progress != NULL &&
        !options->on_progress(options->progress_context, share < 1.0 ? share : 1.0)) {
        atomic_store(&fitting->failed, true);
    }
    return !atomic_load(&fitting->failed);
}

static void bag_run(void *context, size_t k, bool own)
{
    struct fitting *fitting = context;
    struct learn_boost *boost = fitting->boost;
    const struct learn_grid *grid = fitting->grid;
    struct told told = {fitting, own};
    struct learn_bag bag = {.grid = grid,
                            .folds = fitting->folds,
                            .fold = (unsigned)k,
                            .start =
                                fitting->start == NULL ? NULL : fitting->start + k * grid->rows,
                            .offsets = boost->offsets,
                            .options = fitting->options,
                            .on_progress = bag_progress,
                            .progress_context = &told};
    struct learn_bag_result result = {boost->fold_tables + k * boost->offsets[grid->columns], 0.0,
                                      0.0, 0};
    fitting->ok[k] =
        !atomic_load(&fitting->failed) && learn_bag_fit(&bag, &result, &fitting->faults[k]);
    if (!fitting->ok[k]) {
        atomic_store(&fitting->failed, true);
    }
    atomic_fetch_add(&fitting->done, 1);
    boost->fold_intercepts[k] = result.intercept;
    boost->losses[k] = result.loss;
    boost->rounds[k] = result.rounds;
}

/* The first bag's fault; one that only heard that another failed has none, or was cancelled. */
static bool bags_good(const struct fitting *fitting, struct proto_fault *fault)
{
    bool good = true;
    for (unsigned k = 0; k < fitting->bags; k++) {
        const struct proto_fault *own = &fitting->faults[k];
        if (!fitting->ok[k] && own->code != PROTO_OK && (good || own->code != PROTO_CANCELLED)) {
            *fault = *own;
        }
        good = good && fitting->ok[k];
    }
    return good;
}

bool learn_boost_fit(const struct learn_grid *grid, const uint8_t *folds, unsigned fold_count,
                     const double *start, const struct learn_boost_options *options,
                     struct learn_boost *boost, struct proto_fault *fault)
{
    assert(fold_count >= 2 && fold_count <= LEARN_FOLDS_MAX);
    struct fitting *fitting = calloc(1, sizeof *fitting);
    bool ok = boost_init(boost, grid, fold_count) && fitting != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tables of %zu columns",
                        grid->columns);
    } else {
        fitting->grid = grid;
        fitting->folds = folds;
        fitting->start = start;
        fitting->options = options;
        fitting->boost = boost;
        fitting->bags = options->bags == 0 ? fold_count : options->bags;
        atomic_init(&fitting->done, 0);
        atomic_init(&fitting->failed, false);
        learn_crew_run(options->threads, fitting->bags, bag_run, fitting);
        ok = bags_good(fitting, fault);
    }
    if (ok) {
        bags_average(boost, fitting->bags);
    } else {
        learn_boost_fini(boost);
    }
    free(fitting);
    return ok;
}

void learn_boost_fini(struct learn_boost *boost)
{
    free(boost->offsets);
    free(boost->tables);
    free(boost->fold_tables);
    *boost = (struct learn_boost){0};
}

void learn_boost_add(const struct learn_boost *boost, const struct learn_grid *grid, int bag,
                     double *scores)
{
    const double *tables = boost->tables;
    double intercept = boost->intercept;
    if (bag >= 0) {
        tables = boost->fold_tables + (size_t)bag * boost->offsets[boost->columns];
        intercept = boost->fold_intercepts[bag];
    }
    for (size_t i = 0; i < grid->rows; i++) {
        scores[i] += intercept;
    }
    for (size_t c = 0; c < grid->columns; c++) {
        const uint8_t *codes = learn_grid_column(grid, c);
        const double *table = tables + boost->offsets[c];
        for (size_t i = 0; i < grid->rows; i++) {
            scores[i] += table[codes[i]];
        }
    }
}

bool learn_boost_out_of_fold(const struct learn_boost *boost, const struct learn_grid *grid,
                             const uint8_t *folds, double *scores)
{
    double *bag_scores = malloc((grid->rows + 1) * sizeof *bag_scores);
    if (bag_scores == NULL) {
        return false;
    }
    for (unsigned k = 0; k < boost->folds; k++) {
        for (size_t i = 0; i < grid->rows; i++) {
            bag_scores[i] = 0.0;
        }
        learn_boost_add(boost, grid, (int)k, bag_scores);
        for (size_t i = 0; i < grid->rows; i++) {
            if (folds[i] == k) {
                scores[i] = bag_scores[i];
            }
        }
    }
    free(bag_scores);
    return true;
}
