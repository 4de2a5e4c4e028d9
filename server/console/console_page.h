/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of every page of the console: head, list of pages, who is signed in, and the place of
 * the page itself. No scripts: what moves is asked for again by the browser.
 *
 * Ownership: a view is the caller's and borrows; a page writes to view->out. Errors: what a request
 * answered is shown in its place and decides the page's status. Threads: one view each. */
#ifndef CONSOLE_CONSOLE_PAGE_H
#define CONSOLE_CONSOLE_PAGE_H

#include "server/console/console_history.h"
#include "server/console/console_link.h"
#include "server/console/console_write.h"
#include "server/http/http.h"

/* One page that is looked at. */
struct console_view {
    struct http_exchange *exchange;
    FILE *out;
    struct console_link *link;       /* NULL: nobody is signed in */
    struct console_history *history; /* of the server */
    bool open;                       /* nobody needs a token */
    unsigned status;                 /* 200 at first */
};

struct console_entry {
    const char *path, *name;
    enum icp_op needs; /* who may ask for this is shown the page */
};
/* The list of pages, which ends with a NULL. */
extern const struct console_entry console_entries[];

/* Up to the heading, which is the title too. */
void console_page_open(struct console_view *view, const char *title);
void console_page_close(struct console_view *view);

/* A field of the form, NULL where it is absent or empty. */
const char *console_asked(const struct console_view *view, const char *name);
/* A whole number of the form; `fallback` where it is absent or none. */
uint64_t console_asked_number(const struct console_view *view, const char *name, uint64_t fallback);

/* Whether the role of who looks may ask for it. */
bool console_may(const struct console_view *view, enum icp_op op);
/* Asks with the payload of console_question; on failure shows why. */
bool console_get(struct console_view *view, enum icp_op op, struct icp_reply *reply);
/* Shows a fault and takes its status, if the page had none of its own. */
void console_failed(struct console_view *view, const struct icp_fault *fault);

/* Opens a form that is sent by GET or, `post`, by POST, and closes it with a button. */
void console_form_open(FILE *out, const char *path, bool post, const char *label);
void console_form_close(FILE *out, const char *button);

#endif
