/* SPDX-License-Identifier: Apache-2.0 */
/* All bags go a few rounds, their losses are added up, and where the sum was least all of them
 * stop.
 */
#include "server/learn/boost.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/boost_bag.h"
#include "server/learn/crew.h"

/* Share of the loss that must go while patience lasts: of 100,000 rows left out, less would be a
 * third of a natural unit of likelihood in all, and rounds would go on for hundreds. */
#define GAIN_LEAST 1e-5
/* Rounds that each bag goes before the losses are looked at. */
#define TURN 4
#define HALF_LEFT 100

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

/* One fit, shared by the threads that its bags run on. */
struct fitting {
    const struct learn_boost_options *options;
    struct learn_boost *boost;
    unsigned bags;
    unsigned folds[LEARN_FOLDS_MAX]; /* that each leaves out */
    struct learn_bag told[LEARN_FOLDS_MAX];
    struct learn_bag_work *works[LEARN_FOLDS_MAX];
    double losses[LEARN_FOLDS_MAX]; /* as they are */
    unsigned turn;                  /* rounds that each bag goes next */
};

static void bag_begin(void *context, size_t k, bool own)
{
    (void)own;
    struct fitting *fitting = context;
    fitting->works[k] = learn_bag_begin(&fitting->told[k]);
    if (fitting->works[k] != NULL) {
        fitting->losses[k] = learn_bag_loss(fitting->works[k]);
    }
}

static void bag_go(void *context, size_t k, bool own)
{
    (void)own;
    struct fitting *fitting = context;
    learn_bag_go(fitting->works[k], fitting->turn);
    fitting->losses[k] = learn_bag_loss(fitting->works[k]);
}

static double losses_sum(const struct fitting *fitting)
{
    double sum = 0.0;
    for (unsigned k = 0; k < fitting->bags; k++) {
        sum += fitting->losses[k];
    }
    return sum;
}

/* Takes down where the bags stand. */
static void bags_keep(struct fitting *fitting, unsigned round)
{
    struct learn_boost *boost = fitting->boost;
    size_t entries = boost->offsets[boost->columns];
    for (unsigned k = 0; k < fitting->bags; k++) {
        unsigned fold = fitting->folds[k];
        memcpy(boost->fold_tables + fold * entries, learn_bag_tables(fitting->works[k]),
               entries * sizeof *boost->fold_tables);
        boost->fold_intercepts[fold] = learn_bag_intercept(fitting->works[k]);
        boost->losses[fold] = fitting->losses[k];
    }
    boost->rounds = round;
}

static void bags_average(struct fitting *fitting)
{
    struct learn_boost *boost = fitting->boost;
    size_t entries = boost->offsets[boost->columns];
    double n = (double)fitting->bags;
    for (unsigned k = 0; k < fitting->bags; k++) {
        unsigned fold = fitting->folds[k];
        boost->intercept += boost->fold_intercepts[fold] / n;
        for (size_t e = 0; e < entries; e++) {
            boost->tables[e] += boost->fold_tables[fold * entries + e] / n;
        }
    }
}

static bool bags_begin(struct fitting *fitting, const struct learn_grid *grid, const uint8_t *folds,
                       const double *start)
{
    bool ok = true;
    uint32_t only = fitting->options->only;
    for (unsigned k = 0; k < fitting->boost->folds; k++) {
        if (only == 0 || (only >> k & 1) != 0) {
            fitting->folds[fitting->bags++] = k;
        }
    }
    for (unsigned k = 0; k < fitting->bags; k++) {
        unsigned fold = fitting->folds[k];
        fitting->told[k] =
            (struct learn_bag){.grid = grid,
                               .folds = folds,
                               .fold = fold,
                               .start = start == NULL ? NULL : start + fold * grid->rows,
                               .offsets = fitting->boost->offsets,
                               .options = fitting->options};
    }
    learn_crew_run(fitting->options->threads, fitting->bags, bag_begin, fitting);
    for (unsigned k = 0; k < fitting->bags; k++) {
        ok = ok && fitting->works[k] != NULL;
    }
    return ok;
}

/* How far it is, told beforehand of what ends nobody knows when: of what is left, half each
 * HALF_LEFT rounds. */
static bool progress(const struct learn_boost_options *options, unsigned round)
{
    return options->on_progress == NULL ||
           options->on_progress(options->progress_context,
                                (double)round / (double)(round + HALF_LEFT));
}

/* Turns of all bags until their loss in sum has not fallen for as long as patience lasts. */
static bool bags_run(struct fitting *fitting, struct proto_fault *fault)
{
    const struct learn_boost_options *options = fitting->options;
    double best = losses_sum(fitting);
    double told = best; /* when patience began */
    unsigned since = 0;
    bags_keep(fitting, 0);
    for (unsigned round = 0; round < options->rounds_max && round - since < options->patience;) {
        unsigned left = options->rounds_max - round;
        fitting->turn = left < TURN ? left : TURN;
        learn_crew_run(options->threads, fitting->bags, bag_go, fitting);
        round += fitting->turn;
        double now = losses_sum(fitting);
        if (now < best) {
            best = now;
            bags_keep(fitting, round);
        }
        if (now < told * (1.0 - GAIN_LEAST)) {
            told = now;
            since = round;
        }
        if (!progress(options, round)) {
            return proto_fault_set(fault, PROTO_CANCELLED, "", "learning was cancelled");
        }
    }
    return true;
}

bool learn_boost_fit(const struct learn_grid *grid, const uint8_t *folds, unsigned fold_count,
                     const double *start, const struct learn_boost_options *options,
                     struct learn_boost *boost, struct proto_fault *fault)
{
    assert(fold_count >= 2 && fold_count <= LEARN_FOLDS_MAX);
    struct fitting fitting = {.options = options, .boost = boost};
    bool ok = boost_init(boost, grid, fold_count) && bags_begin(&fitting, grid, folds, start);
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "",
                        "no memory to learn from %zu rows of %zu columns", grid->rows,
                        grid->columns);
    } else {
        ok = bags_run(&fitting, fault);
    }
    for (unsigned k = 0; k < fitting.bags; k++) {
        learn_bag_end(fitting.works[k]);
    }
    if (ok) {
        bags_average(&fitting);
    } else {
        learn_boost_fini(boost);
    }
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
