/* SPDX-License-Identifier: Apache-2.0 */
/* Every two fields are compared row by row; of those that are the same but for one value, rows are
 * gathered by the other field's value, and within each value those that were written over are
 * compared with those that were not. */
#include "server/learn/leakage_overwritten.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/auc.h"
#include "server/math/portable.h"

#define LOOK_ROWS 500  /* that tell most pairs apart */
#define VALUES_MAX 256 /* of the other field; rows of further ones are not compared */
#define VALUE_ROWS 10

/* Rows of one value of the other field, by whether f was written over, and by outcome. */
struct stratum {
    uint64_t value;
    double over[2], same[2];
};

struct strata {
    struct stratum items[VALUES_MAX];
    size_t count;
};

static struct stratum *stratum_of(struct strata *strata, uint64_t value)
{
    for (size_t i = 0; i < strata->count; i++) {
        if (strata->items[i].value == value) {
            return &strata->items[i];
        }
    }
    if (strata->count == VALUES_MAX) {
        return NULL;
    }
    strata->items[strata->count] = (struct stratum){.value = value};
    return &strata->items[strata->count++];
}

/* Rows where f is there, and where it is the same as o, among the first ones. */
static void agreement(const uint64_t *f, const uint64_t *o, size_t rows,
                      struct learn_overwritten *found)
{
    found->rows = 0;
    found->same = 0;
    for (size_t i = 0; i < rows; i++) {
        found->rows += f[i] != LEARN_OVERWRITTEN_NONE;
        found->same += f[i] != LEARN_OVERWRITTEN_NONE && f[i] == o[i];
    }
}

/* The value of most rows where f is there and another than o (Boyer and Moore's majority vote: it
 * is found if it has more than half of them, and nearly all are asked for). */
static uint64_t writer_find(const uint64_t *f, const uint64_t *o, size_t rows)
{
    uint64_t value = LEARN_OVERWRITTEN_NONE;
    size_t votes = 0;
    for (size_t i = 0; i < rows; i++) {
        if (f[i] == LEARN_OVERWRITTEN_NONE || f[i] == o[i]) {
            continue;
        }
        if (votes == 0) {
            value = f[i];
        }
        votes = f[i] == value ? votes + 1 : votes - 1;
    }
    return value;
}

static void strata_fill(const struct learn_overwritten_cells *cells, const uint64_t *f,
                        const uint64_t *o, uint64_t writer, struct strata *strata,
                        struct learn_overwritten *found)
{
    strata->count = 0;
    for (size_t i = 0; i < cells->rows; i++) {
        bool same = f[i] == o[i];
        if (f[i] == LEARN_OVERWRITTEN_NONE || (!same && f[i] != writer)) {
            continue;
        }
        if (!same) {
            found->row = i;
            found->over++;
            found->over_positives += cells->labels[i];
        }
        struct stratum *stratum = stratum_of(strata, o[i]);
        if (stratum != NULL) {
            (same ? stratum->same : stratum->over)[cells->labels[i] != 0] += 1.0;
        }
    }
}

/* Different values in which both fields agree often enough. */
static size_t values_count(const struct strata *strata, uint64_t writer)
{
    size_t count = 0;
    for (size_t i = 0; i < strata->count; i++) {
        const struct stratum *s = &strata->items[i];
        count += s->value != writer && s->same[0] + s->same[1] >= VALUE_ROWS;
    }
    return count;
}

/* Mantel and Haenszel's z, the common odds ratio, and its 95 % interval; 0 where no stratum has
 * both kinds of rows. */
