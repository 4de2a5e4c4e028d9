/* SPDX-License-Identifier: Apache-2.0 */
/* An environment that is open: what LMDB's codes mean, how long the file is and must be. A code
 * that is not known becomes PROTO_IO; an EIO becomes "disk full" where room is what is short. */
#include "server/disk/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <lmdb.h>

enum {
    /* Below this a full disk is taken to be the cause of an EIO: LMDB reports a short write so. */
    FREE_BYTES_LOW = 16 << 20,
    STRETCH_STEP = 64 << 20,
    AHEAD_LEAST = 4 << 20,
    AHEAD_STEP = 128 << 10, /* the least that every kernel reads ahead in one call */
};

/* A short write is an EIO to LMDB: see whether room on the disk or a limit on files is what is
 * short. */
static bool room_is_short(const struct disk_env *env)
{
    int fd = -1;
    struct statvfs disk;
    struct rlimit limit;
    if (env->mdb == NULL || mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS) {
        return false;
    }
    if (fstatvfs(fd, &disk) == 0 && disk.f_bavail * disk.f_frsize < FREE_BYTES_LOW) {
        return true;
    }
    /* How far the commit that failed wanted to go is not known, but no further than the map. */
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           limit.rlim_cur < env->map_bytes;
}

bool disk_env_fault(const struct disk_env *env, int code, const char *doing,
                    struct proto_fault *fault)
{
    if (code == EIO && room_is_short(env)) {
        code = ENOSPC;
    }
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return proto_fault_set(fault, PROTO_DISK_FULL, "",
                               "%s: the disk, or a limit on file sizes, is full (%s)", doing,
                               strerror(code));
    case MDB_MAP_FULL:
        return proto_fault_set(fault, PROTO_DISK_FULL, "",
                               "%s: the map of %zu bytes is full; raise its limit", doing,
                               env->map_bytes);
    case ENOMEM:
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "%s: out of memory", doing);
    case MDB_READERS_FULL:
        return proto_fault_set(fault, PROTO_LIMIT, "", "%s: no more views can be opened", doing);
    case MDB_TXN_FULL:
        return proto_fault_set(fault, PROTO_LIMIT, "", "%s: the change is too large for one commit",
                               doing);
    case MDB_NOTFOUND:
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_VALSIZE:
        return proto_fault_set(fault, PROTO_CORRUPT, "", "%s: the store is damaged (%s)", doing,
                               mdb_strerror(code));
    case MDB_PANIC:
        proto_fault_set(fault, PROTO_IO, "", "%s: the store can only be used again by a new start",
                        doing);
        if (env->on_lost != NULL) {
            env->on_lost(env->lost_context, fault);
        }
        return false;
    default:
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", doing, mdb_strerror(code));
    }
}

void disk_env_close(struct disk_env *env)
{
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    env->mdb = NULL;
    if (env->lock_fd >= 0) {
        close(env->lock_fd);
    }
    env->lock_fd = -1;
    if (env->witness_fd >= 0) {
        close(env->witness_fd);
    }
    env->witness_fd = -1;
}

unsigned disk_env_clear_readers(const struct disk_env *env)
{
    int dead = 0;
    return mdb_reader_check(env->mdb, &dead) == MDB_SUCCESS && dead > 0 ? (unsigned)dead : 0;
}

/* LMDB tells of its readers in lines of text: process, thread, snapshot (or "-"), below a line of
 * words. */
static bool reader_read(const char *line, struct disk_reader *reader)
{
    const char *last = strrchr(line, ' ');
    char *end = NULL;
    reader->process = strtoll(line, NULL, 10);
    reader->snapshot = last == NULL ? 0 : strtoull(last + 1, &end, 10);
    return end != NULL && end > last + 1;
}

static int oldest_take(const char *line, void *context)
{
    uint64_t *oldest = context;
    struct disk_reader reader;
    if (reader_read(line, &reader) && reader.snapshot < *oldest) {
        *oldest = reader.snapshot;
    }
    return 0;
}

static int other_take(const char *line, void *context)
{
    struct disk_reader *oldest = context;
    struct disk_reader reader;
    if (reader_read(line, &reader) && reader.process != getpid() &&
        reader.snapshot < oldest->snapshot) {
        *oldest = reader;
    }
    return 0;
}

uint64_t disk_env_oldest(const struct disk_env *env)
{
    uint64_t oldest = UINT64_MAX;
    return mdb_reader_list(env->mdb, oldest_take, &oldest) >= 0 ? oldest : UINT64_MAX;
}

bool disk_env_other_reader(const struct disk_env *env, struct disk_reader *oldest)
{
    *oldest = (struct disk_reader){.snapshot = UINT64_MAX};
    return mdb_reader_list(env->mdb, other_take, oldest) >= 0 && oldest->process != 0;
}

uint64_t disk_env_pages(const struct disk_env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return info.me_last_pgno + 1;
}

uint64_t disk_env_leaves(const struct disk_env *env, enum disk_table table)
{
    MDB_txn *txn;
    MDB_stat stat = {0};
    if (mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) != MDB_SUCCESS) {
        return 0;
    }
    if (mdb_stat(txn, env->tables[table], &stat) != MDB_SUCCESS) {
        stat.ms_leaf_pages = 0;
    }
    mdb_txn_abort(txn);
    return stat.ms_leaf_pages;
}

void disk_file_ahead(int fd, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += AHEAD_STEP) {
        size_t count = to - at < AHEAD_STEP ? to - at : AHEAD_STEP;
        (void)posix_fadvise(fd, (off_t)at, (off_t)count, POSIX_FADV_WILLNEED);
    }
}

/* A hole that is read ahead has its pages in the cache one by one, and costs nothing on disk. */
static void cache_ahead(struct disk_env *env, int fd, size_t from, size_t to)
{
    from = env->cached_end > from ? env->cached_end : from;
    disk_file_ahead(fd, from, to);
    env->cached_end = to > env->cached_end ? to : env->cached_end;
}

void disk_env_stretch(struct disk_env *env, size_t ahead_bytes)
{
    MDB_envinfo info;
    struct stat file;
    int fd;
    if (mdb_env_info(env->mdb, &info) != MDB_SUCCESS ||
        mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS || fstat(fd, &file) != 0) {
        return;
    }
    size_t end = (info.me_last_pgno + 1) * DISK_PAGE_BYTES;
    size_t ahead = ahead_bytes < AHEAD_LEAST ? AHEAD_LEAST : ahead_bytes;
    size_t need = end + (ahead < DISK_TAIL_BYTES ? DISK_TAIL_BYTES : ahead);
    if (need > env->map_bytes) {
        need = env->map_bytes;
    }
    if ((size_t)file.st_size < need) {
        size_t size = need + STRETCH_STEP > env->map_bytes ? env->map_bytes : need + STRETCH_STEP;
        if (ftruncate(fd, (off_t)size) != 0) {
            errno = 0; /* a guard, not a need: a disk quota or a file limit may forbid it */
            need = (size_t)file.st_size;
        }
    }
    cache_ahead(env, fd, end, end + ahead < need ? end + ahead : need);
}
