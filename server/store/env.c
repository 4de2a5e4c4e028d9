/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/store/meta.h"
#include "server/store/seal.h"

enum {
    PATH_BYTES_MAX = 3840, /* leaves room for the names of the files below PATH_MAX */
    /* Below this a full disk is taken to be the cause of an EIO: LMDB reports a short write so. */
    FREE_BYTES_LOW = 16 << 20,
    STRETCH_STEP = 64 << 20,
};

/* A short write is an EIO to LMDB: see whether room on the disk or a limit on files is what is
 * short. */
static bool room_is_short(const struct store_env *env)
{
    int fd = -1;
    struct statvfs disk;
    struct rlimit limit;
    MDB_envinfo info;
    if (env->mdb == NULL || mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS ||
        mdb_env_info(env->mdb, &info) != MDB_SUCCESS)
        return false;
    if (fstatvfs(fd, &disk) == 0 && disk.f_bavail * disk.f_frsize < FREE_BYTES_LOW)
        return true;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           limit.rlim_cur < (info.me_last_pgno + 1) * STORE_PAGE_BYTES + FREE_BYTES_LOW;
}

bool store_env_fault(const struct store_env *env, int code, const char *doing,
                     struct proto_fault *fault)
{
    if (code == EIO && room_is_short(env))
        code = ENOSPC;
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return proto_fault_set(fault, PROTO_DISK_FULL, "", "%s: the disk is full (%s)", doing,
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
    default:
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", doing, mdb_strerror(code));
    }
}

static bool path_fault(const char *path, const char *what, struct proto_fault *fault)
{
    return proto_fault_set(fault, errno == ENOSPC ? PROTO_DISK_FULL : PROTO_IO, "path", "%s %s: %s",
                           what, path, strerror(errno));
}

/* The lock is an flock: it belongs to the open file, so a second opening conflicts in this process
 * too, and it ends with the process however that dies. */
static bool lock_take(struct store_env *env, const char *path, struct proto_fault *fault)
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
static bool file_check(struct store_env *env, const char *path, bool *fresh,
                       struct proto_fault *fault)
{
    char name[PATH_BYTES_MAX + 16];
    snprintf(name, sizeof name, "%s/store.check", path);
    env->witness_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (env->witness_fd < 0)
        return path_fault(name, "cannot open", fault);
    snprintf(name, sizeof name, "%s/data.mdb", path);
    return store_meta_check(name, env->witness_fd, fresh, fault);
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

static bool table_open(struct store_env *env, enum store_table table, unsigned flags, MDB_txn *txn,
                       int *code)
{
    *code = mdb_dbi_open(txn, store_table_name(table), MDB_INTEGERKEY | flags, &env->tables[table]);
    return *code == MDB_SUCCESS;
}

/* A table that an earlier build did not know is made; one that should hold something and is not
 * there is damage. meta is open already. */
static bool tables_open(struct store_env *env, struct store_txn *txn, bool fresh, bool *made,
                        struct proto_fault *fault)
{
    int code;
    *made = fresh;
    for (enum store_table table = STORE_TABLE_META + 1; table < STORE_TABLE_COUNT; table++) {
        if (table_open(env, table, fresh ? MDB_CREATE : 0, txn->mdb, &code))
            continue;
        if (code != MDB_NOTFOUND)
            return store_env_fault(env, code, "opening a table", fault);
        if (txn->state.sums[table].count > 0)
            return proto_fault_set(fault, PROTO_CORRUPT, store_table_name(table),
                                   "the table is missing, and %llu values with it",
                                   (unsigned long long)txn->state.sums[table].count);
        if (!table_open(env, table, MDB_CREATE, txn->mdb, &code))
            return store_env_fault(env, code, "making a table", fault);
        *made = true;
    }
    return true;
}

/* All that a store has from the start is its format and its state. */
static bool store_make(struct store_txn *txn, int64_t now_ms, struct proto_fault *fault)
{
    struct store_format format = {.created_ms = now_ms};
    if (getrandom(format.seeds, sizeof format.seeds, 0) != (ssize_t)sizeof format.seeds)
        return proto_fault_set(fault, PROTO_IO, "", "no random numbers: %s", strerror(errno));
    uint8_t *at =
        store_txn_put(txn, STORE_TABLE_META, STORE_FORMAT_KEY, STORE_FORMAT_BYTES, 0, fault);
    if (at == NULL)
        return false;
    store_format_encode(&format, at);
    txn->state = (struct store_state){.log_first = 1};
    return true;
}

static bool format_load(struct store_env *env, const struct store_txn *txn,
                        struct proto_fault *fault)
{
    struct proto_span value;
    enum store_got got = store_txn_get(txn, STORE_TABLE_META, STORE_FORMAT_KEY, &value, fault);
    if (got == STORE_GOT_NONE)
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no format record");
    return got == STORE_GOT_ONE && store_format_decode(value, &env->format, fault);
}

static bool content_open(struct store_env *env, bool fresh, int64_t now_ms,
                         struct proto_fault *fault)
{
    struct store_txn txn = {.env = env};
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn.mdb);
    if (code != MDB_SUCCESS)
        return store_env_fault(env, code, "beginning", fault);
    bool made = fresh;
    if (!table_open(env, STORE_TABLE_META, fresh ? MDB_CREATE : 0, txn.mdb, &code)) {
        mdb_txn_abort(txn.mdb);
        return store_env_fault(env, code, "opening a table", fault);
    }
    if ((fresh && !store_make(&txn, now_ms, fault)) || !format_load(env, &txn, fault) ||
        (!fresh && !store_txn_load(&txn, fault)) || !tables_open(env, &txn, fresh, &made, fault)) {
        mdb_txn_abort(txn.mdb);
        return false;
    }
    /* A store that lacks nothing is opened without a change: handles of tables outlive a commit of
     * nothing. */
    if (made)
        return store_txn_commit(&txn, fault);
    code = mdb_txn_commit(txn.mdb);
    return code == MDB_SUCCESS || store_env_fault(env, code, "opening", fault);
}

