/* SPDX-License-Identifier: Apache-2.0 */
/* Each measure over what was gathered: parameters read, the table of server/measure filled.
 *
 * A request is checked before anything is walked, so that a slip costs nothing. Ownership: borrows;
 * the table is the result's. Errors: those of lifecycle.h. Threads: one. */
#ifndef LIFECYCLE_LIFECYCLE_TABLE_H
#define LIFECYCLE_LIFECYCLE_TABLE_H

#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_gather.h"
#include "server/lifecycle/lifecycle_keep.h"
#include "server/lifecycle/lifecycle_standing.h"
#include "server/measure/gap.h"
#include "server/measure/grey.h"
#include "server/measure/handoff.h"
#include "server/measure/measure_clv.h"
#include "server/measure/metric_registry.h"
#include "server/measure/motion.h"
#include "server/measure/pattern.h"
#include "server/measure/readiness.h"
#include "server/measure/yield.h"

/* Parameters of all measures that are served; each uses its own. */
struct lifecycle_settings {
    int64_t from_ms, to_ms;
    int period_months;
    struct measure_survival_options survival;
    enum measure_metric metric;
    unsigned top, skip;
    enum measure_rule of_rule; /* MEASURE_RULES: all */
    struct {
        int64_t as_of_ms, unit_ms;
        double discount; /* of contracts; purchases have their own */
        unsigned told;
        struct proto_span kind;
        struct measure_purchase_options purchases;
    } clv;
    struct measure_readiness_options readiness; /* as_of_ms INT64_MAX: of the newest row */
    struct {
        struct measure_journey_options options;
        unsigned channel; /* of lifecycle_member_of */
        double half_life;
        bool by_value;
        unsigned least;
        struct measure_handoff_options handoffs;
        struct proto_span answered_by; /* empty: any function */
        struct measure_grey_options grey;
        struct measure_gap_options gap;
        struct proto_span group[2]; /* of a gap: a and b */
        bool fit_known;             /* by score; else all are alike without a field */
        struct measure_pattern_options patterns;
        struct measure_motion_options motions;
        int64_t lag_ms; /* of spend */
        struct measure_yield_options yield;
        unsigned period; /* enum lifecycle_period that groups are; 0: members are */
    } journey;
    struct lifecycle_focus_settings focus;
    struct lifecycle_keep_settings keep;
    struct lifecycle_standing_options standing; /* of views */
};

struct lifecycle_run {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct lifecycle_request *request;
    struct lifecycle_settings settings;
    const struct lifecycle_gather *gather; /* NULL for what looks by itself */
    struct measure_pace pace;
    struct lifecycle_result *result;
};

/* How a measure is served: filled of subscriptions that were gathered, or by a look of its own. One
 * that is not served has neither. */
struct lifecycle_way {
    bool (*read)(const struct lifecycle_request *request, struct lifecycle_settings *settings,
                 struct proto_fault *fault);
    bool (*fill)(struct lifecycle_run *run, struct proto_fault *fault);
    bool (*look)(struct lifecycle_run *run, struct proto_fault *fault);
    bool segments; /* a field's values can be its segments */
};
const struct lifecycle_way *lifecycle_way(enum measure_id measure);
/* Names of those from `first` to `last` that have segments, as far as there is room. */
void lifecycle_segmented(enum measure_id first, enum measure_id last, char *text, size_t bytes);

/* lifecycle_clv.c: of a cohort's subscriptions; of outcomes that are purchases. */
bool lifecycle_contract_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_contract_fill(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_purchases_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_purchases_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_ready.c: over the values of accounts. */
bool lifecycle_ready_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_ready_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_attribution.c: over journeys. */
bool lifecycle_attribution_read(const struct lifecycle_request *request,
                                struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_attribution_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_handoff.c: over the steps of journeys. */
bool lifecycle_handoffs_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_handoffs_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_grey.c: over journeys that have ended. */
bool lifecycle_grey_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_grey_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_gap.c: over journeys of two groups. */
bool lifecycle_gap_read(const struct lifecycle_request *request,
                        struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_gap_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_view.c: over how all accounts stand. */
bool lifecycle_view_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_view_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_pattern.c: over the first steps of journeys. */
bool lifecycle_patterns_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_patterns_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_motion.c: over journeys, spend and subscriptions. */
bool lifecycle_motions_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_motions_look(struct lifecycle_run *run, struct proto_fault *fault);
/* lifecycle_yield.c: over journeys by group. */
bool lifecycle_yield_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_yield_look(struct lifecycle_run *run, struct proto_fault *fault);

#endif
