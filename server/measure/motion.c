/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an account is gathered by group; when the account ends, squares and products of
 * it are added up. Sums can be beyond 64 bits, groups too many, and memory can run out. */
#include "server/measure/motion.h"

#include <stdlib.h>

#include "server/base/grow.h"

void measure_motions_fini(struct measure_motions *motions)
{
    for (uint32_t g = 0; g < motions->count; g++) {
        free(motions->items[g].cycles);
    }
    free(motions->items);
    free(motions->touched);
    free(motions->all.cycles);
    *motions = (struct measure_motions){.count = 0};
}

static bool room_make(struct measure_motions *all, uint32_t group, struct proto_fault *fault)
{
    if (group >= MEASURE_MOTIONS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d groups", MEASURE_MOTIONS_MAX);
    }
    size_t room[2] = {all->room, all->room}; /* groups, and those of an account, have one */
    if (!base_grow(&all->items, &room[0], (size_t)group + 1, sizeof *all->items, "groups", fault) ||
        !base_grow(&all->touched, &room[1], (size_t)group + 1, sizeof *all->touched, "groups",
                   fault)) {
        return false;
    }
    all->room = room[0];
    while (all->count <= group) {
        all->items[all->count++] = (struct measure_motion){.journeys = 0};
    }
    return true;
}

/* The group, with nothing yet of the account under way; NULL with *fault. */
static struct measure_motion *touch(struct measure_motions *all, uint32_t group,
                                    struct proto_fault *fault)
{
    if (!room_make(all, group, fault)) {
        return NULL;
    }
    struct measure_motion *at = &all->items[group];
    if (at->account != all->account) {
        at->account = all->account;
        at->s = at->v = at->c = at->r = at->a = 0;
        all->touched[all->touched_count++] = group;
    }
    return at;
}

void measure_motions_account(struct measure_motions *motions)
{
    struct measure_motion *all = &motions->all;
    motions->account++; /* from 1 */
    motions->touched_count = 0;
    motions->won_ms = motions->created_ms = INT64_MAX;
    motions->mrr_from = motions->mrr_to = 0;
    motions->fresh = false;
    all->s = all->v = all->c = all->r = all->a = 0;
}

static bool cycle_add(struct measure_motion *at, double days, struct proto_fault *fault)
{
    if (!base_grow(&at->cycles, &at->cycle_room, at->cycle_count + 1, sizeof *at->cycles,
                   "journeys", fault)) {
        return false;
    }
    at->cycles[at->cycle_count++] = days;
    return true;
}

/* Of a journey that was created in the period. */
static bool created_add(struct measure_motion *at, const struct measure_journey *journey,
                        bool mature, struct proto_fault *fault)
{
    bool won = journey->end == MEASURE_JOURNEY_WON;
    at->journeys++;
    at->mature += mature;
    at->mature_won += mature && won;
    double days = (double)(journey->end_ms - journey->created_ms) / (double)MEASURE_DAY_MS;
    return !won || cycle_add(at, days, fault);
}

static bool within(const struct measure_motions *all, int64_t ms)
{
    return ms >= all->options.from_ms && ms < all->options.to_ms;
}

bool measure_motions_journey(struct measure_motions *motions, uint32_t group,
                             const struct measure_journey *journey, int64_t amount,
                             struct proto_fault *fault)
{
    struct measure_motion *at = touch(motions, group, fault);
    bool won = journey->end == MEASURE_JOURNEY_WON;
    bool mature = journey->created_ms <= motions->as_of_ms - motions->options.mature_ms;
    if (at == NULL || (within(motions, journey->created_ms) &&
                       (!created_add(at, journey, mature, fault) ||
                        !created_add(&motions->all, journey, mature, fault)))) {
        return false;
    }
    if (journey->created_ms < motions->created_ms) {
        motions->created_ms = journey->created_ms;
        motions->created_group = group;
    }
    if (won && journey->end_ms < motions->won_ms) {
        motions->won_ms = journey->end_ms;
        motions->won_group = group;
    }
    if (won && within(motions, journey->end_ms)) {
        double worth = motions->options.by_count ? 1 : (double)amount;
        at->v += worth;
        motions->all.v += worth;
    }
    return true;
}

static bool sum_add(int64_t *sum, int64_t more, struct proto_fault *fault)
{
    return !__builtin_add_overflow(*sum, more, sum) ||
           proto_fault_set(fault, PROTO_LIMIT, "", "a sum of money is beyond 64 bits");
}

bool measure_motions_spend(struct measure_motions *motions, uint32_t group, int64_t amount,
                           struct proto_fault *fault)
{
    struct measure_motion *at = touch(motions, group, fault);
    if (at == NULL || !sum_add(&at->spend, amount, fault) ||
        !sum_add(&motions->all.spend, amount, fault)) {
        return false;
    }
    at->spends++;
    motions->all.spends++;
    at->s += (double)amount;
    motions->all.s += (double)amount;
    return true;
}

void measure_motions_revenue(struct measure_motions *motions, int64_t mrr_from, int64_t mrr_to,
                             bool fresh)
{
    motions->mrr_from = mrr_from;
    motions->mrr_to = mrr_to;
    motions->fresh = fresh;
}

static bool revenue_add(const struct measure_motions *all, struct measure_motion *at,
                        struct proto_fault *fault)
{
    bool fresh = all->fresh && all->mrr_to > 0;
    at->a = 12 * ((double)all->mrr_to - (double)all->mrr_from);
    at->r = fresh ? (double)all->mrr_to : 0;
    at->fresh += fresh;
    return sum_add(&at->mrr_from, all->mrr_from, fault) &&
           sum_add(&at->mrr_to, all->mrr_to, fault) &&
           sum_add(&at->fresh_mrr, fresh ? all->mrr_to : 0, fault);
}

/* Squares and products of the account under way. */
static void products_add(struct measure_motion *at, const struct measure_motion *all)
{
    at->value += at->v;
    at->ss += at->s * at->s;
    at->sS += at->s * all->s;
    at->sv += at->s * at->v;
    at->sV += at->s * all->v;
    at->vv += at->v * at->v;
    at->vS += at->v * all->s;
    at->vV += at->v * all->v;
    at->cc += at->c * at->c;
    at->sc += at->s * at->c;
    at->rr += at->r * at->r;
    at->sr += at->s * at->r;
    at->aa += at->a * at->a;
    at->sa += at->s * at->a;
}

bool measure_motions_account_end(struct measure_motions *motions, uint32_t none,
                                 struct proto_fault *fault)
{
    struct measure_motion *all = &motions->all;
    bool won = motions->won_ms != INT64_MAX;
    bool any = motions->created_ms != INT64_MAX;
    bool revenue = motions->mrr_from != 0 || motions->mrr_to != 0;
    uint32_t home = won ? motions->won_group : any ? motions->created_group : none;
    if (revenue) {
        struct measure_motion *at = touch(motions, home, fault);
        if (at == NULL || !revenue_add(motions, at, fault) || !revenue_add(motions, all, fault)) {
            return false;
        }
    }
    if (won && within(motions, motions->won_ms)) {
        motions->items[home].c = all->c = 1;
        motions->items[home].customers++;
        all->customers++;
    }
    for (uint32_t t = 0; t < motions->touched_count; t++) {
        products_add(&motions->items[motions->touched[t]], all);
    }
    products_add(all, all);
    motions->accounts += all->s > 0 || all->v > 0;
    return true;
}
