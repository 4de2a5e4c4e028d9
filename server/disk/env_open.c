/* SPDX-License-Identifier: Apache-2.0 */
/* Opens an environment: lock, meta pages against the witness, LMDB, format and state, tables. Where
 * there is no data yet, a file with format and state is made under another name, synced, and then
 * given its own: so data.mdb is whole from its first moment, and a crash while a store is made
 * leaves nothing or a store.
 *
 * Another holder of the lock, a file that is cut off, meta pages that are not as they were left,
 * data that is gone although a witness tells of it, a table that is missing with what it held: each
 * is refused by name, and all that was opened is closed again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lmdb.h>

#include "server/disk/meta.h"
#include "server/disk/seal.h"
#include "server/disk/trunk.h"
#include "server/disk/txn.h"

enum {
    PATH_BYTES_MAX = 3840,   /* leaves room for the names of the files below PATH_MAX */
    NEW_MAP_BYTES = 1 << 20, /* for the few pages of a new store; raised when it is opened */
};

static bool path_fault(const char *path, const char *what, struct proto_fault *fault)
{
    return proto_fault_set(fault, errno == ENOSPC ? PROTO_DISK_FULL : PROTO_IO, "path", "%s %s: %s",
                           what, path, strerror(errno));
}

/* The lock is an flock: it belongs to the open file, so a second opening conflicts in this process
 * too, and it ends with the process however that dies. */
bool disk_env_lock(struct disk_env *env, const char *path, struct proto_fault *fault)
{
    char name[PATH_BYTES_MAX + 16];
    snprintf(name, sizeof name, "%s/store.lock", path);
    env->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (env->lock_fd < 0) {
        return path_fault(name, "cannot open", fault);
    }
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

/* LMDB syncs what is in its file, not that the file is in its directory. */
static bool directory_sync(const char *path, struct proto_fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        path_fault(path, "cannot sync", fault);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    close(fd);
    return true;
}

/* The name of a directory that was made just now: without it all that is synced below is lost. A
 * directory above that may be written to and not read is left to the system. */
static bool name_sync(const char *path, struct proto_fault *fault)
{
    char above[PATH_BYTES_MAX + 16];
    snprintf(above, sizeof above, "%s/..", path);
    return access(above, R_OK) != 0 || directory_sync(above, fault);
}

static bool table_open(struct disk_env *env, enum disk_table table, unsigned flags, MDB_txn *txn,
                       int *code)
{
    *code = mdb_dbi_open(txn, disk_table_name(table), MDB_INTEGERKEY | flags, &env->tables[table]);
    return *code == MDB_SUCCESS;
}

/* A table that is not there yet, in a new store or because an earlier build did not know it, is
 * made; one that should hold something and is not there is damage. meta is open already. */
static bool tables_open(struct disk_env *env, struct disk_txn *txn, bool *made,
                        struct proto_fault *fault)
{
    int code;
    *made = false;
    for (enum disk_table table = DISK_TABLE_META + 1; table < DISK_TABLE_COUNT; table++) {
        if (table_open(env, table, 0, txn->mdb, &code)) {
            continue;
        }
        if (code != MDB_NOTFOUND) {
            return disk_env_fault(env, code, "opening a table", fault);
        }
        if (txn->state.sums[table].count > 0) {
            return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(table),
                                   "the table is missing, and %llu values with it",
                                   (unsigned long long)txn->state.sums[table].count);
        }
        if (!table_open(env, table, MDB_CREATE, txn->mdb, &code)) {
            return disk_env_fault(env, code, "making a table", fault);
        }
        *made = true;
    }
    return true;
}

/* All that a store has from the start is its format and its state. */
static bool store_make(struct disk_txn *txn, int64_t now_ms, struct proto_fault *fault)
{
    struct disk_format format = {.created_ms = now_ms, .version = DISK_FORMAT_VERSION};
    if (getrandom(format.seeds, sizeof format.seeds, 0) != (ssize_t)sizeof format.seeds) {
        return proto_fault_set(fault, PROTO_IO, "", "no random numbers: %s", strerror(errno));
    }
    uint8_t *at =
        disk_txn_put(txn, DISK_TABLE_META, DISK_FORMAT_KEY, DISK_FORMAT_BYTES, DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    disk_format_encode(&format, at);
    txn->state = (struct disk_state){.log_begins = 1};
    return true;
}

static bool format_load(struct disk_env *env, const struct disk_txn *txn, struct proto_fault *fault)
{
    struct proto_span value;
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_META, DISK_FORMAT_KEY, &value, fault);
    if (got == DISK_GOT_NONE) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no format record");
    }
    return got == DISK_GOT_ONE && disk_format_decode(value, &env->format, fault);
}

