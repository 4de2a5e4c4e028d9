/* SPDX-License-Identifier: Apache-2.0 */
/* A rule is set by its words: name found, then the choice among those of the rule. What is no rule
 * may be the currency or one of its rates; anything else is refused with the words that would do.
 */
#include "server/measure/measure_rules.h"

#include <stdio.h>
#include <string.h>

#include "server/event/event_money.h"

static const char *const rule_names[MEASURE_RULES] = {
#define R(RULE, name, help) name,
#define V(RULE, CHOICE, word, help)
#include "server/measure/measure_rule.def"
#undef R
#undef V
    "rates"};

static const char *const rule_helps[MEASURE_RULES] = {
#define R(RULE, name, help) help,
#define V(RULE, CHOICE, word, help)
#include "server/measure/measure_rule.def"
#undef R
#undef V
    "what one unit of each other currency is worth in the base currency"};

static const struct measure_choice_info choices[MEASURE_CHOICES] = {
#define R(RULE, name, help)
#define V(RULE, CHOICE, word, help) {MEASURE_RULE_##RULE, word, help},
#include "server/measure/measure_rule.def"
#undef R
#undef V
};

void measure_rules_default(struct measure_rules *rules)
{
    *rules = (struct measure_rules){.rate_count = 0};
    for (int c = MEASURE_CHOICES - 1; c >= 0; c--) {
        rules->choice[choices[c].rule] = (uint8_t)c; /* the first of each rule stays */
    }
}

const char *measure_rule_name(enum measure_rule rule)
{
    return rule_names[rule];
}

const char *measure_rule_help(enum measure_rule rule)
{
    return rule_helps[rule];
}

const struct measure_choice_info *measure_choice_info(enum measure_choice choice)
{
    return &choices[choice];
}

bool measure_decimal(struct proto_span text, unsigned digits, int64_t most, int64_t *value)
{
    size_t at = text.bytes > 0 && (text.data[0] == '-' || text.data[0] == '+');
    bool negative = at > 0 && text.data[0] == '-';
    bool any = false;
    bool point = false;
    unsigned behind = 0;
    int64_t number = 0;
    for (; at < text.bytes; at++) {
        uint8_t sign = text.data[at];
        if (sign == '.' && !point) {
            point = true;
            continue;
        }
        if (sign < '0' || sign > '9') {
            return false;
        }
        any = true;
        if (point && behind == digits) {
            if (sign != '0') {
                return false;
            }
            continue;
        }
        behind += point;
        if (number > (most - (sign - '0')) / 10) {
            return false;
        }
        number = number * 10 + (sign - '0');
    }
    for (; any && behind < digits; behind++) {
        if (number > most / 10) {
            return false;
        }
        number *= 10;
    }
    *value = negative ? -number : number;
    return any;
}

static bool currency_take(char out[MEASURE_CURRENCY_BYTES], struct proto_span text)
{
    bool good = text.bytes == 3;
    for (size_t i = 0; good && i < 3; i++) {
        uint8_t sign = text.data[i];
        good = (sign >= 'A' && sign <= 'Z') || (sign >= 'a' && sign <= 'z');
        out[i] = (char)(sign & 0xdf);
    }
    out[3] = '\0';
    return good;
}

static struct measure_rate *rate_find(const struct measure_rules *rules, const char *currency)
{
    for (uint32_t i = 0; i < rules->rate_count; i++) {
        if (memcmp(rules->rates[i].currency, currency, MEASURE_CURRENCY_BYTES) == 0) {
            return (struct measure_rate *)(uintptr_t)&rules->rates[i];
        }
    }
    return NULL;
}

/* Rates are kept in order of their names, so that two tables with the same rates are the same. */
static bool rate_set(struct measure_rules *rules, struct proto_span name, struct proto_span value,
                     struct proto_fault *fault)
{
    struct measure_rate rate = {.millionths = 0};
    if (!currency_take(rate.currency, name)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "rate",
                               "a rate is named by three letters, as in rate-EUR=1.08, not '%.*s'",
                               (int)name.bytes, (const char *)name.data);
    }
    if (!measure_decimal(value, 6, MEASURE_RATE_MAX, &rate.millionths) || rate.millionths <= 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "rate",
                               "the rate of %s is a number above 0 with at most six digits behind "
                               "the point, not '%.*s'",
                               rate.currency, (int)value.bytes, (const char *)value.data);
    }
    struct measure_rate *there = rate_find(rules, rate.currency);
    if (there != NULL) {
        there->millionths = rate.millionths;
        return true;
    }
    if (rules->rate_count == MEASURE_RATES_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "rate", "a definition has at most %d rates",
                               MEASURE_RATES_MAX);
    }
    uint32_t at = rules->rate_count++;
    for (; at > 0 && strcmp(rules->rates[at - 1].currency, rate.currency) > 0; at--) {
        rules->rates[at] = rules->rates[at - 1];
    }
    rules->rates[at] = rate;
    return true;
}

