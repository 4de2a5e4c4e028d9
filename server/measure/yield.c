/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys with their touches, kept until all are there; and two sides held against each other.
 * Memory can run out. */
#include "server/measure/yield.h"

#include <math.h>
#include <stdlib.h>

#include "server/base/grow.h"

void measure_yields_fini(struct measure_yields *yields)
{
    free(yields->items);
    yields->items = NULL;
    yields->count = yields->room = 0;
}

bool measure_yields_item(struct measure_yields *yields, const struct measure_worked *item,
                         struct proto_fault *fault)
{
    if (item->group >= MEASURE_GROUPS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d groups", MEASURE_GROUPS_MAX);
    }
    if (!base_grow(&yields->items, &yields->room, yields->count + 1, sizeof *yields->items,
                   "journeys", fault)) {
        return false;
    }
    yields->items[yields->count++] = *item;
    return true;
}

bool measure_yields_add(struct measure_yields *yields, uint32_t group,
                        const struct measure_journey *journey, struct proto_fault *fault)
{
    struct measure_worked item = {
        .group = group, .fit = yields->fit, .won = journey->end == MEASURE_JOURNEY_WON};
    if (journey->created_ms > yields->as_of_ms - yields->mature_ms) {
        yields->young++;
        return true;
    }
    for (size_t i = 0; i < journey->touch_count; i++) {
        item.touches +=
            journey->touches[i]->time_ms - journey->created_ms <= yields->options.window_ms;
    }
    return measure_yields_item(yields, &item, fault);
}

/* Within strata: how many are free to vary, and how much touches and outcomes do. */
struct spread {
    double free, touches, won;
};

static struct spread spread_of(const struct measure_side *side, size_t count)
{
    struct spread spread = {0, 0, 0};
    for (size_t s = 0; s < count; s++) {
        if (side[s].n > 0) {
            spread.free += side[s].n - 1;
            spread.touches += side[s].square - side[s].sum * side[s].sum / side[s].n;
            spread.won += side[s].won - side[s].won * side[s].won / side[s].n;
        }
    }
    spread.touches = spread.free > 0 ? fmax(spread.touches, 0) / spread.free : MEASURE_NAN;
    spread.won = spread.free > 0 ? fmax(spread.won, 0) / spread.free : MEASURE_NAN;
    return spread;
}

void measure_yield_of(const struct measure_side *a, const struct measure_side *b, size_t count,
                      struct measure_held *held)
{
    struct spread of_a = spread_of(a, count);
    struct spread of_b = spread_of(b, count);
    double weights = 0;
    double more = 0;
    double better = 0;
    double touches = 0;
    double won = 0;
    double per_a = 0;
    double per_b = 0;
    for (size_t s = 0; s < count; s++) {
        if (a[s].n > 0 && b[s].n > 0) {
            double w = a[s].n * b[s].n / (a[s].n + b[s].n);
            weights += w;
            more += w * (a[s].sum / a[s].n - b[s].sum / b[s].n);
            better += w * (a[s].won / a[s].n - b[s].won / b[s].n);
            touches += w * b[s].sum / b[s].n;
            won += w * b[s].won / b[s].n;
            per_a += w * w / a[s].n;
            per_b += w * w / b[s].n;
        }
    }
    double scale = weights > 0 ? 1 / weights : MEASURE_NAN;
    held->more = more * scale;
    held->better = better * scale;
    held->more_error = sqrt(of_a.touches * per_a + of_b.touches * per_b) * scale;
    held->better_error = sqrt(of_a.won * per_a + of_b.won * per_b) * scale;
    held->in_proportion = touches > 0 ? won * scale * (more / touches) : MEASURE_NAN;
}