static bool content_open(struct disk_env *env, struct proto_fault *fault)
{
    struct disk_txn txn = {.env = env};
    if (!disk_trunk_locate(env, fault)) {
        return false;
    }
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn.mdb);
    if (code != MDB_SUCCESS) {
        return disk_env_fault(env, code, "beginning", fault);
    }
    bool made = false;
    if (!table_open(env, DISK_TABLE_META, 0, txn.mdb, &code)) {
        mdb_txn_abort(txn.mdb);
        return disk_env_fault(env, code, "opening a table", fault);
    }
    if (!disk_txn_load(&txn, fault) || !format_load(env, &txn, fault) ||
        !tables_open(env, &txn, &made, fault)) {
        mdb_txn_abort(txn.mdb);
        return false;
    }
    /* A store that lacks nothing is opened without a change: handles of tables outlive a commit of
     * nothing. */
    if (made) {
        return disk_txn_commit(&txn, fault);
    }
    code = mdb_txn_commit(txn.mdb);
    return code == MDB_SUCCESS || disk_env_fault(env, code, "opening", fault);
}

/* LMDB has nothing to say of an environment that it could not open, and would fall over the
 * question. */
static bool environment_open(struct disk_env *env, const char *path, unsigned readers,
                             unsigned flags, struct proto_fault *fault)
{
    int code = mdb_env_create(&env->mdb);
    if (code == MDB_SUCCESS && (code = mdb_env_set_mapsize(env->mdb, env->map_bytes)) == 0 &&
        (code = mdb_env_set_maxreaders(env->mdb, readers)) == 0 &&
        (code = mdb_env_set_maxdbs(env->mdb, DISK_TABLE_COUNT)) == 0 &&
        (code = mdb_env_open(env->mdb, path, MDB_NOTLS | MDB_NORDAHEAD | flags, 0600)) == 0) {
        return true;
    }
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
    }
    env->mdb = NULL;
    return disk_env_fault(env, code, "opening the environment", fault);
}

/* Whether samples over the file are in the page cache. */
static bool cache_has(int fd, size_t bytes)
{
    enum { SAMPLES = 64, MOST_ABSENT = 4 };
    unsigned absent = 0;
    for (unsigned i = 0; i < SAMPLES; i++) {
        char byte;
        struct iovec place = {&byte, 1};
        off_t at = (off_t)(bytes / SAMPLES * i);
        absent += preadv2(fd, &place, 1, at, RWF_NOWAIT) < 0 && errno == EAGAIN;
    }
    return absent <= MOST_ABSENT;
}

/* After a start of the machine the file is asked for as a whole, in the order in which it lies, if
 * half of the memory holds it; whoever needs a page of it before it comes waits for that page. */
static void cache_fill(const struct disk_env *env)
{
    int fd;
    size_t bytes = disk_env_pages(env) * DISK_PAGE_BYTES;
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (bytes > memory / 2 || mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS ||
        cache_has(fd, bytes)) {
        return;
    }
    disk_file_ahead(fd, 0, bytes);
}

/* The file of a new store, under the name that it is made with: the table `meta` with format and
 * state, synced as every commit is. */
bool disk_file_make(const char *name, int64_t now_ms, struct proto_fault *fault)
{
    struct disk_env env = {.lock_fd = -1, .witness_fd = -1, .map_bytes = NEW_MAP_BYTES};
    struct disk_txn txn = {.env = &env};
    int code;
    if (unlink(name) != 0 && errno != ENOENT) {
        return path_fault(name, "cannot remove", fault);
    }
    if (!environment_open(&env, name, 1, MDB_NOSUBDIR | MDB_NOLOCK, fault)) {
        return false;
    }
    bool good = (code = mdb_txn_begin(env.mdb, NULL, 0, &txn.mdb)) == MDB_SUCCESS ||
                disk_env_fault(&env, code, "beginning", fault);
    if (good) {
        good = table_open(&env, DISK_TABLE_META, MDB_CREATE, txn.mdb, &code) ||
               disk_env_fault(&env, code, "making a table", fault);
        good = good && store_make(&txn, now_ms, fault);
        if (good) {
            good = disk_txn_commit(&txn, fault);
        } else {
            mdb_txn_abort(txn.mdb);
        }
    }
    disk_env_close(&env);
    return good;
}

static bool new_store(const struct disk_env_options *options, const char *data,
                      struct proto_fault *fault)
{
    char name[PATH_BYTES_MAX + 16];
    snprintf(name, sizeof name, "%s/data.new", options->path);
    if (!disk_file_make(name, options->now_ms, fault)) {
        return false;
    }
    if (rename(name, data) != 0) {
        return path_fault(name, "cannot rename", fault);
    }
    return directory_sync(options->path, fault);
}

