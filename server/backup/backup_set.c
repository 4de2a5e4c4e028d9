/* SPDX-License-Identifier: Apache-2.0 */
/* Reads names, heads and feet of a directory and finds chains in them. A file whose two ends cannot
 * be read, or are not what its name says, stays in the list with its fault: only a chain that needs
 * it suffers. */
#include "server/backup/backup_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void backup_base_name(char name[BACKUP_NAME_BYTES], uint64_t seq)
{
    snprintf(name, BACKUP_NAME_BYTES, "base-%020" PRIu64 ".icpb", seq);
}

void backup_log_name(char name[BACKUP_NAME_BYTES], uint64_t after, uint64_t seq)
{
    snprintf(name, BACKUP_NAME_BYTES, "log-%020" PRIu64 "-%020" PRIu64 ".icpb", after, seq);
}

/* Whether the name is one of ours; and then what it says. */
static bool name_read(const char *name, enum backup_kind *kind, uint64_t *after, uint64_t *seq)
{
    char again[BACKUP_NAME_BYTES] = "";
    *after = 0;
    if (sscanf(name, "base-%20" SCNu64, seq) == 1) {
        *kind = BACKUP_BASE;
        backup_base_name(again, *seq);
    } else if (sscanf(name, "log-%20" SCNu64 "-%20" SCNu64, after, seq) == 2) {
        *kind = BACKUP_LOG;
        backup_log_name(again, *after, *seq);
    }
    return again[0] != '\0' && strcmp(name, again) == 0;
}

static bool item_add(struct backup_set *set, const char *name, struct proto_fault *fault)
{
    enum backup_kind kind = BACKUP_BASE;
    uint64_t after = 0;
    uint64_t seq = 0;
    if (!name_read(name, &kind, &after, &seq)) {
        return true;
    }
    if (set->count == BACKUP_FILES_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d files of backups",
                               BACKUP_FILES_MAX);
    }
    if ((set->count & (set->count - 1)) == 0) {
        size_t room = set->count == 0 ? 1 : set->count * 2;
        struct backup_item *items = realloc(set->items, room * sizeof *items);
        if (items == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list of backups");
        }
        set->items = items;
    }
    struct backup_item *item = &set->items[set->count++];
    *item = (struct backup_item){.seq = seq, .fault.code = PROTO_OK};
    memcpy(item->name, name, strlen(name) + 1); /* a name of ours fits */
    if (backup_peek(set->folder, name, &item->head, &item->foot, &item->fault) &&
        (item->head.kind != kind || item->head.after != after || item->foot.seq != seq)) {
        proto_fault_set(&item->fault, PROTO_CORRUPT, "", "%s: it is not what its name says", name);
    }
    return true;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(((const struct backup_item *)a)->name, ((const struct backup_item *)b)->name);
}

static bool items_read(struct backup_set *set, struct proto_fault *fault)
{
    int again = dup(set->folder);
    DIR *listing = again < 0 ? NULL : fdopendir(again);
    bool good = true;
    if (listing == NULL) {
        if (again >= 0) {
            close(again);
        }
        return proto_fault_set(fault, PROTO_IO, "", "cannot list the backups: %s", strerror(errno));
    }
    for (struct dirent *entry = readdir(listing); good && entry != NULL; entry = readdir(listing)) {
        good = item_add(set, entry->d_name, fault);
    }
    closedir(listing);
    if (set->count > 1) {
        qsort(set->items, set->count, sizeof *set->items, compare_items);
    }
    return good;
}

/* The directory's own name must be on disk before anything in it counts as kept, also where it was
 * made a moment before by somebody who did not live to see to it. */
static bool name_sync(const struct backup_set *set, const char *path, bool made,
                      struct proto_fault *fault)
{
    int above = openat(set->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = above >= 0 ? fsync(above) == 0 : !made && errno == EACCES;
    if (!good) {
        proto_fault_set(fault, PROTO_IO, "", "cannot sync the directory above %s: %s", path,
                        strerror(errno));
    }
    if (above >= 0) {
        close(above);
    }
    return good;
}

bool backup_set_open(struct backup_set *set, const char *path, bool write,
                     struct proto_fault *fault)
{
    *set = (struct backup_set){.folder = -1};
    bool made = write && mkdir(path, 0700) == 0;
    if (write && !made && errno != EEXIST) {
        return proto_fault_set(fault, PROTO_IO, "", "cannot make %s: %s", path, strerror(errno));
    }
    set->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (set->folder < 0) {
        return proto_fault_set(fault, errno == ENOENT ? PROTO_NOT_FOUND : PROTO_IO, "",
                               "cannot open %s: %s", path, strerror(errno));
    }
    bool good = !write || flock(set->folder, LOCK_EX | LOCK_NB) == 0;
    if (!good && errno == EWOULDBLOCK) {
        proto_fault_set(fault, PROTO_LOCKED, "", "another backup is being written to %s", path);
    } else if (!good) {
        proto_fault_set(fault, PROTO_IO, "", "cannot lock %s: %s", path, strerror(errno));
    }
    good = good && (!write || name_sync(set, path, made, fault));
    if (good && items_read(set, fault)) {
        return true;
    }
    backup_set_close(set);
    return false;
}

void backup_set_close(struct backup_set *set)
{
    if (set->folder >= 0) {
        close(set->folder);
    }
    free(set->items);
    *set = (struct backup_set){.folder = -1};
}

static const struct backup_item *base_find(const struct backup_set *set,
                                           const struct backup_moment *until)
{
    const struct backup_item *base = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct backup_item *item = &set->items[i];
        if (item->fault.code == PROTO_OK && item->head.kind == BACKUP_BASE &&
            item->foot.seq <= until->seq && item->foot.time_ms <= until->time_ms) {
            base = item; /* the order of names is that of sequences */
        }
    }
    return base;
}

/* What continues `before`; the longest, if a run was repeated. */
static const struct backup_item *log_find(const struct backup_set *set,
                                          const struct backup_item *before)
{
    const struct backup_item *found = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct backup_item *item = &set->items[i];
        if (item->fault.code == PROTO_OK && item->head.kind == BACKUP_LOG &&
            item->head.identity == before->head.identity && item->head.after == before->foot.seq &&
            item->head.after_link == before->foot.link) {
            found = item;
        }
    }
    return found;
}

bool backup_chain_find(const struct backup_set *set, const struct backup_moment *until,
                       struct backup_chain *chain, struct proto_fault *fault)
{
    *chain = (struct backup_chain){0};
    const struct backup_item *item = base_find(set, until);
    if (item == NULL) {
        return true;
    }
    chain->items = calloc(set->count, sizeof *chain->items);
    if (chain->items == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a chain of backups");
    }
    for (; item != NULL && chain->count < set->count; item = log_find(set, item)) {
        chain->items[chain->count++] = item;
        if (item->foot.seq >= until->seq || item->foot.time_ms > until->time_ms) {
            break;
        }
    }
    return true;
}

void backup_chain_fini(struct backup_chain *chain)
{
    free(chain->items);
    *chain = (struct backup_chain){0};
}
