/* SPDX-License-Identifier: Apache-2.0 */
/* A version's scorecard: what each value of a field is worth, in points (hundredths of a logit: 100
 * multiply the odds by 2.7), a table for each field that folds away. Ownership: borrows. Errors: a
 * document that this build cannot read is told in its place. Threads: one view each. Cost: one pass
 * over the tables of the fields that are shown. */
#ifndef CONSOLE_CONSOLE_CARD_H
#define CONSOLE_CONSOLE_CARD_H

#include <jansson.h>

#include "server/console/console_page.h"

#define CONSOLE_CARD_FIELDS 32 /* the most important ones */

void console_card(struct console_view *view, const json_t *document);

#endif
