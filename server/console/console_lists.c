/* SPDX-License-Identifier: Apache-2.0 */
/* The target account lists, and one of them page by page: who is on it, why, and with whom. */
#include "server/console/console_pages.h"

#include "server/draw/draw_shown.h"

enum { ENTRIES_A_PAGE = 100 };

static void list_row(struct console_table *table, const struct icp_value *list)
{
    struct icp_text error = console_text_of(list, "error");
    struct icp_text name = console_text_of(list, "name");
    console_cell_open(table);
    if (name.bytes > 0) {
        console_link_to(table->out, "/lists/list", "name", name, name);
    } else {
        (void)fprintf(table->out,
                      "list %lld is damaged: ", (long long)console_whole_of(list, "number"));
        console_said(table->out, error);
    }
    console_cell_close(table);
    console_cell_count(table, console_number_of(list, "count"));
    console_cell_count(table, console_number_of(list, "unassigned"));
    console_cell_count(table, console_number_of(list, "icp"));
    console_cell(table, console_flag_of(list, "current") ? "in force" : "");
    console_cell_said(table, console_text_of(list, "created"));
    console_cell_said(table, console_text_of(list, "filter"));
    console_cell_said(table, console_text_of(list, "note"));
}

void console_lists(struct console_view *view)
{
    static const char *const columns[] = {"list",    "#accounts", "#without an owner", "#version",
                                          "profile", "built",     "accounts where",    "note"};
    struct icp_reply reply = {0};
    struct icp_value lists;
    struct icp_value list;
    struct console_table table;
    console_question(view->link);
    if (console_get(view, ICP_OP_TAL_LIST, &reply) && icp_reply_get(&reply, "tals", &lists)) {
        if (lists.count == 0) {
            console_note(view->out, "There is no list yet; icp tal build makes one.");
        } else {
            console_table_open(&table, view->out, "Target account lists, the oldest first", columns,
                               8);
            struct icp_walk walk = icp_walk_over(&lists);
            while (icp_next(&walk, NULL, &list)) {
                list_row(&table, &list);
            }
            console_table_close(&table);
        }
    }
    icp_reply_fini(&reply);
}

static void entry_reasons(struct console_table *table, const struct icp_value *entry)
{
    struct icp_value list;
    struct icp_value reason;
    const char *between = "";
    console_cell_open(table);
    if (icp_value_get(entry, "reasons", &list)) {
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &reason)) {
            (void)fputs(between, table->out);
            console_said(table->out, console_text_of(&reason, "field"));
            (void)fputs(" ", table->out);
            console_said(table->out, console_text_of(&reason, "value"));
            (void)fprintf(table->out, " (%+.0f)", console_number_of(&reason, "contribution") / 1e4);
            between = ", ";
        }
    }
    console_cell_close(table);
}

static void entry_row(struct console_table *table, const struct icp_value *entry)
{
    struct icp_text id = console_text_of(entry, "id");
    struct icp_text unassigned = console_text_of(entry, "unassigned");
    console_cell_count(table, console_number_of(entry, "rank"));
    console_cell_open(table);
    console_link_to(table->out, "/account", "id", id, id);
    console_cell_close(table);
    console_cell_said(table, console_text_of(entry, "name"));
    console_cell_number(table, "%.0f", console_number_of(entry, "fit"));
    console_cell_said(table, console_text_of(entry, "grade"));
    console_cell_said(table, console_text_of(entry, "segment"));
    console_cell_said(table, unassigned.bytes > 0 ? unassigned : console_text_of(entry, "owner"));
    entry_reasons(table, entry);
}

static void page_link(FILE *out, const char *name, uint64_t offset, const char *words)
{
    struct icp_text text = console_words(name);
    (void)fputs("<a href=\"/lists/list?name=", out);
    draw_query(out, text.data, text.bytes);
    (void)fprintf(out, "&amp;offset=%llu\">%s</a>", (unsigned long long)offset, words);
}

static void entries(struct console_view *view, const struct icp_reply *reply, const char *name,
                    uint64_t offset)
{
    static const char *const columns[] = {"#rank", "account", "name",  "#fit",
                                          "grade", "segment", "owner", "what weighs most (points)"};
    FILE *out = view->out;
    struct console_table table;
    struct icp_value list;
    struct icp_value entry;
    uint64_t count = (uint64_t)icp_reply_int(reply, "count", 0);
    if (!icp_reply_get(reply, "entries", &list)) {
        return;
    }
    console_table_open(&table, out, "Accounts by rank", columns, 8);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &entry)) {
        entry_row(&table, &entry);
    }
    console_table_close(&table);
    (void)fputs("<p class=\"pages\">", out);
    if (offset > 0) {
        page_link(out, name, offset > ENTRIES_A_PAGE ? offset - ENTRIES_A_PAGE : 0, "Before");
    }
    if (offset + list.count < count) {
        page_link(out, name, offset + list.count, "Next");
    }
    (void)fputs("</p>\n", out);
}

void console_list(struct console_view *view)
{
    const char *name = console_asked(view, "name");
    uint64_t offset = console_asked_number(view, "offset", 0);
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    struct icp_value head;
    if (name == NULL) {
        view->status = 404;
        console_note(view->out, "Which list? They stand under Lists.");
        return;
    }
    icp_payload_text(payload, "name", name);
    icp_payload_uint(payload, "offset", offset);
    icp_payload_uint(payload, "limit", ENTRIES_A_PAGE);
    icp_payload_flag(payload, "names", true);
    if (console_get(view, ICP_OP_TAL_GET, &reply) && icp_reply_get(&reply, "head", &head)) {
        console_heading(view->out, name);
        (void)fputs("<p>", view->out);
        console_count(view->out, icp_reply_number(&reply, "count", 0));
        (void)fputs(" accounts, built ", view->out);
        console_said(view->out, console_text_of(&head, "created"));
        (void)fputs(". ", view->out);
        console_said(view->out, console_text_of(&head, "note"));
        (void)fputs("</p>\n", view->out);
        entries(view, &reply, name, offset);
    }
    icp_reply_fini(&reply);
}
