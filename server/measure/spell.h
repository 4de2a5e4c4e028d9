/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions as billing has them, by the rules of a definition, as spells: from, to, so much a
 * month. Everything that is measured of recurring revenue is measured of spells; the rules are
 * applied here and nowhere else.
 *
 * Shapes: times are milliseconds since 1970, half-open [from, to); MEASURE_NEVER where there is
 * none. Amounts are whole minor units (cents) for a term of 1, 3, 6, 12, 24 or 36 months; a month's
 * part is amount · rate / term, rounded half away from zero for each subscription, so sums over
 * accounts are exact. A deleted subscription keeps its row, with its deletion as end: it churns.
 * Bounds: |amount| ≤ MEASURE_AMOUNT_MAX, and all amounts together ≤ MEASURE_SUM_MAX after rates, so
 * no sum of spells overflows. Ownership: measure_spells_make allocates, measure_spells_fini frees.
 * Errors: BAD_FIELD (a term that is not known, a currency without a rate, an end before the start),
 * LIMIT, NO_MEMORY; field is "subscriptions[i]". Threads: pure. Cost: O(subscriptions), some 50 ns
 * each. Source: docs/methods/mrr.md. */
#ifndef MEASURE_SPELL_H
#define MEASURE_SPELL_H

#include "server/measure/measure_rules.h"

#define MEASURE_NEVER INT64_MAX
#define MEASURE_DAY_MS INT64_C(86400000)
#define MEASURE_MONTH_MS INT64_C(2629800000) /* 30.4375 days, where no calendar is asked */
/* A figure that is not defined; NAN of math.h is a float. */
#define MEASURE_NAN __builtin_nan("")
/* A hundred thousand million units of money for one subscription. */
#define MEASURE_AMOUNT_MAX INT64_C(10000000000000)
#define MEASURE_SUM_MAX (INT64_C(1) << 60)

struct measure_subscription {
    uint32_t account; /* below the number of accounts */
    uint32_t term_months;
    int64_t start_ms;
    int64_t end_ms;          /* as recorded or scheduled; MEASURE_NEVER while it runs */
    int64_t cancel_ms;       /* when the cancellation was said */
    int64_t paid_ms;         /* until when it is paid */
    int64_t past_due_ms;     /* since when a bill is overdue */
    int64_t pause_ms;        /* paused from here … */
    int64_t resume_ms;       /* … to here */
    int64_t discount_end_ms; /* the discount counts until here */
    int64_t amount;          /* for a term, without the discount */
    int64_t discount;        /* for a term, ≥ 0 */
    char currency[MEASURE_CURRENCY_BYTES];
    bool trial;
    bool one_off;
};

/* Adds what an amount is worth, so that no sum of such amounts overflows. False, and the sum as it
 * was: it would be beyond MEASURE_SUM_MAX. 0 ≤ amount ≤ MEASURE_SUM_MAX. */
bool measure_sum_add(int64_t *sum, int64_t amount, struct measure_worth worth);

/* One that runs from a day on, with nothing else told of it. */
struct measure_subscription measure_subscription_open(uint32_t account, int64_t start_ms,
                                                      int64_t amount, uint32_t term_months);

struct measure_spell {
    uint32_t account;
    int64_t from_ms;
    int64_t to_ms;
    int64_t minor; /* a month; 0 is a free customer, kept only under free=active */
};

/* Whether to go on, for who measures on behalf of somebody that may give up: asked before each walk
 * over the accounts. False with *fault. */
struct measure_pace {
    bool (*goes_on)(void *context, struct proto_fault *fault);
    void *context;
};

struct measure_spells {
    const struct measure_pace *pace; /* borrowed; NULL: always */
    struct measure_spell *items;     /* by account, then in the order of their start */
    size_t count;
    size_t *first; /* accounts + 1: items of account a are first[a] … first[a + 1] − 1 */
    uint32_t accounts;
    bool free_is_active;
};

bool measure_spells_make(const struct measure_subscription *subscriptions, size_t count,
                         uint32_t accounts, const struct measure_rules *rules,
                         struct measure_spells *spells, struct proto_fault *fault);
/* The same for who may give up meanwhile: asked once in MEASURE_SPELLS_PER_ASKING, and by whoever
 * walks over the spells after. */
#define MEASURE_SPELLS_PER_ASKING 65536u
bool measure_spells_make_at(const struct measure_subscription *subscriptions, size_t count,
                            uint32_t accounts, const struct measure_rules *rules,
                            const struct measure_pace *pace, struct measure_spells *spells,
                            struct proto_fault *fault);
void measure_spells_fini(struct measure_spells *spells);
static inline bool measure_goes_on(const struct measure_pace *pace, struct proto_fault *fault)
{
    return pace == NULL || pace->goes_on(pace->context, fault);
}

/* Whether one can be measured by the rules; field is term, currency, end, resume, amount, account.
 */
bool measure_subscription_check(const struct measure_subscription *subscription, uint32_t accounts,
                                const struct measure_rules *rules, struct proto_fault *fault);
/* When the subscription stops to count by the rules, its end day included or not. */
int64_t measure_subscription_end(const struct measure_subscription *subscription,
                                 const struct measure_rules *rules);

/* MRR of an account at a moment; *customer (may be NULL): it is one, at 0 too if free is active. */
int64_t measure_account_at(const struct measure_spells *spells, uint32_t account, int64_t at_ms,
                           bool *customer);
/* Whether it was a customer at any time before. */
bool measure_account_before(const struct measure_spells *spells, uint32_t account, int64_t at_ms);

#endif
