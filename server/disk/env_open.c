/* SPDX-License-Identifier: Apache-2.0 */
/* Opens an environment: lock, meta pages against the witness, LMDB, format and state, tables. A new
 * store gets its format and its state in the first transaction. Another holder of the lock, a file
 * that is cut off, meta pages that are not as they were left, a table that is missing with what it
 * held: each is refused by name, and all that was opened is closed again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "server/disk/meta.h"
#include "server/disk/seal.h"
#include "server/disk/txn.h"

enum { PATH_BYTES_MAX = 3840 }; /* leaves room for the names of the files below PATH_MAX */

static bool path_fault(const char *path, const char *what, struct proto_fault *fault)
{
    return proto_fault_set(fault, errno == ENOSPC ? PROTO_DISK_FULL : PROTO_IO, "path", "%s %s: %s",
                           what, path, strerror(errno));
}

/* The lock is an flock: it belongs to the open file, so a second opening conflicts in this process
 * too, and it ends with the process however that dies. */
static bool lock_take(struct disk_env *env, const char *path, struct proto_fault *fault)
{
    char name[PATH_BYTES_MAX + 16];
    snprintf(name, sizeof name, "%s/store.lock", path);
    env->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (env->lock_fd < 0)
        return path_fault(name, "cannot open", fault);
    char owner[32] = "";
    if (flock(env->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t bytes = pread(env->lock_fd, owner, sizeof owner - 1, 0);
        owner[bytes > 0 ? bytes : 0] = '\0';
        long pid = strtol(owner, NULL, 10);
        return proto_fault_set(fault, PROTO_LOCKED, "path", "%s has %s open (process %ld)",
                               pid == (long)getpid() ? "this process" : "another process", path,
                               pid);
    }
    int bytes = snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
    if (ftruncate(env->lock_fd, 0) != 0 || pwrite(env->lock_fd, owner, (size_t)bytes, 0) != bytes) {
        /* The pid is a help for people; the lock holds without it, even on a full disk. */
        errno = 0;
    }
    return true;
}

/* The witness stands beside the data, so that a copy of the directory is a copy of both. */
static bool file_check(struct disk_env *env, const char *path, bool *fresh,
                       struct proto_fault *fault)
{
    char name[PATH_BYTES_MAX + 16];
    snprintf(name, sizeof name, "%s/store.check", path);
    env->witness_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (env->witness_fd < 0)
        return path_fault(name, "cannot open", fault);
    snprintf(name, sizeof name, "%s/data.mdb", path);
    return disk_meta_check(name, env->witness_fd, fresh, fault);
}

/* LMDB syncs what is in its file, not that the file is in its directory. */
static bool directory_sync(const char *path, struct proto_fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        path_fault(path, "cannot sync", fault);
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    return true;
}

static bool table_open(struct disk_env *env, enum disk_table table, unsigned flags, MDB_txn *txn,
                       int *code)
{
    *code = mdb_dbi_open(txn, disk_table_name(table), MDB_INTEGERKEY | flags, &env->tables[table]);
    return *code == MDB_SUCCESS;
}

/* A table that an earlier build did not know is made; one that should hold something and is not
 * there is damage. meta is open already. */
static bool tables_open(struct disk_env *env, struct disk_txn *txn, bool fresh, bool *made,
                        struct proto_fault *fault)
{
    int code;
    *made = fresh;
    for (enum disk_table table = DISK_TABLE_META + 1; table < DISK_TABLE_COUNT; table++) {
        if (table_open(env, table, fresh ? MDB_CREATE : 0, txn->mdb, &code))
            continue;
        if (code != MDB_NOTFOUND)
            return disk_env_fault(env, code, "opening a table", fault);
        if (txn->state.sums[table].count > 0)
            return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(table),
                                   "the table is missing, and %llu values with it",
                                   (unsigned long long)txn->state.sums[table].count);
        if (!table_open(env, table, MDB_CREATE, txn->mdb, &code))
            return disk_env_fault(env, code, "making a table", fault);
        *made = true;
    }
    return true;
}

