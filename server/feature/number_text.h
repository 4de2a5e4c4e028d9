/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as people and spreadsheets write them, to numbers. Ownership: borrows. Errors: a text is
 * a number or not. Threads: pure. Cost: linear in the text. */
#ifndef FEATURE_NUMBER_TEXT_H
#define FEATURE_NUMBER_TEXT_H

#include "proto/span.h"

/* A number with a decimal point, without outer blanks: thousands divided by commas (by hundreds of
 * thousands too, as in India), blanks or apostrophes; a currency before or behind; k, M, Mio, bn …;
 * "12%" is 12; "(5)" and "5-" are -5. */
bool feature_number_from_text(struct proto_span text, double *number);
/* The currency that an amount in words names by sign or code, as three letters ("kr" for the
 * crowns); NULL if none. "$" is taken for USD. */
const char *feature_currency_of(struct proto_span text);

#endif
