/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is filled, its accounts are found, it is sent, and while it is stored the next is filled.
 * A refusal that names an event costs that event; any other fault of the server ends the import. */
#include "tools/cli/event_batch.h"

#include <stdlib.h>
#include <time.h>

#include "proto/table.h"

#define BUSY_RETRIES 8
/* Half of the largest frame, so that no batch is ever too large. */
#define EVENT_BATCH_BYTES_MAX ((size_t)PROTO_FRAME_BYTES_MAX / 2)
/* What the names of members add on the wire, at most. */
#define EVENT_WIRE_BYTES 192
/* Parts do not get smaller, where events are refused one after another. */
#define PART_LEAST 8

int event_sender_begin(struct event_sender *sender)
{
    sender->request = icp_payload_create();
    return sender->request != NULL ? EX_OK
                                   : cli_fail(sender->cli, EX_OSERR, "no memory for the batches");
}

void event_sender_end(struct event_sender *sender)
{
    for (size_t b = 0; b < EVENT_BATCHES_IN_FLIGHT; b++) {
        free(sender->batches[b].items);
        free(sender->batches[b].bytes);
    }
    icp_payload_destroy(sender->request);
    icp_reply_fini(&sender->reply);
}

static struct icp_text icp_text_of(struct proto_span span)
{
    return (struct icp_text){(const char *)span.data, span.bytes};
}

static void event_write(struct event_sender *sender, const struct event_batch *batch,
                        const struct event_item *item)
{
    struct icp_payload *request = sender->request;
    struct proto_fault fault = {.code = PROTO_OK};
    struct event event;
    struct proto_span name = sender->accounts->names.entries[item->name].text;
    bool is_key = sender->accounts->states[item->name].owner == OWNER_KEY;
    /* It was encoded here, so that it decodes. */
    (void)event_decode((struct proto_span){batch->bytes + item->at, item->bytes}, &event, &fault);
    icp_payload_map_begin(request, NULL);
    icp_payload_text_n(request, is_key ? "key" : "account", icp_text_of(name));
    icp_payload_text(request, "type", event_type_name(event.type));
    icp_payload_int(request, "time", event.time_ms);
    icp_payload_text_n(request, "id", icp_text_of(event.id));
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        if ((event.has >> i & 1) == 0) {
            continue;
        }
        if (event_member_is_text(member)) {
            icp_payload_text_n(request, event_member_name(member),
                               icp_text_of(*event_text(&event, member)));
        } else {
            icp_payload_int(request, event_member_name(member), *event_number(&event, member));
        }
    }
    icp_payload_map_end(request);
}

/* Sends `count` of the batch from its beginning. */
static int part_send(struct event_sender *sender, struct event_batch *batch, size_t count)
{
    struct icp_fault fault;
    icp_payload_reset(sender->request);
    icp_payload_list_begin(sender->request, "events");
    for (size_t i = 0; i < count; i++) {
        event_write(sender, batch, &batch->items[i]);
    }
    icp_payload_list_end(sender->request);
    icp_payload_text(sender->request, "source", sender->source);
    if (sender->import[0] != '\0') {
        icp_payload_text(sender->request, "import_id", sender->import);
    }
    batch->request_id = icp_send(sender->client, ICP_OP_EVENT_APPEND, sender->request, &fault);
    if (batch->request_id == 0 || !icp_flush(sender->client, &fault)) {
        return cli_icp_fault(sender->cli, &fault);
    }
    return EX_OK;
}

static void items_drop(struct event_batch *batch, size_t from, size_t count)
{
    memmove(batch->items + from, batch->items + from + count,
            (batch->count - from - count) * sizeof *batch->items);
    batch->count -= count;
}

/* Takes the event that the server refused out of the batch and notes it; false if the fault names
 * none. */
static bool item_refused(struct event_sender *sender, struct event_batch *batch, size_t count)
{
    const struct icp_fault *fault = &sender->reply.fault;
    unsigned long long index = 0;
    int used = 0;
    if (sscanf(fault->field, "events[%llu]%n", &index, &used) != 1 || used == 0 || index >= count) {
        return false;
    }
    const char *member = fault->field + used + (fault->field[used] == '.');
    notes_refuse(sender->notes, (struct note_place){batch->items[index].line, 0, member},
                 fault->message);
    items_drop(batch, (size_t)index, 1);
    return true;
}

static void part_stored(struct event_sender *sender, struct event_batch *batch, size_t count)
{
    size_t created = (size_t)icp_reply_int(&sender->reply, "count", 0);
    sender->created += created;
    sender->told += count - created;
    sender->seq = (uint64_t)icp_reply_int(&sender->reply, "seq", 0);
    items_drop(batch, 0, count);
}

/* Waits until the batch is stored, or as much of it as the server takes. */
static int batch_finish(struct event_sender *sender, struct event_batch *batch)
{
    size_t part = batch->count; /* as it was sent */
    size_t size = batch->count;
    int busy = 0;
    int status = EX_OK;
    while (batch->request_id != 0 && status == EX_OK) {
        if (icp_receive(sender->client, batch->request_id, 0, &sender->reply)) {
            part_stored(sender, batch, part);
            size *= 2;
            busy = 0;
        } else if (sender->reply.fault.code == ICP_BUSY && busy++ < BUSY_RETRIES) {
            nanosleep(&(struct timespec){.tv_nsec = (20L << busy) % 1000 * 1000000,
                                         .tv_sec = (20L << busy) / 1000},
                      NULL);
        } else if (item_refused(sender, batch, part)) {
            size = size / 2 > PART_LEAST ? size / 2 : PART_LEAST;
        } else {
            return cli_icp_fault(sender->cli, &sender->reply.fault);
        }
        batch->request_id = 0;
        part = size < batch->count ? size : batch->count;
        if (part > 0) {
            status = part_send(sender, batch, part);
        }
    }
    batch->request_id = 0;
    batch->count = batch->used = 0;
    return status;
}

