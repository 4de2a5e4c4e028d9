/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts on their way to the server: gathered into batches, several in flight, a row that the
 * server refuses taken out and the rest sent again. Ownership: the sender owns its rows; client and
 * notes are borrowed. Errors: exit statuses, messages printed. Threads: one. Cost: one copy of each
 * row. */
#ifndef CLI_IMPORT_BATCH_H
#define CLI_IMPORT_BATCH_H

#include "client/icp.h"
#include "tools/cli/import_note.h"

/* Requests in flight: enough that the server writes one while the next is read. */
#define BATCHES_IN_FLIGHT 4
/* Half of the largest frame, so that no batch is ever too large. */
#define BATCH_BYTES_MAX ((size_t)PROTO_FRAME_BYTES_MAX / 2)

struct import_row {
    struct icp_payload *account; /* map of id, keys, values */
    size_t line;
};

struct import_batch {
    struct import_row *rows;
    size_t count;
    size_t bytes;
    uint32_t request_id; /* 0: not in flight */
};

struct import_sender {
    const struct cli *cli;
    struct icp_client *client; /* NULL: a dry run, nothing is sent */
    struct import_notes *notes;
    const char *source;
    uint64_t time_ms;
    size_t batch_rows;
    struct import_batch batches[BATCHES_IN_FLIGHT];
    size_t current; /* being filled; the next one is the oldest in flight */
    struct icp_payload *request;
    struct icp_reply reply;
    size_t stored;
    size_t created;
    uint64_t seq;
};

/* Fills in the rest of a sender whose cli, client, notes, source, time_ms and batch_rows are set.
 */
int sender_begin(struct import_sender *sender);
/* An empty account to fill; sender_add or the next call of this takes it back. */
struct icp_payload *sender_account(struct import_sender *sender);
/* Adds the account of sender_account, which came from that line. */
int sender_add(struct import_sender *sender, size_t line);
/* Sends what is left and waits for every answer. */
int sender_finish(struct import_sender *sender);
void sender_end(struct import_sender *sender);

#endif