/* All that a store has from the start is its format and its state. */
static bool store_make(struct disk_txn *txn, int64_t now_ms, struct proto_fault *fault)
{
    struct disk_format format = {.created_ms = now_ms};
    if (getrandom(format.seeds, sizeof format.seeds, 0) != (ssize_t)sizeof format.seeds)
        return proto_fault_set(fault, PROTO_IO, "", "no random numbers: %s", strerror(errno));
    uint8_t *at =
        disk_txn_put(txn, DISK_TABLE_META, DISK_FORMAT_KEY, DISK_FORMAT_BYTES, DISK_PUT_ANY, fault);
    if (at == NULL)
        return false;
    disk_format_encode(&format, at);
    txn->state = (struct disk_state){.log_first = 1};
    return true;
}

static bool format_load(struct disk_env *env, const struct disk_txn *txn, struct proto_fault *fault)
{
    struct proto_span value;
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_META, DISK_FORMAT_KEY, &value, fault);
    if (got == DISK_GOT_NONE)
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no format record");
    return got == DISK_GOT_ONE && disk_format_decode(value, &env->format, fault);
}

static bool content_open(struct disk_env *env, bool fresh, int64_t now_ms,
                         struct proto_fault *fault)
{
    struct disk_txn txn = {.env = env};
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn.mdb);
    if (code != MDB_SUCCESS)
        return disk_env_fault(env, code, "beginning", fault);
    bool made = fresh;
    if (!table_open(env, DISK_TABLE_META, fresh ? MDB_CREATE : 0, txn.mdb, &code)) {
        mdb_txn_abort(txn.mdb);
        return disk_env_fault(env, code, "opening a table", fault);
    }
    if ((fresh && !store_make(&txn, now_ms, fault)) || !format_load(env, &txn, fault) ||
        (!fresh && !disk_txn_load(&txn, fault)) || !tables_open(env, &txn, fresh, &made, fault)) {
        mdb_txn_abort(txn.mdb);
        return false;
    }
    /* A store that lacks nothing is opened without a change: handles of tables outlive a commit of
     * nothing. */
    if (made)
        return disk_txn_commit(&txn, fault);
    code = mdb_txn_commit(txn.mdb);
    return code == MDB_SUCCESS || disk_env_fault(env, code, "opening", fault);
}

static bool environment_open(struct disk_env *env, const struct disk_env_options *options,
                             struct proto_fault *fault)
{
    int code = mdb_env_create(&env->mdb);
    if (code != MDB_SUCCESS)
        return disk_env_fault(env, code, "creating the environment", fault);
    if ((code = mdb_env_set_mapsize(env->mdb, options->map_bytes)) != MDB_SUCCESS ||
        (code = mdb_env_set_maxreaders(env->mdb, options->readers)) != MDB_SUCCESS ||
        (code = mdb_env_set_maxdbs(env->mdb, DISK_TABLE_COUNT)) != MDB_SUCCESS ||
        (code = mdb_env_open(env->mdb, options->path, MDB_NOTLS, 0600)) != MDB_SUCCESS)
        return disk_env_fault(env, code, "opening the environment", fault);
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    env->map_bytes = info.me_mapsize; /* LMDB raises it to what the file needs */
    return true;
}

bool disk_env_open(struct disk_env *env, const struct disk_env_options *options,
                   struct proto_fault *fault)
{
    *env = (struct disk_env){.lock_fd = -1, .witness_fd = -1, .map_bytes = options->map_bytes};
    bool fresh = false;
    if (strlen(options->path) > PATH_BYTES_MAX)
        return proto_fault_set(fault, PROTO_IO, "path", "the path is longer than %d bytes",
                               PATH_BYTES_MAX);
    if (mkdir(options->path, 0700) != 0 && errno != EEXIST)
        return path_fault(options->path, "cannot make", fault);
    if (!lock_take(env, options->path, fault) || !file_check(env, options->path, &fresh, fault) ||
        !environment_open(env, options, fault))
        goto fail;
    disk_env_stretch(env);
    if (!content_open(env, fresh, options->now_ms, fault) || !directory_sync(options->path, fault))
        goto fail;
    return true;
fail:
    disk_env_close(env);
    return false;
}
