/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to an account, and what that comes to, as parts of its page. Ownership: the view
 * and the id are borrowed. Errors: shown, and view->status. Threads: one view each. */
#ifndef CONSOLE_CONSOLE_TIMELINE_H
#define CONSOLE_CONSOLE_TIMELINE_H

#include "server/console/console_page.h"

#define CONSOLE_EVENTS_A_PAGE 50

void console_lifecycle(struct console_view *view, const char *id);
/* The page that ?skip= says, the newest first. */
void console_timeline(struct console_view *view, const char *id);

#endif
