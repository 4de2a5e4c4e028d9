/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement: how much an account has been doing lately, apart from how well it fits.
 *
 *   engagement(t) = Σ v · 2^(−(t − t_event) / half-life)     over events that stand, t_event ≤ t
 *
 * v and half-life are those of the first row of the definition that the event matches: by type, and
 * by kind where the row names one. v is the row's weight, or weight · quantity where it counts
 * quantities. What stopped long ago fades by itself; what happens later than t is not seen, so that
 * the engagement of any moment can be had again.
 *
 * A definition is a metric of the registry (metric_registry.h), versioned as the others:
 *
 *   {"metric": "engagement", "name": "board", "version": 2,
 *    "weights": [{"type": "touch", "kind": "demo", "weight": 5, "half_life_days": 30}, …],
 *    "bands": {"low": 0.5, "medium": 3, "high": 10}}
 *
 * Shapes: weights, sums and bands are whole millionths, each event's share rounded half away from
 * zero: so a sum is exact and the same in any order of events. Half-lives are millionths of a day.
 * Bounds: |share| ≤ MEASURE_SHARE_MAX, so that 80,000 events fit in 64 bits. Assumptions: none, it
 * is a sum over all events, so there is no interval; what it is worth is told by the grid of fit
 * and engagement (grid.h), which has one. Ownership: plain values. Errors: BAD_DOCUMENT with the
 * member
 * ("weights[2].half_life_days"). Threads: pure. Cost: an exp2 an event, some 30 ns. Source:
 * docs/methods/engagement.md. */
#ifndef MEASURE_ENGAGEMENT_H
#define MEASURE_ENGAGEMENT_H

#include <jansson.h>

#include "server/event/event.h"

#define MEASURE_WEIGHTS_MAX 32u
#define MEASURE_KIND_BYTES 64
#define MEASURE_WEIGHT_ONE INT64_C(1000000)
#define MEASURE_WEIGHT_MAX (INT64_C(1000) * MEASURE_WEIGHT_ONE)
#define MEASURE_HALF_LIFE_DAYS_MAX 36500
#define MEASURE_SHARE_MAX (INT64_C(1) << 46)

struct measure_weight {
    enum event_type type;
    char kind[MEASURE_KIND_BYTES]; /* "": any */
    int64_t weight;                /* millionths */
    int64_t half_life;             /* millionths of a day, > 0 */
    bool by_quantity;              /* a unit of the quantity weighs so much, else the event */
};

/* Bands from none to high; a band begins at its bound. */
enum measure_band {
    MEASURE_BAND_NONE,
    MEASURE_BAND_LOW,
    MEASURE_BAND_MEDIUM,
    MEASURE_BAND_HIGH,
    MEASURE_BANDS
};

struct measure_engagement {
    struct measure_weight weights[MEASURE_WEIGHTS_MAX];
    uint32_t count;
    int64_t least[MEASURE_BANDS]; /* millionths, ascending; of NONE unused */
};

/* That of "usual". */
void measure_engagement_default(struct measure_engagement *engagement);
bool measure_engagement_same(const struct measure_engagement *a,
                             const struct measure_engagement *b);
/* Types of events that it reads, as bits. */
uint32_t measure_engagement_types(const struct measure_engagement *engagement);

/* What an account's events come to at a moment. */
struct measure_engaged {
    int64_t millionths;
    int64_t by_type[EVENT_TYPE_COUNT]; /* Σ of these = millionths */
    uint64_t events;                   /* that a row counts */
    int64_t last_ms;                   /* of them; INT64_MIN: none */
};

/* Adds an event that stands. */
void measure_engagement_add(const struct measure_engagement *engagement, const struct event *event,
                            int64_t at_ms, struct measure_engaged *engaged);
static inline struct measure_engaged measure_engaged_none(void)
{
    return (struct measure_engaged){.last_ms = INT64_MIN};
}

enum measure_band measure_engagement_band(const struct measure_engagement *engagement,
                                          int64_t millionths);
const char *measure_band_name(enum measure_band band);

/* Members "weights" and "bands" of a definition. */
bool measure_engagement_read(const json_t *root, struct measure_engagement *engagement,
                             struct proto_fault *fault);
/* The same two put into *root; false without memory. */
bool measure_engagement_print(const struct measure_engagement *engagement, json_t *root);

/* What of a definition changed: of each row of weights and band that differs, what it was and is,
 * in words; empty where there was or is none. */
#define MEASURE_CHANGE_BYTES 128
struct measure_engagement_change {
    char rule[MEASURE_CHANGE_BYTES];
    char before[MEASURE_CHANGE_BYTES], now[MEASURE_CHANGE_BYTES];
};
#define MEASURE_ENGAGEMENT_CHANGES_MAX (2 * MEASURE_WEIGHTS_MAX + MEASURE_BANDS)
size_t measure_engagement_changes(
    const struct measure_engagement *was, const struct measure_engagement *now,
    struct measure_engagement_change changes[MEASURE_ENGAGEMENT_CHANGES_MAX]);

#endif
