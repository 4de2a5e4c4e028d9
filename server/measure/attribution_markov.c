/* SPDX-License-Identifier: Apache-2.0 */
/* Removal effects from the inverse of I − Q, made in place by Gauss and Jordan, a few pivots at
 * once. A channel that no path leaves cannot be: every path ends in won or null. Memory can run
 * out, and who asked can give up between two blocks. */
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

/* Pivots that are swept together, so that the matrix goes through the cache a quarter as often. */
enum { BLOCK = 4 };

/* The inverse of a small matrix in place; false where a pivot is not positive. */
static bool block_invert(double d[BLOCK][BLOCK], uint32_t m)
{
    for (uint32_t k = 0; k < m; k++) {
        double pivot = d[k][k];
        if (!(pivot > 0)) {
            return false;
        }
        d[k][k] = 1;
        for (uint32_t j = 0; j < m; j++) {
            d[k][j] /= pivot;
        }
        for (uint32_t i = 0; i < m; i++) {
            double factor = d[i][k];
            if (i != k) {
                d[i][k] = 0;
                for (uint32_t j = 0; j < m; j++) {
                    d[i][j] -= factor * d[k][j];
                }
            }
        }
    }
    return true;
}

/* The rows of the block, times its inverse; its own columns become the inverse. */
static void block_scale(double *rows, uint32_t n, uint32_t k, uint32_t m,
                        const double d[BLOCK][BLOCK])
{
    for (uint32_t j = 0; j < n; j++) {
        double old[BLOCK];
        for (uint32_t b = 0; b < m; b++) {
            old[b] = rows[(size_t)b * n + j];
        }
        for (uint32_t b = 0; b < m; b++) {
            double sum = 0;
            for (uint32_t c = 0; c < m; c++) {
                sum += d[b][c] * old[c];
            }
            rows[(size_t)b * n + j] = j >= k && j < k + m ? d[b][j - k] : sum;
        }
    }
}

/* Another row, less what the block explains of it. */
static void row_sweep(double *restrict row, const double *restrict rows, uint32_t n, uint32_t k,
                      uint32_t m, const double d[BLOCK][BLOCK])
{
    double f[BLOCK] = {0, 0, 0, 0};
    const double *r[BLOCK] = {rows, rows, rows, rows};
    for (uint32_t b = 0; b < m; b++) {
        f[b] = row[k + b];
        r[b] = rows + (size_t)b * n;
    }
    if (f[0] == 0 && f[1] == 0 && f[2] == 0 && f[3] == 0) {
        return;
    }
    for (uint32_t j = 0; j < n; j++) {
        row[j] -= (f[0] * r[0][j] + f[1] * r[1][j]) + (f[2] * r[2][j] + f[3] * r[3][j]);
    }
    for (uint32_t b = 0; b < m; b++) {
        double sum = 0;
        for (uint32_t c = 0; c < m; c++) {
            sum += f[c] * d[c][b];
        }
        row[k + b] = -sum;
    }
}

/* The inverse in place. */
static bool invert(double *system, uint32_t n, const struct measure_pace *pace,
                   struct proto_fault *fault)
{
    for (uint32_t k = 0; k < n; k += BLOCK) {
        uint32_t m = n - k < BLOCK ? n - k : BLOCK;
        double *rows = system + (size_t)k * n;
        double d[BLOCK][BLOCK];
        if (!measure_goes_on(pace, fault)) {
            return false;
        }
        for (uint32_t b = 0; b < m; b++) {
            for (uint32_t c = 0; c < m; c++) {
                d[b][c] = rows[(size_t)b * n + k + c];
            }
        }
        if (!block_invert(d, m)) {
            return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                                   "there are channels that no journey leaves");
        }
        block_scale(rows, n, k, m, (const double(*)[BLOCK])d);
        for (uint32_t i = 0; i < n; i++) {
            if (i < k || i >= k + m) {
                row_sweep(system + (size_t)i * n, rows, n, k, m, (const double(*)[BLOCK])d);
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
