/* SPDX-License-Identifier: Apache-2.0 */
#include "server/disk/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Offsets within a meta page: a page header of 16 bytes, then struct MDB_meta. */
enum meta_offset {
    META_MAGIC = 16,
    META_PAGE_BYTES = 40,
    META_LAST_PAGE = 136,
    META_TXN = 144,
    META_END = 152,
};
static const uint32_t meta_magic = 0xBEEFC0DE;

enum { WITNESS_BYTES = 32 };

struct meta_pages {
    uint8_t bytes[2][DISK_PAGE_BYTES];
    uint64_t txn[2];
    int newer;
};

static uint64_t page_hash(const struct meta_pages *pages, int which)
{
    return XXH3_64bits(pages->bytes[which], META_END);
}

static void pages_order(struct meta_pages *pages)
{
    for (int i = 0; i < 2; i++) {
        pages->txn[i] = disk_get_u64(pages->bytes[i] + META_TXN);
    }
    pages->newer = pages->txn[0] > pages->txn[1] ? 0 : 1;
}

void disk_meta_witness(int data, int witness)
{
    struct meta_pages pages;
    uint8_t bytes[WITNESS_BYTES];
    if (pread(data, pages.bytes, sizeof pages.bytes, 0) != (ssize_t)sizeof pages.bytes) {
        return;
    }
    pages_order(&pages);
    disk_set_u64(bytes + 8, pages.txn[pages.newer]);
    disk_set_u64(bytes + 16, page_hash(&pages, pages.newer));
    disk_set_u64(bytes + 24, page_hash(&pages, 1 - pages.newer));
    disk_set_u64(bytes, XXH3_64bits(bytes + 8, WITNESS_BYTES - 8));
    if (pwrite(witness, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        errno = 0; /* an old or torn witness says nothing, and harms nothing */
    }
}

/* Each commit writes the page of its parity, so the two always are neighbours. */
static bool pages_agree(const struct meta_pages *pages, const char *path, uint64_t file_bytes,
                        struct proto_fault *fault)
{
    for (int i = 0; i < 2; i++) {
        if (disk_get_u32(pages->bytes[i] + META_MAGIC) != meta_magic ||
            disk_get_u32(pages->bytes[i] + META_PAGE_BYTES) != DISK_PAGE_BYTES) {
            return proto_fault_set(fault, PROTO_CORRUPT, "path",
                                   "meta page %d of %s is not one of an LMDB file with pages of %u",
                                   i, path, DISK_PAGE_BYTES);
        }
        uint64_t last = disk_get_u64(pages->bytes[i] + META_LAST_PAGE);
        if (last >= file_bytes / DISK_PAGE_BYTES) {
            return proto_fault_set(fault, PROTO_CORRUPT, "path",
                                   "%s is cut off: %llu bytes, but its last page is %llu", path,
                                   (unsigned long long)file_bytes, (unsigned long long)last);
        }
    }
    uint64_t newer = pages->txn[pages->newer];
    uint64_t older = pages->txn[1 - pages->newer];
    if ((newer != 0 || older != 0) &&
        (newer - older != 1 || (newer & 1) != (uint64_t)pages->newer)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "path",
                               "the meta pages of %s are of transactions %llu and %llu", path,
                               (unsigned long long)newer, (unsigned long long)older);
    }
    return true;
}

static bool witness_read(int witness, uint8_t bytes[WITNESS_BYTES])
{
    return pread(witness, bytes, WITNESS_BYTES, 0) == WITNESS_BYTES &&
           disk_get_u64(bytes) == XXH3_64bits(bytes + 8, WITNESS_BYTES - 8);
}

uint64_t disk_meta_witnessed(int witness)
{
    uint8_t bytes[WITNESS_BYTES];
    return witness_read(witness, bytes) ? disk_get_u64(bytes + 8) : 0;
}

/* The witness speaks of the newer page or, if a crash came between commit and witness, of the one
 * that is now the older. It is never ahead of a commit. One that is further behind is of before a
 * power cut: then the state's own transaction number must do (state.h). */
static bool witness_agrees(const struct meta_pages *pages, int witness, const char *path,
                           struct proto_fault *fault)
{
    uint8_t bytes[WITNESS_BYTES];
    if (!witness_read(witness, bytes)) {
        return true;
    }
    uint64_t seen = disk_get_u64(bytes + 8);
    uint64_t newer = pages->txn[pages->newer];
    bool good = seen <= newer;
    if (seen == newer) {
        good = disk_get_u64(bytes + 16) == page_hash(pages, pages->newer);
    } else if (seen + 1 == newer) {
        good = disk_get_u64(bytes + 16) == page_hash(pages, 1 - pages->newer);
    }
    return good || proto_fault_set(fault, PROTO_CORRUPT, "path",
                                   "the meta pages of %s are not as transaction %llu left them",
                                   path, (unsigned long long)seen);
}

static bool file_check(int fd, int witness, const char *path, bool *fresh,
                       struct proto_fault *fault)
{
    struct meta_pages pages;
    struct stat file;
    if (fstat(fd, &file) != 0) {
        return proto_fault_set(fault, PROTO_IO, "path", "cannot examine %s: %s", path,
                               strerror(errno));
    }
    *fresh = file.st_size == 0;
    if (*fresh) {
        return true;
    }
    if (pread(fd, pages.bytes, sizeof pages.bytes, 0) != (ssize_t)sizeof pages.bytes) {
        return proto_fault_set(fault, PROTO_CORRUPT, "path", "%s is cut off: %lld bytes", path,
                               (long long)file.st_size);
    }
    pages_order(&pages);
    *fresh = pages.txn[0] == 0 && pages.txn[1] == 0;
    return pages_agree(&pages, path, (uint64_t)file.st_size, fault) &&
           witness_agrees(&pages, witness, path, fault);
}

bool disk_meta_check(const char *path, int witness, bool *fresh, struct proto_fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *fresh = errno == ENOENT;
        return *fresh || proto_fault_set(fault, PROTO_IO, "path", "cannot open %s: %s", path,
                                         strerror(errno));
    }
    bool good = file_check(fd, witness, path, fresh, fault);
    close(fd);
    return good;
}
