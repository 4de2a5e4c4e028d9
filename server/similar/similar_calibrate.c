/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recall target costs. After a build, stored vectors are asked for their neighbours (not
 * counting themselves), exactly and approximately; each target gets the cheapest setting that
 * reaches it, and hardly more. Cost is counted work in fixed weights, not time, so that the same
 * data gives the same settings everywhere.
 *
 * A setting has three parts: lists at most, how far a list may be, and the width of the 1-bit
 * bound. For each width a search of many lists says which share of neighbours the codes lose. The
 * lists have to hold the target divided by the rest: for several numbers of lists the distance
 * that holds just so many follows from the needs of the neighbours (similar_trial.h), and with it
 * the cost. The cheapest are searched with, and corrected by what they miss or overshoot. Whether
 * lists hold a neighbour varies much from query to query and is known of many samples; what codes
 * lose varies little, and is found by searching with some of these.
 *
 * Depth is how far down the order of all vectors an answer reaches: k, or k divided by the share
 * that a filter lets through. It is measured at 10 and 100 (k = 10 and 100) and at 1,000 (k = 10
 * among a random hundredth); similar_setting.c has what lies between.
 *
 * Assumptions: queries look like stored vectors, and a filter has little to do with distance.
 * Where that is not so, similar_recall measures.
 */
#include "server/similar/similar_trial.h"

#include <math.h>
#include <string.h>

enum { FEWEST_VECTORS = 2000, CORRECTIONS = 3 };

static const struct similar_level LEVELS[SIMILAR_LEVELS] = {
    {10, 1024, 256, 1, 2}, {100, 128, 32, 1, 1}, {10, 256, 128, 100, 1}};

static const float TARGETS[SIMILAR_TARGETS] = {0.9f, 0.95f, 0.975f, 0.99f, 0.995f, 0.999f};
static const float EPSILONS[] = {0.5f, 0.65f, 0.8f, 1.0f, 1.3f, 1.7f};
/* Lists at most, against the number that would do without a stop by distance. */
static const double WIDER[] = {1, 1.5, 2, 3, 4, 6, 8, 16};
enum { WIDTHS = sizeof EPSILONS / sizeof *EPSILONS, CAPS = sizeof WIDER / sizeof *WIDER };

/* What one width of the bound lets through, and what its int8 candidates cost. */
struct width {
    float epsilon;
    double kept;
    double cost;
};

struct fitting {
    struct similar_trial trial;
    struct width widths[WIDTHS];
};

/* The cheapest setting of one width whose lists hold `share` of the neighbours. */
static struct similar_setting setting_solve(const struct similar_trial *trial, float epsilon,
                                            double share, double *cost)
{
    struct similar_setting best = {.epsilon = epsilon};
    uint32_t plain = similar_trial_probes(trial, share);
    *cost = (double)INFINITY;
    for (uint32_t c = 0; c < CAPS; c++) {
        bool stops = WIDER[c] > 1;
        double wide = ceil(plain * WIDER[c]);
        uint32_t probes = wide < trial->lists_most ? (uint32_t)wide : trial->lists_most;
        float margin = stops ? similar_trial_margin(trial, probes, share) : 0.0f;
        if (stops && (trial->set->space.metric == SIMILAR_DOT || !(margin < INFINITY))) {
            continue;
        }
        /* No stop at all is written as 0. */
        margin = stops ? fmaxf(margin, 1e-6f) : 0.0f;
        double own = similar_trial_cost(trial, probes, margin);
        if (own < *cost) {
            *cost = own;
            best.probes = probes;
            best.margin = margin;
        }
    }
    return best;
}

/* Of what the lists of a setting hold, the share that a search with it finds. */
static double share_kept(const struct similar_trial *trial, const struct similar_setting *setting,
                         const struct similar_outcome *outcome)
{
    double held = similar_trial_held(trial, trial->searched, setting->probes, setting->margin);
    return held > 0 ? outcome->recall / held : 1;
}

/* What each width loses among many lists. */
static void widths_measure(struct fitting *fitting)
{
    struct similar_trial *trial = &fitting->trial;
    double ignored;
    for (uint32_t e = 0; e < WIDTHS; e++) {
        struct similar_setting setting = setting_solve(trial, EPSILONS[e], 0.97, &ignored);
        struct similar_outcome outcome = similar_trial_run(trial, &setting);
        fitting->widths[e] = (struct width){
            .epsilon = EPSILONS[e],
            .kept = fmin(share_kept(trial, &setting, &outcome), 1),
            .cost = SIMILAR_COST_BYTE * outcome.bytes,
        };
    }
}

