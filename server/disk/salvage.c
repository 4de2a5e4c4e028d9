/* SPDX-License-Identifier: Apache-2.0 */
/* The file is mapped as it is, and read from one of its two meta pages: the newer, unless it, the
 * page with the names of the tables, or the state cannot be read. Pages of the older snapshot are
 * whole: those that it freed may be used again only by the commit after the next. Without a state
 * or a format nothing is known of what the tables should hold: that is refused. */
#include "server/disk/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/disk/meta.h"

enum { META_NAMES = 88, META_LAST_PAGE = 136, META_TXN = 144, PATH_BYTES = 4200 };

static bool file_map(struct disk_salvage *salvage, const char *name, struct proto_fault *fault)
{
    struct stat file = {0};
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        int code = errno;
        if (fd >= 0) {
            close(fd);
        }
        return proto_fault_set(fault, code == ENOENT ? PROTO_NOT_FOUND : PROTO_IO, "path",
                               "cannot open %s: %s", name, strerror(code));
    }
    salvage->bytes = (size_t)file.st_size;
    if (salvage->bytes < 4 * (size_t)DISK_PAGE_BYTES) {
        close(fd);
        return proto_fault_set(fault, PROTO_CORRUPT, "path",
                               "%s is cut off: nothing of it can be read", name);
    }
    uint8_t *base = mmap(NULL, salvage->bytes, PROT_READ, MAP_SHARED, fd, 0);
    int code = errno;
    close(fd);
    if (base == MAP_FAILED) {
        return proto_fault_set(fault, code == ENOMEM ? PROTO_NO_MEMORY : PROTO_IO, "path",
                               "cannot map %s: %s", name, strerror(code));
    }
    salvage->env.map = base;
    return true;
}

static bool meta_try(struct disk_salvage *salvage, unsigned which, struct proto_fault *fault)
{
    const uint8_t *meta = salvage->env.map + (size_t)which * DISK_PAGE_BYTES;
    struct disk_txn *txn = &salvage->txn;
    struct disk_tree names;
    struct proto_span value = {0};
    uint64_t most = salvage->bytes / DISK_PAGE_BYTES;
    uint64_t said = disk_get_u64(meta + META_LAST_PAGE) + 1;
    struct disk_map map = {salvage->env.map, said < most && said > 0 ? said : most};
    *txn = (struct disk_txn){.env = &salvage->env};
    return disk_tree_open(&names, &map, "names", meta + META_NAMES, fault) &&
           disk_tree_tables(&names, txn->trees, fault) &&
           disk_tree_get(&txn->trees[DISK_TABLE_META], DISK_STATE_KEY, &value, fault) ==
               DISK_GOT_ONE &&
           disk_state_decode(value, disk_get_u64(meta + META_TXN), &txn->state, fault) &&
           disk_tree_get(&txn->trees[DISK_TABLE_META], DISK_FORMAT_KEY, &value, fault) ==
               DISK_GOT_ONE &&
           disk_format_decode(value, &salvage->env.format, fault);
}

bool disk_salvage_open(struct disk_salvage *salvage, const char *path, struct proto_fault *fault)
{
    char name[PATH_BYTES];
    char witness[PATH_BYTES];
    bool fresh;
    struct proto_fault ignored;
    struct proto_fault why = {.code = PROTO_OK};
    *salvage = (struct disk_salvage){.env = {.lock_fd = -1, .witness_fd = -1}};
    snprintf(name, sizeof name, "%s/data.mdb", path);
    snprintf(witness, sizeof witness, "%s/store.check", path);
    if (!disk_env_lock(&salvage->env, path, fault) || !file_map(salvage, name, fault)) {
        disk_env_close(&salvage->env);
        return false;
    }
    salvage->env.witness_fd = open(witness, O_RDONLY | O_CLOEXEC);
    salvage->sound = disk_meta_check(name, salvage->env.witness_fd, &fresh, &ignored) && !fresh &&
                     disk_trunk_check(name, &ignored);
    uint64_t first = disk_get_u64(salvage->env.map + META_TXN);
    uint64_t second = disk_get_u64(salvage->env.map + DISK_PAGE_BYTES + META_TXN);
    unsigned newer = first > second ? 0 : 1;
    if (meta_try(salvage, newer, &why)) {
        return true;
    }
    salvage->older = true;
    if (meta_try(salvage, 1 - newer, &ignored)) {
        return true;
    }
    disk_salvage_close(salvage);
    return proto_fault_set(fault, PROTO_CORRUPT, "path",
                           "nothing of %s can be read, for neither of its meta pages leads to a "
                           "state (%s); restore a backup",
                           name, why.message);
}

void disk_salvage_close(struct disk_salvage *salvage)
{
    if (salvage->env.map != NULL) {
        munmap((void *)(uintptr_t)salvage->env.map, salvage->bytes);
    }
    salvage->env.map = NULL;
    disk_env_close(&salvage->env);
}
