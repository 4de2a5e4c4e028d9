/* SPDX-License-Identifier: Apache-2.0 */
/* The pages, one file each: they write what stands between the frame's opening and its end, signed
 * in already. Each asks the server through view->link and shows what it answered, or why it did
 * not. Ownership: the view is borrowed. Errors: shown, and view->status. Threads: one view each. */
#ifndef CONSOLE_CONSOLE_PAGES_H
#define CONSOLE_CONSOLE_PAGES_H

#include "server/console/console_page.h"

void console_overview(struct console_view *view); /* rates, latencies, lanes, jobs, store */
void console_slow(struct console_view *view);     /* the latest requests that took long */
void console_clients(struct console_view *view);  /* who is connected */
void console_audit(struct console_view *view);    /* who wrote what */
void console_profile(struct console_view *view);  /* the version in force and its evidence */
void console_score(struct console_view *view);    /* a lead or an account, and why */
void console_account(struct console_view *view);  /* one account: values, score, timeline */
void console_lists(struct console_view *view);    /* the target account lists */
void console_list(struct console_view *view);     /* one of them, page by page */
void console_measures(struct console_view *view); /* what can be measured */
void console_measure(struct console_view *view);  /* one of them, and its table */

#endif
