/* SPDX-License-Identifier: Apache-2.0 */
/* The slow log, the latest first; what stands in a request is told by nobody. */
#include "server/console/console_pages.h"

enum { KEPT = 256 };

static const char *const columns[] = {"answered", "operation",   "status", "#took",
                                      "#bytes",   "#connection", "client", "token"};

static void row(struct console_table *table, const struct icp_value *request)
{
    console_cell_time(table, console_whole_of(request, "time"));
    console_cell_said(table, console_text_of(request, "op"));
    console_cell_said(table, console_text_of(request, "status"));
    console_cell_open(table);
    console_duration(table->out, console_number_of(request, "took_us"));
    console_cell_close(table);
    console_cell_count(table, console_number_of(request, "bytes"));
    console_cell_count(table, console_number_of(request, "connection"));
    console_cell_said(table, console_text_of(request, "client"));
    console_cell_said(table, console_text_of(request, "token"));
}

void console_slow(struct console_view *view)
{
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value kept[KEPT];
    struct icp_value entry;
    struct console_table table;
    size_t count = 0;
    console_note(view->out, "Requests that took longer than slowlog_us; without their content, "
                            "which is kept nowhere.");
    console_question(view->link);
    if (console_get(view, ICP_OP_SLOW_LOG, &reply) && icp_reply_get(&reply, "requests", &list)) {
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            kept[count++ % KEPT] = entry;
        }
        if (count == 0) {
            console_note(view->out, "There is none.");
        } else {
            console_table_open(&table, view->out, "Slow requests, the latest first", columns, 8);
            for (size_t i = 0; i < count && i < KEPT; i++) {
                row(&table, &kept[(count - 1 - i) % KEPT]);
            }
            console_table_close(&table);
        }
    }
    icp_reply_fini(&reply);
}
