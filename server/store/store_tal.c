/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "server/store/store_parts.h"

bool store_tal_split(const struct disk_sealed *sealed, struct store_change *change)
{
    uint64_t whole = (uint64_t)sealed->a + (uint64_t)sealed->b * sizeof(uint32_t);
    if (whole != sealed->text.bytes)
        return false;
    change->text = (struct proto_span){sealed->text.data, sealed->a};
    change->slots =
        (struct proto_span){sealed->text.data + sealed->a, sealed->b * sizeof(uint32_t)};
    return true;
}

bool store_tal_change(const struct disk_txn *txn, uint32_t number, struct store_change *change,
                      struct proto_fault *fault)
{
    struct proto_span value = {0};
    struct disk_sealed sealed;
    *change = (struct store_change){.kind = STORE_CHANGE_TAL, .version = number};
    if (disk_txn_get(txn, DISK_TABLE_TAL, number, &value, fault) == DISK_GOT_FAULT ||
        !disk_unseal(DISK_TABLE_TAL, number, value, &sealed, fault))
        return false;
    change->time_ms = sealed.time_ms;
    return store_tal_split(&sealed, change) ||
           proto_fault_set(fault, PROTO_CORRUPT, "tal",
                           "target account list %u is not of the length it says", number);
}

bool store_tal(struct store_view *view, uint32_t number, struct store_change *change,
               struct proto_fault *fault)
{
    assert(view->active);
    if (number == 0 || number > view->txn.state.tals)
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "there is no list number %u", number);
    if (store_tal_change(&view->txn, number, change, fault))
        return true;
    store_damage(view->store, fault);
    return false;
}
