/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is to be given up is found, read from the store once more, and only if that fails for
 * damage the log gets a command that says so, with what was found, for the audit. One that is
 * sound, or was given up, is refused and nothing is written; so is one that cannot be read for want
 * of memory, for that says nothing of it. */
#include <stdio.h>

#include "server/engine/engine_create.h"
#include "server/engine/ingest.h"
#include "server/engine/submit.h"
#include "server/listing/listing.h"
#include "server/tal/tal_document.h"

static bool number_find(const struct engine_worker *worker, const struct listing_drop *request,
                        uint32_t *number, struct proto_fault *fault)
{
    const struct engine_lists *lists = worker->state->lists;
    if (request->number == 0) {
        const struct engine_list *list = engine_lists_find(lists, request->name, fault);
        *number = list ? list->number : 0;
        return list != NULL;
    }
    *number = request->number;
    return (lists && request->number <= lists->count) ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "number", "there is no target account list %u",
                           request->number);
}

/* What is wrong with it, into *damage; false with *fault where nothing is. */
static bool damage_find(struct engine_worker *worker, uint32_t number, struct proto_fault *damage,
                        struct proto_fault *fault)
{
    struct store_change change;
    *damage = (struct proto_fault){.code = PROTO_OK};
    if (store_document_get(worker->view, STORE_DOCUMENT_TAL, number, &change, damage)) {
        if (change.given_up) {
            return proto_fault_set(fault, PROTO_NOT_FOUND, "number",
                                   "target account list %u was given up before", number);
        }
        json_t *document = tal_document_open(change.text, damage);
        if (document) {
            json_decref(document);
            return proto_fault_set(fault, PROTO_CONFLICT, "number",
                                   "target account list %u is sound: only one that is damaged can "
                                   "be given up",
                                   number);
        }
    }
    if (damage->code != PROTO_CORRUPT) {
        *fault = *damage;
        return false;
    }
    return true;
}

static bool drop_store(struct engine_worker *worker, const struct listing_drop *request,
                       const struct proto_fault *damage, struct listing_dropped *dropped,
                       struct proto_fault *fault)
{
    char reason[512 + PROTO_REASON_BYTES_MAX];
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    if (!batch) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    }
    int bytes = snprintf(reason, sizeof reason, "list %u: %s%s%.*s", dropped->number,
                         damage->message, request->reason.bytes > 0 ? "; " : "",
                         (int)request->reason.bytes, (const char *)request->reason.data);
    size_t most = bytes < (int)sizeof reason ? (size_t)bytes : sizeof reason - 1;
    struct proto_span said = {(const uint8_t *)reason, most};
    if (!store_batch_drop(batch, dropped->number, said, fault) ||
        !engine_operation_add(batch, &request->operation, fault)) {
        store_batch_destroy(batch);
        return false;
    }
    if (!engine_submit_wait(worker->engine, batch, &result)) {
        *fault = result.fault;
        return false;
    }
    dropped->seq = result.seq;
    return true;
}

bool listing_drop(struct engine_worker *worker, const struct listing_drop *request,
                  struct listing_dropped *dropped, struct proto_fault *fault)
{
    struct engine_written before;
    struct proto_fault damage;
    *dropped = (struct listing_dropped){0};
    if (!engine_operation_find(worker->engine, &request->operation, &before, fault)) {
        return false;
    }
    if (before.repeated) {
        *dropped =
            (struct listing_dropped){.number = before.version, .seq = before.seq, .repeated = true};
        return true;
    }
    return number_find(worker, request, &dropped->number, fault) &&
           damage_find(worker, dropped->number, &damage, fault) &&
           drop_store(worker, request, &damage, dropped, fault);
}
