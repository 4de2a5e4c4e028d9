/* SPDX-License-Identifier: Apache-2.0 */
/* Single columns first, cyclic and, where that leaves less loss out of fold, greedy; then pairs, if
 * what one half of the folds finds holds on the other, on what the columns leave; then the tables
 * are written down, calibrated, and the rows learned from become the reference. One exit frees
 * everything. */
#include "server/learn/fit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/assemble.h"
#include "server/learn/calibrate.h"
#include "server/math/order.h"
#include "server/math/portable.h"

/* Share of the loss by which greedy rounds must be better. */
#define GREEDY_MARGIN 0.001
/* Bags by number. */
#define GREEDY_FIRST ((1U << LEARN_GREEDY_BAGS) - 1)
#define EVEN_BAGS 0x5555U
#define ODD_BAGS 0xaaaaU

/* All that one fit holds, so that one exit frees it. */
struct fit_state {
    const struct learn_grid *grid;
    const struct learn_fit_options *options;
    uint8_t *folds;
    unsigned bags;
    struct learn_boost mains;
    bool greedy;
    double *scores; /* out of fold */
    double *starts; /* scores of every row by every bag: where the boosting of pairs starts */
    struct learn_pairs *pairs;
    struct learn_grid *cells;
    struct learn_boost pair_boost;
    unsigned pair_rounds; /* of both halves, after which rows not seen were told no better */
    struct proto_fault *fault;
};

struct stage_progress {
    const struct learn_fit_options *options;
    double from, share;
};

static bool on_stage(void *context, double done)
{
    const struct stage_progress *stage = context;
    const struct learn_fit_options *options = stage->options;
    return options->on_progress == NULL ||
           options->on_progress(options->progress_context, stage->from + stage->share * done);
}

static bool no_memory(struct fit_state *state)
{
    return proto_fault_set(state->fault, PROTO_NO_MEMORY, "", "no memory to learn from %zu rows",
                           state->grid->rows);
}

static struct learn_leaf_options leaf_options(void)
{
    return (struct learn_leaf_options){.rate = LEARN_RATE,
                                       .l2 = LEARN_L2,
                                       .l2_category = LEARN_L2_CATEGORY,
                                       .ridge = LEARN_RIDGE,
                                       .hessian_min = LEARN_HESSIAN_MIN,
                                       .leaves_max = LEARN_LEAVES_MAX};
}

static struct learn_boost_options boost_options(struct stage_progress *stage)
{
    return (struct learn_boost_options){
        .leaf = leaf_options(),
        .rounds_max = LEARN_ROUNDS_MAX,
        .patience = LEARN_PATIENCE,
        .threads = stage->options->threads,
        .on_progress = on_stage,
        .progress_context = stage,
    };
}

static double losses_sum(const struct learn_boost *boost, unsigned bags)
{
    double sum = 0.0;
    for (unsigned k = 0; k < bags; k++) {
        sum += boost->losses[k];
    }
    return sum;
}

/* Tries greedy rounds on a few bags, and takes them for all if they leave less loss out of fold. */
static bool greedy_try(struct fit_state *state, struct learn_boost_options *options)
{
    const struct learn_grid *grid = state->grid;
    struct learn_boost greedy = {0};
    if (grid->columns < LEARN_GREEDY_COLUMNS ||
        grid->rows > LEARN_GREEDY_ROWS_MAX * grid->columns) {
        return true;
    }
    options->steps = LEARN_GREEDY_STEPS;
    options->only = GREEDY_FIRST;
    bool ok =
        learn_boost_fit(grid, state->folds, state->bags, NULL, options, &greedy, state->fault);
    bool better = ok && losses_sum(&greedy, LEARN_GREEDY_BAGS) <
                            losses_sum(&state->mains, LEARN_GREEDY_BAGS) * (1.0 - GREEDY_MARGIN);
    learn_boost_fini(&greedy);
    if (better) {
        options->only = 0;
        ok = learn_boost_fit(grid, state->folds, state->bags, NULL, options, &greedy, state->fault);
        better = ok && losses_sum(&greedy, state->bags) < losses_sum(&state->mains, state->bags);
        if (better) {
            learn_boost_fini(&state->mains);
            state->mains = greedy;
            state->greedy = true;
        } else {
            learn_boost_fini(&greedy);
        }
    }
    return ok;
}

