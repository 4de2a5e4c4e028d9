/* SPDX-License-Identifier: Apache-2.0 */
/* A target account list on trial: what the outcomes say of it, whenever anybody asks.
 *
 * The verdict is about the first outcome (closed) and rests on two comparisons at most: accounts on
 * the list against others of the frozen sample at equal effort, and, where some were held out,
 * against those. Each is judged by the rule of term_lift.h; with two of them alpha is halved, so
 * that a list without effect is ever judged in alpha of all terms at most. Where they contradict
 * each other, or where effort is asked for and no touch is told, it is insufficient. Retained and
 * expanded stand beside it, each read by itself.
 *
 * Cases count from `since_ms` on: that of the list's own creation unless another day is asked for,
 * which is said in the words, since the list may have been made knowing those cases.
 *
 * Ownership: a request borrows; a result is the caller's, trial_fini, also after a failure. Errors:
 * those of listing.h, lifecycle_label.h, trial_profile.h; NO_EVIDENCE where no case begins.
 * Threads: the worker's, whose view must not be refreshed meanwhile. Cost: a label for each
 * outcome, the timelines of accounts with cases, 0.5 ms a block. Source: docs/methods/verdict.md.
 */
#ifndef TRIAL_TRIAL_H
#define TRIAL_TRIAL_H

#include <jansson.h>

#include "server/lifecycle/lifecycle.h"
#include "server/measure/policy.h"
#include "server/verdict/verdict_table.h"
#include "server/verdict/verdict_word.h"

enum trial_outcome { TRIAL_CLOSED, TRIAL_RETAINED, TRIAL_EXPANDED, TRIAL_OUTCOMES };
const char *trial_outcome_name(enum trial_outcome outcome);

#define TRIAL_CREATION INT64_MIN /* since when: when the list was made */

struct trial_request {
    struct proto_span list;
    const struct measure_policy
        *policies[TRIAL_OUTCOMES]; /* NULL: not asked; the first is needed */
    struct proto_span profile;     /* written by hand, JSON; empty: none */
    struct proto_span by;          /* field whose values are strata; empty: none */
    bool owners;                   /* the person that a case began with is a stratum too */
    bool effort; /* touches make strata; false: effort is said to have been equal */
    bool weekly;
    int64_t since_ms; /* TRIAL_CREATION, or a day */
    int64_t at_ms;    /* the day of looking; MEASURE_NEVER: that of the newest event */
    struct lifecycle_as_of as_of;
    double alpha;
};

enum { TRIAL_LIFT, TRIAL_RATE, TRIAL_FORECAST, TRIAL_PROMISE, TRIAL_TABLES };

struct trial_result {
    json_t *document; /* of the list */
    struct measure_table tables[TRIAL_TABLES];
    struct verdict_said said;
    struct verdict_words words, cannot, next;
    int64_t since_ms, at_ms, created_ms;
    uint64_t seq, accounts, events;
    uint64_t cases, open, before, elsewhere, touches; /* of the first outcome */
};

bool trial_measure(struct engine_worker *worker, const struct engine_job *job,
                   const struct trial_request *request, struct trial_result *result,
                   struct proto_fault *fault);
void trial_fini(struct trial_result *result);

/* How the work was shared out, week by week, and whether it left the list. */
struct trial_erosion_request {
    struct proto_span list;
    double committed, false_alarm;
    int64_t since_ms, at_ms; /* as above; MEASURE_NEVER: the newest touch */
    struct lifecycle_as_of as_of;
};

struct trial_erosion {
    struct measure_table table;
    int64_t since_ms, at_ms;
    uint64_t seq, alarms, on, all, weeks;
    int64_t first_alarm_ms; /* week of it; VERDICT_NEVER: none */
};

bool trial_erosion_measure(struct engine_worker *worker, const struct engine_job *job,
                           const struct trial_erosion_request *request,
                           struct trial_erosion *erosion, struct proto_fault *fault);
void trial_erosion_fini(struct trial_erosion *erosion);

#endif
