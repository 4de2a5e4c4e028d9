/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a row is, by another file: a table of usage names subscriptions, and the table of
 * subscriptions says whose they are. Ownership: copies its texts. Errors: exit statuses, messages
 * printed. Threads: one. Cost: one pass over the file, some 100 bytes of memory a row. */
#ifndef CLI_EVENT_THROUGH_H
#define CLI_EVENT_THROUGH_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/text_count.h"

struct event_through {
    struct text_count names;    /* of the other file's rows */
    struct text_count accounts; /* that they are of */
    size_t *account_of;         /* by place of a name: place of its account */
    size_t room;
    char name[128]; /* of the column of names, for messages */
};

/* told: "FILE.csv:NAME=ACCOUNT", two columns of that file. */
int event_through_open(struct event_through *through, const struct cli *cli, const char *told);
void event_through_close(struct event_through *through);
/* False: the file has no such name, or it was not told of any account. */
bool event_through_find(const struct event_through *through, struct proto_span name,
                        struct proto_span *account);

#endif
