/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a terminal shows it: how many columns it takes, and what of it may reach the terminal at
 * all. Shapes: UTF-8 in, UTF-8 out. Widths are those of wcwidth (a Chinese character takes two
 * columns, an accent that combines none), so the program must have called
 * setlocale(LC_CTYPE, "C.UTF-8"); without it every character counts as one. Control characters
 * (C0 but the tab and the line feed, DEL, C1) become "\x1b" in words, so that a text from a web
 * form moves no cursor and sets no title; bytes that are no UTF-8 likewise. Ownership: results are
 * the caller's, free. Errors: NULL is "no memory". Threads: pure. */
#ifndef OUT_OUT_TEXT_H
#define OUT_OUT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Columns that the text takes. */
size_t out_width(const char *text);
/* The same of the first `bytes` bytes. */
size_t out_width_n(const char *text, size_t bytes);
/* Bytes of the text that fit into so many columns; never half a character, at least one. */
size_t out_fit(const char *text, size_t bytes, size_t columns);
/* Bytes of the next line of the text, `columns` wide, broken at a blank; *skip is what to pass over
 * beyond them (the blank, the line feed). A word that alone is wider is broken only if `cut`. */
size_t out_line(const char *text, size_t columns, bool cut, size_t *skip);
/* Columns of the widest word. */
size_t out_widest_word(const char *text);
/* A copy that may be shown. */
char *out_clean(const char *text);

#endif
