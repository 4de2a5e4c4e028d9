/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys cut out of instants: what of an event decides which journey it is of, and nothing else,
 * so that events in memory (journey.h) and rows of columns (server/lifecycle/lifecycle_instants.h)
 * are cut by the same rules, which journey.h tells.
 *
 * Shapes: touches in the order in which they happened; steps by subject, those of one subject in
 * that order. Ownership: a cut and what it points to live until each() returns. Errors: NO_MEMORY,
 * and what each() and the pace say. Threads: one cutter a thread. Cost: some 3 ns an instant, and
 * for each opportunity the touches of its lookback. */
#ifndef MEASURE_JOURNEY_CUT_H
#define MEASURE_JOURNEY_CUT_H

#include "server/event/event.h"
#include "server/measure/spell.h"

enum measure_instant_kind {
    MEASURE_INSTANT_TOUCH,
    MEASURE_INSTANT_STAGE, /* or an outcome that ends nothing by itself: none is told */
    MEASURE_INSTANT_DECISION,
    MEASURE_INSTANT_WON,
    MEASURE_INSTANT_LOST
};

struct measure_instant {
    int64_t time_ms;
    uint64_t seq;     /* when it became known */
    uint32_t subject; /* the same number for the same text; 0: none */
    uint32_t at;      /* which event it is, as whoever asks counts them */
    uint8_t kind;
    bool owned; /* of a step: by the owner that is asked for */
    bool bound; /* of a touch: its subject is one of the account's opportunities */
};

struct measure_journey_options {
    bool by_account;             /* else by opportunity */
    bool until_created;          /* touches after the creation do not count */
    bool late_left_out;          /* nor those that were typed in after the outcome */
    int64_t from_ms, to_ms;      /* created in this time; the latter exclusive */
    int64_t as_of_ms;            /* the moment of looking */
    int64_t lookback_ms;         /* before the end */
    int64_t mature_ms;           /* an open journey of this age is a null */
    struct proto_span won, lost; /* kinds of outcomes */
    struct proto_span owner;     /* person of the first step; empty: any */
};

enum measure_journey_end { MEASURE_JOURNEY_WON, MEASURE_JOURNEY_LOST, MEASURE_JOURNEY_OPEN };

struct measure_cut {
    enum measure_journey_end end;
    bool mature; /* of an open one */
    int64_t created_ms;
    int64_t end_ms; /* of an open one as_of_ms */
    const struct measure_instant *const *touches;
    size_t touch_count;
    /* The outcome is the last of one that has ended; NULL: nothing but touches, while the first of
     * an opportunity is there even where step_count, of what had happened by then, is 0. */
    const struct measure_instant *steps;
    size_t step_count;
};

typedef bool (*measure_cut_each)(void *context, const struct measure_cut *cut,
                                 struct proto_fault *fault);

struct measure_cutter {
    const struct measure_instant **chosen; /* touches of the journey under way */
    size_t room;
    const struct measure_pace *pace; /* asked once in so many touches; NULL: always */
    size_t looked;
};
void measure_cutter_fini(struct measure_cutter *cutter);

/* The instants of one account. */
struct measure_instants {
    const struct measure_instant *touches;
    size_t touch_count;
    const struct measure_instant *steps;
    size_t step_count;
};
bool measure_journeys_cut(struct measure_cutter *cutter, const struct measure_instants *instants,
                          const struct measure_journey_options *options, measure_cut_each each,
                          void *context, struct proto_fault *fault);

#endif
