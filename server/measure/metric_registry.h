/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics by name, each measured account by account under explicit rules, and definitions of them
 * as documents that can be kept, compared and quoted:
 *
 *   {"metric": "nrr-cohort", "version": 3, "name": "board", "currency": "USD",
 *    "rates": {"EUR": "1.08"}, "rules": {"churn-at": "end", …}}
 *
 * One of engagement has weights and bands instead of currency, rates and rules (engagement.h). A
 * document states every rule: what is left open is what two teams fill in differently. Rates are
 * texts, so that they are exact. The text that is printed is canonical: the same definition gives
 * the same bytes.
 *
 * Shapes: numerators and denominators by account, whole numbers; of a SUM the denominators are 0.
 * Ownership: company borrows its arrays; printed text is the caller's, free(). Errors: BAD_DOCUMENT
 * with the member in field, those of spell.h, NO_MEMORY. Threads: pure. Cost: O(subscriptions) a
 * measurement. */
#ifndef MEASURE_METRIC_REGISTRY_H
#define MEASURE_METRIC_REGISTRY_H

#include "server/measure/engagement.h"
#include "server/measure/spell.h"

enum measure_metric {
#define K(METRIC, name, kind, help) MEASURE_METRIC_##METRIC,
#include "server/measure/measure_metric.def"
#undef K
    MEASURE_METRICS
};
/* Those before engagement are of revenue: measured by rules, with a bridge between two of them. */
enum { MEASURE_METRICS_OF_REVENUE = MEASURE_METRIC_ENGAGEMENT };

enum measure_metric_kind {
    MEASURE_METRIC_SUM,
    MEASURE_METRIC_MONEY,
    MEASURE_METRIC_RATIO,
    MEASURE_METRIC_SCORE /* of one account alone: measure_engagement_add */
};

struct measure_metric_info {
    const char *name;
    enum measure_metric_kind kind;
    const char *help;
};

const struct measure_metric_info *measure_metric_info(enum measure_metric metric);
/* MEASURE_METRICS if there is none of the name. */
enum measure_metric measure_metric_find(const char *name);

/* What is known of the accounts between two days [from, to). */
struct measure_company {
    const struct measure_subscription *subscriptions;
    size_t count;
    uint32_t accounts;
    const bool *flagged;     /* by account: flagged as churned; NULL: nobody */
    const uint32_t *churned; /* events of churn: account and day */
    const int64_t *churned_ms;
    size_t churned_count;
    int64_t from_ms;
    int64_t to_ms;
    const struct measure_pace *pace; /* asked before each measurement; NULL: always goes on */
};

/* Fills numerator[accounts] and denominator[accounts]; of a metric of revenue. */
bool measure_metric_accounts(const struct measure_company *company, enum measure_metric metric,
                             const struct measure_rules *rules, int64_t *numerator,
                             int64_t *denominator, struct proto_fault *fault);
/* Of the sums: the metric's value, NAN for a ratio over 0. Money stays in minor units. */
double measure_metric_value(enum measure_metric metric, int64_t numerator, int64_t denominator);

#define MEASURE_NAME_BYTES 64
#define MEASURE_AUTHOR_BYTES 256
#define MEASURE_NOTE_BYTES 1024
struct measure_definition {
    enum measure_metric metric;
    uint32_t version; /* from 1; of a draft 0: it names none */
    char name[MEASURE_NAME_BYTES];
    char author[MEASURE_AUTHOR_BYTES];    /* who put it, ""; a member only where it is not empty */
    char note[MEASURE_NOTE_BYTES];        /* why; the same */
    struct measure_rules rules;           /* of engagement the usual ones */
    struct measure_engagement engagement; /* of any other metric the usual one */
};
/* Whether two say the same, whatever they are called. */
bool measure_definition_same(const struct measure_definition *a,
                             const struct measure_definition *b);
/* What is left open, unknown or mistyped is told with line and column. */
bool measure_definition_read(struct proto_span text, struct measure_definition *definition,
                             struct proto_fault *fault);
/* The same of one that is to be put, whose version may be left out; and of one that was stored
 * before there was some rule, which then is as it was: the usual choice. */
bool measure_definition_draft(struct proto_span text, struct measure_definition *definition,
                              struct proto_fault *fault);
bool measure_definition_stored(struct proto_span text, struct measure_definition *definition,
                               struct proto_fault *fault);
/* NULL: no memory. */
char *measure_definition_print(const struct measure_definition *definition);

/* Definitions that are kept are asked for as "name", which is the version in force, or
 * "name@version". "usual" is the one that is always there: the usual rules. */
#define MEASURE_USUAL_NAME "usual"
#define MEASURE_USUAL_VERSION 1
#define MEASURE_REFERENCE_BYTES (MEASURE_NAME_BYTES + 11)
struct measure_reference {
    struct proto_span name;
    uint32_t version; /* 0: the one in force */
};
/* BAD_FIELD, without a field, for what is neither. */
bool measure_reference_read(struct proto_span text, struct measure_reference *reference,
                            struct proto_fault *fault);
/* Whether a definition of this name can be kept: letters, digits, and . _ - between them; no file's
 * name; not "usual". BAD_DOCUMENT, field "name". */
bool measure_name_check(const char *name, struct proto_fault *fault);

#endif
