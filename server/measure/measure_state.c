/* SPDX-License-Identifier: Apache-2.0 */
/* Each spell is added to the moments that it covers, found by halving. Only memory, and a period
 * that is none, can fail. */
#include "server/measure/measure_state.h"

#include <stdlib.h>

bool measure_moments_make(struct measure_moments *moments, int64_t from_ms, int64_t to_ms,
                          int months, bool closed, struct proto_fault *fault)
{
    *moments = (struct measure_moments){.count = 0};
    if (!measure_period_check(from_ms, to_ms, fault)) {
        return false;
    }
    size_t room = (size_t)(MEASURE_MONTHS_MAX / months) + 3;
    moments->at = calloc(room, sizeof *moments->at);
    if (moments->at == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu moments", room);
    }
    moments->at[moments->count++] = from_ms;
    for (int period = 1; moments->count < room - 1; period++) {
        int64_t next = to_ms;
        if (!measure_months_later(from_ms, period * months, &next) || next > to_ms) {
            break;
        }
        moments->at[moments->count++] = next;
    }
    if (closed && moments->at[moments->count - 1] < to_ms) {
        moments->at[moments->count++] = to_ms;
    }
    return true;
}

void measure_moments_fini(struct measure_moments *moments)
{
    free(moments->at);
    *moments = (struct measure_moments){.count = 0};
}

/* The first moment that is not before the time. */
static size_t moment_find(const struct measure_moments *moments, int64_t at_ms)
{
    size_t low = 0;
    for (size_t high = moments->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        bool less = moments->at[middle] < at_ms;
        low = less ? middle + 1 : low;
        high = less ? high : middle;
    }
    return low;
}

void measure_states_of(const struct measure_spells *spells, uint32_t account,
                       const struct measure_moments *moments, struct measure_state *states,
                       int64_t *paid_ms)
{
    *paid_ms = MEASURE_NEVER;
    for (size_t i = 0; i < moments->count; i++) {
        states[i] = (struct measure_state){0, false};
    }
    for (size_t s = spells->first[account]; s < spells->first[account + 1]; s++) {
        const struct measure_spell *spell = &spells->items[s];
        size_t i = moment_find(moments, spell->from_ms);
        for (; i < moments->count && moments->at[i] < spell->to_ms; i++) {
            states[i].mrr += spell->minor;
            states[i].customer = true;
        }
        if (spell->minor > 0 && spell->from_ms < *paid_ms) {
            *paid_ms = spell->from_ms;
        }
    }
}

enum measure_move measure_state_move(const struct measure_state *start,
                                     const struct measure_state *end, bool paid_before,
                                     struct measure_movement *total)
{
    int64_t size = 0;
    bool before = start->mrr == 0 && end->mrr > 0 && paid_before;
    enum measure_move move = measure_move_of(start->mrr, end->mrr, before, &size);
    total->start += start->mrr;
    total->end += end->mrr;
    total->sum[move] += size;
    total->count[move] += move != MEASURE_NONE || start->mrr > 0;
    total->customers_start += start->customer;
    total->customers_end += end->customer;
    total->customers_kept += start->customer && end->customer;
    return move;
}
