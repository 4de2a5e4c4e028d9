/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet of the console's pages: light and dark by what the reader's system says, from the
 * width of a phone up. A file of its own, so that no page has a style within it (CSP).
 * Ownership: borrows the stream. Errors: those of the stream. Threads: any. */
#ifndef CONSOLE_CONSOLE_STYLE_H
#define CONSOLE_CONSOLE_STYLE_H

#include <stdio.h>

void console_style(FILE *out);

#endif
