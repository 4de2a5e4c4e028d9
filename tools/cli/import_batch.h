/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts on their way to the server: gathered into batches, several in flight. A row that the
 * server refuses is taken out and the rest sent again; a key that is another account's costs the
 * key. Rows are looked at first (import_look.h) where it must be known what is stored already.
 * Ownership: the sender owns its rows; client, notes, look are borrowed. Errors: exit statuses,
 * messages printed. Threads: one. Cost: one copy of each row. */
#ifndef CLI_IMPORT_BATCH_H
#define CLI_IMPORT_BATCH_H

#include "client/icp.h"
#include "tools/cli/import_note.h"
#include "tools/cli/import_row.h"

/* Requests in flight: enough that the server writes one while the next is read. */
#define BATCHES_IN_FLIGHT 4
/* Half of the largest frame, so that no batch is ever too large. */
#define BATCH_BYTES_MAX ((size_t)PROTO_FRAME_BYTES_MAX / 2)

struct import_look;

struct import_sender {
    const struct cli *cli;
    struct icp_client *client; /* NULL: nothing is sent */
    struct import_look *look;  /* NULL: rows are not looked at */
    struct import_notes *notes;
    const char *source;
    uint64_t time_ms; /* when the values were true; 0: now, as the server has it */
    size_t batch_rows;
    bool replace;       /* accounts are put whole, not laid over */
    bool dry;           /* looked at, not sent */
    bool strict;        /* a key that is another account's refuses the row */
    const char *import; /* id that its batches name; empty: none */
    struct import_batch batches[BATCHES_IN_FLIGHT];
    size_t current; /* being filled; the next one is the oldest in flight */
    struct icp_payload *request;
    struct icp_reply reply;
    size_t stored;
    size_t created;
    size_t keys_refused; /* that were another account's */
    uint64_t seq;
};

/* Fills in the rest of a sender of which everything up to `strict` is set. */
int sender_begin(struct import_sender *sender);
/* An empty row to fill; sender_add or the next call of this takes it back. NULL: no memory. */
struct import_row *sender_row(struct import_sender *sender);
/* Adds the row of sender_row. */
int sender_add(struct import_sender *sender);
/* Sends what is left and waits for every answer. */
int sender_finish(struct import_sender *sender);
void sender_end(struct import_sender *sender);

#endif
