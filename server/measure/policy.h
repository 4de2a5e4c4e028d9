/* SPDX-License-Identifier: Apache-2.0 */
/* A policy says what came of an account, or of each opportunity of one, so that one can learn from
 * it: from which moment on it is to be predicted, which archetypes there are by conditions over
 * events and measures, and how long one has to wait until a case counts. JSON:
 *
 *   {"policy": 1, "name": "won in half a year",
 *    "case": "subject", "moment": "stage:created", "maturity": "180 days",
 *    "archetypes": [
 *      {"name": "good", "when": [{"event": "outcome:won", "within": "180 days"}]},
 *      {"name": "poor", "when": [{"event": "outcome:won", "within": "180 days", "not": true}]}],
 *    "positive": ["good"], "negative": ["poor"]}
 *
 * docs/policy.md tells every member. A case begins at its moment, matures when `maturity` is over
 * and belongs to the first archetype whose conditions all hold, once that is settled: all before it
 * must be known not to hold. Until then it is open, and neither positive nor negative, however
 * early it was won: deals are lost sooner than won, or the other way, so counting what is settled
 * early would count one of the two too often.
 *
 * What a condition comes to, and when that is settled, does not depend on the day of looking:
 *
 *   event    at the n-th of them in [from, from + within], true; else, when that is over, false
 *   measure  at from + after, as it compares; a measure that is not defined compares with nothing
 *   either   when the case matures, false, and its opposite too, if by then what it counts from
 *            has not happened
 *
 * A policy by stage asks what comes of an opportunity from each stage on, as the open ones are
 * looked at: a case begins with the first entry of each stage, provided that the subject had no
 * outcome by then. What is entered at the very moment of the end, as systems do that keep days
 * alone, or behind it, says how it ended and is no case.
 *
 * Shapes: times in ms since 1970; windows hold both their ends, so that what happened on the 180th
 * day is within 180 days. Days are 24 hours, months those of the calendar (movement.h). Ownership:
 * a policy owns its document, to which its texts belong; cases own their room, their subjects
 * borrow from the events. Errors: BAD_DOCUMENT with the member in field and its line and column in
 * the message, NO_MEMORY; of cases NO_MEMORY alone. Threads: pure. Cost: n log n of the events that
 * conditions ask for, and some 100 ns a case and condition. Source: maturity as in docs/policy.md;
 * measures docs/methods/mrr.md. */
#ifndef MEASURE_POLICY_H
#define MEASURE_POLICY_H

#include <jansson.h>

#include "server/measure/event_fold.h"

/* Nobody tells more outcomes, or conditions of one, apart. */
#define MEASURE_ARCHETYPES_MAX 16u
#define MEASURE_CONDITIONS_MAX 8u
/* The moment, answers, ends, and of each condition its event and what it counts from. */
#define MEASURE_MATCHES_MAX (3 + 2 * MEASURE_ARCHETYPES_MAX * MEASURE_CONDITIONS_MAX)
#define MEASURE_WAIT_DAYS_MAX 36525u
#define MEASURE_TIMELESS_MAX 256u

enum measure_policy_measure {
#define X(NAME, name, bare, meaning) MEASURE_OF_##NAME,
#include "server/measure/policy_measure.def"
#undef X
    MEASURE_OF_COUNT
};

/* So many days, or months if that is not 0. */
struct measure_wait {
    uint32_t days, months;
};

/* Which events a condition asks for: those of a type whose texts are these, each empty: any. */
struct measure_match {
    enum event_type type;
    struct proto_span source, kind, label, motion, function, campaign, person;
    bool of_account; /* of any subject; else of the subject of the case, if that is a subject */
};

enum measure_anchor { MEASURE_FROM_MOMENT, MEASURE_FROM_CUSTOMER, MEASURE_FROM_EVENT };
enum measure_comparison {
    MEASURE_COMPARE_NONE,
    MEASURE_COMPARE_ABOVE,
    MEASURE_COMPARE_BELOW,
    MEASURE_COMPARE_AT_LEAST,
    MEASURE_COMPARE_AT_MOST
};

