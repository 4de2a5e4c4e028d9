/* SPDX-License-Identifier: Apache-2.0 */
/* Each subscription is checked and cut where its amount changes (a pause, the end of a discount);
 * its pieces are put in the order of accounts, which most come in. What the rules leave out gives
 * no piece; what cannot be measured (an unknown term, no rate, an end before the start) is refused.
 */
#include "server/measure/spell.h"

#include <stdlib.h>
#include <string.h>

/* Start, pause, resume, end of the discount, end. */
#define CUTS_MAX 5

struct measure_subscription measure_subscription_open(uint32_t account, int64_t start_ms,
                                                      int64_t amount, uint32_t term_months)
{
    return (struct measure_subscription){.account = account,
                                         .term_months = term_months,
                                         .start_ms = start_ms,
                                         .end_ms = MEASURE_NEVER,
                                         .cancel_ms = MEASURE_NEVER,
                                         .paid_ms = MEASURE_NEVER,
                                         .past_due_ms = MEASURE_NEVER,
                                         .pause_ms = MEASURE_NEVER,
                                         .resume_ms = MEASURE_NEVER,
                                         .discount_end_ms = MEASURE_NEVER,
                                         .amount = amount};
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t measure_subscription_end(const struct measure_subscription *s,
                                 const struct measure_rules *rules)
{
    int64_t end = s->end_ms;
    if (measure_rules_has(rules, MEASURE_RULE_CHURN_AT, MEASURE_CHURN_AT_CANCEL)) {
        end = sooner(end, s->cancel_ms);
    } else if (measure_rules_has(rules, MEASURE_RULE_CHURN_AT, MEASURE_CHURN_AT_PAID_END)) {
        bool given_up = end != MEASURE_NEVER || s->cancel_ms != MEASURE_NEVER;
        end = given_up && s->paid_ms != MEASURE_NEVER ? s->paid_ms : end;
    }
    if (end != MEASURE_NEVER &&
        measure_rules_has(rules, MEASURE_RULE_END_DAY, MEASURE_END_DAY_INCLUSIVE)) {
        end += MEASURE_DAY_MS;
    }
    if (measure_rules_has(rules, MEASURE_RULE_PAST_DUE, MEASURE_PAST_DUE_EXCLUDED)) {
        end = sooner(end, s->past_due_ms);
    }
    return end;
}

static bool term_is_known(uint32_t months)
{
    return months == 1 || months == 3 || months == 6 || months == 12 || months == 24 ||
           months == 36;
}

bool measure_subscription_check(const struct measure_subscription *s, uint32_t accounts,
                                const struct measure_rules *rules, struct proto_fault *fault)
{
    if (!term_is_known(s->term_months)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "term",
                               "a term of %u months is not known; 1, 3, 6, 12, 24 and 36 are",
                               s->term_months);
    }
    if (measure_rules_rate(rules, s->currency) == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "currency",
                               "there is no rate for %s; the definition needs rate-%s=…",
                               s->currency, s->currency);
    }
    if (s->end_ms < s->start_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "end", "the end lies before the start");
    }
    if (s->resume_ms < s->pause_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "resume",
                               "it is resumed before it is paused");
    }
    if (s->amount < 0 || s->amount > MEASURE_AMOUNT_MAX || s->discount < 0 ||
        s->discount > s->amount) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "amount",
                               "an amount is 0 to %lld minor units, and a discount no more than it",
                               (long long)MEASURE_AMOUNT_MAX);
    }
    return s->account < accounts || proto_fault_set(fault, PROTO_BAD_FIELD, "account",
                                                    "account %u of %u", s->account, accounts);
}

/* What it is worth a month at a moment within its time. */
static int64_t worth_at(const struct measure_subscription *s, const struct measure_rules *rules,
                        struct measure_worth worth, int64_t at_ms)
{
    bool stands = s->pause_ms != MEASURE_NEVER && at_ms >= s->pause_ms && at_ms < s->resume_ms;
    if (stands && measure_rules_has(rules, MEASURE_RULE_PAUSED, MEASURE_PAUSED_EXCLUDED)) {
        return -1;
    }
    bool net = measure_rules_has(rules, MEASURE_RULE_DISCOUNT, MEASURE_DISCOUNT_NET) &&
               at_ms < s->discount_end_ms;
    return measure_money(s->amount - (net ? s->discount : 0), worth, s->term_months);
}

static bool is_left_out(const struct measure_subscription *s, const struct measure_rules *rules)
{
    return (s->trial && measure_rules_has(rules, MEASURE_RULE_TRIALS, MEASURE_TRIALS_EXCLUDED)) ||
           (s->one_off && measure_rules_has(rules, MEASURE_RULE_ONE_OFF, MEASURE_ONE_OFF_EXCLUDED));
}

