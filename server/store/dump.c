/* SPDX-License-Identifier: Apache-2.0 */
/* Has everything folded, then walks the tables of one snapshot (store_walk.c). Damage ends the dump
 * and is counted: a copy of a damaged store must not pass for a good one. */
#include "server/store/dump.h"

#include <stdlib.h>

#include "server/store/dump_parts.h"
#include "server/store/store_parts.h"

struct store_dump {
    struct store *store;
    struct store_walk walk;
    uint64_t taken_ns;
};

uint64_t store_identity(const struct store *store)
{
    return XXH3_64bits(store->env.format.seeds, sizeof store->env.format.seeds);
}

struct store_dump *store_dump_open(struct store *store, struct proto_fault *fault)
{
    struct store_dump *dump = calloc(1, sizeof *dump);
    if (dump == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a copy of the store");
        return NULL;
    }
    dump->store = store;
    if (store_fold_wait(store, fault) && store_walk_open(&dump->walk, &store->env, fault)) {
        dump->taken_ns = store_clock_ns();
        return dump;
    }
    free(dump);
    return NULL;
}

void store_dump_close(struct store_dump *dump)
{
    if (dump == NULL) {
        return;
    }
    store_walk_close(&dump->walk);
    free(dump);
}

uint64_t store_dump_seq(const struct store_dump *dump)
{
    return dump->walk.txn.state.seq;
}

uint64_t store_dump_entries(const struct store_dump *dump)
{
    return store_walk_entries(&dump->walk);
}

enum disk_got store_dump_next(struct store_dump *dump, struct store_entry *entry,
                              struct proto_fault *fault)
{
    if (!store_snapshot_young(dump->store, &dump->walk.txn, dump->taken_ns, fault)) {
        return DISK_GOT_FAULT;
    }
    enum disk_got got = store_walk_next(&dump->walk, entry, fault);
    if (got == DISK_GOT_FAULT && fault->code == PROTO_CORRUPT) {
        store_damage(dump->store, fault);
    }
    return got;
}
