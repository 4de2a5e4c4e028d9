/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as text and as milliseconds since 1970-01-01T00:00:00Z, proleptic Gregorian, without leap
 * seconds. Written as RFC 3339: "2023-01-08" where it is midnight in UTC, else
 * "2023-01-08T10:00:00Z", with ".250" where there are milliseconds. Read: the same, a blank for the
 * T, another zone ("+02:00", "+0200"), no zone (UTC), no seconds; "2023/01/08"; and a month by its
 * English name between day and year of four digits, as in "08-Jan-2023", "Jan 8, 2023", "Sun, 08
 * Jan 2023 00:27:00 +0200". What could be two dates ("01/02/2023") is none. Ownership: borrows.
 * Errors: false. Threads: pure. Source: RFC 3339, 5.6; days by H. Hinnant's civil calendar
 * algorithms. */
#ifndef FEATURE_DATE_TEXT_H
#define FEATURE_DATE_TEXT_H

#include "proto/span.h"

#define FEATURE_DAY_MS INT64_C(86400000)
/* Years 1 to 9999, what RFC 3339 can write. */
#define FEATURE_DATE_MS_MIN INT64_C(-62135596800000)
#define FEATURE_DATE_MS_MAX INT64_C(253402300799999)
#define FEATURE_DATE_TEXT_BYTES 32

/* Milliseconds of a day at midnight; false if there is no such day. */
bool feature_date_of(int year, int month, int day, int64_t *ms);
/* *whole_day: no time of day was given. */
bool feature_date_read(struct proto_span text, int64_t *ms, bool *whole_day);
/* A time of day at the start of a text: "10:30", "10:30:00.5", "12:27 AM", then perhaps a zone.
 * Milliseconds to add to the day; false if the text is none. An empty text is midnight. */
bool feature_time_read(struct proto_span text, int64_t *ms);
/* Returns the bytes written without the zero. */
size_t feature_date_print(int64_t ms, char out[FEATURE_DATE_TEXT_BYTES]);
/* 1 to 12 for a month's English or German name or its first three letters; 0 for none. */
int feature_month_of(struct proto_span word);

#endif
