/* SPDX-License-Identifier: Apache-2.0 */
/* Find the chain; make a store of its base in a directory aside; play the batches of its logs up to
 * the moment; move what was made into its place. Any fault leaves the directory aside, which the
 * next try removes first, and no store. */
#include "server/backup/backup_restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/backup/backup_play.h"

enum { PATH_BYTES = 4096 };
static const char part_name[] = "restore.part";

struct restore {
    const struct backup_restore_options *options;
    struct backup_restored *restored;
    struct backup_set set;
    struct backup_chain chain;
    char part[PATH_BYTES];
    struct proto_fault *fault;
};

static void step(struct restore *restore, const char *text)
{
    if (restore->options->on_step != NULL) {
        restore->options->on_step(restore->options->step_context, text);
    }
}

static bool io_fault(struct restore *restore, const char *doing, const char *path)
{
    return proto_fault_set(restore->fault, errno == ENOSPC ? PROTO_DISK_FULL : PROTO_IO, "path",
                           "cannot %s %s: %s", doing, path, strerror(errno));
}

/* A folder of files; and of one level of folders, as a store is. */
static void folder_remove(const char *path, bool deeper)
{
    DIR *listing = opendir(path);
    if (listing == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        char name[PATH_BYTES + 256];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (unlink(name) != 0 && errno == EISDIR && deeper) {
            folder_remove(name, false);
        }
    }
    closedir(listing);
    rmdir(path);
}

/* Nothing may be written over. */
static bool place_check(struct restore *restore)
{
    char name[PATH_BYTES + 32];
    const char *path = restore->options->path;
    if (snprintf(restore->part, sizeof restore->part, "%s/%s", path, part_name) >=
        (int)sizeof restore->part) {
        return proto_fault_set(restore->fault, PROTO_IO, "path", "the path is too long");
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return io_fault(restore, "make", path);
    }
    snprintf(name, sizeof name, "%s/data.mdb", path);
    if (access(name, F_OK) == 0) {
        return proto_fault_set(restore->fault, PROTO_CONFLICT, "path",
                               "%s holds a store; move it away, or restore to another directory",
                               path);
    }
    folder_remove(restore->part, true);
    return true;
}

static bool base_put(struct restore *restore, struct backup_reader *reader,
                     struct store_rebuild *rebuild)
{
    struct backup_record record;
    enum backup_got got;
    while ((got = backup_reader_next(reader, &record, restore->fault)) == BACKUP_GOT_ENTRY) {
        if (!store_rebuild_put(rebuild, &record.entry, restore->fault)) {
            return false;
        }
        restore->restored->entries++;
    }
    return got == BACKUP_GOT_END ||
           (got == BACKUP_GOT_BATCH &&
            proto_fault_set(restore->fault, PROTO_CORRUPT, "", "a base holds a batch"));
}

static bool base_restore(struct restore *restore)
{
    const struct backup_item *base = restore->chain.items[0];
    step(restore, base->name);
    struct backup_reader *reader =
        backup_reader_open(restore->set.folder, base->name, restore->fault);
    struct store_rebuild *rebuild =
        reader == NULL
            ? NULL
            : store_rebuild_open(restore->part, restore->options->map_bytes, restore->fault);
    bool good = rebuild != NULL && base_put(restore, reader, rebuild);
    backup_reader_close(reader);
    if (good) {
        good = store_rebuild_finish(rebuild, restore->fault);
    } else {
        store_rebuild_abort(rebuild);
    }
    restore->restored->seq = base->foot.seq;
    restore->restored->time_ms = base->foot.time_ms;
    return good;
}

static bool logs_play(struct restore *restore)
{
    if (restore->chain.count == 1) {
        return true;
    }
    struct backup_player *player =
        backup_player_open(restore->part, restore->options->map_bytes, restore->fault);
    if (player == NULL) {
        return false;
    }
    bool good = true;
    for (size_t i = 1; good && i < restore->chain.count; i++) {
        step(restore, restore->chain.items[i]->name);
        good = backup_play(player, restore->set.folder, restore->chain.items[i]->name,
                           &restore->options->until, restore->restored, restore->fault);
    }
    return backup_player_close(player, restore->fault) && good;
}

