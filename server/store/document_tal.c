/* SPDX-License-Identifier: Apache-2.0 */
/* A target account list is its document and the ids of its accounts in order of rank: ids mean the
 * same on every node, slots do not. Slots are worked out when the list is planned and when the
 * store is opened; an account that is gone by then is passed over, and so is one that was made anew
 * under its id since, which is another account: it is younger than the list (a slot is given again
 * in a later second alone, reuse.h), or lies in a slot that was not given away then. Lists of
 * before there were ids have slots; an account that is younger than the list is none of theirs
 * either. */
#include <stdlib.h>

#include "server/store/store_document.h"

bool store_tal_split(const struct disk_sealed *sealed, struct store_change *change)
{
    if (sealed->a > sealed->text.bytes) {
        return false;
    }
    struct proto_span rest = {sealed->text.data + sealed->a, sealed->text.bytes - sealed->a};
    change->text = (struct proto_span){sealed->text.data, sealed->a};
    if ((sealed->b & STORE_TAL_IDS) == 0) {
        change->slots = rest;
        return rest.bytes == (uint64_t)sealed->b * sizeof(uint32_t);
    }
    size_t at = 0;
    uint32_t count = 0;
    struct proto_span id;
    if (rest.bytes < sizeof(uint32_t)) {
        return false;
    }
    rest.data += sizeof(uint32_t);
    rest.bytes -= sizeof(uint32_t);
    change->ids = rest;
    while (store_ids_next(rest, &at, &id)) {
        count++;
    }
    return at == rest.bytes && count == (sealed->b & ~STORE_TAL_IDS);
}

bool store_ids_next(struct proto_span ids, size_t *at, struct proto_span *id)
{
    if (*at >= ids.bytes || ids.data[*at] == 0 || ids.data[*at] > ids.bytes - *at - 1) {
        return false;
    }
    *id = (struct proto_span){ids.data + *at + 1, ids.data[*at]};
    *at += 1 + id->bytes;
    return true;
}

/* The account that has the id now, if it is as old as the list; of a fold its source record is. */
static bool member_find(const struct store_sight *sight, const struct store_hasher *hasher,
                        struct proto_span id, const struct store_change *list, uint32_t *slot,
                        struct proto_fault *fault)
{
    uint32_t slots_then = disk_get_u32(list->ids.data - sizeof(uint32_t));
    struct store_account account;
    struct feature_record record;
    uint64_t hash = store_hash_text(hasher, STORE_KIND_ID, id);
    if (!store_resolve(sight, STORE_KIND_ID, id, hash, slot, fault)) {
        return false;
    }
    if (*slot == STORE_NO_SLOT) {
        return true;
    }
    uint32_t source = store_account_source(sight, *slot, STORE_KIND_ID, id, fault);
    if (source == STORE_NO_SLOT || !store_account_get(sight, source, &account, fault) ||
        !feature_record_open(account.record, false, &record, fault)) {
        return false;
    }
    if (record.created_s > list->time_ms / 1000 || source >= slots_then) {
        *slot = STORE_NO_SLOT;
    }
    return true;
}

/* Of the slots of a list from before there were ids, those that still hold the account of then. */
static bool slots_resolve(const struct store_sight *sight, struct store_change *change,
                          uint8_t **slots, struct proto_fault *fault)
{
    uint8_t *found = malloc(change->slots.bytes + 1);
    if (found == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    size_t bytes = 0;
    for (size_t at = 0; at < change->slots.bytes; at += sizeof(uint32_t)) {
        uint32_t slot = disk_get_u32(change->slots.data + at);
        struct store_account account = {.deleted = true, .fold = STORE_NO_SLOT};
        struct feature_record record = {0};
        if (slot < sight->state->slots && !store_account_get(sight, slot, &account, fault) &&
            fault->code != PROTO_CORRUPT) {
            free(found);
            return false;
        }
        if (!account.deleted && feature_record_open(account.record, false, &record, fault) &&
            record.created_s <= change->time_ms / 1000) {
            disk_set_u32(found + bytes, account.fold == STORE_NO_SLOT ? slot : account.fold);
            bytes += sizeof slot;
        }
    }
    *slots = found;
    change->slots = (struct proto_span){found, bytes};
    return true;
}

bool store_tal_resolve(const struct store_sight *sight, const struct store_hasher *hasher,
                       struct store_change *change, uint8_t **slots, struct proto_fault *fault)
{
    *slots = NULL;
    if (change->slots.bytes > 0) {
        return slots_resolve(sight, change, slots, fault);
    }
    if (change->ids.bytes == 0) {
        return true;
    }
    /* An id takes two bytes at least. */
    uint8_t *found = malloc(change->ids.bytes / 2 * 4);
    if (found == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    struct proto_span id;
    size_t count = 0;
    for (size_t at = 0; store_ids_next(change->ids, &at, &id);) {
        uint32_t slot = STORE_NO_SLOT;
        if (!member_find(sight, hasher, id, change, &slot, fault)) {
            if (fault->code != PROTO_CORRUPT) {
                free(found);
                return false;
            }
            continue; /* damage of an account is not damage of the list */
        }
        if (slot != STORE_NO_SLOT) {
            disk_set_u32(found + count++ * sizeof slot, slot);
        }
    }
    *slots = found;
    change->slots = (struct proto_span){found, count * sizeof(uint32_t)};
    return true;
}
