/* SPDX-License-Identifier: Apache-2.0 */
/* One score in the terms of each function: how all accounts stand at one moment (fit, engagement,
 * revenue, open cases), and the tables that sales, marketing, success, product and finance read of
 * that, with the grid of fit × engagement that routing reads.
 *
 *   cases     journeys (journey.h) that were created `mature` before the moment or earlier: won if
 *             they were won within `mature` of their creation, else not. Each is counted in the
 * cell of the account's grade and of its engagement when the case was created, so that what the
 * case itself brought does not count for it customers customers of a window ago, by grade and by
 * their engagement then: still customers at the moment or not, and whether they pay more starters
 * customers whose onboarding ended a window ago or earlier, by their engagement when it ended: lost
 * within the window behind it or not
 *
 * Where fewer than `least` stand behind a rate it is not told, and the verdict says what is
 * missing. Of customers the narrowest of {grade and band, band, all} that has as many is taken, and
 * said.
 *
 * Assumptions: accounts are independent; grades are those of now, by values as they are now; what
 * was so a window ago goes on. Shapes: money in whole minor units a month, times in ms since 1970,
 * grades 0 A … 3 D, 4 none; without a
 * version fit and p are NAN. Ownership: a view borrows all it points to; orders are the caller's
 * arrays. Errors: NO_MEMORY, those of clv.h where no lifetime can be had are no fault but a
 * verdict. Threads: pure. Cost: n log n of the accounts a table. Source: docs/methods/views.md. */
#ifndef MEASURE_MEASURE_VIEW_H
#define MEASURE_MEASURE_VIEW_H

#include "server/measure/engagement.h"
#include "server/measure/measure.h"
#include "server/measure/spell.h"

/* The last grade is that of accounts which no version scored: none is active. */
enum { MEASURE_GRADES = 5, MEASURE_UNGRADED = 4 };

struct measure_standing {
    uint32_t slot;
    uint32_t segment; /* number of a name; 0 without segments */
    double fit, p;
    uint8_t grade;
    uint8_t band;
    bool customer, customer_then; /* at the moment; a window before */
    bool lapsed;                  /* it was none for a time since its first payment */
    int64_t engagement;           /* millionths */
    int64_t last_ms;              /* of the newest event that counts towards it; INT64_MIN: none */
    int64_t mrr, mrr_then;
    int64_t since_ms;   /* first payment; MEASURE_NEVER: none by then */
    int64_t renewal_ms; /* the first end of what runs; MEASURE_NEVER: none is told */
    int64_t won_spend;  /* of sales, marketing or nobody in particular, in the window */
    int64_t serving;    /* of others, in the window */
    int64_t pipeline;   /* amounts of open cases */
    uint32_t open;      /* cases */
    uint32_t cases, won;
};

struct measure_tally {
    uint64_t n, hits;
};

/* Customers of a window ago. */
struct measure_kept {
    uint64_t n, kept, grew;
    int64_t growth; /* of those that grew, a month in all */
};

struct measure_membership {
    uint32_t campaign, account; /* each pair once, ascending */
};

struct measure_campaign {
    const char *name;
    struct measure_tally cases;
    int64_t spend;
};

struct measure_asking {
    uint32_t request, account; /* each pair once, ascending */
    uint32_t count, open;
    int64_t oldest_ms; /* of the open ones; INT64_MAX: none */
};

struct measure_request {
    const char *name, *kind;
};

struct measure_view {
    int64_t at_ms;
    int64_t window_ms, onboarding_ms, outstanding_ms;
    double margin, discount, dominates;
    unsigned least, top;
    const struct measure_standing *accounts;
    uint32_t count;
    const char *const *segments; /* names by number */
    uint32_t segment_count;      /* 0: none */
    const char *by;              /* the field that segments are of */
    bool by_label;               /* it is no field but the label: a word of filters */
    bool scored;                 /* by a version */
    bool spent;                  /* a spend is told, of anybody at any time */
    struct measure_tally cells[MEASURE_GRADES][MEASURE_BANDS];
    struct measure_kept kept[MEASURE_GRADES][MEASURE_BANDS];
    struct measure_tally starters[MEASURE_BANDS]; /* hits: lost */
    const struct measure_membership *members;
    size_t member_count;
    const struct measure_campaign *campaigns;
    uint32_t campaign_count;
    const struct measure_asking *askings;
    size_t asking_count;
    const struct measure_request *requests;
    uint32_t request_count;
};

