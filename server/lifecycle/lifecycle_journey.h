/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys of the accounts that a request looks at, for measures that are made of them: parameters
 * that all of these have, and the walk.
 *
 * Ownership: borrows. Errors: those of lifecycle.h; BAD_FIELD with "parameters.NAME". Threads: one.
 * Cost: some 30 ns an event that columns have (lifecycle_recall.h), 15 where instants of
 * it are enough (lifecycle_instants.h), else the timeline of each account is read and decoded, some
 * 200 ns an event. */
#ifndef LIFECYCLE_LIFECYCLE_JOURNEY_H
#define LIFECYCLE_LIFECYCLE_JOURNEY_H

#include "server/lifecycle/lifecycle_instants.h"
#include "server/lifecycle/lifecycle_table.h"

/* unit, owner, from, to, as-of, won-kind, lost-kind, lookback, mature, until and typed-in, of those
 * the ones that the measure has; the others are as widely as can be. */
bool lifecycle_journey_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault);
/* That parameter alone; empty: any, or the measure has none. */
bool lifecycle_owner_read(const struct lifecycle_request *request, struct proto_span *owner,
                          struct proto_fault *fault);
/* Of these the first, and the only one that events of a shape do not share. */
#define LIFECYCLE_MEMBER_KIND 0u
#define LIFECYCLE_MEMBER_PERSON 4u
/* One of kind, motion, function, campaign, person and source, by the parameter of that name. */
bool lifecycle_member_read(const struct lifecycle_request *request, const char *name,
                           unsigned *member, struct proto_fault *fault);
/* The same, or one of at most LIFECYCLE_MORE_WORDS further words: then *other is its place from 1.
 */
#define LIFECYCLE_MORE_WORDS 4u
bool lifecycle_member_or_read(const struct lifecycle_request *request, const char *name,
                              const char *const *more, size_t count, unsigned *member,
                              unsigned *other, struct proto_fault *fault);
struct proto_span lifecycle_member_of(const struct event *event, unsigned member);
/* What groups a journey: the member of its first step, else of its first touch that has one; its
 * kind, which is the channel, of touches alone. */
struct proto_span lifecycle_group_of(const struct measure_journey *journey, unsigned member);
/* The moment of looking: that of the request, else now or what was known. */
int64_t lifecycle_journey_as_of(const struct lifecycle_run *run);
/* Whatever is to be known of an account, before its journeys. */
typedef bool (*lifecycle_account_enter)(void *context, uint32_t slot, struct proto_fault *fault);
/* Who looks at journeys. */
struct lifecycle_journey_look {
    void *context;
    lifecycle_account_enter enter; /* for each account that has an event; NULL: nothing */
    /* Before its journeys, with its events that stand; of one without an event too; NULL: nothing.
     */
    bool (*seen)(void *context, uint32_t slot, const struct measure_event *events, size_t count,
                 struct proto_fault *fault);
    measure_journey_each each;
    /* Instead of each(), of an account that columns have, where nothing but the two is wanted; its
     * instants are those of `all`. NULL: every journey is told with its events. */
    bool (*cut)(void *context, const struct lifecycle_instants *all, const struct measure_cut *cut,
                struct proto_fault *fault);
    /* After its journeys, with its events that stand, which may be put in another order; NULL:
     * nothing. */
    bool (*leave)(void *context, uint32_t slot, struct measure_event *events, size_t count,
                  struct proto_fault *fault);
    uint32_t types; /* bits of event types that leave wants beside those of journeys */
};
/* Each journey of each account, in the order of their arrival. What a journey holds against an
 * account is told with its id. */
bool lifecycle_journeys_look(struct lifecycle_run *run, const struct lifecycle_journey_look *look,
                             struct proto_fault *fault);
bool lifecycle_journeys_walk(struct lifecycle_run *run, measure_journey_each each, void *context,
                             struct proto_fault *fault);

#endif
