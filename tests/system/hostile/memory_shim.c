/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what a program has allocated: loaded before the C library (LD_PRELOAD), it keeps in a file
 * that it shares with a test (MEMORY_FILE) how much is allocated now and how much was at most.
 *
 *   file:   0 u64 bytes now, as the allocator rounds them
 *           8 u64 the most so far; the test may set it, so as to look at one request
 *
 * While something is reallocated to another place both places count. Allocations go on to glibc
 * under its other names for them: nothing here allocates. Without MEMORY_FILE it does nothing. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shared {
    _Atomic uint64_t now, most;
};

/* The functions below have no place for a context. */
static struct shared *shared;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MEMORY_FILE");
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

static void more(size_t bytes)
{
    uint64_t now = atomic_fetch_add(&shared->now, bytes) + bytes;
    uint64_t most = atomic_load(&shared->most);
    while (now > most && !atomic_compare_exchange_weak(&shared->most, &most, now)) {
    }
}

static void *counted(void *memory)
{
    if (shared != NULL && memory != NULL) {
        more(malloc_usable_size(memory));
    }
    return memory;
}

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *memory);

void *malloc(size_t bytes)
{
    return counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    return counted(__libc_calloc(count, bytes));
}

void *realloc(void *memory, size_t bytes)
{
    size_t before = shared != NULL && memory != NULL ? malloc_usable_size(memory) : 0;
    void *moved = __libc_realloc(memory, bytes);
    if (shared == NULL || (moved == NULL && bytes > 0)) {
        return moved;
    }
    if (moved == memory && moved != NULL) { /* it grew or shrank where it is */
        atomic_fetch_sub(&shared->now, before);
        before = 0;
    }
    (void)counted(moved);
    atomic_fetch_sub(&shared->now, before);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return counted(__libc_memalign(alignment, bytes));
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    *memory = counted(__libc_memalign(alignment, bytes));
    return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    if (shared != NULL && memory != NULL) {
        atomic_fetch_sub(&shared->now, malloc_usable_size(memory));
    }
    __libc_free(memory);
}
