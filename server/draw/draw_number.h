/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them, for charts, pages and terminals.
 * Ownership: text is the caller's, written whole or cut at text_bytes; 32 bytes hold any of them,
 * and its noun. Threads: pure. */
#ifndef DRAW_NUMBER_H
#define DRAW_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* "1.2 M", "340 k", "0.85": three digits and a unit of thousand, million, thousand million. */
void draw_number(double value, char *text, size_t text_bytes);
/* Microseconds: "850 µs", "1.5 ms", "2 s". */
void draw_number_us(double value, char *text, size_t text_bytes);
/* A whole number of 10^-digits (at most 9) with a comma between thousands: "10,159,608.00" of
 * 1015960800 with two. `behind`: how many of the digits are shown, rounded half away from zero. */
void draw_number_grouped(int64_t number, unsigned digits, unsigned behind, char *text,
                         size_t text_bytes);
/* How many of something, grouped: "1 account", "2,798 accounts". The noun stands in the singular
 * and takes an s. */
void draw_number_counted(int64_t count, const char *noun, char *text, size_t text_bytes);
/* "87.1 %" of 0.871; "–" of NAN. */
void draw_number_share(double share, char *text, size_t text_bytes);

#endif