static double strata_compare(const struct strata *strata, struct learn_overwritten *found)
{
    double excess = 0.0;
    double variance = 0.0;
    double r = 0.0;
    double s = 0.0;
    double pr = 0.0;
    double ps_qr = 0.0;
    double qs = 0.0;
    for (size_t i = 0; i < strata->count; i++) {
        const struct stratum *t = &strata->items[i];
        double a = t->over[1];
        double b = t->over[0];
        double c = t->same[1];
        double d = t->same[0];
        double n = a + b + c + d;
        if (a + b == 0.0 || c + d == 0.0) {
            continue;
        }
        excess += a - (a + b) * (a + c) / n;
        variance += n > 1.0 ? (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0)) : 0.0;
        double p = (a + d) / n;
        double q = (b + c) / n;
        r += a * d / n;
        s += b * c / n;
        pr += p * a * d / n;
        ps_qr += (p * b * c + q * a * d) / n;
        qs += q * b * c / n;
    }
    if (variance <= 0.0 || r <= 0.0 || s <= 0.0) {
        return 0.0;
    }
    double error =
        sqrt(pr / (2.0 * r * r) + ps_qr / (2.0 * r * s) + qs / (2.0 * s * s)) * MATH_Z_95;
    found->odds = r / s;
    found->odds_low = math_exp(math_log(r / s) - error);
    found->odds_high = math_exp(math_log(r / s) + error);
    return excess / sqrt(variance);
}

static bool pair_check(const struct learn_overwritten_cells *cells, const uint64_t *f,
                       const uint64_t *o, struct strata *strata, struct learn_overwritten *found)
{
    size_t look = cells->rows < LOOK_ROWS ? cells->rows : LOOK_ROWS;
    *found = (struct learn_overwritten){0};
    agreement(f, o, look, found);
    if ((double)found->same < 0.5 * LEARN_OVERWRITTEN_SAME * (double)found->rows) {
        return false;
    }
    agreement(f, o, cells->rows, found);
    if ((double)found->same < LEARN_OVERWRITTEN_SAME * (double)found->rows ||
        found->rows - found->same < LEARN_OVERWRITTEN_ROWS) {
        return false;
    }
    uint64_t writer = writer_find(f, o, cells->rows);
    strata_fill(cells, f, o, writer, strata, found);
    double others = (double)(found->rows - found->same - found->over);
    return found->over >= LEARN_OVERWRITTEN_ROWS &&
           others <= LEARN_OVERWRITTEN_ELSE * (double)found->rows &&
           values_count(strata, writer) >= LEARN_OVERWRITTEN_VALUES &&
           fabs(strata_compare(strata, found)) >= LEARN_OVERWRITTEN_Z;
}

/* A field of fewer values is no other one overwritten, nor overwritten itself. */
static bool has_values(const uint64_t *hashes, size_t rows)
{
    uint64_t seen[LEARN_OVERWRITTEN_VALUES];
    size_t count = 0;
    for (size_t i = 0; i < rows && count < LEARN_OVERWRITTEN_VALUES; i++) {
        bool known = hashes[i] == LEARN_OVERWRITTEN_NONE;
        for (size_t k = 0; k < count; k++) {
            known = known || seen[k] == hashes[i];
        }
        if (!known) {
            seen[count++] = hashes[i];
        }
    }
    return count == LEARN_OVERWRITTEN_VALUES;
}

/* The first other field that this one is again. */
static void field_check(const struct learn_overwritten_cells *cells, size_t f, const bool *worth,
                        struct strata *strata, struct learn_overwritten *found)
{
    *found = (struct learn_overwritten){0};
    for (size_t o = 0; worth[f] && o < cells->fields; o++) {
        if (o != f && worth[o] &&
            pair_check(cells, cells->hashes + f * cells->rows, cells->hashes + o * cells->rows,
                       strata, found)) {
            found->field = o;
            return;
        }
        *found = (struct learn_overwritten){0};
    }
}

bool learn_leakage_overwritten(const struct learn_overwritten_cells *cells,
                               struct learn_overwritten *found)
{
    struct strata *strata = malloc(sizeof *strata);
    bool *worth = calloc(cells->fields + 1, sizeof *worth);
    bool ok = strata != NULL && worth != NULL;
    for (size_t f = 0; ok && f < cells->fields; f++) {
        worth[f] = has_values(cells->hashes + f * cells->rows, cells->rows);
    }
    for (size_t f = 0; ok && f < cells->fields; f++) {
        field_check(cells, f, worth, strata, &found[f]);
    }
    free(worth);
    free(strata);
    return ok;
}
