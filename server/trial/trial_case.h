/* SPDX-License-Identifier: Apache-2.0 */
/* What came of the accounts of a list: the cases of a policy, each where its account stood when the
 * list was frozen, with how much it was worked and what else is to be equal.
 *
 * Of a list that froze what it is to be compared with, cases of accounts in none of its parts are
 * left out. Of an older one everybody else is VERDICT_OTHER. Effort is touches of the account from
 * the moment of the case until it is settled, or the day of looking, in bins (trial_effort_bin).
 * Values of accounts are those of when the list was frozen (server/engine/as_of.h), so that what
 * came later makes no stratum and no points.
 *
 * Ownership: cases are the caller's to free(). Errors: those of lifecycle_label.h, LIMIT at `by`.
 * Threads: the worker's. Cost: that of a label, and of the timelines of accounts with cases. */
#ifndef TRIAL_TRIAL_CASE_H
#define TRIAL_TRIAL_CASE_H

#include "server/lifecycle/lifecycle_label.h"
#include "server/trial/trial.h"
#include "server/trial/trial_list.h"
#include "server/trial/trial_profile.h"

struct trial_reading {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct trial_request *request;
    const struct trial_list *list;
    const struct trial_profile *profile;
    const struct feature_field *by; /* NULL: none */
    struct lifecycle_names values, people;
};

struct trial_cases {
    struct verdict_case *items;
    size_t count;
    int64_t at_ms;
    uint64_t seq, accounts, events;
    uint64_t before;    /* that began before the day from which on they count */
    uint64_t elsewhere; /* of accounts in no part of the list */
    uint64_t touches;   /* that were told of those that count */
};

/* 0, 1 to 2, 3 to 5, 6 to 10, more. */
uint32_t trial_effort_bin(uint64_t touches);
const char *trial_effort_name(uint32_t bin);

bool trial_cases_read(struct trial_reading *reading, const struct measure_policy *policy,
                      struct trial_cases *cases, struct proto_fault *fault);

#endif