/* All widths, the one that promises to reach a target most cheaply first. */
static void widths_order(const struct fitting *fitting, double target,
                         const struct width *order[WIDTHS])
{
    double costs[WIDTHS];
    for (uint32_t e = 0; e < WIDTHS; e++) {
        const struct width *width = &fitting->widths[e];
        double cost;
        double share = target / width->kept;
        (void)setting_solve(&fitting->trial, width->epsilon, fmin(share, 1), &cost);
        /* A width that loses too much whatever the lists hold comes last. */
        cost += width->cost + (share > 1 ? 1e12 : 0);
        uint32_t at = e;
        for (; at > 0 && costs[at - 1] > cost; at--) {
            costs[at] = costs[at - 1];
            order[at] = order[at - 1];
        }
        costs[at] = cost;
        order[at] = width;
    }
}

/*
 * Searches with one width, and moves the lists until the target is just reached. False if it
 * cannot be.
 */
static bool width_fit(struct fitting *fitting, const struct width *width, double target,
                      struct similar_setting *best, double *best_cost)
{
    struct similar_trial *trial = &fitting->trial;
    double aim = similar_trial_aim(target, trial->need_count);
    double share = fmin(aim / width->kept, 1);
    bool reached = false;
    for (uint32_t i = 0; i < CORRECTIONS; i++) {
        double ignored;
        struct similar_setting setting = setting_solve(trial, width->epsilon, share, &ignored);
        struct similar_outcome outcome = similar_trial_run(trial, &setting);
        double recall = share_kept(trial, &setting, &outcome) *
                        similar_trial_held(trial, trial->count, setting.probes, setting.margin);
        reached = reached || recall >= aim;
        if (recall >= aim && outcome.cost < *best_cost) {
            setting.target = (float)target;
            setting.measured = (float)fmin(recall, 1);
            setting.depth = best->depth;
            *best = setting;
            *best_cost = outcome.cost;
        }
        if (recall < aim && share >= 1) {
            break;
        }
        /* What is missed, of lists and codes together, shrinks or grows by the same factor. */
        double factor = (1 - aim) / fmax(1 - recall, 0.1 * (1 - aim));
        double next = fmin(1 - (1 - share) * factor, 1);
        if (fabs(recall - aim) < 0.1 * (1 - aim) && recall >= aim) {
            break;
        }
        share = next;
    }
    return reached;
}

static enum similar_status level_calibrate(struct similar_set *set,
                                           const struct similar_level *level,
                                           struct similar_setting *settings)
{
    struct fitting fitting;
    enum similar_status status = similar_trial_init(set, level, &fitting.trial);
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        settings[t] =
            (struct similar_setting){.target = TARGETS[t], .depth = level->k * level->one_of};
    }
    if (status == SIMILAR_OK && fitting.trial.need_count > 0) {
        widths_measure(&fitting);
        for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
            const struct width *order[WIDTHS];
            double cost = (double)INFINITY;
            double target = (double)TARGETS[t];
            uint32_t fitted = 0;
            if (similar_trial_held(&fitting.trial, fitting.trial.count, fitting.trial.lists_most,
                                   0) < similar_trial_aim(target, fitting.trial.need_count)) {
                break; /* half of the lists are too few: the exact scan is the answer */
            }
            widths_order(&fitting, similar_trial_aim(target, fitting.trial.need_count), order);
            for (uint32_t i = 0; i < WIDTHS && fitted < level->fitted; i++) {
                fitted += width_fit(&fitting, order[i], target, &settings[t], &cost);
            }
            if (fitted == 0) {
                break; /* nor is a higher target within reach */
            }
        }
    }
    similar_trial_fini(&fitting.trial);
    return status;
}

enum similar_status similar_calibrate(struct similar_set *set)
{
    memset(set->settings, 0, sizeof set->settings);
    if (set->list_count < 4 || set->count < FEWEST_VECTORS) {
        return SIMILAR_OK;
    }
    enum similar_status status = SIMILAR_OK;
    for (uint32_t l = 0; l < SIMILAR_LEVELS && status == SIMILAR_OK; l++) {
        status = level_calibrate(set, &LEVELS[l], set->settings[l]);
    }
    return status;
}
