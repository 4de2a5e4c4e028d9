/* SPDX-License-Identifier: Apache-2.0 */
/* What pages have around their sections: figures large at the head (tiles), what all of it rests on
 * (facts), and links to the sections.
 *
 * Shapes: texts in UTF-8, written as draw_shown writes those of strangers; ids as draw_section_open
 * takes them. The list around them (<dl>, <ul>) is the caller's. Ownership: borrows. Errors: those
 * of the stream, which the caller checks. Threads: one. Cost: one pass over the text. */
#ifndef REPORT_REPORT_FACT_H
#define REPORT_REPORT_FACT_H

#include <stdint.h>
#include <stdio.h>

void report_tile(FILE *out, const char *name, const char *figure);
/* Nothing where the value is "". */
void report_fact(FILE *out, const char *name, const char *value);
/* "2,798". */
void report_fact_count(FILE *out, const char *name, uint64_t count);
/* A number that names something, such as a sequence: "2798". */
void report_fact_number(FILE *out, const char *name, uint64_t number);
/* Facts under a heading of their own, as one card of a <div class="groups">. */
void report_group_open(FILE *out, const char *heading);
void report_group_close(FILE *out);
/* An entry of the list of sections. */
void report_link(FILE *out, const char *id, const char *heading);

#endif
