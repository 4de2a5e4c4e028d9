/* SPDX-License-Identifier: Apache-2.0 */
/* A candidate is worth what it adds to those that were taken, by weights of rows; what was taken is
 * then held against rows that the search has never seen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/special.h"
#include "server/segment/segment_parts.h"

#define LEVEL 0.05

static double ln_choose(double n, double k)
{
    return math_lgamma(n + 1) - math_lgamma(k + 1) - math_lgamma(n - k + 1);
}

double segment_fisher(const struct segment_counts *all, const struct segment_counts *part)
{
    double n = (double)all->accounts;
    double k = (double)all->outcomes;
    double drawn = (double)part->accounts;
    double most = fmin(k, drawn);
    double sum = 0;
    double base = ln_choose(n, drawn);
    for (double x = (double)part->outcomes; x <= most; x++) {
        double term =
            drawn - x > n - k ? 0 : exp(ln_choose(k, x) + ln_choose(n - k, drawn - x) - base);
        sum += term;
        /* Beyond the middle terms only fall. */
        if (term < sum * 1e-16 && x > drawn * k / n) {
            break;
        }
    }
    return sum > 1 ? 1 : sum;
}

/* Σ w (y − p₀) over the candidate's rows, over the root of Σ w where purity counts. */
static double added(const struct segment_data *data, const uint64_t *rows, const uint8_t *covered,
                    double base, bool pure)
{
    double sum = 0;
    double weights = 0;
    for (size_t w = 0; w < data->words; w++) {
        for (uint64_t left = rows[w]; left != 0; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            double weight = 1 / (1.0 + covered[w * 64 + bit]);
            weights += weight;
            sum += weight * ((double)(data->outcomes[w] >> bit & 1) - base);
        }
    }
    return pure && weights > 0 ? sum / sqrt(weights) : sum;
}

static void cover(const struct segment_data *data, const uint64_t *rows, uint8_t *covered)
{
    for (size_t w = 0; w < data->words; w++) {
        for (uint64_t left = rows[w]; left != 0; left &= left - 1) {
            covered[w * 64 + (unsigned)__builtin_ctzll(left)]++;
        }
    }
}

/* The least share of its own quality that a candidate must add: below, it is another wording of
 * what was taken. */
#define ADDS_AT_LEAST 0.5

static void candidates_take(const struct segment_data *data, const struct segment_options *options,
                            const struct segment_found *candidates, size_t count, uint64_t *rows,
                            uint8_t *covered, struct segment_result *result)
{
    bool taken[SEGMENT_CANDIDATES] = {false};
    double base = (double)result->searched.outcomes / (double)result->searched.accounts;
    while (result->count < options->most) {
        size_t best = count;
        double most = 0;
        for (size_t i = 0; i < count; i++) {
            if (taken[i]) {
                continue;
            }
            unsigned whole = (1U << candidates[i].depth) - 1;
            (void)segment_gather(data, data->searched, &candidates[i], whole, rows);
            double adds = added(data, rows, covered, base, options->pure);
            if (adds > most && adds >= ADDS_AT_LEAST * candidates[i].quality) {
                best = i;
                most = adds;
            }
        }
        if (best == count) {
            return;
        }
        taken[best] = true;
        (void)segment_gather(data, data->searched, &candidates[best],
                             (1U << candidates[best].depth) - 1, rows);
        cover(data, rows, covered);
        result->found[result->count++] = candidates[best];
    }
}

bool segment_cover(const struct segment_data *data, const struct segment_options *options,
                   const struct segment_found *candidates, size_t count,
                   struct segment_result *result, struct proto_fault *fault)
{
    uint64_t *rows = calloc(data->words + 1, sizeof *rows);
    uint8_t *covered = calloc(64 * data->words + 1, sizeof *covered);
    bool ok = rows && covered;
    if (ok) {
        candidates_take(data, options, candidates, count, rows, covered, result);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to look for segments");
    }
    free(rows);
    free(covered);
    return ok;
}

/* The largest p of the comparisons with what it narrows. */
static void held_test(const struct segment_data *data, const uint64_t *held, uint64_t *rows,
                      const struct segment_counts *all, struct segment_found *found)
{
    unsigned whole = (1U << found->depth) - 1;
    found->held = segment_gather(data, held, found, whole, rows);
    found->p = segment_fisher(all, &found->held);
    for (unsigned which = 1; which < whole; which++) {
        struct segment_counts wider = segment_gather(data, held, found, which, rows);
        found->p = fmax(found->p, segment_fisher(&wider, &found->held));
    }
}

/* Holm: the smallest p is held against the level over all, the next against one fewer, until one
 * fails. */
static void holm(struct segment_result *result)
{
    for (size_t done = 0; done < result->count; done++) {
        struct segment_found *least = NULL;
        for (size_t i = 0; i < result->count; i++) {
            struct segment_found *found = &result->found[i];
            if (!found->confirmed && (!least || found->p < least->p)) {
                least = found;
            }
        }
        if (!least || least->p > LEVEL / (double)(result->count - done)) {
            return;
        }
        least->confirmed = true;
    }
}

bool segment_confirm(const struct segment_data *data, struct segment_result *result,
                     struct proto_fault *fault)
{
    uint64_t *held = calloc(data->words + 1, sizeof *held);
    uint64_t *rows = calloc(data->words + 1, sizeof *rows);
    if (!held || !rows) {
        free(held);
        free(rows);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to confirm segments");
    }
    for (size_t w = 0; w < data->words; w++) {
        size_t left = data->rows - w * 64;
        uint64_t there = left >= 64 ? UINT64_MAX : (UINT64_C(1) << left) - 1;
        held[w] = there & ~data->searched[w];
    }
    result->held = segment_count(data, held);
    for (size_t i = 0; i < result->count; i++) {
        held_test(data, held, rows, &result->held, &result->found[i]);
    }
    holm(result);
    free(held);
    free(rows);
    return true;
}

bool segment_mine(const struct segment_data *data, const struct segment_options *options,
                  struct segment_result *result, struct proto_fault *fault)
{
    struct segment_found candidates[SEGMENT_CANDIDATES];
    size_t count;
    *result = (struct segment_result){.searched = segment_count(data, data->searched)};
    return segment_search(data, options, candidates, SEGMENT_CANDIDATES, &count, &result->tried,
                          fault) &&
           segment_cover(data, options, candidates, count, result, fault) &&
           segment_confirm(data, result, fault);
}
