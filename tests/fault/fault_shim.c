/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one allocation or one system call of a program fail: loaded before the C library
 * (LD_PRELOAD), it counts them in a file that it shares with the test (FAULT_FILE), and fails the
 * one whose number stands there. The test may set that number at any time, so that one request out
 * of many can be hit.
 *
 *   file:   0 u64 allocations so far      8 u64 the one to fail, 0: none
 *          16 u64 calls so far           24 u64 the one to fail, 0: none
 *          32 u64 errno of calls         40 u64 how many fail in a row, from that one on
 *          48 u64 hits so far            56 u8 × 64: the last one, "call from library"
 *
 * Allocations go on to glibc under its other names for them, calls to the kernel: nothing here
 * allocates. Without FAULT_FILE it does nothing. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct shared {
    _Atomic uint64_t allocations, allocation_fails;
    _Atomic uint64_t calls, call_fails;
    _Atomic uint64_t code, run;
    _Atomic uint64_t hits;
    char last[64];
};

/* The functions below have no place for a context. */
static struct shared *shared;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_FILE");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    void *map =
        (void *)syscall(SYS_mmap, NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map != MAP_FAILED) {
        shared = map;
    }
}

static size_t text_put(char *to, size_t at, const char *text)
{
    while (*text != '\0' && at + 1 < sizeof shared->last) {
        to[at++] = *text++;
    }
    to[at] = '\0';
    return at;
}

/* Who called: the library that the return address lies in. */
static void hit(const char *name, const void *from)
{
    Dl_info info;
    atomic_fetch_add(&shared->hits, 1);
    size_t at = text_put(shared->last, 0, name);
    at = text_put(shared->last, at, " from ");
    const char *library = dladdr(from, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "?";
    const char *slash = strrchr(library, '/');
    text_put(shared->last, at, slash == NULL ? library : slash + 1);
}

static bool counts(_Atomic uint64_t *so_far, _Atomic uint64_t *fails)
{
    uint64_t number = atomic_fetch_add(so_far, 1) + 1;
    uint64_t first = atomic_load(fails);
    return first != 0 && number >= first && number - first < atomic_load(&shared->run);
}

static bool allocation_fails(const char *name, const void *from)
{
    if (shared == NULL || !counts(&shared->allocations, &shared->allocation_fails)) {
        return false;
    }
    hit(name, from);
    errno = ENOMEM;
    return true;
}

static bool call_fails(const char *name, const void *from)
{
    if (shared == NULL || !counts(&shared->calls, &shared->call_fails)) {
        return false;
    }
    hit(name, from);
    errno = (int)atomic_load(&shared->code);
    return true;
}

#define HERE __builtin_return_address(0)

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
    return allocation_fails("malloc", HERE) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return allocation_fails("calloc", HERE) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    return allocation_fails("realloc", HERE) ? NULL : __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails("aligned_alloc", HERE) ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    if (allocation_fails("posix_memalign", HERE)) {
        return ENOMEM;
    }
    *memory = __libc_memalign(alignment, bytes);
    return *memory == NULL ? ENOMEM : 0;
}

/* A call that is passed on as it is, or fails. */
#define CALL(result, name, parameters, number, ...)                                                \
    result name parameters                                                                         \
    {                                                                                              \
        return call_fails(#name, HERE) ? (result)-1 : (result)syscall(number, __VA_ARGS__);        \
    }

CALL(ssize_t, read, (int fd, void *bytes, size_t count), SYS_read, fd, bytes, count)
CALL(ssize_t, write, (int fd, const void *bytes, size_t count), SYS_write, fd, bytes, count)
CALL(ssize_t, pread, (int fd, void *bytes, size_t count, off_t at), SYS_pread64, fd, bytes, count,
     at)
CALL(ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t at), SYS_pwrite64, fd, bytes,
     count, at)
CALL(ssize_t, pread64, (int fd, void *bytes, size_t count, off64_t at), SYS_pread64, fd, bytes,
     count, at)
CALL(ssize_t, pwrite64, (int fd, const void *bytes, size_t count, off64_t at), SYS_pwrite64, fd,
     bytes, count, at)
CALL(ssize_t, readv, (int fd, const struct iovec *parts, int count), SYS_readv, fd, parts, count)
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), SYS_writev, fd, parts, count)
CALL(int, fsync, (int fd), SYS_fsync, fd)
CALL(int, fdatasync, (int fd), SYS_fdatasync, fd)
CALL(int, ftruncate, (int fd, off_t bytes), SYS_ftruncate, fd, bytes)
CALL(int, ftruncate64, (int fd, off64_t bytes), SYS_ftruncate, fd, bytes)
CALL(int, fallocate, (int fd, int mode, off_t at, off_t bytes), SYS_fallocate, fd, mode, at, bytes)
CALL(int, rename, (const char *from, const char *to), SYS_rename, from, to)
CALL(int, renameat, (int folder, const char *from, int other, const char *to), SYS_renameat, folder,
     from, other, to)
CALL(int, unlink, (const char *path), SYS_unlink, path)
CALL(int, unlinkat, (int folder, const char *path, int flags), SYS_unlinkat, folder, path, flags)
CALL(int, mkdir, (const char *path, mode_t mode), SYS_mkdir, path, mode)
CALL(int, flock, (int fd, int operation), SYS_flock, fd, operation)
CALL(int, fstat, (int fd, struct stat *file), SYS_fstat, fd, file)
CALL(int, stat, (const char *path, struct stat *file), SYS_stat, path, file)
CALL(ssize_t, getrandom, (void *bytes, size_t count, unsigned flags), SYS_getrandom, bytes, count,
     flags)
CALL(int, socket, (int domain, int type, int protocol), SYS_socket, domain, type, protocol)
CALL(int, listen, (int fd, int backlog), SYS_listen, fd, backlog)
CALL(int, eventfd, (unsigned value, int flags), SYS_eventfd2, value, flags)
CALL(int, pipe2, (int fds[2], int flags), SYS_pipe2, fds, flags)
CALL(int, epoll_create1, (int flags), SYS_epoll_create1, flags)
CALL(int, epoll_ctl, (int fd, int operation, int other, struct epoll_event *event), SYS_epoll_ctl,
     fd, operation, other, event)

static int opening(const char *name, const void *from, int folder, const char *path, int flags,
                   va_list args)
{
    int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, int) : 0;
    return call_fails(name, from) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = opening("open", HERE, AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = opening("open64", HERE, AT_FDCWD, path, flags, args);
    va_end(args);
    return fd;
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = opening("openat", HERE, folder, path, flags, args);
    va_end(args);
    return fd;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t at)
{
    if (call_fails("mmap", HERE)) {
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, at);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    union {
        void *found;
        int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    } next;
    if (call_fails("pthread_create", HERE)) {
        return EAGAIN;
    }
    next.found = dlsym(RTLD_NEXT, "pthread_create");
    return next.create(thread, attributes, run, context);
}
