/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of strangers in a page: ids, names and values that anybody may have put into the store.
 *
 * Purpose: nothing in them becomes markup, and nothing in them is hidden: control characters, what
 * turns the direction of a line round, blanks without a width and bytes that are no UTF-8 are
 * written out, so that two ids that differ look different. Shapes: bytes in, HTML out. Ownership:
 * borrows. Errors: those of the stream, which the caller checks. Threads: one stream each. Cost:
 * one pass. Source: HTML, 13.1.2; Unicode TR36 (what deceives the eye). */
#ifndef DRAW_DRAW_SHOWN_H
#define DRAW_DRAW_SHOWN_H

#include <stddef.h>
#include <stdio.h>

/* Between tags: what is hidden stands as <span class="ctl">\x1b</span>. */
void draw_shown(FILE *out, const char *text, size_t bytes);
/* Within quotes of an attribute that goes back to the server as it is, such as the value of an
 * input: every character stays what it is. */
void draw_attribute(FILE *out, const char *text, size_t bytes);
/* A value in the query of an address: what is neither a letter nor a digit as %41. */
void draw_query(FILE *out, const char *text, size_t bytes);

#endif
