/* SPDX-License-Identifier: Apache-2.0 */
/* Credit for outcomes that were won, shared among the channels of the touches before them by seven
 * models side by side. No model is right: where they disagree, the figure is the model's and not
 * the market's, so the disagreement is part of the result, and so is the share of outcomes before
 * which nobody saw a touch. Not causal: credit says where touches stood, not what they did.
 *
 *   first, last  the whole to the first, the last touch
 *   linear       equal parts to the touches
 *   position     40 % first, 40 % last, 20 % shared between (n = 1: 100; n = 2: 50, 50)
 *   decay        2^(−days before the end / half-life), normed; not defined without times
 *   Markov       removal effect of the channel in the chain of order 1 from start to won or null:
 *                P = sᵀ N r, N = (I − Q)⁻¹; without channel k, P₋ₖ = P − (sᵀN)_k / N_kk · (N r)_k,
 *                for a chain reaches won either by k or without it; removal 1 − P₋ₖ / P. One LU of
 *                I − Q, which is an M-matrix: no pivots are needed and none is small by chance.
 *                With nulls P is the empirical rate; touches repeated in a row change nothing.
 *   Shapley      of v(S) = outcomes won whose channels all lie in S: in closed form each outcome
 *                gives each of its channels 1 / number of them
 *
 * By value each outcome counts its value; removal is of the chain of counts and shares it out.
 *
 * Shapes: channels below MEASURE_CHANNELS_MAX; paths are added one by one and not kept.
 * Ownership: measure_attribution_fini frees. Errors: LIMIT for too many channels, NO_EVIDENCE for
 * fewer outcomes with a touch than `least`, NO_MEMORY, what the pace says. Threads: pure. Cost:
 * some 20 ns a touch; n³ multiplications for n channels at the end (1,000: some .6 s).
 * Memory: 8 n² bytes, twice at the end. Source: Anderl et al. 2016 (removal effect); Shapley 1953;
 * Zhao et al. 2018 (closed form); docs/methods/attribution.md. */
#ifndef MEASURE_ATTRIBUTION_H
#define MEASURE_ATTRIBUTION_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

#define MEASURE_CHANNELS_MAX 1000

enum measure_model {
    MEASURE_MODEL_FIRST,
    MEASURE_MODEL_LAST,
    MEASURE_MODEL_LINEAR,
    MEASURE_MODEL_POSITION,
    MEASURE_MODEL_DECAY,
    MEASURE_MODEL_MARKOV,
    MEASURE_MODEL_SHAPLEY,
    MEASURE_MODELS
};

/* What happened so many times. */
struct measure_path {
    const uint32_t *channels; /* of the touches, in their order */
    const double *days;       /* of each touch before the end; NULL: not told */
    size_t count;
    double won;    /* how often it was won … */
    double weight; /* … and what all of these weigh: as many, or their value */
    double lost;   /* how often it was lost, or led to nothing */
};

struct measure_attribution {
    double half_life; /* in days; set before the first path */
    const struct measure_pace *pace;
    uint32_t channels; /* highest number seen + 1 */
    uint32_t room;
    double *credit[MEASURE_MODELS]; /* by channel; Markov's and removal from _solve */
    double *square;                 /* by channel: sum of the squares of Shapley's parts … */
    double *cross;                  /* … and of parts times weights */
    double *seen;                   /* by channel: outcomes won that have it */
    double *removal;
    uint32_t *mark;               /* by channel: the path that had it last */
    double *moves;                /* room × room, from row to column */
    double *begins;               /* from the start to the channel */
    double *wins;                 /* from the channel to won … */
    double *ends;                 /* … and to null */
    uint32_t path;                /* number of the path under way */
    double won, lost, weight;     /* of all, with and without touches */
    double unseen, unseen_weight; /* of those without */
    double squares;               /* sum over outcomes with a touch of weight² */
    double rate;                  /* P; from _solve */
    bool timed;                   /* every path told its days */
};

void measure_attribution_init(struct measure_attribution *attribution, double half_life,
                              const struct measure_pace *pace);
void measure_attribution_fini(struct measure_attribution *attribution);
bool measure_attribution_add(struct measure_attribution *attribution,
                             const struct measure_path *path, struct proto_fault *fault);
/* Leaves removal effects and Markov's credit. At least one outcome was won after a touch. */
bool measure_attribution_solve(struct measure_attribution *attribution, struct proto_fault *fault);

/* How far the models agree on the order of the channels: Kendall's W with ties, 0 to 1; NAN for
 * fewer than two channels or models. credit[model] may be NULL: it is not asked. */
double measure_models_concordance(double *const credit[MEASURE_MODELS], uint32_t channels);
/* Jensen and Shannon's divergence of the shares of two models, in bits: 0 the same, 1 nothing in
 * common. */
double measure_shares_divergence(const double *a, const double *b, uint32_t channels);

/* Unseen first, then W and the divergence of the two models that are furthest apart, then channels
 * by Shapley's credit. Solves. */
bool measure_attribution_table(struct measure_attribution *attribution, const char *const *names,
                               double least, struct measure_table *table,
                               struct proto_fault *fault);

#endif
