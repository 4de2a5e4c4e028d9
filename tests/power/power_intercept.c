/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the C library that change files, defined here so that the program's, and those of
 * the libraries it uses, come here first. While a trace is on, a call on a file below the recorded
 * folder is done and written down under one lock, so that the trace has the order of the system.
 * Anything else is passed on untouched.
 *
 * A call on a recorded file that would make the trace untrue (a second descriptor made by dup, a
 * writable map of data) ends the process: it would have to be taught here. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/power/power_trace.h"

#define DESCRIPTORS 1024
#define NAMES 1024

struct name {
    char name[POWER_NAME_BYTES];
    uint32_t file;
    bool folder;
};

/* One process records one folder at a time, and calls of the C library have no place for a context:
 * this is the harness's one variable. */
static struct recorder {
    pthread_mutex_t lock;
    struct power_trace *trace; /* NULL: off */
    bool no_syncs;
    char root[256];
    size_t root_bytes;
    struct name names[NAMES];
    size_t name_count;
    struct descriptor {
        bool known, folder, dsync;
        uint32_t file;
        char name[POWER_NAME_BYTES];
    } descriptors[DESCRIPTORS];
} recorder = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Noreturn void untrue(const char *what)
{
    fprintf(stderr, "power: %s on a recorded file is not known to this harness\n", what);
    abort();
}

static struct power_op *op_add(enum power_kind kind, const char *name)
{
    struct power_trace *trace = recorder.trace;
    if (trace->count == trace->room) {
        trace->room = trace->room * 2 + 1024;
        trace->ops = realloc(trace->ops, trace->room * sizeof *trace->ops);
        if (trace->ops == NULL) {
            abort();
        }
    }
    struct power_op *op = &trace->ops[trace->count++];
    *op = (struct power_op){.kind = kind};
    snprintf(op->name, sizeof op->name, "%s", name);
    return op;
}

static struct name *name_find(const char *name)
{
    for (size_t i = 0; i < recorder.name_count; i++) {
        if (strcmp(recorder.names[i].name, name) == 0) {
            return &recorder.names[i];
        }
    }
    return NULL;
}

static void name_drop(const char *name)
{
    struct name *found = name_find(name);
    if (found != NULL) {
        *found = recorder.names[--recorder.name_count];
    }
}

static void name_add(const char *name, uint32_t file, bool folder)
{
    name_drop(name);
    if (recorder.name_count == NAMES) {
        untrue("so many names");
    }
    struct name *added = &recorder.names[recorder.name_count++];
    *added = (struct name){.file = file, .folder = folder};
    snprintf(added->name, sizeof added->name, "%s", name);
}

/* What is known of a descriptor; NULL: it is not of a recorded file, or nothing is recorded. */
static struct descriptor *known(int fd)
{
    if (recorder.trace == NULL || fd < 0 || fd >= DESCRIPTORS || !recorder.descriptors[fd].known) {
        return NULL;
    }
    return &recorder.descriptors[fd];
}

/* The name below the root that a path means; false: it lies elsewhere. */
static bool path_name(int folder, const char *path, char name[POWER_NAME_BYTES])
{
    if (recorder.trace == NULL) {
        return false;
    }
    const char *rest = NULL;
    const char *above = "";
    if (path[0] == '/') {
        if (strncmp(path, recorder.root, recorder.root_bytes) != 0) {
            return false;
        }
        rest = path + recorder.root_bytes;
        if (*rest != '\0' && *rest != '/') {
            return false;
        }
        rest += *rest == '/';
    } else {
        const struct descriptor *found = known(folder);
        if (found == NULL || !found->folder) {
            return false;
        }
        rest = path;
        above = found->name;
        if (strcmp(path, "..") == 0) {
            if (above[0] == '\0') {
                return false;
            }
            if (strchr(above, '/') != NULL) {
                untrue("..");
            }
            above = rest = "";
        }
    }
    int bytes = snprintf(name, POWER_NAME_BYTES, "%s%s%s", above,
                         above[0] != '\0' && rest[0] != '\0' ? "/" : "", rest);
    if (bytes < 0 || bytes >= POWER_NAME_BYTES) {
        untrue("so long a name");
    }
    return true;
}

