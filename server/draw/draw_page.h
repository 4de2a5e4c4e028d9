/* SPDX-License-Identifier: Apache-2.0 */
/* One HTML page: no scripts, no other files, light and dark, readable on paper. Its style sheet
 * knows the classes of draw_svg.h (s0 … for series) and, for tables, n (numbers), good, bad, dim,
 * wrap. Ownership: borrows; writes to a stream whose errors the caller checks. Threads: one. */
#ifndef DRAW_PAGE_H
#define DRAW_PAGE_H

#include <stdio.h>

/* Up to the heading, which is the title too. */
void draw_page_open(FILE *out, const char *title);
void draw_page_close(FILE *out);
/* Writes text with <, >, & and quotes as entities. */
void draw_text(FILE *out, const char *text);

#endif