static bool choice_set(struct measure_rules *rules, enum measure_rule rule, struct proto_span value,
                       struct proto_fault *fault)
{
    char words[160] = "";
    size_t used = 0;
    for (int c = 0; c < MEASURE_CHOICES; c++) {
        if (choices[c].rule != rule) {
            continue;
        }
        if (proto_span_is(value, choices[c].word)) {
            rules->choice[rule] = (uint8_t)c;
            return true;
        }
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "",
                                 choices[c].word);
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, rule_names[rule],
                           "the rule %s is one of %s, not '%.*s'", rule_names[rule], words,
                           (int)value.bytes, (const char *)value.data);
}

bool measure_rules_set(struct measure_rules *rules, struct proto_span name, struct proto_span value,
                       struct proto_fault *fault)
{
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        if (proto_span_is(name, rule_names[rule])) {
            return choice_set(rules, (enum measure_rule)rule, value, fault);
        }
    }
    if (proto_span_is(name, MEASURE_RULE_CURRENCY)) {
        return currency_take(rules->base, value) ||
               proto_fault_set(fault, PROTO_BAD_FIELD, MEASURE_RULE_CURRENCY,
                               "a currency is three letters such as USD, not '%.*s'",
                               (int)value.bytes, (const char *)value.data);
    }
    if (name.bytes > 5 && memcmp(name.data, "rate-", 5) == 0) {
        return rate_set(rules, (struct proto_span){name.data + 5, name.bytes - 5}, value, fault);
    }
    char words[400] = "";
    size_t used = 0;
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        used += (size_t)snprintf(words + used, sizeof words - used, "%s, ", rule_names[rule]);
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, "rules",
                           "there is no rule '%.*s'; there are %scurrency and rate-EUR (any code)",
                           (int)(name.bytes < 60 ? name.bytes : 60), (const char *)name.data,
                           words);
}

bool measure_rules_set_text(struct measure_rules *rules, const char *text,
                            struct proto_fault *fault)
{
    const char *sign = strchr(text, '=');
    if (sign == NULL) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, "rules",
            "a rule is given as NAME=CHOICE, such as churn-at=cancel, not '%.60s'", text);
    }
    struct proto_span name = {(const uint8_t *)text, (size_t)(sign - text)};
    return measure_rules_set(rules, name, proto_span_text(sign + 1), fault);
}

/* Every amount asks: three letters are compared sooner than strcmp begins. */
static bool is_base(const struct measure_rules *rules, const char *currency)
{
    size_t i = 0;
    while (currency[i] != '\0' && currency[i] == rules->base[i]) {
        i++;
    }
    return currency[i] == rules->base[i];
}

int64_t measure_rules_rate(const struct measure_rules *rules, const char *currency)
{
    if (currency[0] == '\0' || is_base(rules, currency)) {
        return MEASURE_RATE_ONE;
    }
    const struct measure_rate *rate = rate_find(rules, currency);
    return rate != NULL ? rate->millionths : 0;
}

uint32_t measure_rules_differ(const struct measure_rules *a, const struct measure_rules *b)
{
    uint32_t bits = 0;
    for (unsigned rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        bits |= (uint32_t)(a->choice[rule] != b->choice[rule]) << rule;
    }
    bool same = strcmp(a->base, b->base) == 0 && a->rate_count == b->rate_count;
    for (uint32_t i = 0; same && i < a->rate_count; i++) {
        same = strcmp(a->rates[i].currency, b->rates[i].currency) == 0 &&
               a->rates[i].millionths == b->rates[i].millionths;
    }
    return bits | (uint32_t)!same << MEASURE_RULE_RATES;
}

struct measure_rules measure_rules_mix(const struct measure_rules *a, const struct measure_rules *b,
                                       uint32_t bits)
{
    bool rates = (bits >> MEASURE_RULE_RATES & 1) != 0;
    struct measure_rules mixed = rates ? *b : *a;
    for (unsigned rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        mixed.choice[rule] = (bits >> rule & 1) != 0 ? b->choice[rule] : a->choice[rule];
    }
    return mixed;
}

static int64_t power_of_ten(unsigned exponent)
{
    int64_t power = 1;
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

struct measure_worth measure_rules_worth(const struct measure_rules *rules, const char *currency)
{
    struct measure_worth worth = {measure_rules_rate(rules, currency), MEASURE_RATE_ONE};
    if (currency[0] == '\0' || rules->base[0] == '\0' || is_base(rules, currency)) {
        return worth; /* the same unit */
    }
    unsigned from = event_money_digits(proto_span_text(currency));
    unsigned to = event_money_digits(proto_span_text(rules->base));
    worth.over *= to > from ? power_of_ten(to - from) : 1;
    worth.under *= from > to ? power_of_ten(from - to) : 1;
    return worth;
}

int64_t measure_money(int64_t amount, struct measure_worth worth, uint32_t term)
{
    __extension__ typedef __int128 wide;
    if (worth.over == worth.under && worth.under % 2 == 0 && amount >= 0 &&
        amount <= INT64_MAX / 4) {
        return (2 * amount + term) / (2 * (int64_t)term); /* the same, in 64 bits */
    }
    wide over = (wide)amount * worth.over;
    wide under = (wide)term * worth.under;
    wide half = over < 0 ? -under / 2 : under / 2;
    return (int64_t)((over + half) / under);
}

double measure_money_units(const char *currency)
{
    return (double)power_of_ten(event_money_digits(proto_span_text(currency)));
}
