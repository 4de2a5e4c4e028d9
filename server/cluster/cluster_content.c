/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of bytes: of each slot its number, record, members and events, each with its length;
 * then documents kind by kind, then switches. */
#include "server/cluster/cluster_content.h"

#include <stdlib.h>
#include <xxhash.h>

enum { LOOK_EACH = 1024 };

struct content {
    XXH3_state_t *hash;
    uint8_t event[EVENT_BYTES_MAX];
};

static void number_add(struct content *content, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    (void)XXH3_128bits_update(content->hash, bytes, sizeof bytes);
}

static void span_add(struct content *content, struct proto_span span)
{
    number_add(content, span.bytes);
    if (span.bytes > 0) {
        (void)XXH3_128bits_update(content->hash, span.data, span.bytes);
    }
}

static bool event_add(void *context, const struct event *event)
{
    struct content *content = context;
    number_add(content, event->seq);
    number_add(content, (uint64_t)event->known_ms);
    span_add(content, (struct proto_span){content->event, event_encode(event, content->event)});
    return true;
}

static bool slot_add(struct content *content, struct store_view *view, uint32_t slot,
                     struct proto_fault *fault)
{
    struct store_source source;
    struct proto_fault why = {.code = PROTO_OK};
    if (!store_source(view, slot, &source, &why)) {
        if (why.code != PROTO_NOT_FOUND) {
            *fault = why;
        }
        return why.code == PROTO_NOT_FOUND;
    }
    number_add(content, slot);
    span_add(content, source.record);
    number_add(content, source.fold);
    number_add(content, source.entry);
    number_add(content, source.count);
    for (uint32_t i = 0; i < source.count; i++) {
        number_add(content, source.members[i]);
    }
    /* Of a fold they are those of its source records. */
    return source.count > 0 || store_timeline(view, slot, event_add, content, fault);
}

static bool documents_add(struct content *content, struct store_view *view,
                          enum store_document_kind kind, struct proto_fault *fault)
{
    for (uint32_t number = 1; number <= store_view_documents(view, kind); number++) {
        struct store_change change;
        if (!store_document_get(view, kind, number, &change, fault)) {
            return false;
        }
        number_add(content, number);
        number_add(content, (uint64_t)change.time_ms);
        span_add(content, change.text);
        span_add(content, change.ids);
    }
    return true;
}

static void switch_add(void *context, const struct store_change *change)
{
    struct content *content = context;
    number_add(content, change->version);
    number_add(content, (uint64_t)change->time_ms);
    span_add(content, change->text);
}

static bool all_add(struct content *content, struct store_view *view,
                    bool (*goes_on)(void *context), void *context, struct proto_fault *fault)
{
    for (uint32_t slot = 0; slot < store_view_slots(view); slot++) {
        if (slot % LOOK_EACH == 0 && goes_on != NULL && !goes_on(context)) {
            return proto_fault_set(fault, PROTO_CANCELLED, "", "nobody waits for it any more");
        }
        if (!slot_add(content, view, slot, fault)) {
            return false;
        }
    }
    for (unsigned kind = 0; kind < STORE_DOCUMENT_COUNT; kind++) {
        bool told = kind != STORE_DOCUMENT_SWITCH && kind != STORE_DOCUMENT_IDENTITY;
        if (told && !documents_add(content, view, (enum store_document_kind)kind, fault)) {
            return false;
        }
    }
    return store_switches(view, switch_add, content, fault);
}

bool cluster_content(struct store_view *view, bool (*goes_on)(void *context), void *context,
                     uint8_t content[CLUSTER_DIGEST_BYTES], struct proto_fault *fault)
{
    struct content *room = malloc(sizeof *room);
    XXH3_state_t *hash = XXH3_createState();
    bool good = room != NULL && hash != NULL && XXH3_128bits_reset(hash) == XXH_OK;
    if (!good) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a check of the content");
    } else {
        room->hash = hash;
        good = all_add(room, view, goes_on, context, fault);
        XXH128_canonical_t sum;
        XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(hash));
        for (size_t i = 0; i < CLUSTER_DIGEST_BYTES; i++) {
            content[i] = sum.digest[i];
        }
    }
    XXH3_freeState(hash);
    free(room);
    return good;
}
