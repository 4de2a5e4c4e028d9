/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers of events as people write them: amounts by the minor unit of their currency,
 * quantities by thousandths. Shapes: digits are decimal digits behind the point. Ownership: the
 * caller's buffer. Errors: none; a currency that is not in the table has two digits. Threads: pure.
 * Source: ISO 4217. */
#ifndef EVENT_EVENT_MONEY_H
#define EVENT_EVENT_MONEY_H

#include "proto/span.h"

#define EVENT_QUANTITY_DIGITS 3u

unsigned event_money_digits(struct proto_span currency);

/* A sign, 19 digits, a point and the zero end. */
#define EVENT_DECIMAL_BYTES 24
/* "1234.50" of 123450 with two digits (at most 9). `whole`: zeros behind the point, and a point
 * with nothing behind it, are left out: "9" of 9000 with three. Returns out. */
const char *event_decimal_print(int64_t number, unsigned digits, bool whole,
                                char out[EVENT_DECIMAL_BYTES]);

#endif