static bool environment_open(struct store_env *env, const struct store_env_options *options,
                             struct proto_fault *fault)
{
    int code = mdb_env_create(&env->mdb);
    if (code != MDB_SUCCESS)
        return store_env_fault(env, code, "creating the environment", fault);
    if ((code = mdb_env_set_mapsize(env->mdb, options->map_bytes)) != MDB_SUCCESS ||
        (code = mdb_env_set_maxreaders(env->mdb, options->readers)) != MDB_SUCCESS ||
        (code = mdb_env_set_maxdbs(env->mdb, STORE_TABLE_COUNT)) != MDB_SUCCESS ||
        (code = mdb_env_open(env->mdb, options->path, MDB_NOTLS, 0600)) != MDB_SUCCESS)
        return store_env_fault(env, code, "opening the environment", fault);
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    env->map_bytes = info.me_mapsize; /* LMDB raises it to what the file needs */
    return true;
}

bool store_env_open(struct store_env *env, const struct store_env_options *options,
                    struct proto_fault *fault)
{
    *env = (struct store_env){.lock_fd = -1, .witness_fd = -1, .map_bytes = options->map_bytes};
    bool fresh = false;
    if (strlen(options->path) > PATH_BYTES_MAX)
        return proto_fault_set(fault, PROTO_IO, "path", "the path is longer than %d bytes",
                               PATH_BYTES_MAX);
    if (mkdir(options->path, 0700) != 0 && errno != EEXIST)
        return path_fault(options->path, "cannot make", fault);
    if (!lock_take(env, options->path, fault) || !file_check(env, options->path, &fresh, fault) ||
        !environment_open(env, options, fault))
        goto fail;
    store_env_stretch(env);
    if (!content_open(env, fresh, options->now_ms, fault) || !directory_sync(options->path, fault))
        goto fail;
    return true;
fail:
    store_env_close(env);
    return false;
}

void store_env_close(struct store_env *env)
{
    if (env->mdb != NULL)
        mdb_env_close(env->mdb);
    env->mdb = NULL;
    if (env->lock_fd >= 0)
        close(env->lock_fd);
    env->lock_fd = -1;
    if (env->witness_fd >= 0)
        close(env->witness_fd);
    env->witness_fd = -1;
}

unsigned store_env_clear_readers(const struct store_env *env)
{
    int dead = 0;
    return mdb_reader_check(env->mdb, &dead) == MDB_SUCCESS && dead > 0 ? (unsigned)dead : 0;
}

