/* SPDX-License-Identifier: Apache-2.0 */
/* How the accounts that a request looks at stand at one moment, by one walk in one view: scores,
 * engagement, revenue, cases, campaigns and requests, as the tables of
 * server/measure/measure_view.h read them. Scores and segments are of values as they are now;
 * events are those known by the request.
 *
 * Ownership: lifecycle_standing_fini frees, also after a failure. Errors: those of lifecycle.h,
 * NO_ICP of a filter that reads scores. Threads: one. Cost: the timeline of each account is read
 * and decoded, some 200 ns an event; 150 bytes an account. */
#ifndef LIFECYCLE_LIFECYCLE_STANDING_H
#define LIFECYCLE_LIFECYCLE_STANDING_H

#include "server/engine/expression.h"
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/lifecycle/lifecycle_segment.h"
#include "server/measure/journey.h"
#include "server/measure/measure_view.h"

struct lifecycle_standing_options {
    struct measure_view view;     /* the moment and what is asked for; the rest is not set */
    struct proto_span engagement; /* reference of a definition */
    struct proto_span won, lost, kind;
    int64_t mature_ms, lookback_ms;
    unsigned stages; /* version learned of cases by stage; 0: the newest that is */
};

/* Of a campaign, by the number of its name. */
struct lifecycle_campaign {
    struct measure_campaign told;
    uint32_t last_account, last_case; /* + 1, that were counted */
};

struct lifecycle_asked {
    struct measure_request told;
    uint32_t last_account; /* + 1 */
    size_t last;           /* its asking */
};

struct lifecycle_standing {
    struct engine_worker *worker;
    const struct engine_job *job;
    struct lifecycle_standing_options options;
    struct measure_definition definition; /* of engagement */
    struct engine_expression expression;
    struct lifecycle_collect collect;
    struct lifecycle_amount amount;
    struct measure_rules *rules; /* the result's */
    struct measure_journey_reader reader;
    struct measure_journey_options journeys;
    const struct feature_field *by;
    struct lifecycle_names segments, campaign_names, request_names, kinds;
    struct measure_standing *accounts;
    uint32_t count;
    size_t room;
    struct lifecycle_campaign *campaigns;
    size_t campaign_room;
    struct lifecycle_asked *asked;
    size_t asked_room;
    struct measure_membership *members;
    size_t member_count, member_room;
    struct measure_asking *askings;
    size_t asking_count, asking_room;
    uint32_t cases; /* that were counted */
    uint64_t subscriptions;
    int64_t arr; /* of all accounts: no sum of what some of them pay a year overflows */
    struct measure_cohort_lost cohort;
    struct measure_view view; /* what came out: points into the above */
    struct measure_campaign *campaigns_told;
    struct measure_request *requests_told;
};

bool lifecycle_standing_make(struct engine_worker *worker, const struct engine_job *job,
                             const struct lifecycle_request *request,
                             const struct lifecycle_standing_options *options,
                             struct measure_rules *rules, struct lifecycle_standing *standing,
                             struct proto_fault *fault);
void lifecycle_standing_fini(struct lifecycle_standing *standing);

/* lifecycle_deed.c: what the account under way, accounts[count], did: cases, campaigns, spend and
 * requests. */
bool lifecycle_deeds_add(struct lifecycle_standing *standing, struct proto_fault *fault);
/* The band of its engagement at a moment; *sum may be NULL. */
enum measure_band lifecycle_band_at(const struct lifecycle_standing *standing, int64_t at_ms,
                                    struct measure_engaged *sum);

#endif
