/* SPDX-License-Identifier: Apache-2.0 */
/* Digits of a currency come from the table; a number is printed whole, with zeros in front, and the
 * point put before its last digits. */
#include "server/event/event_money.h"

#include <stdio.h>

unsigned event_money_digits(struct proto_span currency)
{
#define X(code, digits)                                                                            \
    if (proto_span_is(currency, code)) {                                                           \
        return digits;                                                                             \
    }
#include "server/event/event_currency.def"
#undef X
    return 2;
}

const char *event_decimal_print(int64_t number, unsigned digits, bool whole,
                                char out[EVENT_DECIMAL_BYTES])
{
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint64_t unit = 1;
    unsigned shown = digits;
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    uint64_t behind = size % unit;
    while (whole && shown > 0 && behind % 10 == 0) {
        behind /= 10;
        shown--;
    }
    const char *sign = number < 0 ? "-" : "";
    if (shown == 0) {
        snprintf(out, EVENT_DECIMAL_BYTES, "%s%llu", sign, (unsigned long long)(size / unit));
    } else {
        snprintf(out, EVENT_DECIMAL_BYTES, "%s%llu.%0*llu", sign, (unsigned long long)(size / unit),
                 (int)shown, (unsigned long long)behind);
    }
    return out;
}