static bool mains_fit(struct fit_state *state)
{
    const struct learn_grid *grid = state->grid;
    struct stage_progress stage = {state->options, 0.0, state->options->pairs_max > 0 ? 0.7 : 0.9};
    struct learn_boost_options options = boost_options(&stage);
    state->folds = malloc(grid->rows + 1);
    state->scores = calloc(grid->rows + 1, sizeof *state->scores);
    if (state->folds == NULL || state->scores == NULL ||
        !learn_split_folds(state->options->rows, state->bags, state->options->seed, state->folds)) {
        return no_memory(state);
    }
    if (!learn_boost_fit(grid, state->folds, state->bags, NULL, &options, &state->mains,
                         state->fault)) {
        return false;
    }
    stage.from = stage.share;
    stage.share = 0.1;
    if (!greedy_try(state, &options)) {
        return false;
    }
    return learn_boost_out_of_fold(&state->mains, grid, state->folds, state->scores) ||
           no_memory(state);
}

/* Mean size of what each column adds. */
static void importance_measure(const struct fit_state *state, double *importance)
{
    const struct learn_grid *grid = state->grid;
    for (size_t c = 0; c < grid->columns; c++) {
        const uint8_t *codes = learn_grid_column(grid, c);
        const double *table = state->mains.tables + state->mains.offsets[c];
        importance[c] = 0.0;
        for (size_t i = 0; i < grid->rows; i++) {
            importance[c] += fabs(table[codes[i]]);
        }
    }
}

/* Pairs stay if the loss out of fold falls by more than two standard errors of the difference, row
 * by row; when the bags stop has looked at the same rows, so one would be too little. */
static bool pairs_earn(const struct fit_state *state, const double *with_pairs)
{
    const struct learn_grid *grid = state->grid;
    double sum = 0.0;
    double squares = 0.0;
    double n = (double)grid->rows;
    for (size_t i = 0; i < grid->rows; i++) {
        double gain = math_logistic_loss(state->scores[i], grid->labels[i]) -
                      math_logistic_loss(with_pairs[i], grid->labels[i]);
        sum += gain;
        squares += gain * gain;
    }
    double mean = sum / n;
    double variance = squares / n - mean * mean;
    return mean > 2.0 * sqrt((variance > 0.0 ? variance : 0.0) / n) && mean > 0.0;
}

static double *starts_make(const struct fit_state *state)
{
    size_t rows = state->grid->rows;
    double *starts = calloc(rows * state->bags + 1, sizeof *starts);
    for (unsigned k = 0; starts != NULL && k < state->bags; k++) {
        learn_boost_add(&state->mains, state->grid, (int)k, starts + k * rows);
    }
    return starts;
}

/* Boosts the pairs on what the columns leave, by the bags that `only` names. */
static bool pairs_boost(struct fit_state *state, uint32_t only, unsigned rounds,
                        struct stage_progress *stage)
{
    struct learn_boost_options options = boost_options(stage);
    options.rounds_max = rounds;
    options.only = only;
    options.steps = LEARN_PAIR_STEPS;
    learn_grid_destroy(state->cells);
    learn_boost_fini(&state->pair_boost);
    state->cells = learn_pairs_grid(state->grid, state->pairs);
    if (state->cells == NULL) {
        return no_memory(state);
    }
    return learn_boost_fit(state->cells, state->folds, state->bags, state->starts, &options,
                           &state->pair_boost, state->fault);
}

static bool pairs_find(struct fit_state *state, const double *importance, const uint8_t *half,
                       uint8_t side)
{
    const struct learn_leaf_options leaf = leaf_options();
    struct learn_pair_rows rows = {state->scores, half, side};
    return learn_pairs_find(state->grid, importance, &rows, &leaf, state->options->pairs_max,
                            state->pairs) ||
           no_memory(state);
}

/* Adds to crossed what pairs say of rows that they were neither found nor boosted by: found in the
 * folds of one half, they are boosted by the bags that leave a fold of the other half out. */
