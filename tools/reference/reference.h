/* SPDX-License-Identifier: Apache-2.0 */
/* The generated pages of docs/reference, in Markdown, and the tables in JSON. Each page has one
 * function, named in pages.def, that prints it from a table of the code; nothing on a page is
 * written twice. Ownership: borrows. Errors: those of the stream, which main checks. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdio.h>

#define X(NAME, ending) void reference_page_##NAME(FILE *out);
#include "tools/reference/pages.def"
#undef X

/* The title, and the line that says that the page is generated and from what. */
void reference_title(FILE *out, const char *title, const char *source);

/* A text as the cell of a table: a bar in it would end the cell. */
void reference_cell(FILE *out, const char *text);

#endif
