/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/weights.h"

#include <math.h>
#include <stdlib.h>

static int weight_order(const void *x, const void *y)
{
    const struct learn_field_weight *a = x;
    const struct learn_field_weight *b = y;
    if (a->importance != b->importance) {
        return a->importance > b->importance ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/* What each checked field adds to the score of one row, pairs in halves. */
static void row_add(const struct model_scorecard *scorecard, const int32_t *parts,
                    const size_t *slot_of_column, double *sums)
{
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        bool pair = term->column_b != MODEL_NO_COLUMN;
        double part = (double)parts[t] * (pair ? 0.5e-6 : 1e-6);
        sums[slot_of_column[term->column_a]] += part;
        if (pair) {
            sums[slot_of_column[term->column_b]] += part;
        }
    }
}

static size_t slot_find(const struct learn_field_weight *weights, size_t used, const char *name)
{
    size_t slot = 0;
    while (slot + 1 < used && strcmp(weights[slot].name, name) != 0) {
        slot++;
    }
    return slot;
}

static void rows_add(const struct learn_block *block, const struct model_scorecard *scorecard,
                     const size_t *slot_of_column, int32_t *parts, double *sums,
                     struct learn_field_weight *weights, size_t used)
{
    for (size_t i = 0; i < block->grid->rows; i++) {
        memset(sums, 0, used * sizeof *sums);
        model_contributions(scorecard, block->codes + i * block->codebook->row_bytes, parts);
        row_add(scorecard, parts, slot_of_column, sums);
        for (size_t f = 0; f < used; f++) {
            weights[f].importance += fabs(sums[f]) / (double)block->grid->rows;
        }
    }
}

bool learn_weights_measure(const struct learn_block *block, const struct model_scorecard *scorecard,
                           const struct learn_field_report *checked, size_t checked_count,
                           struct learn_field_weight *weights, size_t *used,
                           struct proto_fault *fault)
{
    const struct feature_codebook *codebook = block->codebook;
    size_t *slot_of_column = calloc(codebook->column_count + 1, sizeof *slot_of_column);
    double *sums = calloc(checked_count + 1, sizeof *sums);
    int32_t *parts = calloc(scorecard->term_count + 1, sizeof *parts);
    bool ok = slot_of_column != NULL && sums != NULL && parts != NULL;
    *used = 0;
    if (ok) {
        for (size_t f = 0; f < checked_count; f++) {
            if (!learn_field_refused(&checked[f])) {
                weights[(*used)++] =
                    (struct learn_field_weight){checked[f].name, 0.0, checked[f].auc};
            }
        }
        for (size_t c = 0; c < codebook->column_count; c++) {
            slot_of_column[c] = slot_find(weights, *used, codebook->columns[c].field_name);
        }
        rows_add(block, scorecard, slot_of_column, parts, sums, weights, *used);
        qsort(weights, *used, sizeof *weights, weight_order);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to weigh the fields");
    }
    free(slot_of_column);
    free(sums);
    free(parts);
    return ok;
}
