/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to events: how many of them, of how many accounts, and what they come to, for each
 * segment, cohort, period and value of up to PROTO_QUERY_MEMBERS_MAX members. Events are those that
 * stand and that types, where and the times let through; accounts those that the filter matches.
 *
 * The cohort of an account is the period of its first event that types and where let through,
 * whatever the times say, so that a table of cohorts and periods is one of who came back. A row
 * says of how many accounts (`of`: those of its segment and cohort) how many had such an event, as
 * a rate with Wilson's 95 % interval. Rows without an event are left out.
 *
 * Answers come of columns in memory (lifecycle_columns.h), or of the timelines where a question is
 * of what columns do not have: another sequence or known time than now, ids, subjects, persons,
 * ends. They are the same.
 *
 * Shapes: times in ms since 1970, periods as days since 1970; sums in minor units or thousandths.
 * Ownership: a query borrows; a result is the caller's, lifecycle_query_fini, also after a failure.
 * Errors: BAD_FILTER at "where" or "filter", BAD_FIELD at "members[i]", "by", "sum" (amounts of
 * several currencies), LIMIT ("rows", "by", a sum beyond 64 bits), those of lifecycle.h. Threads:
 * the worker's. Cost: docs/performance.md. Source: docs/events.md; Wilson 1927. */
#ifndef LIFECYCLE_LIFECYCLE_QUERY_H
#define LIFECYCLE_LIFECYCLE_QUERY_H

#include "server/lifecycle/lifecycle.h"
#include "server/lifecycle/lifecycle_columns.h"
#include "server/lifecycle/lifecycle_period.h"
#include "server/lifecycle/lifecycle_segment.h"

enum lifecycle_sum { LIFECYCLE_SUM_NONE, LIFECYCLE_SUM_AMOUNT, LIFECYCLE_SUM_QUANTITY };

struct lifecycle_query {
    uint32_t types; /* bits 1 << event_type; 0: all */
    struct proto_span where;
    int64_t since_ms, until_ms; /* the latter exclusive; INT64_MIN, INT64_MAX: any */
    struct proto_span filter;
    uint64_t icp;
    struct proto_span by; /* field of segments; empty: none */
    const struct proto_span *members;
    size_t member_count;
    enum lifecycle_period cohort, period;
    enum lifecycle_sum sum;
    struct lifecycle_as_of as_of;
};

struct lifecycle_query_row {
    uint32_t segment; /* number of a name */
    int32_t cohort, period;
    uint32_t members[PROTO_QUERY_MEMBERS_MAX]; /* numbers of texts; 0: the event has none */
    uint64_t events, accounts, of;
    double rate, low, high;
    int64_t sum;
};

struct lifecycle_query_result {
    struct lifecycle_query_row *rows; /* by segment, cohort, period, members */
    size_t count;
    struct lifecycle_names segments, texts;
    char currency[MEASURE_CURRENCY_BYTES]; /* of the amounts; "": none, or one in each row */
    uint64_t seq, accounts, events;
    int64_t newest_ms; /* INT64_MIN: no event was known */
    bool of_columns;   /* some of it came of columns */
};

/* columns NULL: of the timelines alone. job: asked whether to go on; may be NULL. */
bool lifecycle_query(struct engine_worker *worker, const struct engine_job *job,
                     struct lifecycle_columns *columns, const struct lifecycle_query *query,
                     struct lifecycle_query_result *result, struct proto_fault *fault);
void lifecycle_query_fini(struct lifecycle_query_result *result);

#endif
