/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way to the server, in batches of which a few are in flight. Before a batch leaves
 * its accounts are asked for: events of nobody are refused here. An event that the server refuses
 * is taken out and told, and the rest goes again in smaller parts, so that a file of which every
 * event is refused costs a round trip each and no more; a busy server is waited for. A batch that
 * is sent twice stores nothing twice, for an event is known by source and id. Ownership: owns its
 * bytes; cli, client, notes, accounts are borrowed. Errors: exit statuses, messages printed.
 * Threads: one. Cost: one copy of each event. */
#ifndef CLI_EVENT_BATCH_H
#define CLI_EVENT_BATCH_H

#include "tools/cli/event_account.h"
#include "tools/cli/import_note.h"

#define EVENT_BATCHES_IN_FLIGHT 4

struct event_batch {
    struct event_item {
        size_t at; /* of the encoded event in `bytes` */
        size_t bytes;
        size_t name; /* place among the accounts */
        size_t line;
    } * items;
    size_t count;
    size_t room;
    uint8_t *bytes;
    size_t used;
    size_t bytes_room;
    uint32_t request_id; /* 0: not in flight */
};

struct event_sender {
    const struct cli *cli;
    struct icp_client *client;
    struct event_accounts *accounts;
    struct import_notes *notes;
    const char *source;
    const char *import; /* id that its batches name; empty: none */
    size_t batch_events;
    bool as_key; /* names of accounts are keys */
    bool dry;
    /* the rest is the sender's */
    struct event_batch batches[EVENT_BATCHES_IN_FLIGHT];
    size_t current;
    struct icp_payload *request;
    struct icp_reply reply;
    size_t created; /* events that are new */
    size_t told;    /* that were stored before, or stand twice in the file */
    size_t nobody;  /* that are of no account */
    uint64_t seq;
};

int event_sender_begin(struct event_sender *sender);
/* Copies the event; it passed event_check. */
int event_sender_add(struct event_sender *sender, struct proto_span account,
                     const struct event *event, size_t line);
/* Sends what is left and waits for every answer. */
int event_sender_finish(struct event_sender *sender);
void event_sender_end(struct event_sender *sender);

#endif
