/* SPDX-License-Identifier: Apache-2.0 */
/* Histories: an account's number was each of those that its world remembers, in that order, and no
 * other. One that is shorter or longer, or has another number, is wrong; one that ends with a fault
 * is refused. */
#include "tests/damage/damage_world.h"

#include "server/store/past.h"

void world_past(struct world_past *past, double was, double now)
{
    if (was != now) {
        assert_true(past->count < WORLD_PASTS);
        past->numbers[past->count++] = was;
    }
}

static bool group_right(struct proto_span entries, const struct world_past *past, int *at)
{
    struct store_past entry;
    struct feature_value value;
    for (size_t place = 0; store_past_next(entries, &place, &entry);) {
        if (entry.kind != STORE_PAST_CHANGED || entry.field != 0 || *at == past->count ||
            !store_past_value(&entry, &value) || value.number != past->numbers[*at]) {
            return false;
        }
        ++*at;
    }
    return true;
}

enum damage_outcome damage_history(struct store_view *view, int i, const struct world_past *past)
{
    struct proto_fault fault;
    struct store_history history;
    uint64_t begun;
    int at = 0;
    enum damage_outcome outcome = DAMAGE_NONE;
    if (!store_history(view, (uint32_t)i, &history, &begun, &fault)) {
        outcome = DAMAGE_PART;
    }
    for (size_t n = 0; outcome == DAMAGE_NONE && n < history.count; n++) {
        outcome = group_right(history.list[n].entries, past, &at) ? DAMAGE_NONE : DAMAGE_WRONG;
    }
    if (outcome == DAMAGE_NONE && (at != past->count || history.gone)) {
        outcome = DAMAGE_WRONG;
    }
    store_history_fini(&history);
    return outcome;
}
