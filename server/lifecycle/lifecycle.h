/* SPDX-License-Identifier: Apache-2.0 */
/* Measures over the timelines of the store: the accounts that a filter matches are walked in one
 * view, the events of each that stand become subscriptions (server/measure/event_fold.h), and the
 * tables of measure.def are made of them by the code that icp runs over files. Nothing is kept:
 * each answer is of one moment, as of a sequence or a time if that is asked for. And the same of
 * one account: what its timeline comes to.
 *
 * A filter and the field of segments see accounts as they are now; what is as of a sequence or time
 * is events. Amounts of one currency need no rule; those of several need a currency and rates, else
 * nothing is measured.
 *
 * Shapes: times in ms since 1970, money in whole minor units. Ownership: requests borrow; a result
 * is the caller's, lifecycle_result_fini, also after a failure. Errors: BAD_FIELD with the way to
 * what is at fault ("parameters.from", "rules.currency", "accounts[acme].term"), BAD_FILTER,
 * NO_SCHEMA, NO_ICP, NO_EVIDENCE (no subscription is told), CORRUPT (a timeline or an account is
 * damaged: no figure is better than one with accounts missing), LIMIT, NO_MEMORY, CANCELLED,
 * DEADLINE. Threads: the worker's. Cost: docs/performance.md. Source: docs/methods. */
#ifndef LIFECYCLE_LIFECYCLE_H
#define LIFECYCLE_LIFECYCLE_H

#include "server/base/arena.h"
#include "server/engine/engine.h"
#include "server/measure/measure.h"
#include "server/measure/metric_registry.h"

/* A parameter of measure.def as it was asked for: text, or a number. */
struct lifecycle_parameter {
    struct proto_span name;
    struct proto_span text;
    double number;
    bool is_number;
};

/* What was known: up to a sequence, and up to a time. */
struct lifecycle_as_of {
    uint64_t seq;     /* UINT64_MAX: now */
    int64_t known_ms; /* INT64_MAX: now */
};

struct lifecycle_columns;

struct lifecycle_request {
    struct lifecycle_columns *columns; /* lifecycle_columns.h; NULL: timelines are read */
    enum measure_id measure;
    const struct lifecycle_parameter *parameters;
    size_t parameter_count;
    struct measure_rules rules;
    struct measure_rules against; /* of a bridge */
    bool against_given;           /* it is a definition of its own, and may be the same */
    /* What the two definitions are of, if rules come from some; MEASURE_METRICS: from none. */
    enum measure_metric metric, against_metric;
    struct proto_span filter;     /* empty: every account */
    uint64_t icp;                 /* version whose scores the filter sees; 0: the active one */
    struct proto_span by;         /* field of segments; empty: none */
    struct proto_span churn_flag; /* field that flags churn; empty: none */
    struct lifecycle_as_of as_of;
};

struct lifecycle_result {
    struct measure_table table;
    struct measure_rules rules,
        against; /* as they were applied, with the currency that was found */
    uint64_t seq;
    uint64_t accounts, events, subscriptions;
    int64_t newest_ms; /* INT64_MIN: no event was known */
    uint32_t icp;      /* version that scored, of measures that read scores; else 0 */
};

/* False for a measure that is of files alone. */
bool lifecycle_serves(enum measure_id measure);
/* job: asked whether to go on; may be NULL. */
bool lifecycle_measure(struct engine_worker *worker, const struct engine_job *job,
                       const struct lifecycle_request *request, struct lifecycle_result *result,
                       struct proto_fault *fault);
void lifecycle_result_fini(struct lifecycle_result *result);

/* One account. Times are MEASURE_NEVER where there is none. */
struct lifecycle_open {
    struct proto_span subject, kind, label;
    int64_t amount, months;
    int64_t start_ms, end_ms;
    char currency[MEASURE_CURRENCY_BYTES];
};

struct lifecycle_account {
    int64_t mrr;
    bool customer;
    char currency[MEASURE_CURRENCY_BYTES]; /* "": nothing was ever paid */
    int64_t since_ms;
    int64_t tenure_days;
    int64_t first_touch_ms, last_touch_ms;
    uint64_t renewals, churned;
    int64_t nps, nps_ms;
    const struct lifecycle_open *open; /* the first, by subject */
    size_t open_listed;
    uint64_t open_count;
    uint64_t events;
    int64_t newest_ms; /* INT64_MIN: no event was known */
    uint64_t seq;
};

/* As of at_ms, true time, by what was known. Texts and lists lie in the arena. Cost: some 200 ns an
 * event of the account. */
bool lifecycle_account(struct engine_worker *worker, uint32_t slot, int64_t at_ms,
                       const struct measure_rules *rules, const struct lifecycle_as_of *as_of,
                       struct base_arena *arena, struct lifecycle_account *account,
                       struct proto_fault *fault);

#endif