static bool sync_folder(struct restore *restore, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (!good) {
        io_fault(restore, "sync", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Of the directory itself, which may be new. */
static bool name_sync(struct restore *restore)
{
    char above[PATH_BYTES + 16];
    snprintf(above, sizeof above, "%s/..", restore->options->path);
    return access(above, R_OK) != 0 || sync_folder(restore, above);
}

static bool file_move(struct restore *restore, const char *name)
{
    char from[PATH_BYTES + 256];
    char to[PATH_BYTES + 256];
    snprintf(from, sizeof from, "%s/%s", restore->part, name);
    snprintf(to, sizeof to, "%s/%s", restore->options->path, name);
    return rename(from, to) == 0 || io_fault(restore, "move", from);
}

/* Whatever the store is made of; the data last, because with it the store is there. */
static bool files_move(struct restore *restore)
{
    static const char data[] = "data.mdb";
    DIR *listing = opendir(restore->part);
    if (listing == NULL) {
        return io_fault(restore, "list", restore->part);
    }
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(listing)) != NULL;) {
        bool ours = entry->d_name[0] != '.' && strcmp(entry->d_name, data) != 0 &&
                    strstr(entry->d_name, "lock") == NULL;
        good = !ours || file_move(restore, entry->d_name);
    }
    closedir(listing);
    good = good && sync_folder(restore, restore->options->path) && file_move(restore, data) &&
           sync_folder(restore, restore->options->path) && name_sync(restore);
    if (good) {
        folder_remove(restore->part, true);
    }
    return good;
}

static bool reach_check(const struct restore *restore)
{
    const struct backup_moment *until = &restore->options->until;
    const struct backup_chain *chain = &restore->chain;
    if (chain->count == 0) {
        return proto_fault_set(restore->fault, PROTO_NOT_FOUND, "",
                               "there is no usable base in %s that is not beyond the moment",
                               restore->options->backups);
    }
    uint64_t end = chain->items[chain->count - 1]->foot.seq;
    if (until->seq != UINT64_MAX && end < until->seq) {
        return proto_fault_set(restore->fault, PROTO_NOT_FOUND, "",
                               "the backups in %s that follow each other end with batch %llu",
                               restore->options->backups, (unsigned long long)end);
    }
    return true;
}

/* The chain ends before the moment, and a file reaches further, by its name: it is damaged, or one
 * between is missing. What would be restored is not what was asked for. */
static bool end_check(const struct restore *restore)
{
    const struct backup_moment *until = &restore->options->until;
    const struct backup_item *last = restore->chain.items[restore->chain.count - 1];
    if (last->foot.seq >= until->seq || last->foot.time_ms > until->time_ms) {
        return true;
    }
    for (size_t i = 0; i < restore->set.count; i++) {
        const struct backup_item *item = &restore->set.items[i];
        if (item->seq > last->foot.seq) {
            return proto_fault_set(
                restore->fault, PROTO_CORRUPT, "",
                "%s %s: the backups in %s that follow each other end with batch %llu; restore up "
                "to there with --until %llu",
                item->name,
                item->fault.code == PROTO_OK ? "does not follow on the one before" : "is damaged",
                restore->options->backups, (unsigned long long)last->foot.seq,
                (unsigned long long)last->foot.seq);
        }
    }
    return true;
}

bool backup_restore(const struct backup_restore_options *options, struct backup_restored *restored,
                    struct proto_fault *fault)
{
    struct restore restore = {.options = options, .restored = restored, .fault = fault};
    *restored = (struct backup_restored){0};
    if (!backup_set_open(&restore.set, options->backups, false, fault)) {
        return false;
    }
    bool good = backup_chain_find(&restore.set, &options->until, &restore.chain, fault) &&
                reach_check(&restore) && end_check(&restore) && place_check(&restore) &&
                base_restore(&restore) && logs_play(&restore) && files_move(&restore);
    backup_chain_fini(&restore.chain);
    backup_set_close(&restore.set);
    return good;
}