/* The witness stands beside the data, so that a copy of the directory is a copy of both. It comes
 * after the data, so that one without the other means that the data is gone. */
static bool files_open(struct disk_env *env, const struct disk_env_options *options,
                       struct proto_fault *fault)
{
    char data[PATH_BYTES_MAX + 16];
    char name[PATH_BYTES_MAX + 16];
    bool fresh = false;
    snprintf(data, sizeof data, "%s/data.mdb", options->path);
    snprintf(name, sizeof name, "%s/store.check", options->path);
    env->witness_fd = open(name, O_RDWR | O_CLOEXEC);
    if (env->witness_fd < 0 && errno != ENOENT) {
        return path_fault(name, "cannot open", fault);
    }
    if (!disk_meta_check(data, env->witness_fd, &fresh, fault)) {
        return false;
    }
    uint64_t seen = disk_meta_witnessed(env->witness_fd);
    if (fresh && seen != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "path",
                               "%s is missing or empty, but %s tells of transaction %llu; put the "
                               "data back, or remove the other files too to begin a new store",
                               data, name, (unsigned long long)seen);
    }
    if (fresh && options->no_new != NULL) {
        return proto_fault_set(fault, PROTO_CORRUPT, "path", "%s is missing or empty, but %s", data,
                               options->no_new);
    }
    if (fresh ? !new_store(options, data, fault) : !disk_trunk_check(data, fault)) {
        return false;
    }
    if (env->witness_fd < 0) {
        env->witness_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    }
    return env->witness_fd >= 0 || path_fault(name, "cannot open", fault);
}

/* Who may write here may put another store in the place of this one. */
static bool mode_check(const char *path, struct proto_fault *fault)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return path_fault(path, "cannot look at", fault);
    }
    return (status.st_mode & 0022) == 0 ||
           proto_fault_set(fault, PROTO_BAD_CONFIG, "path",
                           "others may write to %s, whose mode is %04o: chmod 700 it", path,
                           (unsigned)status.st_mode & 07777);
}

bool disk_env_open(struct disk_env *env, const struct disk_env_options *options,
                   struct proto_fault *fault)
{
    *env = (struct disk_env){.lock_fd = -1,
                             .witness_fd = -1,
                             .map_bytes = options->map_bytes,
                             .on_lost = options->on_lost,
                             .lost_context = options->lost_context};
    if (strlen(options->path) > PATH_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_IO, "path", "the path is longer than %d bytes",
                               PATH_BYTES_MAX);
    }
    bool made = mkdir(options->path, 0700) == 0;
    if (!made && errno != EEXIST) {
        return path_fault(options->path, "cannot make", fault);
    }
    if (!mode_check(options->path, fault)) {
        return false;
    }
    if (!disk_env_lock(env, options->path, fault) || !files_open(env, options, fault) ||
        !environment_open(env, options->path, options->readers, 0, fault)) {
        goto fail;
    }
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    env->map_bytes = info.me_mapsize; /* LMDB raises it to what the file needs */
    cache_fill(env);
    disk_env_stretch(env, 0);
    if (!content_open(env, fault) || !directory_sync(options->path, fault) ||
        (made && !name_sync(options->path, fault))) {
        goto fail;
    }
    return true;
fail:
    disk_env_close(env);
    return false;
}

bool disk_env_open_file(struct disk_env *env, const char *name, size_t map_bytes,
                        struct proto_fault *fault)
{
    *env = (struct disk_env){.lock_fd = -1, .witness_fd = -1, .map_bytes = map_bytes};
    if (environment_open(env, name, 4, MDB_NOSUBDIR | MDB_NOLOCK, fault) &&
        content_open(env, fault)) {
        return true;
    }
    disk_env_close(env);
    return false;
}

/* The witness goes first, and on disk: it tells of the pages of the file that goes next. Without
 * one, either file is taken for what it is. */
bool disk_env_replace(const char *path, const char *name, struct proto_fault *fault)
{
    char data[PATH_BYTES_MAX + 16];
    char witness[PATH_BYTES_MAX + 16];
    snprintf(data, sizeof data, "%s/data.mdb", path);
    snprintf(witness, sizeof witness, "%s/store.check", path);
    if (unlink(witness) != 0 && errno != ENOENT) {
        return path_fault(witness, "cannot remove", fault);
    }
    if (!directory_sync(path, fault)) {
        return false;
    }
    if (rename(name, data) != 0) {
        return path_fault(name, "cannot rename", fault);
    }
    return directory_sync(path, fault);
}
