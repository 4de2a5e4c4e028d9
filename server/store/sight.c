/* SPDX-License-Identifier: Apache-2.0 */
/* Generations are asked from the newest to the first whose changes the tables have not all; whoever
 * answers first is right. Only then the tables are asked. */
#include "server/store/sight.h"

const struct store_version *store_sight_version(const struct store_sight *sight, uint32_t slot)
{
    for (const struct store_generation *generation = sight->newest; generation != NULL;
         generation = store_generation_older(generation, sight->base->state.seq)) {
        const struct store_version *version =
            store_generation_version(generation, slot, sight->seq);
        if (version != NULL) {
            return version;
        }
    }
    return NULL;
}

const struct store_owner *store_sight_owner(const struct store_sight *sight, enum store_kind kind,
                                            uint64_t hash, struct proto_span text)
{
    for (const struct store_generation *generation = sight->newest; generation != NULL;
         generation = store_generation_older(generation, sight->base->state.seq)) {
        const struct store_owner *owner =
            store_generation_owner(generation, kind, hash, text, sight->seq);
        if (owner != NULL) {
            return owner;
        }
    }
    return NULL;
}

enum disk_got store_sight_get(const struct store_sight *sight, enum disk_table table, uint64_t key,
                              struct proto_span *value, struct proto_fault *fault)
{
    if (table == DISK_TABLE_ACCOUNT) {
        const struct store_version *version = store_sight_version(sight, (uint32_t)key);
        if (version != NULL) {
            *value = version->value;
            return DISK_GOT_ONE;
        }
    } else {
        for (const struct store_generation *generation = sight->newest; generation != NULL;
             generation = store_generation_older(generation, sight->base->state.seq)) {
            const struct store_paper *paper =
                store_generation_paper(generation, table, key, sight->seq);
            if (paper != NULL) {
                *value = paper->value;
                return DISK_GOT_ONE;
            }
        }
    }
    return disk_txn_get(sight->base, table, key, value, fault);
}