void store_env_stretch(const struct store_env *env)
{
    MDB_envinfo info;
    struct stat file;
    int fd;
    if (mdb_env_info(env->mdb, &info) != MDB_SUCCESS ||
        mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS || fstat(fd, &file) != 0)
        return;
    size_t need = (info.me_last_pgno + 1) * STORE_PAGE_BYTES + STORE_TAIL_BYTES;
    if (need > env->map_bytes)
        need = env->map_bytes;
    if ((size_t)file.st_size >= need)
        return;
    size_t size = need + STRETCH_STEP > env->map_bytes ? env->map_bytes : need + STRETCH_STEP;
    if (ftruncate(fd, (off_t)size) != 0)
        errno = 0; /* a guard, not a need: a disk quota or a file limit may forbid it */
}

bool store_txn_write(struct store_txn *txn, const struct store_env *env, struct proto_fault *fault)
{
    txn->env = env;
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn->mdb);
    if (code != MDB_SUCCESS)
        return store_env_fault(env, code, "beginning a transaction", fault);
    if (store_txn_load(txn, fault))
        return true;
    store_txn_abort(txn);
    return false;
}

bool store_txn_load(struct store_txn *txn, struct proto_fault *fault)
{
    struct proto_span value;
    enum store_got got = store_txn_get(txn, STORE_TABLE_META, STORE_STATE_KEY, &value, fault);
    if (got == STORE_GOT_NONE)
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no state");
    /* A write transaction has the number that it will commit under; what it sees is one older. */
    uint64_t seen = mdb_txn_id(txn->mdb);
    MDB_envinfo info;
    mdb_env_info(txn->env->mdb, &info);
    if (seen > info.me_last_txnid)
        seen = info.me_last_txnid;
    return got == STORE_GOT_ONE && store_state_decode(value, seen, &txn->state, fault);
}

bool store_txn_commit(struct store_txn *txn, struct proto_fault *fault)
{
    txn->state.txn = mdb_txn_id(txn->mdb);
    uint8_t *at =
        store_txn_put(txn, STORE_TABLE_META, STORE_STATE_KEY, STORE_STATE_BYTES, 0, fault);
    if (at == NULL) {
        store_txn_abort(txn);
        return false;
    }
    store_state_encode(&txn->state, at);
    int code = mdb_txn_commit(txn->mdb);
    txn->mdb = NULL;
    if (code != MDB_SUCCESS)
        return store_env_fault(txn->env, code, "committing", fault);
    int fd;
    if (mdb_env_get_fd(txn->env->mdb, &fd) == MDB_SUCCESS)
        store_meta_witness(fd, txn->env->witness_fd);
    store_env_stretch(txn->env);
    return true;
}

void store_txn_abort(struct store_txn *txn)
{
    mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
}

enum store_got store_txn_get(const struct store_txn *txn, enum store_table table, uint64_t key,
                             struct proto_span *value, struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    MDB_val data;
    int code = mdb_get(txn->mdb, txn->env->tables[table], &name, &data);
    if (code == MDB_NOTFOUND)
        return STORE_GOT_NONE;
    if (code != MDB_SUCCESS) {
        store_env_fault(txn->env, code, "reading", fault);
        return STORE_GOT_FAULT;
    }
    *value = (struct proto_span){data.mv_data, data.mv_size};
    return STORE_GOT_ONE;
}

uint8_t *store_txn_put(struct store_txn *txn, enum store_table table, uint64_t key, size_t bytes,
                       unsigned flags, struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    MDB_val data = {bytes, NULL};
    int code = mdb_put(txn->mdb, txn->env->tables[table], &name, &data, MDB_RESERVE | flags);
    if (code == MDB_KEYEXIST) /* MDB_APPEND of a key that is not the last: the table is damaged */
        code = MDB_CORRUPTED;
    if (code != MDB_SUCCESS) {
        store_env_fault(txn->env, code, "writing", fault);
        return NULL;
    }
    return data.mv_data;
}

bool store_txn_delete(struct store_txn *txn, enum store_table table, uint64_t key,
                      struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    int code = mdb_del(txn->mdb, txn->env->tables[table], &name, NULL);
    return code == MDB_SUCCESS || store_env_fault(txn->env, code, "deleting", fault);
}
