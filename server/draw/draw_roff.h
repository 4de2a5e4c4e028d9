/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages in the man macros of troff, which groff and mandoc both read: texts are given as
 * they are, and come out so that nothing in them is taken for a request.
 * Ownership: borrows. Errors: those of the stream, which the caller checks. Threads: any.
 * Cost: linear in the text. Source: man(7), groff_char(7). */
#ifndef DRAW_ROFF_H
#define DRAW_ROFF_H

#include <stdio.h>

/* .TH and the section NAME: what `whatis` shows. `section` is 1 to 8. */
void draw_roff_begin(FILE *out, const char *name, int section, const char *version,
                     const char *summary);
/* A heading, such as "OPTIONS", and the text below it; NULL if something else comes there. */
void draw_roff_section(FILE *out, const char *heading, const char *text);
/* One more paragraph. */
void draw_roff_paragraph(FILE *out, const char *text);
/* "name argument" in bold and italics, and behind it, indented, what it means. `argument` may be
 * NULL. */
void draw_roff_entry(FILE *out, const char *name, const char *argument, const char *meaning);
/* Lines as they stand. */
void draw_roff_lines(FILE *out, const char *lines);
/* A text within a line: '\\', '-', '\'' and the like so that they are shown, and can be copied. */
void draw_roff_text(FILE *out, const char *text);

#endif
