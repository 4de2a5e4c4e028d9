/* SPDX-License-Identifier: Apache-2.0 */
/* One HTML page: no scripts, no other files, light and dark, readable on paper and on a telephone.
 * Its style sheet knows the classes of draw_svg.h (s0 … for series), draw_rows.h and draw_table.h,
 * and good, bad, dim, answer (the sentence a section begins with). Ownership: borrows; writes to a
 * stream whose errors the caller checks. Threads: one. */
#ifndef DRAW_PAGE_H
#define DRAW_PAGE_H

#include <stdio.h>

/* Up to the heading, which is the title too. */
void draw_page_open(FILE *out, const char *title);
void draw_page_close(FILE *out);
/* A part of the page under a heading; the id is that of the heading, letters and '-', unique. */
void draw_section_open(FILE *out, const char *id, const char *heading);
void draw_section_close(FILE *out);
/* Writes text with <, >, & and quotes as entities. */
void draw_text(FILE *out, const char *text);
/* A text put together, as draw_shown.h writes it; what is beyond DRAW_FORMAT_BYTES is cut between
 * letters. */
#define DRAW_FORMAT_BYTES 2048
void draw_format(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
