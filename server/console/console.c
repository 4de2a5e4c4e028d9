/* SPDX-License-Identifier: Apache-2.0 */
/* A request for a page: the session of its cookie gives the token, the token opens a connection to
 * the server, the page asks over it and is written between head and foot. Without a session the
 * page is the one to sign in; with a token that holds no longer the session ends and says so. */
#include "server/console/console.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/thread.h"
#include "server/console/console_pages.h"
#include "server/console/console_session.h"
#include "server/console/console_style.h"

struct console {
    struct console_options options;
    struct console_dial dial;
    struct console_sessions *sessions;
    struct console_history *history;
    char cookie[24]; /* its name */
    pthread_mutex_t lock;
    pthread_cond_t ends;
    bool ending; /* under the lock */
    pthread_t ticker;
    bool ticks; /* the ticker was started */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* The value of our cookie in the header; empty if it is not there. */
static struct proto_span cookie_find(const struct console *console, const char *cookies)
{
    size_t bytes = strlen(console->cookie);
    for (const char *at = cookies; at != NULL && *at != '\0';) {
        at += strspn(at, " ;");
        size_t part = strcspn(at, ";");
        if (part > bytes && strncmp(at, console->cookie, bytes) == 0 && at[bytes] == '=') {
            return (struct proto_span){(const uint8_t *)at + bytes + 1, part - bytes - 1};
        }
        at += part;
    }
    return (struct proto_span){0};
}

static struct console_view view_of(struct console *console, struct http_exchange *exchange)
{
    return (struct console_view){.exchange = exchange,
                                 .out = exchange->out,
                                 .history = console->history,
                                 .open = console->options.open,
                                 .status = 200};
}

/* ---- signing in and out ---- */

static void sign_in_form(struct console_view *view, const char *why)
{
    console_page_open(view, "Sign in");
    if (why != NULL) {
        (void)fputs("<p class=\"fault\" role=\"alert\">", view->out);
        console_text(view->out, why);
        (void)fputs("</p>\n", view->out);
    }
    console_note(view->out, "A token that may read is enough; icp token new makes one. It is kept "
                            "in this server's memory until you sign out, or half an hour after "
                            "the last page.");
    console_form_open(view->out, "/signin", true, "Sign in");
    (void)fputs("<label><span>Token</span><input type=\"password\" name=\"token\" required "
                "autocomplete=\"current-password\"></label>\n",
                view->out);
    console_form_close(view->out, "Sign in");
    console_page_close(view);
}

static void cookie_set(const struct console *console, struct http_exchange *exchange,
                       const char *id, bool ends)
{
    snprintf(exchange->cookie, sizeof exchange->cookie,
             "%s=%s; HttpOnly; SameSite=Strict; Path=/%s", console->cookie, id,
             ends ? "; Max-Age=0" : "");
}

static unsigned go_to(struct http_exchange *exchange, const char *path)
{
    snprintf(exchange->location, sizeof exchange->location, "%s", path);
    return 303;
}

/* Whether the server takes the token; if not, the form says why. */
static bool try_token(struct console *console, struct console_view *view, const char *token)
{
    struct icp_fault fault;
    const struct console_options *options = &console->options;
    if (!options->may_try(options->context, view->exchange->from)) {
        view->status = 429;
        sign_in_form(view, "From this address came too many wrong tokens; try again in a minute.");
        return false;
    }
    struct console_link *link = console_link_open(&console->dial, token, &fault);
    if (link != NULL) {
        console_link_close(link);
        return true;
    }
    if (fault.code == ICP_BAD_TOKEN) {
        options->was_wrong(options->context, view->exchange->from);
    }
    bool ours = fault.code != ICP_BAD_TOKEN && fault.code != ICP_DENIED;
    view->status = ours ? 503 : 401;
    sign_in_form(view, fault.message);
    return false;
}

static unsigned answer_sign_in(void *context, struct http_exchange *exchange)
{
    struct console *console = context;
    struct console_view view = view_of(console, exchange);
    const char *token = console_asked(&view, "token");
    char id[CONSOLE_ID_BYTES];
    if (console->options.open) {
        return go_to(exchange, "/");
    }
    if (!exchange->posted || token == NULL) {
        sign_in_form(&view, NULL);
        return view.status;
    }
    if (!try_token(console, &view, token)) {
        return view.status;
    }
    if (!console_session_begin(console->sessions, token, now_ns(), id)) {
        sign_in_form(&view, "No session could be made: the token is too long, or this machine "
                            "gives no random bytes.");
        return 500;
    }
    cookie_set(console, exchange, id, false);
    return go_to(exchange, "/");
}

static unsigned answer_sign_out(void *context, struct http_exchange *exchange)
{
    struct console *console = context;
    if (exchange->posted) {
        console_session_end(console->sessions, cookie_find(console, exchange->cookies), now_ns());
        cookie_set(console, exchange, "", true);
    }
    return go_to(exchange, "/signin");
}

/* ---- pages ---- */

static unsigned page_refused(struct console *console, struct console_view *view,
                             const struct icp_fault *fault)
{
    struct http_exchange *exchange = view->exchange;
    if (fault->code == ICP_BAD_TOKEN || fault->code == ICP_DENIED) {
        console_session_end(console->sessions, cookie_find(console, exchange->cookies), now_ns());
        cookie_set(console, exchange, "", true);
        view->status = 401;
        sign_in_form(view, "The token that you signed in with holds no longer.");
        return view->status;
    }
    console_page_open(view, "The server does not answer");
    console_failed(view, fault);
    console_page_close(view);
    return view->status;
}

static unsigned page(void *context, struct http_exchange *exchange, const char *title,
                     void (*write)(struct console_view *view))
{
    struct console *console = context;
    struct console_view view = view_of(console, exchange);
    char token[CONSOLE_TOKEN_BYTES];
    struct icp_fault fault;
    bool needs = !console->options.open;
    if (needs && !console_session_find(console->sessions, cookie_find(console, exchange->cookies),
                                       now_ns(), token)) {
        view.status = 401;
        sign_in_form(&view,
                     exchange->cookies != NULL && cookie_find(console, exchange->cookies).bytes > 0
                         ? "The session is over; sign in again."
                         : NULL);
        return view.status;
    }
    view.link = console_link_open(&console->dial, needs ? token : NULL, &fault);
    explicit_bzero(token, sizeof token);
    if (view.link == NULL) {
        return page_refused(console, &view, &fault);
    }
    console_page_open(&view, title);
    write(&view);
    console_page_close(&view);
    console_link_close(view.link);
    return view.status;
}

#define PAGE(name, title)                                                                          \
    static unsigned answer_##name(void *context, struct http_exchange *exchange)                   \
    {                                                                                              \
        return page(context, exchange, title, console_##name);                                     \
    }
PAGE(overview, "Overview")
PAGE(slow, "Slow log")
PAGE(clients, "Clients")
PAGE(audit, "Audit")
PAGE(profile, "Profile")
PAGE(score, "Score")
PAGE(account, "Account")
PAGE(lists, "Lists")
PAGE(list, "Target account list")
PAGE(measures, "Measures")
PAGE(measure, "Measure")
#undef PAGE

static unsigned answer_style(void *context, struct http_exchange *exchange)
{
    (void)context;
    console_style(exchange->out);
    return 200;
}

static const char html[] = "text/html; charset=utf-8";

/* Open: a page asks for its session by itself, and shows the form to sign in. */
#define OPEN true
#define POSTS true
#define ASIDE true
static const struct http_route routes[] = {
    {"/", html, "the console: what the server does", OPEN, false, ASIDE, answer_overview},
    {"/slow", html, "the latest slow requests", OPEN, false, ASIDE, answer_slow},
    {"/clients", html, "who is connected", OPEN, false, ASIDE, answer_clients},
    {"/audit", html, "who wrote what, and when", OPEN, false, ASIDE, answer_audit},
    {"/profile", html, "the profile in force and its evidence", OPEN, false, ASIDE, answer_profile},
    {"/score", html, "score a lead or an account", OPEN, POSTS, ASIDE, answer_score},
    {"/account", html, "an account and its timeline", OPEN, false, ASIDE, answer_account},
    {"/lists", html, "target account lists", OPEN, false, ASIDE, answer_lists},
    {"/lists/list", html, "one of them", OPEN, false, ASIDE, answer_list},
    {"/measures", html, "what can be measured", OPEN, false, ASIDE, answer_measures},
    {"/measures/measure", html, "one measure", OPEN, false, ASIDE, answer_measure},
    {"/signin", html, "sign in with a token", OPEN, POSTS, ASIDE, answer_sign_in},
    {"/signout", html, "sign out", OPEN, POSTS, ASIDE, answer_sign_out},
    {"/console.css", "text/css; charset=utf-8", "how the pages look", OPEN, false, false,
     answer_style},
};

struct http_group console_pages(struct console *console)
{
    return (struct http_group){routes, sizeof routes / sizeof *routes, console};
}

/* ---- the history of figures ---- */

static void look(struct console *console, struct console_look *seen)
{
    memset(seen, 0, sizeof *seen);
    console->options.look(console->options.context, seen);
    seen->at_ns = now_ns();
    console_history_put(console->history, seen);
}

static void *tick(void *argument)
{
    struct console *console = argument;
    struct console_look seen; /* 10 KiB */
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&console->lock);
    while (!console->ending) {
        pthread_mutex_unlock(&console->lock);
        look(console, &seen);
        until.tv_sec += CONSOLE_TICK_S;
        pthread_mutex_lock(&console->lock);
        while (!console->ending &&
               pthread_cond_timedwait(&console->ends, &console->lock, &until) != ETIMEDOUT) {
        }
    }
    pthread_mutex_unlock(&console->lock);
    return NULL;
}

static bool ticker_start(struct console *console, struct proto_fault *fault)
{
    int code = base_thread_start(&console->ticker, tick, console);
    console->ticks = code == 0;
    if (code == 0) {
        pthread_setname_np(console->ticker, "console");
    }
    return code == 0 ||
           proto_fault_set(fault, PROTO_IO, "", "cannot start a thread for the console: %s",
                           strerror(code));
}

static void conditions_init(struct console *console)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&console->lock, NULL);
    pthread_cond_init(&console->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct console *console_create(const struct console_options *options, struct proto_fault *fault)
{
    struct console *console = calloc(1, sizeof *console);
    if (console == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the console");
        return NULL;
    }
    console->options = *options;
    console->dial = (struct console_dial){.connect = options->connect, .context = options->context};
    snprintf(console->cookie, sizeof console->cookie, "icpd_%u", options->port);
    conditions_init(console);
    console->sessions = console_sessions_create();
    console->history = console_history_create();
    if (console->sessions == NULL || console->history == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the console");
    } else if (ticker_start(console, fault)) {
        return console;
    }
    console_destroy(console);
    return NULL;
}

void console_stop(struct console *console)
{
    atomic_store(&console->dial.stops, true);
}

void console_destroy(struct console *console)
{
    if (console == NULL) {
        return;
    }
    pthread_mutex_lock(&console->lock);
    console->ending = true;
    pthread_cond_signal(&console->ends);
    pthread_mutex_unlock(&console->lock);
    if (console->ticks) {
        pthread_join(console->ticker, NULL);
    }
    console_sessions_destroy(console->sessions);
    console_history_destroy(console->history);
    pthread_cond_destroy(&console->ends);
    pthread_mutex_destroy(&console->lock);
    free(console);
}
