/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over the accounts gathers for a measure: the subscriptions that stand, outcomes of
 * churn, the segment and the flag of each account. Accounts are numbered in the order of the walk,
 * that of their arrival; one without events is one all the same.
 *
 * Shapes: arrays by account have `accounts` entries. Ownership: lifecycle_gather_fini frees, also
 * after a failure. Errors: those of lifecycle.h. Threads: one. Memory: some 110 bytes a
 * subscription, 9 an account. */
#ifndef LIFECYCLE_LIFECYCLE_GATHER_H
#define LIFECYCLE_LIFECYCLE_GATHER_H

#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/lifecycle/lifecycle_columns.h"
#include "server/lifecycle/lifecycle_segment.h"
#include "server/measure/measure_mrr.h"

struct lifecycle_gather {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct feature_field *by;         /* NULL: no segments */
    const struct feature_field *churn_flag; /* NULL: nobody is flagged */
    struct lifecycle_collect collect;
    struct lifecycle_bookmark mark; /* no columns: timelines are read */
    bool churn;                     /* outcomes of churn are asked for */
    uint32_t accounts;
    size_t account_room;
    uint32_t *slots;    /* by account, as the next two */
    uint32_t *segments; /* numbers of names */
    bool *flagged;
    struct lifecycle_names names; /* of segments */
    struct measure_subscription *subscriptions;
    size_t count, room;
    uint32_t *churned;   /* outcomes of churn: account … */
    int64_t *churned_ms; /* … and time */
    size_t churned_count, churned_room;
};

/* Each account that the request's filter matches, in the order of their arrival. */
bool lifecycle_walk(struct engine_worker *worker, const struct engine_job *job,
                    const struct lifecycle_request *request, void *context,
                    bool (*each)(void *context, uint32_t slot, int64_t raw,
                                 struct proto_fault *fault),
                    struct proto_fault *fault);
/* Finds the fields, walks. */
bool lifecycle_gather(struct engine_worker *worker, const struct engine_job *job,
                      const struct lifecycle_request *request, struct lifecycle_gather *gather,
                      struct proto_fault *fault);
void lifecycle_gather_fini(struct lifecycle_gather *gather);

/* Where no currency is named and no rate, that of the amounts is the currency; several are refused.
 * Then every subscription is checked by the rules, so that a fault names its account. */
bool lifecycle_gather_settle(const struct lifecycle_gather *gather, struct measure_rules *rules,
                             struct proto_fault *fault);

#endif