/* What stands in a list beside figures; "" where there is none. */
struct measure_listed {
    const char *id, *name, *reasons, *reference;
    double alike;                    /* NAN where there is no reference */
    const char *stage;               /* of an open opportunity; "" where none is */
    double win;                      /* from there; NAN: nobody learned it */
    struct measure_tally from_stage; /* cases that entered it; hits: won */
};

const char *measure_grade_name(unsigned grade);
/* Cells low, high and n of a rate over n; absent where n is below the least, and so is the rate. */
void measure_add_rate(struct measure_table *table, const struct measure_tally *tally,
                      unsigned least);
/* A verdict: nothing, or "insufficient: 12 of 30 cases". */
void measure_add_verdict(struct measure_table *table, uint64_t n, unsigned least, const char *what);

bool measure_grid_table(const struct measure_view *view, struct measure_table *table,
                        struct proto_fault *fault);

/* Accounts that are no customers in the order in which they are to be called: *listed of them in
 * order[count]. False: no memory. */
bool measure_sales_order(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                         struct proto_fault *fault);
/* Customers that may be named as references, in the order of accounts: customers for
 * outstanding_ms or longer without a gap, whose MRR is at least the median of customers' and not
 * below what it was a window ago. */
bool measure_outstanding(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                         struct proto_fault *fault);
bool measure_sales_table(const struct measure_view *view, const uint32_t *order, uint32_t listed,
                         const struct measure_listed *texts, struct measure_table *table,
                         struct proto_fault *fault);

/* field: how a value of the segments' field is told in a filter. */
bool measure_marketing_table(const struct measure_view *view, struct measure_table *table,
                             struct proto_fault *fault);

/* What may be expected of a customer. */
struct measure_outlook {
    bool onboarding;
    const char *like;            /* grade and band, band, all; "" where there are too few */
    struct measure_tally risk;   /* hits: lost */
    struct measure_tally grows;  /* n 0 while onboarding */
    int64_t growth;              /* a month, mean of those that grew */
    int64_t expected, low, high; /* of the window ahead */
    const char *advice;          /* renew, mend, release, insufficient */
};
struct measure_outlook measure_outlook_of(const struct measure_view *view,
                                          const struct measure_standing *account);
bool measure_success_order(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                           struct proto_fault *fault);
bool measure_success_table(const struct measure_view *view, const uint32_t *order, uint32_t listed,
                           const struct measure_listed *texts, struct measure_table *table,
                           struct proto_fault *fault);

/* A request over all who asked. */
struct measure_asked {
    uint32_t request, accounts, fitting, loudest, plain;
    uint64_t count, open;
    int64_t oldest_ms;
    int64_t arr, weighed, loudest_arr;
    bool lighthouse;
};
/* Rows in the order of the table: *listed of them in rows[request_count], the loudest account of
 * each by its number. */
bool measure_product_rows(const struct measure_view *view, struct measure_asked *rows,
                          uint32_t *listed, struct proto_fault *fault);
/* texts: of the loudest account of each row. */
bool measure_product_table(const struct measure_view *view, const struct measure_asked *rows,
                           uint32_t listed, const struct measure_listed *texts,
                           struct measure_table *table, struct proto_fault *fault);

/* lost: customers lost in month 1 … 12 of `customers` who began between two and one years ago. */
enum { MEASURE_LOST_MONTHS = 12 };
struct measure_cohort_lost {
    uint32_t lost[MEASURE_LOST_MONTHS];
    uint32_t customers;
};
bool measure_finance_table(const struct measure_view *view,
                           const struct measure_cohort_lost *cohort, struct measure_table *table,
                           struct proto_fault *fault);

#endif
