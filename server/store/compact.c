/* SPDX-License-Identifier: Apache-2.0 */
/* Open the store, which keeps every other process out; copy all that one snapshot holds into
 * data.compact, in order; close that, open it again and read it whole; give it the name of the
 * tables; close. Until the rename nothing of the store was touched, so a fault, a full disk or a
 * cut before it costs a file that means nothing, which the next compaction writes over. */
#include "server/store/compact.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/dump_parts.h"

enum { PATH_BYTES = 3900, READERS = 4, BLOCK_BYTES = 512 /* of st_blocks */ };

struct compaction {
    struct disk_env env;
    struct store_walk walk; /* of what is there */
    char data[PATH_BYTES];
    char made[PATH_BYTES];
    struct store_compacted *compacted;
    struct proto_fault *fault;
};

static bool bytes_find(const struct compaction *compaction, const char *name, uint64_t *bytes)
{
    struct stat file;
    if (stat(name, &file) != 0) {
        return proto_fault_set(
            compaction->fault, errno == ENOENT ? PROTO_NOT_FOUND : PROTO_IO, "path",
            errno == ENOENT ? "no store is there: %s: %s" : "cannot examine %s: %s", name,
            strerror(errno));
    }
    *bytes = (uint64_t)file.st_blocks * BLOCK_BYTES;
    return true;
}

static bool copy_make(struct compaction *compaction)
{
    struct store_entry entry;
    enum disk_got got = DISK_GOT_FAULT;
    struct store_rebuild *rebuild =
        store_rebuild_open_file(compaction->made, compaction->env.map_bytes, compaction->fault);
    if (rebuild == NULL) {
        return false;
    }
    while ((got = store_walk_next(&compaction->walk, &entry, compaction->fault)) == DISK_GOT_ONE &&
           store_rebuild_put(rebuild, &entry, compaction->fault)) {
        compaction->compacted->entries++;
    }
    if (got == DISK_GOT_NONE) {
        return store_rebuild_finish(rebuild, compaction->fault);
    }
    store_rebuild_abort(rebuild);
    return false;
}

/* What has been written must read as what was read: counts and digests of its own state are held
 * against its tables by the walk, and that state against the one that was copied. */
static bool copy_walk(struct compaction *compaction, struct store_walk *walk)
{
    struct store_entry entry;
    const struct disk_state *state = &compaction->walk.txn.state;
    enum disk_got got;
    while ((got = store_walk_next(walk, &entry, compaction->fault)) == DISK_GOT_ONE) {
    }
    if (got == DISK_GOT_FAULT) {
        return false;
    }
    bool same = walk->txn.state.seq == state->seq &&
                walk->txn.state.log_begins == state->log_begins &&
                memcmp(walk->txn.state.sums, state->sums, sizeof state->sums) == 0;
    return same || proto_fault_set(compaction->fault, PROTO_INTERNAL, "",
                                   "the compacted tables are not those that were read");
}

static bool copy_verify(struct compaction *compaction)
{
    struct disk_env env;
    struct store_walk walk;
    if (!disk_env_open_file(&env, compaction->made, compaction->env.map_bytes, compaction->fault)) {
        return false;
    }
    bool good = store_walk_open(&walk, &env, compaction->fault);
    if (good) {
        good =
            memcmp(env.format.seeds, compaction->env.format.seeds, sizeof env.format.seeds) == 0 ||
            proto_fault_set(compaction->fault, PROTO_INTERNAL, "",
                            "the compacted tables are of another store");
        good = good && copy_walk(compaction, &walk);
        store_walk_close(&walk);
    }
    disk_env_close(&env);
    return good;
}

static bool store_swap(struct compaction *compaction, const char *path)
{
    if (!store_walk_open(&compaction->walk, &compaction->env, compaction->fault)) {
        return false;
    }
    bool good = copy_make(compaction) && copy_verify(compaction) &&
                bytes_find(compaction, compaction->made, &compaction->compacted->bytes_after);
    store_walk_close(&compaction->walk);
    if (good && disk_env_replace(path, compaction->made, compaction->fault)) {
        return true;
    }
    (void)unlink(compaction->made); /* left over it means nothing */
    return false;
}

bool store_compact(const char *path, size_t map_bytes, struct store_compacted *compacted,
                   struct proto_fault *fault)
{
    struct compaction compaction = {.compacted = compacted, .fault = fault};
    struct disk_env_options options = {.path = path, .map_bytes = map_bytes, .readers = READERS};
    *compacted = (struct store_compacted){0};
    if (snprintf(compaction.made, PATH_BYTES, "%s/data.compact", path) >= PATH_BYTES) {
        return proto_fault_set(fault, PROTO_IO, "path", "the path is too long");
    }
    snprintf(compaction.data, PATH_BYTES, "%s/data.mdb", path);
    if (!bytes_find(&compaction, compaction.data, &compacted->bytes_before) ||
        !disk_env_open(&compaction.env, &options, fault)) {
        return false;
    }
    bool good = store_swap(&compaction, path);
    disk_env_close(&compaction.env);
    return good;
}
