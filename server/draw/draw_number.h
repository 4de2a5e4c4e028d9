/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them, for charts, pages and terminals.
 * Ownership: text is the caller's, written whole or cut at text_bytes; 32 bytes hold any of them.
 * Threads: pure. */
#ifndef DRAW_NUMBER_H
#define DRAW_NUMBER_H

#include <stddef.h>

/* "1.2 M", "340 k", "0.85": three digits and a unit of thousand, million, thousand million. */
void draw_number(double value, char *text, size_t text_bytes);
/* Microseconds: "850 µs", "1.5 ms", "2 s". */
void draw_number_us(double value, char *text, size_t text_bytes);

#endif