static bool pairs_cross(struct fit_state *state, const double *importance, uint8_t *half,
                        double *crossed)
{
    size_t rows = state->grid->rows;
    double *parts = calloc(rows + 1, sizeof *parts);
    if (parts == NULL) {
        return no_memory(state);
    }
    bool ok = true;
    for (size_t i = 0; i < rows; i++) {
        half[i] = state->folds[i] % 2;
        crossed[i] = state->scores[i];
    }
    for (uint8_t side = 0; ok && side < 2; side++) {
        struct stage_progress stage = {state->options, 0.8 + 0.05 * side, 0.05};
        state->pair_boost.rounds = 0;
        ok = pairs_find(state, importance, half, side);
        if (ok && state->pairs->count > 0) {
            ok = pairs_boost(state, side == 0 ? ODD_BAGS : EVEN_BAGS, LEARN_ROUNDS_MAX, &stage) &&
                 (learn_boost_out_of_fold(&state->pair_boost, state->cells, state->folds, parts) ||
                  no_memory(state));
            for (size_t i = 0; ok && i < rows; i++) {
                crossed[i] += half[i] == side ? 0.0 : parts[i];
            }
        }
        state->pair_rounds += state->pair_boost.rounds;
    }
    free(parts);
    return ok;
}

/* Pairs as many as were asked for, if pairs found and boosted likewise say more of rows that they
 * had not seen; then what those said of them stays as their score out of fold. Found by all rows
 * they look better than they are on each of them, so that their rounds are those of the halves. */
static bool pairs_fit(struct fit_state *state)
{
    size_t rows = state->grid->rows;
    struct stage_progress stage = {state->options, 0.9, 0.1};
    double *importance = calloc(state->grid->columns + 1, sizeof *importance);
    double *crossed = calloc(rows + 1, sizeof *crossed);
    uint8_t *half = malloc(rows + 1);
    state->pairs = calloc(1, sizeof *state->pairs);
    state->starts = starts_make(state);
    bool ok = importance != NULL && crossed != NULL && half != NULL && state->pairs != NULL &&
              state->starts != NULL;
    if (!ok) {
        no_memory(state);
    } else {
        importance_measure(state, importance);
        ok = pairs_cross(state, importance, half, crossed);
    }
    if (ok && pairs_earn(state, crossed)) {
        ok = pairs_find(state, importance, NULL, 0) &&
             (state->pairs->count == 0 ||
              pairs_boost(state, 0, (state->pair_rounds + 1) / 2, &stage));
        if (ok && state->pairs->count > 0) {
            memcpy(state->scores, crossed, rows * sizeof *crossed);
        }
    } else if (ok) {
        state->pairs->count = 0;
    }
    free(importance);
    free(crossed);
    free(half);
    return ok;
}

/* Freezes what "fit" compares with: the raw scores of the rows that were learned from. */
static bool reference_freeze(const struct learn_grid *grid, struct model_scorecard *scorecard)
{
    int64_t *raw = malloc((grid->rows + 1) * sizeof *raw);
    if (raw == NULL) {
        return false;
    }
    for (size_t i = 0; i < grid->rows; i++) {
        raw[i] = scorecard->intercept;
    }
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        const int32_t *table = scorecard->tables + term->table_offset;
        const uint8_t *a = learn_grid_column(grid, term->column_a);
        const uint8_t *b =
            term->column_b == MODEL_NO_COLUMN ? NULL : learn_grid_column(grid, term->column_b);
        for (size_t i = 0; i < grid->rows; i++) {
            raw[i] += table[b == NULL ? a[i] : (size_t)a[i] * term->bins_b + b[i]];
        }
    }
    math_sort_i64(raw, grid->rows);
    for (unsigned i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        scorecard->reference[i] = math_quantile_i64(raw, grid->rows, i, MODEL_REFERENCE_POINTS - 1);
    }
    free(raw);
    return true;
}

static bool out_of_fold_measure(const struct fit_state *state, struct math_auc *auc)
{
    const struct learn_split_rows *rows = state->options->rows;
    uint32_t *order = math_order_create(state->scores, state->grid->rows);
    bool ok =
        order != NULL && math_auc_grouped(state->scores, state->grid->labels, order,
                                          state->grid->rows, rows->groups, rows->group_count, auc);
    free(order);
    return ok;
}

