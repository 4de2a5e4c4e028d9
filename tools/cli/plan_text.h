/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of a server as a client has them: all entries of one as its export
 * (server/term/term_audit.h), verified here and not by whoever sent them; an entry sent. Ownership:
 * plan_text_fini; a body that is sent is taken. Errors: exit statuses, messages printed. Threads:
 * one. */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include "server/term/term_audit.h"
#include "tools/cli/cli.h"

struct plan_text {
    char *text; /* the export, with a zero behind it */
    size_t bytes, room;
    long long lost; /* entries of the store that cannot be read */
};

int plan_text_fetch(const struct cli *cli, const char *name, struct plan_text *plan);
int plan_text_read(const struct cli *cli, const char *path, struct plan_text *plan);
void plan_text_fini(struct plan_text *plan);

/* The plan folded and found sound, or EX_DATAERR with what is wrong. head: text of the hash that
 * the newest entry must have; NULL: any. *folded is fini'ed by the caller in any case. */
int plan_text_verify(const struct cli *cli, const struct plan_text *plan, const char *head,
                     struct term_plan *folded);

/* Sends an entry and prints what became of it. A body that is NULL was made of what is no UTF-8. */
int plan_send(const struct cli *cli, const char *name, const char *act, json_t *body);

/* The document of a stored list; NULL with *status and a message. */
json_t *plan_list_document(const struct cli *cli, const char *tal, int *status);

/* A share of the work such as 60% or 0.6 as a number of JSON, the caller's; NULL with *status. */
json_t *plan_share_read(const struct cli *cli, const char *option, const char *text, int *status);

#endif
