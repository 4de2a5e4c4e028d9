/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is read by its number; whether it counts follows from where the records are that it
 * names. The entries of an account are collected along the chains of its records. */
#include "server/engine/sources.h"

#include <stdlib.h>

#include "server/engine/worker.h"
#include "server/identity/grammar.h"
#include "server/store/store.h"

uint32_t engine_entries(const struct engine_worker *worker)
{
    return store_view_entries(worker->view);
}

uint64_t engine_records_linked(const struct engine_worker *worker)
{
    return store_view_sources(worker->view);
}

uint64_t engine_records(const struct engine_worker *worker)
{
    return store_view_records(worker->view);
}

bool engine_sources(struct engine_worker *worker, uint32_t slot,
                    uint32_t slots[PROTO_IDENTITY_SOURCES_MAX], uint32_t *count,
                    struct proto_fault *fault)
{
    struct store_source source;
    if (!store_source(worker->view, slot, &source, fault)) {
        return false;
    }
    *count = source.count;
    memcpy(slots, source.members, source.count * sizeof *slots);
    return true;
}

bool engine_source_record(struct engine_worker *worker, uint32_t slot,
                          struct feature_record *record, uint32_t *newest,
                          struct proto_fault *fault)
{
    struct store_source source;
    if (!store_source(worker->view, slot, &source, fault) ||
        !feature_record_open(source.record, false, record, fault)) {
        return false;
    }
    *newest = source.entry;
    return true;
}

static bool record_named(const struct feature_record *record, struct proto_span id,
                         struct proto_span key)
{
    struct proto_span own;
    size_t at = 0;
    if (id.bytes > 0) {
        return proto_span_equal(record->id, id);
    }
    while (feature_record_key_next(record, &at, &own)) {
        if (proto_span_equal(own, key)) {
            return true;
        }
    }
    return key.bytes == 0;
}

uint32_t engine_source_find(struct engine_worker *worker, uint32_t slot,
                            const struct engine_name *name, struct proto_fault *fault)
{
    struct store_source source;
    struct feature_record record;
    uint8_t room[PROTO_ID_BYTES_MAX];
    struct proto_span key = {NULL, 0};
    uint32_t newest;
    if (!store_source(worker->view, slot, &source, fault)) {
        return ENGINE_NO_SLOT;
    }
    if (name->key.bytes > 0) {
        key = identity_key_wanted(name->key, room);
    }
    for (uint32_t i = 0; i < source.count; i++) {
        if (!engine_source_record(worker, source.members[i], &record, &newest, fault)) {
            return ENGINE_NO_SLOT;
        }
        if (record_named(&record, name->id, key)) {
            return source.members[i];
        }
    }
    if (source.count > 0) {
        proto_fault_set(fault, PROTO_NOT_FOUND, "", "no source record has this id or key");
        return ENGINE_NO_SLOT;
    }
    return slot;
}

bool engine_entry(struct engine_worker *worker, uint32_t number, struct engine_entry *entry,
                  struct proto_fault *fault)
{
    struct store_identity_entry identity;
    if (!store_identity_entry(worker->view, number, &identity, fault)) {
        return false;
    }
    const struct identity_entry *said = &identity.entry;
    bool joins = said->act == IDENTITY_LINK || said->act == IDENTITY_MERGE;
    *entry = (struct engine_entry){
        .said = *said,
        .number = number,
        .time_ms = identity.time_ms,
        .state = said->taken_by != 0         ? ENGINE_ENTRY_TAKEN
                 : !identity.counts          ? ENGINE_ENTRY_GONE
                 : joins && !identity.joined ? ENGINE_ENTRY_IDLE
                                             : ENGINE_ENTRY_STANDS,
    };
    return true;
}

static int compare_newest(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left < right) - (left > right);
}

static bool chain_collect(struct engine_worker *worker, uint32_t slot, uint32_t *numbers,
                          size_t most, size_t *count, struct proto_fault *fault)
{
    struct feature_record record;
    uint32_t number;
    if (!engine_source_record(worker, slot, &record, &number, fault)) {
        return false;
    }
    while (number != 0 && *count < most) {
        struct store_change change;
        struct identity_entry said;
        if (!store_document_get(worker->view, STORE_DOCUMENT_IDENTITY, number, &change, fault)) {
            return false;
        }
        numbers[(*count)++] = number;
        if (!identity_entry_decode(change.text, &said)) {
            break;
        }
        if (said.taken_by != 0 && *count < most) {
            numbers[(*count)++] = said.taken_by;
        }
        number = said.before[!proto_span_equal(said.ids[0], record.id)];
    }
    return true;
}

bool engine_entries_of(struct engine_worker *worker, uint32_t slot, uint32_t *numbers, size_t most,
                       size_t *count, struct proto_fault *fault)
{
    struct store_source source;
    size_t kept = 0;
    *count = 0;
    if (!store_source(worker->view, slot, &source, fault)) {
        return false;
    }
    if (source.count == 0) {
        source.members[source.count++] = slot;
    }
    for (uint32_t i = 0; i < source.count; i++) {
        if (!chain_collect(worker, source.members[i], numbers, most, count, fault)) {
            return false;
        }
    }
    qsort(numbers, *count, sizeof *numbers, compare_newest);
    for (size_t i = 0; i < *count; i++) {
        if (kept == 0 || numbers[kept - 1] != numbers[i]) {
            numbers[kept++] = numbers[i];
        }
    }
    *count = kept;
    return true;
}