struct measure_condition {
    bool is_measure;
    enum measure_policy_measure measure;
    enum measure_comparison comparison;
    double than;
    uint32_t match; /* of events; place in matches */
    uint32_t least; /* so many of them */
    enum measure_anchor anchor;
    uint32_t anchor_match;
    bool waits; /* else until the case matures */
    struct measure_wait wait;
    bool negated;
};

struct measure_archetype {
    struct proto_span name;
    struct measure_condition conditions[MEASURE_CONDITIONS_MAX];
    size_t condition_count;
};

enum measure_moment { MEASURE_MOMENT_EVENT, MEASURE_MOMENT_CUSTOMER, MEASURE_MOMENT_FIELD };

struct measure_policy {
    json_t *root;
    struct proto_span name;
    bool by_subject; /* a case for each subject, else one for each account */
    bool by_stage;   /* a case for each stage that a subject entered while it was open */
    struct proto_span stage_field; /* the category that has the stage of a case, by stage */
    uint32_t end_match;            /* by stage: outcomes of the subject, which end it */
    enum measure_moment moment;
    struct proto_span moment_field; /* a date of the account */
    struct measure_wait maturity;
    struct measure_match matches[MEASURE_MATCHES_MAX]; /* the first is that of the moment */
    size_t match_count;
    uint32_t nps_match;
    struct measure_archetype archetypes[MEASURE_ARCHETYPES_MAX];
    size_t archetype_count;
    uint32_t positive, negative; /* bits by archetype; bit archetype_count: none of them */
    bool reads_revenue;          /* spells are needed */
    struct measure_rules rules;
    struct proto_span timeless[MEASURE_TIMELESS_MAX]; /* fields whose values hold at any time */
    size_t timeless_count;
};

/* NULL with *fault. */
struct measure_policy *measure_policy_read(struct proto_span text, struct proto_fault *fault);
void measure_policy_destroy(struct measure_policy *policy);
/* The name of an archetype; "none" for archetype_count. */
struct proto_span measure_policy_archetype(const struct measure_policy *policy, size_t archetype);
/* So much later, at the latest at the end of the year 9999. */
int64_t measure_wait_later(struct measure_wait wait, int64_t at_ms);
/* "180 days", "2 weeks", "12 months", "1 year". */
bool measure_wait_read(struct proto_span text, struct measure_wait *wait);

struct measure_case {
    struct proto_span subject; /* empty where an account is a case */
    struct proto_span stage;   /* by stage: the one that begins; else empty */
    int64_t moment_ms;
    int64_t settled_ms; /* looked at before, it is open */
    size_t archetype;   /* what it comes to; archetype_count: none of them */
};

/* What is known of one account, whose number is 0. */
struct measure_story {
    const struct measure_event *events; /* that stand */
    size_t event_count;
    const struct measure_spells *spells; /* NULL unless the policy reads revenue */
    int64_t field_ms;                    /* of the moment's field; MEASURE_NEVER: it has no value */
};

/* Zero is none. Room is kept from account to account. */
struct measure_cases {
    struct measure_case *items; /* by subject, then by stage */
    size_t count, room;
    uint64_t ended; /* stages entered when the subject had ended: no cases; of all accounts */
    struct measure_hit *hits; /* policy_case.c */
    size_t hit_count, hit_room;
    size_t first[MEASURE_MATCHES_MAX + 1]; /* of the hits of each match */
    uint64_t seen[MEASURE_MATCHES_MAX];    /* events that were asked for, of all accounts */
};

bool measure_policy_cases(const struct measure_policy *policy, const struct measure_story *story,
                          struct measure_cases *cases, struct proto_fault *fault);
void measure_cases_fini(struct measure_cases *cases);

#endif
