/* SPDX-License-Identifier: Apache-2.0 */
/* Deals are sorted by person and day; each is multiplied once, and sums are of what came out.
 * Multipliers that say nothing or too much, no deal and memory can end it. */
#include "server/measure/compensation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/feature/span_text.h"

static const char *const grades[MEASURE_PAID_GRADES] = {"A", "B", "C", "D", "none"};

/* Digits, perhaps a point and at most two behind it. */
static bool hundredths_read(struct proto_span text, int64_t *hundredths)
{
    int64_t value = 0;
    size_t behind = 0;
    bool point = false;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = (char)text.data[i];
        if (c == '.' && !point && i > 0 && i + 1 < text.bytes) {
            point = true;
        } else if (c >= '0' && c <= '9' && behind < 2 && value <= MEASURE_MULTIPLIER_MAX) {
            value = value * 10 + (c - '0');
            behind += point;
        } else {
            return false;
        }
    }
    for (; behind < 2; behind++) {
        value *= 10;
    }
    *hundredths = value;
    return text.bytes > 0 && value <= MEASURE_MULTIPLIER_MAX;
}

bool measure_multipliers_read(struct proto_span text, int64_t multipliers[MEASURE_PAID_GRADES],
                              struct proto_fault *fault)
{
    static const char *const wanted = "A=1.2,B=1,C=0.8,D=0.5,none=1, each from 0 to 5 with at "
                                      "most two digits behind the point, is how they are told";
    for (int g = 0; g < MEASURE_PAID_GRADES; g++) {
        multipliers[g] = -1;
    }
    while (text.bytes > 0) {
        struct proto_span part = feature_text_part(&text, ',');
        struct proto_span value = part;
        struct proto_span name = feature_text_part(&value, '=');
        int g = 0;
        while (g < MEASURE_PAID_GRADES && !proto_span_is(name, grades[g])) {
            g++;
        }
        if (g == MEASURE_PAID_GRADES || multipliers[g] >= 0 ||
            !hundredths_read(feature_text_trim(value), &multipliers[g])) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "multipliers",
                                   "'%.*s' is no multiplier of a grade, or is told twice: %s",
                                   part.bytes < 40 ? (int)part.bytes : 40, (const char *)part.data,
                                   wanted);
        }
    }
    for (int g = 0; g < MEASURE_PAID_NONE; g++) {
        if (multipliers[g] < 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "multipliers",
                                   "there is none for grade %s: %s", grades[g], wanted);
        }
    }
    if (multipliers[MEASURE_PAID_NONE] < 0) {
        multipliers[MEASURE_PAID_NONE] = 100;
    }
    return true;
}

int64_t measure_credit(int64_t amount, int64_t rate, int64_t multiplier)
{
    /* In two parts, so that nothing overflows: the factor is at most 10^9 of a whole of 10^8. */
    const int64_t whole = INT64_C(100000000);
    int64_t factor = rate * multiplier;
    int64_t rest = amount % whole * factor;
    return amount / whole * factor + rest / whole + (rest % whole >= whole / 2);
}

void measure_paid_deals_fini(struct measure_paid_deals *deals)
{
    for (size_t i = 0; i < deals->count; i++) {
        free(deals->items[i].account);
        free(deals->items[i].subject);
        free(deals->items[i].person);
        free(deals->items[i].reason);
        free(deals->items[i].dispute);
    }
    free(deals->items);
    *deals = (struct measure_paid_deals){.count = 0};
}

bool measure_paid_deals_add(struct measure_paid_deals *deals, const struct measure_paid_deal *deal,
                            struct proto_fault *fault)
{
    if (!base_grow(&deals->items, &deals->room, deals->count + 1, sizeof *deals->items, "deals",
                   fault)) {
        return false;
    }
    struct measure_paid_deal *kept = &deals->items[deals->count++];
    *kept = *deal;
    kept->account = strdup(deal->account);
    kept->subject = strdup(deal->subject);
    kept->person = strdup(deal->person);
    kept->reason = strdup(deal->reason);
    kept->dispute = strdup(deal->dispute);
    return (kept->account && kept->subject && kept->person && kept->reason && kept->dispute) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu deals", deals->count);
}

static int by_person(const void *left, const void *right)
{
    const struct measure_paid_deal *a = left;
    const struct measure_paid_deal *b = right;
    int order = strcmp(a->person, b->person);
    if (order == 0 && a->won_ms != b->won_ms) {
        return a->won_ms < b->won_ms ? -1 : 1;
    }
    order = order != 0 ? order : strcmp(a->account, b->account);
    return order != 0 ? order : strcmp(a->subject, b->subject);
}

struct sums {
    int64_t n, amount, credit;
};

static void sum_add(struct measure_table *table, const char *row, const char *person,
                    const struct sums *sums)
{
    measure_add_text(table, row);
    measure_add_text(table, person);
    measure_add_text(table, "");
    measure_add_text(table, "");
    measure_add_absent(table);
    measure_add_absent(table);
    measure_add_whole(table, sums->n);
    measure_add_whole(table, sums->amount);
    measure_add_text(table, "");
    measure_add_absent(table);
    measure_add_absent(table);
    measure_add_whole(table, sums->credit);
    measure_add_text(table, "");
    measure_add_text(table, "");
}

static int64_t credit_of(const struct measure_paid_deal *deal,
                         const struct measure_compensation_options *options)
{
    return measure_credit(deal->amount, llround(options->rate * 1e6),
                          options->multipliers[deal->grade]);
}

static void deal_add(struct measure_table *table, const struct measure_paid_deal *deal,
                     const struct measure_compensation_options *options)
{
    measure_add_text(table, "deal");
    measure_add_text(table, deal->person);
    measure_add_text(table, deal->account);
    measure_add_text(table, deal->subject);
    measure_add_whole(table, deal->created_ms);
    measure_add_whole(table, deal->won_ms);
    measure_add_whole(table, 1);
    measure_add_whole(table, deal->amount);
    measure_add_text(table, grades[deal->grade]);
    measure_add_number(table, deal->fit);
    measure_add_number(table, (double)options->multipliers[deal->grade] / 100);
    measure_add_whole(table, credit_of(deal, options));
    measure_add_text(table, deal->reason);
    measure_add_text(table, deal->dispute);
}

static struct sums sums_of(const struct measure_paid_deal *deals, size_t count,
                           const struct measure_compensation_options *options)
{
    struct sums sums = {.n = (int64_t)count};
    for (size_t i = 0; i < count; i++) {
        sums.amount += deals[i].amount;
        sums.credit += credit_of(&deals[i], options);
    }
    return sums;
}

bool measure_compensation_table(struct measure_paid_deals *deals,
                                const struct measure_compensation_options *options,
                                struct measure_table *table, struct proto_fault *fault)
{
    measure_table_init(table, MEASURE_ID_COMPENSATION);
    if (deals->count == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "no deal was won in that time: there is nothing to pay for");
    }
    qsort(deals->items, deals->count, sizeof *deals->items, by_person);
    const struct sums all = sums_of(deals->items, deals->count, options);
    sum_add(table, "all", "", &all);
    for (size_t i = 0; i < deals->count;) {
        const struct measure_paid_deal *first = &deals->items[i];
        size_t n = 0;
        while (i + n < deals->count && strcmp(first[n].person, first->person) == 0) {
            n++;
        }
        const struct sums own = sums_of(first, n, options);
        sum_add(table, "person", first->person, &own);
        i += n;
    }
    for (size_t i = options->skip; i < deals->count && i - options->skip < options->top; i++) {
        deal_add(table, &deals->items[i], options);
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
