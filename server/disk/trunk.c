/* SPDX-License-Identifier: Apache-2.0 */
/* A meta page names two trees, that of free pages and that of the names of tables; the second is
 * one leaf, whose nodes are the trees of the tables. A meta page is copied, and belongs to the
 * transaction if its number is the same before and after. */
#include "server/disk/trunk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

enum { META_FREE = 40, META_NAMES = 88, META_LAST_PAGE = 136, META_TXN = 144, META_END = 152 };

struct meta {
    uint8_t bytes[META_END];
};

static uint64_t meta_txn(const struct meta *meta)
{
    return disk_get_u64(meta->bytes + META_TXN);
}

static bool meta_copy(const uint8_t *base, uint64_t txn, struct meta *meta)
{
    struct meta again;
    const uint8_t *from = base + (txn & 1) * DISK_PAGE_BYTES;
    memcpy(meta, from, sizeof *meta);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(&again, from, sizeof again);
    return meta_txn(meta) == txn && memcmp(meta, &again, sizeof again) == 0;
}

static struct disk_map map_of(const uint8_t *base, const struct meta *meta)
{
    return (struct disk_map){.base = base, .pages = disk_get_u64(meta->bytes + META_LAST_PAGE) + 1};
}

static bool names_open(const uint8_t *base, const struct meta *meta, struct disk_tree *names,
                       struct proto_fault *fault)
{
    struct disk_map map = map_of(base, meta);
    return disk_tree_open(names, &map, "names", meta->bytes + META_NAMES, fault);
}

enum disk_trunk_got disk_trunk_trees(const struct disk_env *env, uint64_t txn,
                                     struct disk_tree trees[DISK_TABLE_COUNT],
                                     struct proto_fault *fault)
{
    struct meta meta;
    struct disk_tree names;
    if (!meta_copy(env->map, txn, &meta)) {
        return DISK_TRUNK_MOVED;
    }
    bool good =
        names_open(env->map, &meta, &names, fault) && disk_tree_tables(&names, trees, fault);
    return good ? DISK_TRUNK_GOT : DISK_TRUNK_FAULT;
}

uint64_t disk_trunk_free(const struct disk_env *env)
{
    MDB_txn *txn;
    struct meta meta;
    struct disk_tree tree;
    struct proto_fault ignored;
    uint64_t pages = 0;
    if (mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) != MDB_SUCCESS) {
        return 0;
    }
    if (meta_copy(env->map, mdb_txn_id(txn), &meta)) {
        struct disk_map map = map_of(env->map, &meta);
        bool good = disk_tree_open(&tree, &map, "free", meta.bytes + META_FREE, &ignored) &&
                    disk_tree_free(&tree, &pages, &ignored);
        pages = good ? pages : 0;
    }
    mdb_txn_abort(txn);
    return pages;
}

static bool base_check(const uint8_t *base, struct proto_fault *fault)
{
    struct meta meta[2];
    struct disk_tree names;
    struct disk_tree list;
    struct disk_tree trees[DISK_TABLE_COUNT];
    uint64_t pages;
    memcpy(&meta[0], base, sizeof meta[0]);
    memcpy(&meta[1], base + DISK_PAGE_BYTES, sizeof meta[1]);
    const struct meta *newer = meta_txn(&meta[0]) > meta_txn(&meta[1]) ? &meta[0] : &meta[1];
    struct disk_map map = map_of(base, newer);
    return names_open(base, newer, &names, fault) && disk_tree_tables(&names, trees, fault) &&
           disk_tree_open(&list, &map, "free", newer->bytes + META_FREE, fault) &&
           disk_tree_free(&list, &pages, fault);
}

bool disk_trunk_check(const char *path, struct proto_fault *fault)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        proto_fault_set(fault, PROTO_IO, "path", "cannot open %s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    size_t bytes = (size_t)file.st_size;
    uint8_t *base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    int code = errno;
    close(fd);
    if (base == MAP_FAILED) {
        return proto_fault_set(fault, code == ENOMEM ? PROTO_NO_MEMORY : PROTO_IO, "path",
                               "cannot map %s: %s", path, strerror(code));
    }
    bool good = base_check(base, fault);
    munmap(base, bytes);
    return good;
}

/* LMDB does not say where its map is; but the page of a value does, once its number is known. */
bool disk_trunk_locate(struct disk_env *env, struct proto_fault *fault)
{
    MDB_envinfo info;
    MDB_txn *txn;
    MDB_dbi names;
    MDB_val key = {sizeof "meta" - 1, (void *)"meta"};
    MDB_val value = {0};
    struct meta meta;
    int fd;
    mdb_env_info(env->mdb, &info);
    int code = mdb_env_get_fd(env->mdb, &fd);
    off_t at = (off_t)(info.me_last_txnid & 1) * DISK_PAGE_BYTES;
    if (code == MDB_SUCCESS && pread(fd, &meta, sizeof meta, at) != (ssize_t)sizeof meta) {
        code = EIO;
    }
    if (code == MDB_SUCCESS && (code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn)) == 0) {
        if ((code = mdb_dbi_open(txn, NULL, 0, &names)) == MDB_SUCCESS) {
            code = mdb_get(txn, names, &key, &value);
        }
        mdb_txn_abort(txn);
    }
    if (code != MDB_SUCCESS) {
        return disk_env_fault(env, code, "opening", fault);
    }
    const uint8_t *inside = value.mv_data;
    uint64_t page = disk_get_u64(meta.bytes + META_NAMES + 40);
    env->map = inside - (uintptr_t)inside % DISK_PAGE_BYTES - page * DISK_PAGE_BYTES;
    return true;
}
