/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected, the newest first: where from, by which token, and what they asked for last. The
 * console's own connection is one of them. */
#include "server/console/console_pages.h"

enum { SHOWN_MAX = 500 };

static const char *const columns[] = {"connection", "address", "client",    "token", "role",
                                      "since",      "#idle",   "#requests", "last"};

static void row(struct console_table *table, const struct icp_value *client)
{
    console_cell_count(table, (double)console_whole_of(client, "connection"));
    console_cell_said(table, console_text_of(client, "address"));
    console_cell_said(table, console_text_of(client, "client"));
    console_cell_said(table, console_text_of(client, "token"));
    console_cell_said(table, console_text_of(client, "role"));
    console_cell_time(table, console_whole_of(client, "since"));
    console_cell_open(table);
    console_duration(table->out, (double)console_whole_of(client, "idle_ms") * 1e3);
    console_cell_close(table);
    console_cell_count(table, (double)console_whole_of(client, "requests"));
    console_cell_said(table, console_text_of(client, "last"));
}

void console_clients(struct console_view *view)
{
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value entry;
    struct console_table table;
    icp_payload_uint(console_question(view->link), "limit", SHOWN_MAX);
    if (console_get(view, ICP_OP_CLIENT_LIST, &reply) && icp_reply_get(&reply, "clients", &list)) {
        (void)fputs("<p>", view->out);
        console_count(view->out, (double)icp_reply_int(&reply, "count", 0));
        (void)fputs(" have asked for something and are connected.</p>\n", view->out);
        console_table_open(&table, view->out, "Connections, the newest first", columns, 9);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            row(&table, &entry);
        }
        console_table_close(&table);
    }
    icp_reply_fini(&reply);
}
