/* SPDX-License-Identifier: Apache-2.0 */
/* An event is when, what, how much, of what, and whatever else it has; a timeline is shown the
 * newest first with links to the pages before and after. An account without events says so. */
#include "server/console/console_timeline.h"

#include <string.h>

#include "server/draw/draw_shown.h"
#include "server/event/event_money.h"

static void amount(FILE *out, int64_t minor, struct icp_text currency)
{
    char text[EVENT_DECIMAL_BYTES];
    struct proto_span code = {(const uint8_t *)currency.data, currency.bytes};
    (void)fputs(event_decimal_print(minor, event_money_digits(code), false, text), out);
    (void)fputc(' ', out);
    console_said(out, currency);
}

static void thousandths(FILE *out, int64_t number)
{
    char text[EVENT_DECIMAL_BYTES];
    (void)fputs(event_decimal_print(number, EVENT_QUANTITY_DIGITS, true, text), out);
}

static void tile_open(FILE *out, const char *name)
{
    (void)fprintf(out, "<div><dt>%s</dt><dd>", name);
}

static void tile_close(FILE *out)
{
    (void)fputs("</dd></div>", out);
}

static void tile_time(FILE *out, const char *name, const struct icp_reply *reply,
                      const char *member)
{
    int64_t time_ms = icp_reply_int(reply, member, 0);
    if (time_ms != 0) {
        tile_open(out, name);
        console_time(out, time_ms - time_ms % INT64_C(86400000));
        tile_close(out);
    }
}

static void tile_count(FILE *out, const char *name, int64_t count)
{
    tile_open(out, name);
    console_count(out, (double)count);
    tile_close(out);
}

static void tiles(FILE *out, const struct icp_reply *reply)
{
    struct icp_value nps;
    (void)fputs("<dl class=\"tiles\">", out);
    tile_open(out, "Customer now");
    (void)fputs(icp_reply_flag(reply, "customer", false) ? "yes" : "no", out);
    tile_close(out);
    if (icp_reply_text(reply, "currency").bytes > 0) {
        tile_open(out, "MRR now");
        amount(out, icp_reply_int(reply, "mrr", 0), icp_reply_text(reply, "currency"));
        tile_close(out);
    }
    tile_time(out, "First payment", reply, "since");
    if (icp_reply_int(reply, "tenure_days", -1) >= 0) {
        tile_count(out, "Days of tenure", icp_reply_int(reply, "tenure_days", 0));
    }
    tile_time(out, "First touch", reply, "first_touch");
    tile_time(out, "Last touch", reply, "last_touch");
    tile_count(out, "Renewals", icp_reply_int(reply, "renewals", 0));
    tile_count(out, "Churned", icp_reply_int(reply, "churned", 0));
    if (icp_reply_get(reply, "nps", &nps)) {
        tile_open(out, "Last NPS answer");
        thousandths(out, nps.integer);
        tile_close(out);
    }
    tile_count(out, "Subscriptions that run", icp_reply_int(reply, "open_count", 0));
    (void)fputs("</dl>\n", out);
}

void console_lifecycle(struct console_view *view, const char *id)
{
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    icp_payload_text(payload, "id", id);
    if (console_get(view, ICP_OP_LIFECYCLE, &reply) && icp_reply_int(&reply, "events", 0) > 0) {
        console_heading(view->out, "Lifecycle");
        tiles(view->out, &reply);
    }
    icp_reply_fini(&reply);
}

/* Members that have no column of their own, in words. */
static void more(FILE *out, const struct icp_value *event)
{
    static const char *const members[] = {"label",    "subject", "motion",  "function",
                                          "campaign", "person",  "retracts"};
    const char *between = "";
    struct icp_value value;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct icp_text text = console_text_of(event, members[i]);
        if (text.bytes > 0) {
            (void)fprintf(out, "%s%s ", between, members[i]);
            console_said(out, text);
            between = ", ";
        }
    }
    if (icp_value_get(event, "months", &value)) {
        (void)fprintf(out, "%sfor %lld months", between, (long long)value.integer);
        between = ", ";
    }
    if (icp_value_get(event, "end", &value)) {
        (void)fprintf(out, "%suntil ", between);
        console_time(out, value.integer);
    }
}

static void row(struct console_table *table, const struct icp_value *event)
{
    struct icp_value value;
    console_cell_time(table, console_whole_of(event, "time"));
    console_cell_open(table);
    console_said(table->out, console_text_of(event, "type"));
    if (console_flag_of(event, "retracted")) {
        (void)fputs(" <em>taken back</em>", table->out);
    }
    console_cell_close(table);
    console_cell_said(table, console_text_of(event, "kind"));
    console_cell_open(table);
    if (icp_value_get(event, "amount", &value)) {
        amount(table->out, value.integer, console_text_of(event, "currency"));
    } else if (icp_value_get(event, "quantity", &value)) {
        thousandths(table->out, value.integer);
    }
    console_cell_close(table);
    console_cell_open(table);
    more(table->out, event);
    console_cell_close(table);
    console_cell_said(table, console_text_of(event, "source"));
}

static void page_link(FILE *out, const char *id, uint64_t skip, const char *words)
{
    (void)fputs("<a href=\"/account?id=", out);
    draw_query(out, id, strlen(id));
    (void)fprintf(out, "&amp;skip=%llu#timeline\">%s</a>", (unsigned long long)skip, words);
}

static void pages(FILE *out, const char *id, uint64_t skip, int64_t next)
{
    (void)fputs("<p class=\"pages\">", out);
    if (skip > 0) {
        page_link(out, id, skip > CONSOLE_EVENTS_A_PAGE ? skip - CONSOLE_EVENTS_A_PAGE : 0,
                  "Newer events");
    }
    if (next > 0) {
        page_link(out, id, (uint64_t)next, "Older events");
    }
    (void)fputs("</p>\n", out);
}

void console_timeline(struct console_view *view, const char *id)
{
    static const char *const columns[] = {"when", "what", "kind", "#how much", "more", "source"};
    struct icp_payload *payload = console_question(view->link);
    uint64_t skip = console_asked_number(view, "skip", 0);
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value event;
    struct console_table table;
    icp_payload_text(payload, "id", id);
    icp_payload_flag(payload, "newest", true);
    icp_payload_flag(payload, "all", true);
    icp_payload_uint(payload, "skip", skip);
    icp_payload_uint(payload, "limit", CONSOLE_EVENTS_A_PAGE);
    (void)fputs("<h2 id=\"timeline\">Timeline</h2>\n", view->out);
    if (console_get(view, ICP_OP_TIMELINE, &reply) && icp_reply_get(&reply, "events", &list)) {
        (void)fputs("<p>", view->out);
        console_count(view->out, (double)icp_reply_int(&reply, "count", 0));
        (void)fputs(" events, what was taken back among them.</p>\n", view->out);
        if (list.count > 0) {
            console_table_open(&table, view->out, "Events, the newest first", columns, 6);
            struct icp_walk walk = icp_walk_over(&list);
            while (icp_next(&walk, NULL, &event)) {
                row(&table, &event);
            }
            console_table_close(&table);
            pages(view->out, id, skip, icp_reply_int(&reply, "next", 0));
        }
    }
    icp_reply_fini(&reply);
}
