/* SPDX-License-Identifier: Apache-2.0 */
/* Each spell is added to the moments that it covers, found by halving; or to the first of them, and
 * taken away at the first behind it, found by how far apart they are. Only memory, and a period
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

bool measure_turns_make(struct measure_turns *steps, const struct measure_moments *moments,
                        struct proto_fault *fault)
{
    double span = (double)(moments->at[moments->count - 1] - moments->at[0]);
    *steps =
        (struct measure_turns){.moments = moments,
                               .per_ms = span > 0 ? (double)(moments->count - 1) / span : 0,
                               .touched = calloc(moments->count / 64 + 1, sizeof *steps->touched),
                               .at = calloc(moments->count + 1, sizeof *steps->at)};
    if (steps->touched == NULL || steps->at == NULL) {
        measure_turns_fini(steps);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu moments",
                               moments->count);
    }
    return true;
}

void measure_turns_fini(struct measure_turns *steps)
{
    free(steps->touched);
    free(steps->at);
    *steps = (struct measure_turns){.moments = NULL};
}

/* The first moment that is not before the time: months are about as long as one another. */
static size_t step_find(const struct measure_turns *steps, int64_t at_ms)
{
    const struct measure_moments *moments = steps->moments;
    if (at_ms <= moments->at[0]) {
        return 0;
    }
    if (at_ms > moments->at[moments->count - 1]) {
        return moments->count;
    }
    size_t i = (size_t)((double)(at_ms - moments->at[0]) * steps->per_ms);
    i = i < moments->count ? i : moments->count - 1;
    while (i > 0 && moments->at[i - 1] >= at_ms) {
        i--;
    }
    while (moments->at[i] < at_ms) {
        i++;
    }
    return i;
}

static void step_add(struct measure_turns *steps, size_t moment, int64_t mrr, int64_t customers)
{
    steps->touched[moment / 64] |= UINT64_C(1) << moment % 64;
    steps->at[moment].mrr += mrr;
    steps->at[moment].customers += customers;
}

void measure_turns_put(struct measure_turns *steps, const struct measure_spells *spells,
                       uint32_t account, int64_t *paid_ms)
{
    *paid_ms = MEASURE_NEVER;
    for (size_t s = spells->first[account]; s < spells->first[account + 1]; s++) {
        const struct measure_spell *spell = &spells->items[s];
        size_t from = step_find(steps, spell->from_ms);
        size_t to = step_find(steps, spell->to_ms);
        if (from < to) {
            step_add(steps, from, spell->minor, 1);
            step_add(steps, to, -spell->minor, -1); /* the last is behind all moments */
        }
        if (spell->minor > 0 && spell->from_ms < *paid_ms) {
            *paid_ms = spell->from_ms;
        }
    }
}

bool measure_turns_next(struct measure_turns *steps, struct measure_turns_walk *walk)
{
    size_t words = steps->moments->count / 64 + 1;
    while (walk->word < words && steps->touched[walk->word] == 0) {
        walk->word++;
    }
    if (walk->word == words) {
        return false;
    }
    walk->at = walk->word * 64 + (size_t)__builtin_ctzll(steps->touched[walk->word]);
    steps->touched[walk->word] &= steps->touched[walk->word] - 1;
    walk->state.mrr += steps->at[walk->at].mrr;
    walk->customers += steps->at[walk->at].customers;
    walk->state.customer = walk->customers > 0;
    steps->at[walk->at] = (struct measure_turn){0, 0};
    return walk->at < steps->moments->count; /* what lies behind all moments is the last */
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