static void nobody_note(struct event_sender *sender, const struct event_item *item)
{
    char shown[160];
    struct proto_span name = sender->accounts->names.entries[item->name].text;
    snprintf(shown, sizeof shown, "no account has the %s '%.*s'", sender->as_key ? "key" : "id",
             (int)(name.bytes < 100 ? name.bytes : 100), (const char *)name.data);
    notes_refuse(sender->notes, (struct note_place){item->line, 0, "account"}, shown);
    sender->nobody++;
}

/* Those of the batch whose account is there stay. */
static void owners_look(struct event_sender *sender, struct event_batch *batch)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (sender->accounts->states[batch->items[i].name].owner == OWNER_NOBODY) {
            nobody_note(sender, &batch->items[i]);
        } else {
            batch->items[kept++] = batch->items[i];
        }
    }
    batch->count = kept;
}

/* What would become of each. */
static int batch_look(struct event_sender *sender, struct event_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct event_item *item = &batch->items[i];
        struct proto_fault fault = {.code = PROTO_OK};
        struct event event;
        (void)event_decode((struct proto_span){batch->bytes + item->at, item->bytes}, &event,
                           &fault);
        switch (event_accounts_tell(sender->accounts, item->name, &event)) {
        case EVENT_IS_NEW:
            sender->created++;
            break;
        case EVENT_IS_TOLD:
            sender->told++;
            break;
        case EVENT_IS_CONTRADICTED:
            notes_refuse(sender->notes, (struct note_place){item->line, 0, "id"},
                         "an event of this id is told and tells something else: take it back by a "
                         "retraction and tell it anew under another id");
            break;
        case EVENT_NO_MEMORY:
            return cli_fail(sender->cli, EX_OSERR, "no memory for line %zu", item->line);
        }
    }
    batch->count = batch->used = 0;
    return EX_OK;
}

/* Sends the current batch and makes room for the next: the oldest one must be done. */
static int batch_turn(struct event_sender *sender)
{
    struct event_batch *batch = &sender->batches[sender->current];
    int status = event_accounts_ask(sender->accounts, sender->as_key);
    if (status != EX_OK) {
        return status;
    }
    owners_look(sender, batch);
    if (sender->dry) {
        return batch_look(sender, batch);
    }
    status = batch->count > 0 ? part_send(sender, batch, batch->count) : EX_OK;
    if (batch->count == 0) {
        batch->used = 0;
    }
    sender->current = (sender->current + 1) % EVENT_BATCHES_IN_FLIGHT;
    return status == EX_OK ? batch_finish(sender, &sender->batches[sender->current]) : status;
}

static bool batch_reserve(struct event_batch *batch, size_t bytes)
{
    if (batch->count == batch->room) {
        size_t room = batch->room * 2 + 256;
        struct event_item *items = realloc(batch->items, room * sizeof *items);
        if (items == NULL) {
            return false;
        }
        batch->items = items;
        batch->room = room;
    }
    if (batch->used + bytes > batch->bytes_room) {
        size_t room = (batch->used + bytes) * 2;
        uint8_t *grown = realloc(batch->bytes, room);
        if (grown == NULL) {
            return false;
        }
        batch->bytes = grown;
        batch->bytes_room = room;
    }
    return true;
}

int event_sender_add(struct event_sender *sender, struct proto_span account,
                     const struct event *event, size_t line)
{
    struct event_batch *batch = &sender->batches[sender->current];
    size_t bytes = event_bytes(event);
    size_t wire =
        batch->used + bytes + (batch->count + 1) * (EVENT_WIRE_BYTES + PROTO_ID_BYTES_MAX);
    if (batch->count == sender->batch_events || wire > EVENT_BATCH_BYTES_MAX) {
        int status = batch_turn(sender);
        if (status != EX_OK) {
            return status;
        }
        batch = &sender->batches[sender->current];
    }
    size_t name = event_accounts_name(sender->accounts, account, line);
    if (name == SIZE_MAX || !batch_reserve(batch, bytes)) {
        return cli_fail(sender->cli, EX_OSERR, "no memory for line %zu", line);
    }
    (void)event_encode(event, batch->bytes + batch->used);
    batch->items[batch->count++] = (struct event_item){batch->used, bytes, name, line};
    batch->used += bytes;
    return EX_OK;
}

int event_sender_finish(struct event_sender *sender)
{
    int status = sender->batches[sender->current].count > 0 ? batch_turn(sender) : EX_OK;
    for (size_t b = 0; b < EVENT_BATCHES_IN_FLIGHT && status == EX_OK; b++) {
        status =
            batch_finish(sender, &sender->batches[(sender->current + b) % EVENT_BATCHES_IN_FLIGHT]);
    }
    return status;
}
