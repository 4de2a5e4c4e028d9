/* SPDX-License-Identifier: Apache-2.0 */
/* Who wrote what and when, from the log: the latest writes, or those of one account. What was
 * written is not shown, only what was done and to whom first. */
#include "server/console/console_pages.h"

enum { PAGE = 100 };

static const char *const columns[] = {"sequence",      "time",   "by",       "did",
                                      "first account", "reason", "operation"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void row(struct console_table *table, const struct icp_value *write)
{
    struct icp_text first = console_text_of(write, "first");
    console_cell_count(table, (double)console_whole_of(write, "seq"));
    console_cell_time(table, console_whole_of(write, "time"));
    console_cell_said(table, console_text_of(write, "by"));
    console_cell_said(table, console_text_of(write, "did"));
    console_cell_open(table);
    if (first.bytes > 0) {
        console_link_to(table->out, "/account", "id", first, first);
    }
    console_cell_close(table);
    console_cell_said(table, console_text_of(write, "reason"));
    console_cell_said(table, console_text_of(write, "operation"));
}

/* The latest first, of those below `before`; returns the first sequence shown, 0 for none. */
static uint64_t rows(struct console_view *view, const struct icp_value *list, uint64_t before)
{
    struct icp_value kept[PAGE];
    struct icp_value entry;
    struct console_table table;
    size_t count = 0;
    struct icp_walk walk = icp_walk_over(list);
    while (icp_next(&walk, NULL, &entry)) {
        if (before == 0 || (uint64_t)console_whole_of(&entry, "seq") < before) {
            kept[count++ % PAGE] = entry;
        }
    }
    if (count == 0) {
        console_note(view->out, "There is none in the log that is kept.");
        return 0;
    }
    count = count < PAGE ? count : PAGE;
    console_table_open(&table, view->out, "Writes, the latest first", columns, COLUMNS);
    for (size_t i = count; i > 0; i--) {
        row(&table, &kept[i - 1]);
    }
    console_table_close(&table);
    return (uint64_t)console_whole_of(&kept[0], "seq");
}

static void older(struct console_view *view, uint64_t first, uint64_t oldest)
{
    (void)fputs("<p class=\"pages\">", view->out);
    if (first > oldest) {
        (void)fprintf(view->out, "<a href=\"/audit?before=%llu\">Older</a>",
                      (unsigned long long)first);
    }
    (void)fputs("</p>\n", view->out);
}

void console_audit(struct console_view *view)
{
    const char *id = console_asked(view, "id");
    uint64_t before = id == NULL ? console_asked_number(view, "before", 0) : 0;
    struct icp_reply reply = {0};
    struct icp_value list;
    console_form_open(view->out, "/audit", false, "Whose writes");
    console_input(view->out, "id", "Account id", id, "empty: the latest of all");
    console_form_close(view->out, "Show");
    struct icp_payload *payload = console_question(view->link);
    icp_payload_uint(payload, "limit", PAGE);
    if (id != NULL) {
        icp_payload_text(payload, "id", id);
    }
    if (before > 0) {
        icp_payload_uint(payload, "after", before > PAGE ? before - PAGE - 1 : 0);
    }
    if (console_get(view, ICP_OP_AUDIT, &reply) && icp_reply_get(&reply, "entries", &list)) {
        uint64_t first = rows(view, &list, before);
        if (first > 0 && id == NULL) {
            older(view, first, (uint64_t)icp_reply_int(&reply, "oldest", 0));
        }
    }
    icp_reply_fini(&reply);
}
