/* SPDX-License-Identifier: Apache-2.0 */
/* What a definition of a metric leaves open, made explicit: one choice for each rule of
 * measure_rule.def, and rates of currencies.
 *
 * Shapes: a rate is units of the base currency for one of the other, in millionths; minor units,
 * of which some currencies have none and some have thousandths, are worked out by ISO 4217
 * (server/event/event_currency.def). Ownership:
 * plain values, names are static. Errors: BAD_FIELD that names the rule and its choices. Threads:
 * pure. Source: METHODS of revenue reporting differ rule by rule; see docs/methods/mrr.md. */
#ifndef MEASURE_MEASURE_RULES_H
#define MEASURE_MEASURE_RULES_H

#include "proto/fault.h"
#include "proto/span.h"

enum measure_rule {
#define R(RULE, name, help) MEASURE_RULE_##RULE,
#define V(RULE, CHOICE, word, help)
#include "server/measure/measure_rule.def"
#undef R
#undef V
    MEASURE_RULE_RATES, /* the currency table: differs or not, like a rule */
    MEASURE_RULES
};

enum measure_choice {
#define R(RULE, name, help)
#define V(RULE, CHOICE, word, help) MEASURE_##RULE##_##CHOICE,
#include "server/measure/measure_rule.def"
#undef R
#undef V
    MEASURE_CHOICES
};

/* One currency each; more are in no company's books, and a definition stays readable. */
#define MEASURE_RATES_MAX 64
#define MEASURE_CURRENCY_BYTES 4
/* What currency amounts are told in is said among the rules under this name. */
#define MEASURE_RULE_CURRENCY "currency"
#define MEASURE_RATE_ONE INT64_C(1000000)
#define MEASURE_RATE_MAX (INT64_C(1000000) * MEASURE_RATE_ONE)

struct measure_rate {
    char currency[MEASURE_CURRENCY_BYTES]; /* "EUR" */
    int64_t millionths;
};

struct measure_rules {
    uint8_t choice[MEASURE_RULE_RATES]; /* enum measure_choice, by rule */
    char base[MEASURE_CURRENCY_BYTES];  /* "" while no currency is named */
    struct measure_rate rates[MEASURE_RATES_MAX];
    uint32_t rate_count;
};

struct measure_choice_info {
    enum measure_rule rule;
    const char *word;
    const char *help;
};

void measure_rules_default(struct measure_rules *rules);
static inline bool measure_rules_has(const struct measure_rules *rules, enum measure_rule rule,
                                     enum measure_choice choice)
{
    return rules->choice[rule] == (uint8_t)choice;
}
/* Name and question of a rule; for MEASURE_RULE_RATES "rates". */
const char *measure_rule_name(enum measure_rule rule);
const char *measure_rule_help(enum measure_rule rule);
const struct measure_choice_info *measure_choice_info(enum measure_choice choice);
/* "churn-at=cancel", or "rate-EUR=1.08", or "currency=USD". */
bool measure_rules_set(struct measure_rules *rules, struct proto_span name, struct proto_span value,
                       struct proto_fault *fault);
bool measure_rules_set_text(struct measure_rules *rules, const char *text,
                            struct proto_fault *fault);
/* The rate of a currency; 0 if the table has none. The base, and "" , count one to one. */
int64_t measure_rules_rate(const struct measure_rules *rules, const char *currency);
/* Minor units of the base for one minor unit of a currency, over / under; over is 0 where there is
 * no rate. */
struct measure_worth {
    int64_t over, under;
};
struct measure_worth measure_rules_worth(const struct measure_rules *rules, const char *currency);
/* amount · worth / term, half away from zero; |amount| < 2^44, term < 2^16. */
int64_t measure_money(int64_t amount, struct measure_worth worth, uint32_t term);
/* Minor units of one unit of a currency: 100 of USD, 1 of JPY; of "" 100. */
double measure_money_units(const char *currency);
/* Rules that differ, as bits by enum measure_rule. */
uint32_t measure_rules_differ(const struct measure_rules *a, const struct measure_rules *b);
/* *a with the rules of `bits` taken from *b. */
struct measure_rules measure_rules_mix(const struct measure_rules *a, const struct measure_rules *b,
                                       uint32_t bits);

/* A decimal such as "1.08" or "-12.5" as a whole number of 10^-digits, exactly; digits beyond are
 * refused unless they are zeros. digits ≤ 9. */
bool measure_decimal(struct proto_span text, unsigned digits, int64_t most, int64_t *value);

#endif