/* Whether nothing changes between its start and its end. */
static bool is_even(const struct measure_subscription *s)
{
    return s->pause_ms == MEASURE_NEVER && s->resume_ms == MEASURE_NEVER &&
           s->discount_end_ms == MEASURE_NEVER;
}

/* Pieces of one subscription into out; returns their number. */
static size_t pieces(const struct measure_subscription *s, const struct measure_rules *rules,
                     struct measure_worth worth, struct measure_spell out[CUTS_MAX])
{
    int64_t end = measure_subscription_end(s, rules);
    int64_t cuts[CUTS_MAX] = {s->start_ms, s->pause_ms, s->resume_ms, s->discount_end_ms, end};
    size_t cut_count = is_even(s) ? 0 : CUTS_MAX;
    size_t count = 0;
    bool keeps_free = measure_rules_has(rules, MEASURE_RULE_FREE, MEASURE_FREE_ACTIVE);
    if (is_left_out(s, rules)) {
        return 0;
    }
    for (int64_t from = s->start_ms; from < end;) {
        int64_t to = end;
        for (size_t i = 0; i < cut_count; i++) {
            to = cuts[i] > from ? sooner(to, cuts[i]) : to;
        }
        int64_t minor = worth_at(s, rules, worth, from);
        if (minor > 0 || (minor == 0 && keeps_free)) {
            out[count++] = (struct measure_spell){s->account, from, to, minor};
        }
        from = to;
    }
    return count;
}

bool measure_sum_add(int64_t *sum, int64_t amount, struct measure_worth worth)
{
    __extension__ typedef __int128 wide;
    bool same = worth.over == worth.under; /* of one currency: no division of 128 bits */
    wide more = same ? amount : (wide)amount * worth.over / worth.under;
    if (more > MEASURE_SUM_MAX - *sum) {
        return false;
    }
    *sum += (int64_t)more + 1; /* it may be rounded up */
    return true;
}

/* Some 30 ns each. */
static bool asked(const struct measure_spells *spells, size_t at, struct proto_fault *fault)
{
    return at % MEASURE_SPELLS_PER_ASKING != MEASURE_SPELLS_PER_ASKING - 1 ||
           measure_goes_on(spells->pace, fault);
}

/* What amounts of a currency are worth: most subscriptions have that of the one before. */
struct priced {
    struct measure_worth worth;
    char currency[MEASURE_CURRENCY_BYTES];
    bool known;
};

static struct measure_worth worth_of(struct priced *priced, const struct measure_rules *rules,
                                     const struct measure_subscription *s)
{
    if (!priced->known || memcmp(priced->currency, s->currency, sizeof s->currency) != 0) {
        priced->worth = measure_rules_worth(rules, s->currency);
        memcpy(priced->currency, s->currency, sizeof s->currency);
        priced->known = true;
    }
    return priced->worth;
}

/* Room for the pieces of one subscription more, and for one each of those that are left. */
static bool items_room(struct measure_spells *spells, size_t *room, size_t left,
                       struct proto_fault *fault)
{
    if (spells->count + CUTS_MAX <= *room) {
        return true;
    }
    size_t more = spells->count + spells->count / 4 + left + CUTS_MAX;
    struct measure_spell *grown = realloc(spells->items, more * sizeof *grown);
    if (grown == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu spells", more);
    }
    spells->items = grown;
    *room = more;
    return true;
}

/* Pieces in the order of subscriptions, counted by account; *ordered: that is the order of accounts
 * as well. */
static bool pieces_make(const struct measure_subscription *subscriptions, size_t count,
                        const struct measure_rules *rules, struct measure_spells *spells,
                        bool *ordered, struct proto_fault *fault)
{
    struct priced priced = {.known = false};
    size_t room = 0;
    int64_t sum = 0;
    uint32_t before = 0;
    *ordered = true;
    if (!items_room(spells, &room, count,
                    fault)) { /* also where there are none: others add to it */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct measure_subscription *s = &subscriptions[i];
        if (!asked(spells, i, fault)) {
            return false;
        }
        if (!measure_subscription_check(s, spells->accounts, rules, fault)) {
            return proto_fault_within(fault, "subscriptions[%zu]", i);
        }
        struct measure_worth worth = worth_of(&priced, rules, s);
        if (!measure_sum_add(&sum, s->amount, worth)) {
            return proto_fault_set(fault, PROTO_LIMIT, "subscriptions",
                                   "all amounts together are more than %lld minor units",
                                   (long long)MEASURE_SUM_MAX);
        }
        if (!items_room(spells, &room, count - i, fault)) {
            return false;
        }
        size_t made = pieces(s, rules, worth, spells->items + spells->count);
        spells->first[s->account + 1] += made;
        spells->count += made;
        *ordered = *ordered && s->account >= before;
        before = s->account;
    }
    return true;
}

