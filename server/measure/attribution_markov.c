/* SPDX-License-Identifier: Apache-2.0 */
/* Removal effects from the inverse of I − Q, made in place by Gauss and Jordan. A channel that no
 * path leaves cannot be: every path ends in won or null. Memory can run out, and who asked can give
 * up between two columns. */
#include <math.h>
#include <stdlib.h>

#include "server/measure/attribution.h"

/* I − Q: rows are what comes after a channel. Moves to itself stay in it. */
static void system_fill(const struct measure_attribution *a, double *system, double *wins)
{
    uint32_t n = a->channels;
    for (uint32_t i = 0; i < n; i++) {
        const double *moves = a->moves + (size_t)i * a->room;
        double total = a->wins[i] + a->ends[i];
        for (uint32_t j = 0; j < n; j++) {
            total += moves[j];
        }
        for (uint32_t j = 0; j < n; j++) {
            system[(size_t)i * n + j] = (i == j) - (total > 0 ? moves[j] / total : 0);
        }
        wins[i] = total > 0 ? a->wins[i] / total : 0;
    }
}

/* The inverse in place. */
static bool invert(double *system, uint32_t n, const struct measure_pace *pace,
                   struct proto_fault *fault)
{
    for (uint32_t k = 0; k < n; k++) {
        double *row = system + (size_t)k * n;
        double pivot = row[k];
        if (!measure_goes_on(pace, fault)) {
            return false;
        }
        if (!(pivot > 0)) {
            return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                                   "there are channels that no journey leaves");
        }
        row[k] = 1;
        for (uint32_t j = 0; j < n; j++) {
            row[j] /= pivot;
        }
        for (uint32_t i = 0; i < n; i++) {
            double *other = system + (size_t)i * n;
            double factor = other[k];
            if (i == k || factor == 0) {
                continue;
            }
            other[k] = 0;
            for (uint32_t j = 0; j < n; j++) {
                other[j] -= factor * row[j];
            }
        }
    }
    return true;
}

static void effects_fill(struct measure_attribution *a, const double *inverse, const double *wins)
{
    uint32_t n = a->channels;
    double began = 0;
    double effects = 0;
    for (uint32_t k = 0; k < n; k++) {
        began += a->begins[k];
    }
    a->rate = 0;
    for (uint32_t k = 0; k < n; k++) {
        double visits = 0;  /* (sᵀN)_k */
        double reaches = 0; /* (N r)_k */
        for (uint32_t i = 0; i < n; i++) {
            visits += a->begins[i] / began * inverse[(size_t)i * n + k];
            reaches += inverse[(size_t)k * n + i] * wins[i];
        }
        a->rate += visits * wins[k];
        a->removal[k] = visits / inverse[(size_t)k * n + k] * reaches;
    }
    for (uint32_t k = 0; k < n; k++) {
        a->removal[k] = a->rate > 0 ? fmin(a->removal[k] / a->rate, 1) : 0;
        effects += a->removal[k];
    }
    for (uint32_t k = 0; k < n; k++) {
        a->credit[MEASURE_MODEL_MARKOV][k] =
            effects > 0 ? (a->weight - a->unseen_weight) * a->removal[k] / effects : 0;
    }
}

bool measure_attribution_solve(struct measure_attribution *attribution, struct proto_fault *fault)
{
    uint32_t n = attribution->channels;
    double *system = calloc((size_t)n * n + 1, sizeof *system);
    double *wins = calloc((size_t)n + 1, sizeof *wins);
    bool good = system != NULL && wins != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u channels", n);
    } else {
        system_fill(attribution, system, wins);
        good = invert(system, n, attribution->pace, fault);
    }
    if (good) {
        effects_fill(attribution, system, wins);
    }
    free(system);
    free(wins);
    return good;
}
