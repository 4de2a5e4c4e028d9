/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts are gathered into batches and a few batches are kept in flight. A batch that is refused
 * for one row loses that row, which is told, and goes again; a busy server is waited for; any other
 * fault ends the import. */
#include "tools/cli/import_batch.h"

#include <stdlib.h>
#include <time.h>

#include "tools/cli/csv/key_column.h"
#include "tools/cli/import_look.h"

/* How often a batch that the server is too busy for is sent again, each time waiting longer. */
#define BUSY_RETRIES 8

int sender_begin(struct import_sender *sender)
{
    sender->request = icp_payload_create();
    bool made = sender->request != NULL;
    for (size_t b = 0; b < BATCHES_IN_FLIGHT; b++) {
        sender->batches[b].rows = calloc(sender->batch_rows, sizeof *sender->batches[b].rows);
        made &= sender->batches[b].rows != NULL;
    }
    return made ? EX_OK : cli_fail(sender->cli, EX_OSERR, "no memory for the batches");
}

void sender_end(struct import_sender *sender)
{
    for (size_t b = 0; b < BATCHES_IN_FLIGHT; b++) {
        struct import_batch *batch = &sender->batches[b];
        for (size_t i = 0; batch->rows != NULL && i < sender->batch_rows; i++) {
            import_row_free(&batch->rows[i]);
        }
        free(batch->rows);
    }
    icp_payload_destroy(sender->request);
    icp_reply_fini(&sender->reply);
}

struct import_row *sender_row(struct import_sender *sender)
{
    struct import_batch *batch = &sender->batches[sender->current];
    struct import_row *row = &batch->rows[batch->count];
    if (row->values == NULL) {
        row->values = icp_payload_create();
    }
    if (row->values == NULL) {
        return NULL;
    }
    icp_payload_reset(row->values);
    row->id[0] = '\0';
    row->keys_bytes = row->key_count = row->record_bytes = 0;
    row->match = row->address = 0;
    return row;
}

static void row_write(struct icp_payload *request, const struct import_row *row)
{
    icp_payload_map_begin(request, NULL);
    icp_payload_text(request, "id", row->id);
    if (row->key_count > 0) {
        icp_payload_list_begin(request, "keys");
        const char *key = row->keys;
        for (size_t k = 0; k < row->key_count; k++, key += strlen(key) + 1) {
            icp_payload_text(request, NULL, key);
        }
        icp_payload_list_end(request);
    }
    icp_payload_map(request, "values", row->values);
    icp_payload_map_end(request);
}

static int batch_send(struct import_sender *sender, struct import_batch *batch)
{
    struct icp_payload *request = sender->request;
    struct icp_fault fault;
    icp_payload_reset(request);
    icp_payload_list_begin(request, "accounts");
    for (size_t i = 0; i < batch->count; i++) {
        row_write(request, &batch->rows[i]);
    }
    icp_payload_list_end(request);
    icp_payload_text(request, "source", sender->source);
    if (sender->import[0] != '\0') {
        icp_payload_text(request, "import_id", sender->import);
    }
    if (sender->time_ms != 0) {
        icp_payload_uint(request, "time", sender->time_ms);
    }
    if (!sender->replace) {
        icp_payload_flag(request, "create", true);
    }
    batch->request_id =
        icp_send(sender->client, sender->replace ? ICP_OP_ACCOUNT_PUT : ICP_OP_ACCOUNT_PATCH,
                 request, &fault);
    if (batch->request_id == 0 || !icp_flush(sender->client, &fault)) {
        return cli_icp_fault(sender->cli, &fault);
    }
    return EX_OK;
}

/* The position in "accounts[12].values.employees"; SIZE_MAX if the fault names no account. */
static size_t fault_row(const struct icp_fault *fault, const char **rest)
{
    unsigned long long index = 0;
    int used = 0;
    if (sscanf(fault->field, "accounts[%llu]%n", &index, &used) != 1 || used == 0) {
        return SIZE_MAX;
    }
    *rest = fault->field + used + (fault->field[used] == '.');
    return (size_t)index;
}

