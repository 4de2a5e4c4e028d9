/* SPDX-License-Identifier: Apache-2.0 */
/* The LMDB environment: the only place where files are opened, and where LMDB's codes become
 * faults.
 *
 * A directory holds data.mdb and lock.mdb of LMDB, store.check (meta.h), and store.lock: an flock
 * on it keeps out a second process as well as a second opening in this process, which LMDB itself
 * would not survive. Before the map is trusted, the two meta pages and the length of the file are
 * read with pread: a file that is too short is refused instead of dying of SIGBUS later. The file
 * is kept longer than its last page by a tail of DISK_TAIL_BYTES without blocks on disk, so that a
 * damaged length within a page never leads past its end.
 *
 * The page cache holds what was written or read at once in folios of up to hundreds of KiB, and
 * writes a whole folio for each page of it that changes: random updates of a file that had been
 * filled, or read ahead, wrote 6.4 times their pages (ext4, Linux 6.18). So LMDB's map is not read
 * ahead, what the file grows by has its place in the cache page by page before LMDB writes it, and
 * a file that is not in the cache is read into it when it is opened, if it fits.
 *
 * Ownership: the environment owns its handles; keys and values borrow from the transaction.
 * Errors: PROTO_LOCKED, PROTO_CORRUPT, PROTO_DISK_FULL, PROTO_IO, PROTO_NO_MEMORY, PROTO_LIMIT.
 * Threads: immutable after opening; transactions as LMDB says (MDB_NOTLS). Source: LMDB 0.9.24. */
#ifndef DISK_ENV_H
#define DISK_ENV_H

#include "server/disk/state.h"

/* More than the longest value, which is a batch in the log. */
#define DISK_TAIL_BYTES ((size_t)72 << 20)

struct disk_env {
    struct MDB_env *mdb;
    unsigned tables[DISK_TABLE_COUNT]; /* handles of LMDB */
    int lock_fd;
    int witness_fd; /* meta.h */
    size_t map_bytes;
    size_t cached_end;  /* so far the page cache holds the file in single pages (env.c); writer */
    const uint8_t *map; /* trunk.h */
    struct disk_format format;
    /* LMDB has given the environment up, after a meta page that it could not write: it refuses
     * every transaction, reads too, until it is opened anew. Told from any thread, each time. NULL:
     * nobody wants to know. */
    void (*on_lost)(void *context, const struct proto_fault *fault);
    void *lost_context;
};

struct disk_env_options {
    const char *path;
    size_t map_bytes;
    unsigned readers;
    int64_t now_ms;     /* stamped on a new store */
    const char *no_new; /* why a new store must not be made here; NULL: it may */
    void (*on_lost)(void *context, const struct proto_fault *fault);
    void *lost_context;
};

bool disk_env_open(struct disk_env *env, const struct disk_env_options *options,
                   struct proto_fault *fault);
void disk_env_close(struct disk_env *env);
/* Takes the lock of a store alone; disk_env_close lets go of it. */
bool disk_env_lock(struct disk_env *env, const char *path, struct proto_fault *fault);

/* A file of a store by itself, without lock and witness: for one that is made aside, by whoever
 * holds the lock of the store that it is for. Makes it with what a store has from the start, in the
 * place of what stands there; and opens it. */
bool disk_file_make(const char *name, int64_t now_ms, struct proto_fault *fault);
bool disk_env_open_file(struct disk_env *env, const char *name, size_t map_bytes,
                        struct proto_fault *fault);
/* Such a file, whole and synced, becomes data.mdb of an environment that is open, nothing of which
 * is written any more: to be closed next. On a fault the one from before is still in its place, or,
 * where only the last sync failed, one of the two. */
bool disk_env_replace(const char *path, const char *name, struct proto_fault *fault);

/* Translates a code of LMDB or errno; `doing` names the step. Always returns false. */
bool disk_env_fault(const struct disk_env *env, int code, const char *doing,
                    struct proto_fault *fault);
/* Lets go of reader slots of processes that died; returns how many. */
unsigned disk_env_clear_readers(const struct disk_env *env);
/* The oldest snapshot that anybody reads, of this process or another; UINT64_MAX: nobody does. */
uint64_t disk_env_oldest(const struct disk_env *env);
/* The oldest that another process reads, alive or not; false: none does. */
struct disk_reader {
    int64_t process; /* its number */
    uint64_t snapshot;
};
bool disk_env_other_reader(const struct disk_env *env, struct disk_reader *oldest);
/* Leaf pages of a table, with what they hold; 0 if that cannot be read. */
uint64_t disk_env_leaves(const struct disk_env *env, enum disk_table table);
/* Pages of the file that are in use or free, without the tail. */
uint64_t disk_env_pages(const struct disk_env *env);
/* Asks for a stretch of a file to come into the page cache, in single pages; waits for nothing. */
void disk_file_ahead(int fd, size_t from, size_t to);
/* Sees to the tail, and that the page cache has the next `ahead_bytes` that the file grows by in
 * single pages; best effort. Writer thread. Cost: 0.5 µs for a page that was not seen to before. */
void disk_env_stretch(struct disk_env *env, size_t ahead_bytes);

#endif
