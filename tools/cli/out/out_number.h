/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, sizes and times as people read them; programs get them bare. Ownership: as said. Errors:
 * NULL is "no memory". Threads: pure. */
#ifndef OUT_OUT_NUMBER_H
#define OUT_OUT_NUMBER_H

#include <stdint.h>

#define OUT_NUMBER_BYTES 32

/* A copy with a comma between thousands, from five digits before the point on: "12,345.6"; a year
 * stays as it is. What is no number is copied as it is. Returned, caller frees. */
char *out_grouped(const char *text);
/* Whole number with commas. Returns text. */
const char *out_count(uint64_t count, char text[OUT_NUMBER_BYTES]);
/* The number, or 0 where so many decimals of it are all 0: so that "%+.1f" never gives "-0.0". */
double out_signed(double number, int decimals);
/* Bytes: "512 B", "1.5 KiB", "64 MiB". Returns text. */
const char *out_size(double bytes, char text[OUT_NUMBER_BYTES]);
/* Microseconds: "12 µs", "3.4 ms", "1.2 s", "2 h 5 min". Returns text. */
const char *out_duration(double us, char text[OUT_NUMBER_BYTES]);
/* Milliseconds since 1970 as "2024-05-01 12:00" in UTC; "" for 0. */
#define OUT_TIME_BYTES 24
const char *out_time(int64_t time_ms, char text[OUT_TIME_BYTES]);
/* The same with seconds, for what happens in a row. */
const char *out_moment(int64_t time_ms, char text[OUT_TIME_BYTES]);

#endif