/* A key that is another account's: the account goes in without it. */
static bool key_refused(struct import_sender *sender, struct import_row *row, const char *field)
{
    unsigned long long index = 0;
    if (sender->reply.fault.code != ICP_CONFLICT || sscanf(field, "keys[%llu]", &index) != 1 ||
        index >= row->key_count) {
        return false;
    }
    char *key = row->keys;
    for (; index > 0; index--) {
        key += strlen(key) + 1;
    }
    size_t bytes = strlen(key) + 1;
    if (!key_is_above(key)) { /* to stand for a domain is no claim to it: who was first does */
        if (sender->strict) {
            return false;
        }
        notes_key(sender->notes, (struct note_place){row->line, 0, "keys"},
                  sender->reply.fault.message);
    }
    sender->keys_refused++;
    row->keys_bytes -= bytes;
    row->key_count--;
    memmove(key, key + bytes, row->keys_bytes - (size_t)(key - row->keys));
    return true;
}

/* Takes the row that the server refused out of the batch and notes it. */
static bool row_refused(struct import_sender *sender, struct import_batch *batch)
{
    const char *field = "";
    size_t index = fault_row(&sender->reply.fault, &field);
    if (index >= batch->count) {
        return false;
    }
    struct import_row *row = &batch->rows[index];
    if (key_refused(sender, row, field)) {
        return true;
    }
    if (strncmp(field, "values.", 7) == 0) {
        field += 7;
    }
    notes_refuse(sender->notes, (struct note_place){row->line, 0, field},
                 sender->reply.fault.message);
    import_batch_drop(batch, index);
    return true;
}

static void wait_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Waits until the batch is stored, or as much of it as the server takes. */
static int batch_finish(struct import_sender *sender, struct import_batch *batch)
{
    int busy = 0;
    while (batch->request_id != 0) {
        if (icp_receive(sender->client, batch->request_id, 0, &sender->reply)) {
            sender->stored += (size_t)icp_reply_int(&sender->reply, "count", 0);
            sender->created += (size_t)icp_reply_int(&sender->reply, "created", 0);
            sender->seq = (uint64_t)icp_reply_int(&sender->reply, "seq", 0);
            break;
        }
        enum icp_error error = sender->reply.fault.code;
        bool again = error == ICP_BUSY && busy++ < BUSY_RETRIES;
        if (again) {
            wait_ms(20L << busy);
        } else if (!row_refused(sender, batch)) {
            return cli_icp_fault(sender->cli, &sender->reply.fault);
        }
        batch->request_id = 0;
        if (batch->count == 0) {
            break;
        }
        int status = batch_send(sender, batch);
        if (status != EX_OK) {
            return status;
        }
    }
    batch->request_id = 0;
    batch->count = batch->bytes = 0;
    return EX_OK;
}

/* Sends the current batch and makes room for the next: the oldest one must be done. */
static int batch_turn(struct import_sender *sender)
{
    struct import_batch *batch = &sender->batches[sender->current];
    int status = sender->look != NULL ? import_look_batch(sender->look, sender, batch) : EX_OK;
    if (status != EX_OK) {
        return status;
    }
    if (sender->client == NULL || sender->dry) {
        sender->stored += batch->count;
        batch->count = batch->bytes = 0;
        return EX_OK;
    }
    status = batch->count > 0 ? batch_send(sender, batch) : EX_OK;
    sender->current = (sender->current + 1) % BATCHES_IN_FLIGHT;
    return status == EX_OK ? batch_finish(sender, &sender->batches[sender->current]) : status;
}

int sender_add(struct import_sender *sender)
{
    struct import_batch *batch = &sender->batches[sender->current];
    struct import_row *row = &batch->rows[batch->count];
    size_t bytes = icp_payload_size(row->values) + row->keys_bytes + sizeof row->id;
    if (batch->count > 0 && batch->bytes + bytes > BATCH_BYTES_MAX) {
        /* The row waits in the next batch: its memory changes place with an unused one there. */
        struct import_row waiting = *row;
        *row = (struct import_row){0};
        int status = batch_turn(sender);
        if (status != EX_OK) {
            import_row_free(&waiting);
            return status;
        }
        batch = &sender->batches[sender->current];
        import_row_free(&batch->rows[0]);
        batch->rows[0] = waiting;
    }
    batch->bytes += bytes;
    batch->count++;
    return batch->count == sender->batch_rows ? batch_turn(sender) : EX_OK;
}

int sender_finish(struct import_sender *sender)
{
    int status = sender->batches[sender->current].count > 0 ? batch_turn(sender) : EX_OK;
    for (size_t b = 0; b < BATCHES_IN_FLIGHT && status == EX_OK; b++) {
        status = batch_finish(sender, &sender->batches[(sender->current + b) % BATCHES_IN_FLIGHT]);
    }
    return status;
}