/* A file that was opened, made or cut to nothing. */
static void opened(int fd, const char *name, int flags, bool there)
{
    struct stat file;
    if (fd >= DESCRIPTORS) {
        untrue("so high a descriptor");
    }
    struct descriptor *descriptor = &recorder.descriptors[fd];
    *descriptor = (struct descriptor){.known = true, .dsync = (flags & O_DSYNC) != 0};
    snprintf(descriptor->name, sizeof descriptor->name, "%s", name);
    if (fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)) {
        descriptor->folder = true;
        return;
    }
    struct name *found = name_find(name);
    if (!there || found == NULL) {
        name_add(name, recorder.trace->files++, false);
        found = name_find(name);
        op_add(POWER_CREATE, name)->file = found->file;
    } else if ((flags & O_TRUNC) != 0) {
        op_add(POWER_SIZE, name)->file = found->file;
    }
    descriptor->file = found->file;
}

static int opening(int folder, const char *path, int flags, mode_t mode)
{
    char name[POWER_NAME_BYTES];
    pthread_mutex_lock(&recorder.lock);
    bool ours = path_name(folder, path, name);
    bool there = ours && (name[0] == '\0' || name_find(name) != NULL);
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (ours && fd >= 0) {
        opened(fd, name, flags, there);
    }
    pthread_mutex_unlock(&recorder.lock);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(args, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opening(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opening(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opening(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opening(folder, path, flags, mode);
}

int close(int fd)
{
    pthread_mutex_lock(&recorder.lock);
    if (fd >= 0 && fd < DESCRIPTORS) {
        recorder.descriptors[fd].known = false;
    }
    int result = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

/* Descriptors that are synced with each write (LMDB's for its meta pages) say so themselves. */
static void written(const struct descriptor *descriptor, const struct iovec *parts, int count,
                    uint64_t at, ssize_t done)
{
    size_t left = (size_t)done;
    struct power_op *op = op_add(POWER_WRITE, descriptor->name);
    op->file = descriptor->file;
    op->at = at;
    op->bytes = left;
    op->data = malloc(left + 1);
    if (op->data == NULL) {
        abort();
    }
    size_t filled = 0;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        memcpy(op->data + filled, parts[i].iov_base, part);
        filled += part;
        left -= part;
    }
    if (descriptor->dsync) {
        op_add(POWER_SYNC, descriptor->name)->file = descriptor->file;
    }
}

static ssize_t writing(int fd, const struct iovec *parts, int count, off_t at, bool placed)
{
    pthread_mutex_lock(&recorder.lock);
    const struct descriptor *descriptor = known(fd);
    off_t place = placed || descriptor == NULL ? at : lseek(fd, 0, SEEK_CUR);
    ssize_t done = placed ? (ssize_t)syscall(SYS_pwritev, fd, parts, count, at, 0)
                          : (ssize_t)syscall(SYS_writev, fd, parts, count);
    if (descriptor != NULL && done > 0) {
        written(descriptor, parts, count, (uint64_t)place, done);
    }
    pthread_mutex_unlock(&recorder.lock);
    return done;
}

static struct iovec part_of(const void *bytes, size_t count)
{
    union {
        const void *from;
        void *to;
    } address = {.from = bytes};
    return (struct iovec){address.to, count};
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (known(fd) == NULL) {
        return (ssize_t)syscall(SYS_write, fd, bytes, count);
    }
    struct iovec part = part_of(bytes, count);
    return writing(fd, &part, 1, 0, false);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (known(fd) == NULL) {
        return (ssize_t)syscall(SYS_writev, fd, parts, count);
    }
    return writing(fd, parts, count, 0, false);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    struct iovec part = part_of(bytes, count);
    return writing(fd, &part, 1, at, true);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    return pwrite(fd, bytes, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return writing(fd, parts, count, at, true);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    return writing(fd, parts, count, at, true);
}

static int syncing(int fd, long call)
{
    pthread_mutex_lock(&recorder.lock);
    const struct descriptor *descriptor = known(fd);
    int result = 0;
    if (descriptor != NULL) {
        op_add(descriptor->folder ? POWER_SYNC_FOLDER : POWER_SYNC, descriptor->name)->file =
            descriptor->file;
    } else if (!recorder.no_syncs) {
        result = (int)syscall(call, fd);
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

int fsync(int fd)
{
    return syncing(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return syncing(fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t bytes)
{
    pthread_mutex_lock(&recorder.lock);
    const struct descriptor *descriptor = known(fd);
    int result = (int)syscall(SYS_ftruncate, fd, bytes);
    if (descriptor != NULL && result == 0) {
        struct power_op *op = op_add(POWER_SIZE, descriptor->name);
        op->file = descriptor->file;
        op->at = (uint64_t)bytes;
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

int ftruncate64(int fd, off64_t bytes)
{
    return ftruncate(fd, bytes);
}

/* Of all its ways, only the one that makes a file longer changes what can be read. */
int fallocate(int fd, int mode, off_t at, off_t bytes)
{
    struct stat file;
    pthread_mutex_lock(&recorder.lock);
    const struct descriptor *descriptor = known(fd);
    if (descriptor != NULL && mode != 0) {
        untrue("fallocate with a mode");
    }
    int result = (int)syscall(SYS_fallocate, fd, mode, at, bytes);
    if (descriptor != NULL && result == 0 && fstat(fd, &file) == 0) {
        struct power_op *op = op_add(POWER_SIZE, descriptor->name);
        op->file = descriptor->file;
        op->at = (uint64_t)file.st_size;
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

int fallocate64(int fd, int mode, off64_t at, off64_t bytes)
{
    return fallocate(fd, mode, at, bytes);
}

static int renaming(int from_folder, const char *from, int to_folder, const char *to)
{
    char name[POWER_NAME_BYTES];
    char other[POWER_NAME_BYTES];
    pthread_mutex_lock(&recorder.lock);
    bool ours = path_name(from_folder, from, name);
    if (ours != path_name(to_folder, to, other)) {
        untrue("a rename in or out");
    }
    int result = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
    const struct name *found = ours ? name_find(name) : NULL;
    if (found != NULL && result == 0) {
        struct power_op *op = op_add(POWER_RENAME, name);
        op->file = found->file;
        if (found->folder) {
            untrue("a rename of a folder");
        }
        snprintf(op->to, sizeof op->to, "%s", other);
        name_drop(name);
        name_add(other, op->file, false);
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

int rename(const char *from, const char *to)
{
    return renaming(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return renaming(from_folder, from, to_folder, to);
}

static int unlinking(int folder, const char *path, int flags)
{
    char name[POWER_NAME_BYTES];
    pthread_mutex_lock(&recorder.lock);
    bool ours = path_name(folder, path, name);
    int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (ours && result == 0) {
        op_add(POWER_UNLINK, name);
        name_drop(name);
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

int unlink(const char *path)
{
    return unlinking(AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    return unlinking(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    char name[POWER_NAME_BYTES];
    pthread_mutex_lock(&recorder.lock);
    bool ours = path_name(AT_FDCWD, path, name);
    int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (ours && result == 0 && name[0] != '\0') {
        op_add(POWER_FOLDER, name);
        name_add(name, 0, true);
    }
    pthread_mutex_unlock(&recorder.lock);
    return result;
}

/* LMDB maps its table of readers to write in it; that file says nothing after a crash. */
void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t at)
{
    const struct descriptor *descriptor = known(fd);
    if (descriptor != NULL && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0 &&
        strstr(descriptor->name, "lock.mdb") == NULL) {
        untrue("a writable map");
    }
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, at);
}

/* A second descriptor of a folder is for listing it: nothing goes through it. */
int dup(int fd)
{
    const struct descriptor *descriptor = known(fd);
    if (descriptor != NULL && !descriptor->folder) {
        untrue("dup");
    }
    return (int)syscall(SYS_dup, fd);
}

void power_record_begin(struct power_trace *trace, const char *root)
{
    pthread_mutex_lock(&recorder.lock);
    *trace = (struct power_trace){0};
    recorder.trace = trace;
    recorder.name_count = 0;
    recorder.root_bytes = strlen(root);
    memset(recorder.descriptors, 0, sizeof recorder.descriptors);
    snprintf(recorder.root, sizeof recorder.root, "%s", root);
    pthread_mutex_unlock(&recorder.lock);
}

void power_record_end(void)
{
    pthread_mutex_lock(&recorder.lock);
    recorder.trace = NULL;
    pthread_mutex_unlock(&recorder.lock);
}

void power_note(uint32_t note, uint64_t number)
{
    pthread_mutex_lock(&recorder.lock);
    if (recorder.trace != NULL) {
        struct power_op *op = op_add(POWER_NOTE, "");
        op->file = note;
        op->at = number;
    }
    pthread_mutex_unlock(&recorder.lock);
}

void power_syncs_leave_out(bool on)
{
    recorder.no_syncs = on;
}

void power_trace_fini(struct power_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        free(trace->ops[i].data);
    }
    free(trace->ops);
    *trace = (struct power_trace){0};
}
