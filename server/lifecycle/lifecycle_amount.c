/* SPDX-License-Identifier: Apache-2.0 */
/* One amount after the other; out of bounds, alone or with those before, of a second currency or of
 * one without a rate it ends what is measured. */
#include "server/lifecycle/lifecycle_amount.h"

#include "server/measure/spell.h"

static bool has_currency(const struct lifecycle_amount *amount)
{
    return amount->rules->base[0] != '\0' || amount->rules->rate_count > 0;
}

bool lifecycle_amount_fits(struct lifecycle_amount *amount,
                           const char currency[MEASURE_CURRENCY_BYTES], struct proto_fault *fault)
{
    if (amount->currency[0] == '\0') {
        memcpy(amount->currency, currency, sizeof amount->currency);
    }
    return has_currency(amount) || strcmp(currency, amount->currency) == 0 ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "rules.currency",
                           "amounts are in %s and %s; the rules need currency=%s and "
                           "rate-%s=…, what one %s is worth",
                           amount->currency, currency, amount->currency, currency, currency);
}

bool lifecycle_amount_settle(struct lifecycle_amount *amount, const struct event *event,
                             int64_t *minor, struct proto_fault *fault)
{
    char currency[MEASURE_CURRENCY_BYTES] = "";
    *minor = 0;
    if ((event->has & EVENT_HAS_AMOUNT) == 0) {
        return true;
    }
    if (event->amount < 0 || event->amount > MEASURE_AMOUNT_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "amount",
                               "an amount is 0 to %lld minor units", (long long)MEASURE_AMOUNT_MAX);
    }
    if (event->currency.bytes > 0) {
        memcpy(currency, event->currency.data,
               event->currency.bytes < 3 ? event->currency.bytes : 3);
    }
    if (!lifecycle_amount_fits(amount, currency, fault)) {
        return false;
    }
    struct measure_worth worth = {1, 1};
    if (has_currency(amount)) {
        worth = measure_rules_worth(amount->rules, currency);
    }
    if (worth.over == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "currency",
                               "there is no rate for %s; the definition needs rate-%s=…", currency,
                               currency);
    }
    if (!measure_sum_add(&amount->sum, event->amount, worth)) {
        return proto_fault_set(fault, PROTO_LIMIT, "amount",
                               "all amounts together are more than %lld minor units",
                               (long long)MEASURE_SUM_MAX);
    }
    *minor = measure_money(event->amount, worth, 1);
    return true;
}

void lifecycle_amount_end(struct lifecycle_amount *amount)
{
    if (!has_currency(amount)) {
        memcpy(amount->rules->base, amount->currency, sizeof amount->rules->base);
    }
}
