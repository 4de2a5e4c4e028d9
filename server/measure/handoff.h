/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of what enters a stage: whether it goes on, to where, after how long, who had it.
 *
 * A handoff is one entry of a journey into a stage. It is answered by the next step of the journey:
 * accepted by another stage or a won outcome, rejected by an outcome that is lost or a decision of
 * kind rejected (its label is the reason); or it is open. Of a pair of stages A and B n is all
 * entries into A, accepted those whose next step is B; entries that went elsewhere, were rejected
 * or are open are censored at the time at which they left or at the moment of looking. So 1 − S(t)
 * of a pair is the share that would have been at B by t if nothing else could happen
 * (cause-specific hazard); it is no forecast of how many get there: that is the rate. Drop: the
 * share of entries that were rejected or have been open for longer than it takes to be mature. An
 * owner is who stands at the entry; an entry without one is nobody's. Rates of owners are shrunk to
 * the stage's by a beta prior whose weight is found by moments, so that three deals make no
 * ranking.
 *
 * Shapes: stages, owners and reasons are numbers below the counts of names. Ownership:
 * measure_handoffs_fini frees; names are borrowed. Errors: NO_EVIDENCE for no entry, LIMIT for more
 * stages than MEASURE_STAGES_MAX, NO_MEMORY, what the pace says. Threads: pure. Cost: a sort of the
 * entries, and of those of a stage for each stage that follows it. Memory: 32 bytes an entry.
 * Source: Kaplan and Meier 1958; Wilson 1927; Kleinman 1973 (moments of the beta-binomial);
 * docs/methods/handoffs.md. */
#ifndef MEASURE_HANDOFF_H
#define MEASURE_HANDOFF_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"
#include "server/measure/survival.h"

#define MEASURE_STAGES_MAX 256
#define MEASURE_NOBODY UINT32_MAX

enum measure_answer { MEASURE_ACCEPTED, MEASURE_REJECTED, MEASURE_UNANSWERED };

struct measure_handoff {
    uint32_t stage;
    uint32_t next;   /* of an accepted one */
    uint32_t owner;  /* MEASURE_NOBODY */
    uint32_t reason; /* of a rejected one; MEASURE_NOBODY: not told */
    int64_t latency_ms;
    enum measure_answer answer;
    bool mature; /* an open one that is no longer waited for */
};

/* Numbers of texts, as the caller keeps them. */
struct measure_namer {
    bool (*number)(void *context, struct proto_span text, uint32_t *number,
                   struct proto_fault *fault);
    void *stages, *owners, *reasons; /* contexts */
};

struct measure_handoffs {
    struct measure_namer namer;
    struct proto_span answered_by; /* function of the touches that answer; empty: any */
    int64_t as_of_ms, mature_ms;
    bool without_leads; /* there are no touches to wait for */
    const struct measure_pace *pace;
    struct measure_handoff *items;
    size_t count, room;
    struct measure_life *leads; /* from creation to the first touch */
    size_t lead_count, lead_room;
};

/* Adds the steps of a journey; a measure_journey_each over measure_handoffs. */
bool measure_handoffs_add(void *handoffs, const struct measure_journey *journey,
                          struct proto_fault *fault);
void measure_handoffs_fini(struct measure_handoffs *handoffs);

struct measure_handoff_options {
    double within_days; /* of the share that was answered by then */
    unsigned owners;    /* to name for each stage, those with most entries first */
    unsigned least;     /* entries without which a row is insufficient */
    bool owners_told;   /* there is somebody to miss */
};
struct measure_handoff_names {
    const char *const *stages, *const *owners, *const *reasons;
    uint32_t stage_count, owner_count, reason_count;
};
/* Speed to lead first, then the stages in the order in which they first came, each with the pairs
 * and owners that it has. */
bool measure_handoffs_table(struct measure_handoffs *handoffs,
                            const struct measure_handoff_names *names,
                            const struct measure_handoff_options *options,
                            struct measure_table *table, struct proto_fault *fault);

/* What a beta prior weighs, in entries, if rates part[i]/n[i] of `count` groups are drawn around
 * one mean; INFINITY if they differ by no more than chance. */
double measure_shrink_weight(const double *part, const double *n, size_t count);

#endif