/* Adds to squares the squared distance of what each bag but the row's own says from their mean.
 * sums and squares by row, zero on entry. */
static void bags_sum(const struct fit_state *state, double *bag_scores, double *sums,
                     double *squares)
{
    size_t rows = state->grid->rows;
    bool pairs = state->pairs != NULL && state->pairs->count > 0;
    for (unsigned k = 0; k < state->bags; k++) {
        memset(bag_scores, 0, rows * sizeof *bag_scores);
        learn_boost_add(&state->mains, state->grid, (int)k, bag_scores);
        if (pairs) {
            learn_boost_add(&state->pair_boost, state->cells, (int)k, bag_scores);
        }
        for (size_t i = 0; i < rows; i++) {
            if (state->folds[i] != k) {
                sums[i] += bag_scores[i];
                squares[i] += bag_scores[i] * bag_scores[i];
            }
        }
    }
}

/* How much one bag scatters about the mean of all: the variance between bags that have all seen a
 * row, mean over the rows, less the part that the mean itself moves by. */
static bool scatter_measure(const struct fit_state *state, double *scatter)
{
    size_t rows = state->grid->rows;
    double *parts = calloc(3 * rows + 1, sizeof *parts);
    if (parts == NULL) {
        return false;
    }
    bags_sum(state, parts, parts + rows, parts + 2 * rows);
    double total = 0.0;
    double n = (double)state->bags - 1.0;
    for (size_t i = 0; i < rows; i++) {
        double mean = parts[rows + i] / n;
        total += fmax(parts[2 * rows + i] - n * mean * mean, 0.0) / (n - 1.0);
    }
    *scatter = total / (double)rows * (1.0 - 1.0 / state->bags);
    free(parts);
    return true;
}

static bool scorecard_finish(struct fit_state *state, struct learn_fit *fit)
{
    size_t pairs = state->pairs == NULL ? 0 : state->pairs->count;
    assert(state->bags >= 2);
    struct model_scorecard *scorecard = learn_assemble(
        state->grid, &state->mains, pairs == 0 ? NULL : state->pairs, &state->pair_boost);
    if (scorecard == NULL) {
        return no_memory(state);
    }
    double scatter = 0.0;
    if (!scatter_measure(state, &scatter)) {
        model_destroy(scorecard);
        return no_memory(state);
    }
    learn_calibrate(state->scores, state->grid->labels, state->grid->rows, scatter, scorecard);
    scorecard->grades = (struct model_grades){90.0, 70.0, 40.0};
    if (!reference_freeze(state->grid, scorecard)) {
        model_destroy(scorecard);
        return no_memory(state);
    }
    if (!model_seal(scorecard, state->options->codebook, state->fault)) {
        model_destroy(scorecard);
        return false;
    }
    *fit = (struct learn_fit){.scorecard = scorecard,
                              .rounds = state->mains.rounds,
                              .pairs = (unsigned)pairs,
                              .bags = state->bags,
                              .greedy = state->greedy};
    if (!out_of_fold_measure(state, &fit->out_of_fold)) {
        model_destroy(scorecard);
        fit->scorecard = NULL;
        return no_memory(state);
    }
    return true;
}

bool learn_fit_run(const struct learn_grid *grid, const struct learn_fit_options *options,
                   struct learn_fit *fit, struct proto_fault *fault)
{
    struct fit_state state = {.grid = grid,
                              .options = options,
                              .bags =
                                  grid->rows < LEARN_MANY_ROWS ? LEARN_BAGS : LEARN_BAGS_OF_MANY,
                              .fault = fault};
    bool ok = mains_fit(&state) && (options->pairs_max == 0 || pairs_fit(&state)) &&
              scorecard_finish(&state, fit);
    learn_boost_fini(&state.mains);
    learn_boost_fini(&state.pair_boost);
    learn_grid_destroy(state.cells);
    free(state.pairs);
    free(state.folds);
    free(state.scores);
    free(state.starts);
    return ok;
}
