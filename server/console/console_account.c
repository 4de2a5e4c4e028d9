/* SPDX-License-Identifier: Apache-2.0 */
/* One account: found by its id, any key, an email address or its name, then its keys, its score and
 * why, what its timeline comes to, its values with where they are from, and the timeline page by
 * page. A name that may mean several shows them to choose from. */
#include <stdlib.h>
#include <string.h>

#include "server/console/console_pages.h"
#include "server/console/console_timeline.h"
#include "server/console/console_why.h"

enum { CANDIDATES = 10 };

static void form(struct console_view *view)
{
    console_form_open(view->out, "/account", false, "Find an account");
    console_input(view->out, "q", "Id, key, email address or name", console_asked(view, "q"),
                  "acme-1, domain:acme.com, ann@acme.com, Acme");
    console_form_close(view->out, "Find");
}

static bool get_by(struct console_view *view, const char *by, const char *text,
                   struct icp_reply *reply)
{
    struct icp_payload *payload = console_question(view->link);
    icp_payload_text(payload, by, text);
    icp_payload_flag(payload, "names", true);
    return console_ask(view->link, ICP_OP_ACCOUNT_GET, reply);
}

/* As an id; where there is none of that id, as what it looks like. */
static bool get(struct console_view *view, const char *text, struct icp_reply *reply)
{
    if (get_by(view, "id", text, reply)) {
        return true;
    }
    if (reply->fault.code == ICP_NOT_FOUND && strchr(text, ':') != NULL &&
        get_by(view, "key", text, reply)) {
        return true;
    }
    return reply->fault.code == ICP_NOT_FOUND && strchr(text, '@') != NULL &&
           get_by(view, "email", text, reply);
}

static void candidate(struct console_table *table, const struct icp_value *found)
{
    struct icp_text id = console_text_of(found, "id");
    console_cell_open(table);
    console_link_to(table->out, "/account", "id", id, id);
    console_cell_close(table);
    console_cell_said(table, console_text_of(found, "name"));
    console_cell_said(table, console_text_of(found, "match"));
    console_cell_number(table, "%.2f", console_number_of(found, "score"));
    console_cell_said(table, console_text_of(found, "why"));
}

/* Accounts whose names are like the text. */
static void named_so(struct console_view *view, const char *text)
{
    static const char *const columns[] = {"id", "name", "match", "#score", "why"};
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    struct icp_value rows;
    struct icp_value row;
    struct icp_value list;
    struct icp_value found;
    struct console_table table;
    icp_payload_list_begin(payload, "rows");
    icp_payload_map_begin(payload, NULL);
    icp_payload_text(payload, "name", text);
    icp_payload_map_end(payload);
    icp_payload_list_end(payload);
    icp_payload_uint(payload, "candidates", CANDIDATES);
    if (console_get(view, ICP_OP_MATCH, &reply) && icp_reply_get(&reply, "rows", &rows)) {
        struct icp_walk walk = icp_walk_over(&rows);
        if (!icp_next(&walk, NULL, &row) || !icp_value_get(&row, "candidates", &list) ||
            list.count == 0) {
            view->status = 404;
            console_note(view->out, "No account has this id, key, address or a name like it.");
        } else {
            console_table_open(&table, view->out, "Accounts of such a name", columns, 5);
            walk = icp_walk_over(&list);
            while (icp_next(&walk, NULL, &found)) {
                candidate(&table, &found);
            }
            console_table_close(&table);
        }
    }
    icp_reply_fini(&reply);
}

static void keys(FILE *out, const struct icp_reply *reply)
{
    struct icp_value list;
    struct icp_value key;
    const char *between = " ";
    if (!icp_reply_get(reply, "keys", &list) || list.count == 0) {
        return;
    }
    (void)fputs("<p>Keys:", out);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &key)) {
        (void)fputs(between, out);
        console_said(out, key.text);
        between = ", ";
    }
    (void)fputs("</p>\n", out);
}

static void values(FILE *out, const struct icp_reply *reply)
{
    static const char *const columns[] = {"field", "value", "state", "source", "as of"};
    struct icp_value list;
    struct icp_value stored;
    struct icp_value value;
    struct icp_text name;
    struct console_table table;
    if (!icp_reply_get(reply, "values", &list)) {
        return;
    }
    console_heading(out, "Values");
    console_table_open(&table, out, "What is known of it", columns, 5);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, &name, &stored)) {
        value = (struct icp_value){.kind = ICP_KIND_NIL};
        (void)icp_value_get(&stored, "value", &value);
        console_cell_said(&table, name);
        console_cell_value(&table, &value);
        console_cell_said(&table, console_text_of(&stored, "state"));
        console_cell_said(&table, console_text_of(&stored, "source"));
        console_cell_time(&table, console_whole_of(&stored, "time"));
    }
    console_table_close(&table);
}

static void score(struct console_view *view, const char *id)
{
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    icp_payload_text(payload, "id", id);
    icp_payload_uint(payload, "reasons", CONSOLE_REASONS);
    console_heading(view->out, "Score");
    if (console_get(view, ICP_OP_SCORE, &reply)) {
        console_why(view->out, &reply);
    }
    icp_reply_fini(&reply);
}

static void show(struct console_view *view, const struct icp_reply *reply)
{
    FILE *out = view->out;
    struct icp_text text = icp_reply_text(reply, "id");
    struct icp_text name = icp_reply_text(reply, "name");
    char id[512];
    snprintf(id, sizeof id, "%.*s", (int)text.bytes, text.data);
    (void)fputs("<h2>", out);
    console_said(out, name.bytes > 0 ? name : text);
    (void)fputs("</h2>\n<p>Id: ", out);
    console_said(out, text);
    (void)fputs("</p>\n", out);
    keys(out, reply);
    score(view, id);
    console_lifecycle(view, id);
    values(out, reply);
    console_timeline(view, id);
}

void console_account(struct console_view *view)
{
    struct icp_reply reply = {0};
    const char *text = console_asked(view, "q");
    const char *id = console_asked(view, "id");
    form(view);
    if (id == NULL && text == NULL) {
        return;
    }
    if (id != NULL ? get_by(view, "id", id, &reply) : get(view, text, &reply)) {
        show(view, &reply);
    } else if (id == NULL && reply.fault.code == ICP_NOT_FOUND) {
        named_so(view, text);
    } else {
        console_failed(view, &reply.fault);
    }
    icp_reply_fini(&reply);
}
