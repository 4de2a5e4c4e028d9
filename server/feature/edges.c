/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/edges.h"

#include <stdbool.h>
#include <stdlib.h>

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t distinct_count(const double *sorted, size_t count)
{
    size_t distinct = count > 0;
    for (size_t i = 1; i < count; i++) {
        distinct += sorted[i] != sorted[i - 1];
    }
    return distinct;
}

/* Bins of a number while they are filled from low to high. */
struct filling {
    double *edges;
    size_t placed;
    size_t rows_left;  /* not in a closed bin */
    size_t bins_left;  /* not closed, the open one included */
    size_t held;       /* rows of the open bin */
    bool before_heavy; /* the bin closed last holds one heavy value alone */
};

/* Closes the open bin after the value `last`. */
static void bin_close(struct filling *filling, double last, bool heavy)
{
    filling->edges[filling->placed++] = last;
    filling->rows_left -= filling->held;
    filling->bins_left--;
    filling->held = 0;
    filling->before_heavy = heavy;
}

/* What the open bin holds makes room for a heavy value: it becomes a bin of its own, or joins the
 * one before if it is less than half full. */
static void bin_yield(struct filling *filling, double last)
{
    bool half = 2 * filling->held * filling->bins_left >= filling->rows_left;
    if (half || filling->placed == 0 || filling->before_heavy) {
        bin_close(filling, last, false);
    } else {
        filling->edges[filling->placed - 1] = last;
        filling->rows_left -= filling->held;
        filling->held = 0;
    }
}

size_t feature_edges_place(double *numbers, size_t count, size_t bins_max, double *edges)
{
    const double *sorted = numbers;
    if (count > 0) {
        qsort(numbers, count, sizeof *numbers, number_order);
    }
    bool each = distinct_count(sorted, count) <= bins_max;
    struct filling filling = {.edges = edges, .rows_left = count, .bins_left = bins_max};
    for (size_t start = 0, end = 0; start < count; start = end) {
        for (end = start; end < count && sorted[end] == sorted[start]; end++)
            ;
        size_t rows = end - start;
        bool heavy = rows * filling.bins_left >= filling.rows_left;
        if (!each && heavy && filling.held > 0 && filling.bins_left > 1) {
            bin_yield(&filling, sorted[start - 1]);
        }
        filling.held += rows;
        if (end < count && filling.bins_left > 1 &&
            (each || filling.held * filling.bins_left >= filling.rows_left)) {
            bin_close(&filling, sorted[start], heavy);
        }
    }
    return filling.placed;
}