/* Pieces by account, where subscriptions were not. */
static bool pieces_place(struct measure_spells *spells, struct proto_fault *fault)
{
    struct measure_spell *items = calloc(spells->count + 1, sizeof *items);
    if (items == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu spells",
                               spells->count);
    }
    for (size_t i = 0; i < spells->count; i++) {
        if (!asked(spells, i, fault)) {
            free(items);
            return false;
        }
        items[spells->first[spells->items[i].account]++] = spells->items[i];
    }
    free(spells->items);
    spells->items = items;
    /* Each place now stands at the end of its account, which is the start of the next. */
    memmove(spells->first + 1, spells->first, spells->accounts * sizeof *spells->first);
    spells->first[0] = 0;
    return true;
}

static int by_start(const void *left, const void *right)
{
    const struct measure_spell *a = left;
    const struct measure_spell *b = right;
    if (a->from_ms != b->from_ms) {
        return a->from_ms < b->from_ms ? -1 : 1;
    }
    if (a->to_ms != b->to_ms) {
        return a->to_ms < b->to_ms ? -1 : 1;
    }
    return (int)(a->minor > b->minor) - (int)(a->minor < b->minor);
}

/* So that a life, or a moment without a customer, is found in one walk. */
static bool pieces_sort(struct measure_spells *spells, struct proto_fault *fault)
{
    for (uint32_t a = 0; a < spells->accounts; a++) {
        if (!asked(spells, a, fault)) {
            return false;
        }
        struct measure_spell *items = spells->items + spells->first[a];
        size_t count = spells->first[a + 1] - spells->first[a];
        size_t sorted = 1;
        while (sorted < count && by_start(&items[sorted - 1], &items[sorted]) <= 0) {
            sorted++;
        }
        if (sorted < count) {
            qsort(items, count, sizeof *items, by_start);
        }
    }
    return true;
}

bool measure_spells_make(const struct measure_subscription *subscriptions, size_t count,
                         uint32_t accounts, const struct measure_rules *rules,
                         struct measure_spells *spells, struct proto_fault *fault)
{
    return measure_spells_make_at(subscriptions, count, accounts, rules, NULL, spells, fault);
}

bool measure_spells_make_at(const struct measure_subscription *subscriptions, size_t count,
                            uint32_t accounts, const struct measure_rules *rules,
                            const struct measure_pace *pace, struct measure_spells *spells,
                            struct proto_fault *fault)
{
    *spells = (struct measure_spells){.pace = pace, .accounts = accounts};
    spells->free_is_active = measure_rules_has(rules, MEASURE_RULE_FREE, MEASURE_FREE_ACTIVE);
    spells->first = calloc((size_t)accounts + 1, sizeof *spells->first);
    if (spells->first == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts", accounts);
    }
    bool ordered = true;
    bool good = pieces_make(subscriptions, count, rules, spells, &ordered, fault);
    for (uint32_t a = 0; a < accounts && good; a++) {
        spells->first[a + 1] += spells->first[a];
    }
    good = good && (ordered || pieces_place(spells, fault)) && pieces_sort(spells, fault);
    if (!good) {
        measure_spells_fini(spells);
    }
    return good;
}

void measure_spells_fini(struct measure_spells *spells)
{
    free(spells->items);
    free(spells->first);
    *spells = (struct measure_spells){.accounts = 0};
}

int64_t measure_account_at(const struct measure_spells *spells, uint32_t account, int64_t at_ms,
                           bool *customer)
{
    int64_t sum = 0;
    bool any = false;
    for (size_t i = spells->first[account]; i < spells->first[account + 1]; i++) {
        const struct measure_spell *spell = &spells->items[i];
        bool runs = spell->from_ms <= at_ms && at_ms < spell->to_ms;
        sum += runs ? spell->minor : 0;
        any |= runs;
    }
    if (customer != NULL) {
        *customer = any;
    }
    return sum;
}

bool measure_account_before(const struct measure_spells *spells, uint32_t account, int64_t at_ms)
{
    bool any = false;
    for (size_t i = spells->first[account]; i < spells->first[account + 1] && !any; i++) {
        any = spells->items[i].from_ms < at_ms && spells->items[i].minor > 0;
    }
    return any;
}
