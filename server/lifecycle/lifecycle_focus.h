/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of where a company sells and what it gets for it: concentration, referrals, the end of
 * the quarter, prices and campaigns, each over the accounts that a request looks at. Within this
 * folder.
 *
 * Ownership: settings borrow from the request; tables are the result's. Errors: those of
 * lifecycle.h; BAD_FIELD with "parameters.NAME". Threads: one. Cost: the timeline of each account
 * is read once, some 200 ns an event; then that of the measure's header in server/measure. */
#ifndef LIFECYCLE_LIFECYCLE_FOCUS_H
#define LIFECYCLE_LIFECYCLE_FOCUS_H

#include "server/lifecycle/lifecycle.h"
#include "server/measure/campaign.h"
#include "server/measure/focus.h"
#include "server/measure/price.h"
#include "server/measure/quarter.h"
#include "server/measure/referral.h"

struct lifecycle_run;
struct lifecycle_settings;

struct lifecycle_focus_settings {
    bool won;                 /* of focus: deals, not customers */
    struct proto_span second; /* of focus: the second field; empty: none */
    struct measure_focus_options focus;
    struct measure_quarter_options quarter;
    struct proto_span churn_kind;
    int64_t churn_ms;
    struct proto_span list; /* prices; "none" */
    struct measure_price_options price;
    bool subscriptions;            /* of price: not deals */
    struct proto_span kind, field; /* of referrals; field empty: touches of the kind */
    struct measure_referral_options referral;
    struct proto_span campaign, tal;             /* empty: all; those of the active version */
    struct proto_span segment_filter, worked_by; /* empty: none; any */
    double within_days;
    struct measure_campaign_options campaigns;
    int64_t from_ms, to_ms; /* INT64_MIN, INT64_MAX: not told */
};

/* A text parameter whose default stands for nothing: empty then. */
bool lifecycle_focus_text(const struct lifecycle_request *request, const char *name,
                          struct proto_span *text, struct proto_fault *fault);

bool lifecycle_focus_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_focus_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_quarter_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_quarter_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_price_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_price_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_referral_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_referral_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_campaign_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_campaign_look(struct lifecycle_run *run, struct proto_fault *fault);

#endif
