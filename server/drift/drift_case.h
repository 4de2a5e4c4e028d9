/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that a profile is held against: accounts with the moment as of which they are scored, and
 * what came of them since a time.
 *
 *   policy  cases that were settled after `since` on one of the two sides, as of their moment; and
 *           those that began after it and are open
 *   label   accounts with a value of a field that the label reads; the outcome is told at the
 *           newest time of those values, after `since`. As of just before it, or, of an account
 *           that nothing was known of then, as of the outcome itself. And accounts that were stored
 *           after `since` and have no such value: open
 *
 * Shapes: those with an outcome first, by its time, then by slot; then the open ones by slot.
 * Ownership: the cases are the caller's, drift_cases_fini. Errors: those of lifecycle_label.h,
 * PROTO_NO_MEMORY. Threads: the worker's. Cost: that of lifecycle_label, or a record an account. */
#ifndef DRIFT_DRIFT_CASE_H
#define DRIFT_DRIFT_CASE_H

#include "server/drift/drift.h"
#include "server/filter/filter.h"
#include "server/lifecycle/lifecycle_segment.h"

struct drift_case {
    uint32_t slot;
    bool open, positive;
    bool or_later; /* as of the outcome, if nothing was known before */
    int64_t moment_ms, outcome_ms;
    uint32_t stage; /* number of a name, of a policy by stage */
};

struct drift_cases {
    struct drift_case *list;
    size_t count, room;
    size_t settled; /* how many of them have an outcome */
    struct lifecycle_names stages;
    int64_t at_ms;
};

bool drift_cases_of_policy(struct engine_worker *worker, const struct engine_job *job,
                           const struct measure_policy *policy, int64_t since_ms, int64_t at_ms,
                           struct drift_cases *cases, struct proto_fault *fault);
bool drift_cases_of_label(struct engine_worker *worker, const struct engine_job *job,
                          const struct filter *label, int64_t since_ms, struct drift_cases *cases,
                          struct proto_fault *fault);
void drift_cases_fini(struct drift_cases *cases);

#endif
