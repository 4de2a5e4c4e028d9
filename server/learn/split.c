/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/split.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/random.h"

/* Streams of one seed, so that the held-out part and the folds are drawn independently. */
enum split_stream { STREAM_HELD_OUT = 1, STREAM_FOLDS = 2 };

/* What is drawn: rows, or groups of rows. A group counts as positive if most of its rows are. */
struct units {
    size_t count;
    uint32_t *order; /* shuffled: negatives first, then positives */
    size_t negatives;
};

static bool unit_labels(const struct learn_split_rows *rows, size_t count, uint8_t *labels)
{
    if (rows->groups == NULL) {
        for (size_t i = 0; i < count; i++) {
            labels[i] = rows->labels[i];
        }
        return true;
    }
    int64_t *balance = calloc(count + 1, sizeof *balance);
    if (balance == NULL) {
        return false;
    }
    for (size_t i = 0; i < rows->rows; i++) {
        balance[rows->groups[i]] += rows->labels[i] != 0 ? 1 : -1;
    }
    for (size_t g = 0; g < count; g++) {
        labels[g] = balance[g] > 0;
    }
    free(balance);
    return true;
}

static bool units_draw(const struct learn_split_rows *rows, uint64_t seed, enum split_stream stream,
                       struct units *units)
{
    size_t count = rows->groups == NULL ? rows->rows : rows->group_count;
    uint8_t *labels = malloc(count + 1);
    *units = (struct units){.count = count, .order = malloc((count + 1) * sizeof *units->order)};
    bool ok = labels != NULL && units->order != NULL && unit_labels(rows, count, labels);
    if (ok) {
        size_t at = 0;
        for (unsigned class = 0; class < 2; class ++) {
            for (size_t i = 0; i < count; i++) {
                if (labels[i] == class) {
                    units->order[at++] = (uint32_t)i;
                }
            }
            units->negatives = class == 0 ? at : units->negatives;
        }
        struct math_random random;
        math_random_init_part(&random, seed, stream);
        math_random_shuffle(&random, units->order, units->negatives);
        math_random_shuffle(&random, units->order + units->negatives, count - units->negatives);
    } else {
        free(units->order);
        units->order = NULL;
    }
    free(labels);
    return ok;
}

static uint32_t unit_of(const struct learn_split_rows *rows, size_t row)
{
    return rows->groups == NULL ? (uint32_t)row : rows->groups[row];
}

bool learn_split_random(const struct learn_split_rows *rows, double share, uint64_t seed,
                        bool *held_out)
{
    struct units units;
    if (!units_draw(rows, seed, STREAM_HELD_OUT, &units)) {
        return false;
    }
    bool *drawn = calloc(units.count + 1, sizeof *drawn);
    if (drawn != NULL) {
        size_t positives = units.count - units.negatives;
        size_t from_negatives = (size_t)floor(share * (double)units.negatives + 0.5);
        size_t from_positives = (size_t)floor(share * (double)positives + 0.5);
        for (size_t i = 0; i < from_negatives; i++) {
            drawn[units.order[i]] = true;
        }
        for (size_t i = 0; i < from_positives; i++) {
            drawn[units.order[units.negatives + i]] = true;
        }
        for (size_t i = 0; i < rows->rows; i++) {
            held_out[i] = drawn[unit_of(rows, i)];
        }
    }
    free(units.order);
    free(drawn);
    return drawn != NULL;
}

bool learn_split_folds(const struct learn_split_rows *rows, unsigned fold_count, uint64_t seed,
                       uint8_t *folds)
{
    struct units units;
    if (!units_draw(rows, seed, STREAM_FOLDS, &units)) {
        return false;
    }
    uint8_t *fold_of = calloc(units.count + 1, 1);
    if (fold_of != NULL) {
        /* Dealt like cards, negatives and positives in one run: sizes differ by one at most. */
        for (size_t i = 0; i < units.count; i++) {
            fold_of[units.order[i]] = (uint8_t)(i % fold_count);
        }
        for (size_t i = 0; i < rows->rows; i++) {
            folds[i] = fold_of[unit_of(rows, i)];
        }
    }
    free(units.order);
    free(fold_of);
    return fold_of != NULL;
}

bool learn_split_time(const double *times, size_t rows, double share, bool *held_out)
{
    double *known = calloc(rows + 1, sizeof *known);
    uint32_t *order = NULL;
    size_t count = 0;
    for (size_t i = 0; known != NULL && i < rows; i++) {
        held_out[i] = false;
        if (isfinite(times[i])) {
            known[count++] = times[i];
        }
    }
    if (known != NULL) {
        order = math_order_create(known, count);
    }
    if (order != NULL && count > 0) {
        size_t cut = count - (size_t)floor(share * (double)count + 0.5);
        double last_learned = known[order[cut > 0 ? cut - 1 : 0]];
        for (size_t i = 0; i < rows; i++) {
            held_out[i] = isfinite(times[i]) && times[i] > last_learned;
        }
    }
    bool ok = known != NULL && order != NULL;
    free(order);
    free(known);
    return ok;
}

bool learn_split_pass_known(const struct learn_split_rows *rows, const bool *held_out, bool *passed,
                            size_t *count)
{
    bool *known = calloc(rows->group_count + 1, sizeof *known);
    *count = 0;
    for (size_t i = 0; known != NULL && i < rows->rows; i++) {
        known[rows->groups[i]] |= !held_out[i];
    }
    for (size_t i = 0; known != NULL && i < rows->rows; i++) {
        passed[i] = held_out[i] && known[rows->groups[i]];
        *count += passed[i];
    }
    free(known);
    return known != NULL;
}
