/* SPDX-License-Identifier: Apache-2.0 */
/* A page is opened with its frame, filled, and closed. A request that fails leaves its reason where
 * its answer would stand, and the rest of the page goes on. */
#include "server/console/console_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/table.h"
#include "server/draw/draw_shown.h"

const struct console_entry console_entries[] = {
    {"/", "Overview", ICP_OP_PING},
    {"/slow", "Slow log", ICP_OP_SLOW_LOG},
    {"/clients", "Clients", ICP_OP_CLIENT_LIST},
    {"/audit", "Audit", ICP_OP_AUDIT},
    {"/profile", "Profile", ICP_OP_ICP_LIST},
    {"/score", "Score", ICP_OP_SCORE},
    {"/account", "Account", ICP_OP_ACCOUNT_GET},
    {"/lists", "Lists", ICP_OP_TAL_LIST},
    {"/measures", "Measures", ICP_OP_MEASURE_LIST},
    {NULL, NULL, ICP_OP_PING},
};

bool console_may(const struct console_view *view, enum icp_op op)
{
    const char *name = console_link_role(view->link);
    enum proto_role has = PROTO_ROLE_NONE;
    for (int role = PROTO_ROLE_NONE; role <= PROTO_ROLE_ADMIN; role++) {
        has =
            strcmp(name, proto_role_name((enum proto_role)role)) == 0 ? (enum proto_role)role : has;
    }
    const struct proto_op_info *info = proto_op_find((uint8_t)op);
    return info != NULL && proto_role_allows(has, info->role);
}

/* Pages below one of the list stand under it: "/lists/list" under "/lists". */
static bool is_current(const char *path, const char *entry)
{
    size_t bytes = strlen(entry);
    return strcmp(path, entry) == 0 ||
           (bytes > 1 && strncmp(path, entry, bytes) == 0 && path[bytes] == '/');
}

static void navigation(const struct console_view *view)
{
    FILE *out = view->out;
    (void)fputs("<nav aria-label=\"Pages\"><ul>", out);
    for (const struct console_entry *entry = console_entries; entry->path != NULL; entry++) {
        if (console_may(view, entry->needs)) {
            (void)fprintf(out, "<li><a href=\"%s\"%s>%s</a></li>", entry->path,
                          is_current(view->exchange->path, entry->path) ? " aria-current=\"page\""
                                                                        : "",
                          entry->name);
        }
    }
    (void)fputs("</ul></nav>\n", out);
}

static void who(const struct console_view *view)
{
    FILE *out = view->out;
    (void)fputs("<div class=\"who\"><span>", out);
    console_text(out, console_link_role(view->link));
    (void)fputs("</span>", out);
    if (!view->open) {
        (void)fputs("<form method=\"post\" action=\"/signout\"><button>Sign out</button></form>",
                    out);
    }
    (void)fputs("</div>\n", out);
}

void console_page_open(struct console_view *view, const char *title)
{
    FILE *out = view->out;
    (void)fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
                out);
    console_text(out, title);
    (void)fputs(" – icpd</title><link rel=\"stylesheet\" href=\"/console.css\"></head>\n<body>"
                "<a class=\"skip\" href=\"#page\">Go to the page</a>\n<header><a class=\"brand\" "
                "href=\"/\">icpd</a>\n",
                out);
    if (view->link != NULL) {
        navigation(view);
        who(view);
    }
    (void)fputs("</header>\n<main id=\"page\" tabindex=\"-1\">\n<h1>", out);
    console_text(out, title);
    (void)fputs("</h1>\n", out);
}

void console_page_close(struct console_view *view)
{
    FILE *out = view->out;
    (void)fputs("</main>\n<footer>", out);
    if (view->link != NULL) {
        console_text(out, console_link_server(view->link));
    }
    (void)fputs(" Times are UTC.</footer>\n</body></html>\n", out);
}

const char *console_asked(const struct console_view *view, const char *name)
{
    const char *value = http_form_find(&view->exchange->form, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

uint64_t console_asked_number(const struct console_view *view, const char *name, uint64_t fallback)
{
    const char *text = console_asked(view, name);
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return fallback;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 && number <= INT64_MAX ? number : fallback;
}

/* What HTTP calls it. That there is no schema or no profile yet is a state, and no failure. */
static unsigned status_of(enum icp_error code)
{
    switch (code) {
    case ICP_NO_SCHEMA:
    case ICP_NO_ICP:
    case ICP_NO_VECTORS:
        return 200;
    case ICP_NOT_FOUND:
        return 404;
    case ICP_DENIED:
        return 403;
    case ICP_BAD_TOKEN:
        return 401;
    case ICP_BUSY:
    case ICP_DEADLINE:
    case ICP_CANCELLED:
    case ICP_SHUTTING_DOWN:
    case ICP_LIMIT:
    case ICP_TIMEOUT:
    case ICP_CLOSED:
    case ICP_CONNECT:
        return 503;
    case ICP_BAD_FIELD:
    case ICP_MISSING_FIELD:
    case ICP_BAD_FILTER:
    case ICP_TOO_LARGE:
    case ICP_BAD_PAYLOAD:
        return 400;
    default:
        return 500;
    }
}

void console_failed(struct console_view *view, const struct icp_fault *fault)
{
    if (view->status == 200) {
        view->status = status_of(fault->code);
    }
    console_fault(view->out, fault);
}

bool console_get(struct console_view *view, enum icp_op op, struct icp_reply *reply)
{
    bool good = console_ask(view->link, op, reply);
    if (!good) {
        console_failed(view, &reply->fault);
    }
    return good;
}

void console_form_open(FILE *out, const char *path, bool post, const char *label)
{
    (void)fprintf(out, "<form class=\"fields\" method=\"%s\" action=\"%s\" aria-label=\"%s\">\n",
                  post ? "post" : "get", path, label);
}

void console_form_close(FILE *out, const char *button)
{
    (void)fprintf(out, "<button>%s</button></form>\n", button);
}
