/* SPDX-License-Identifier: Apache-2.0 */
/* Look at everything; if there is nothing to repair, or nothing may be done, end there. Else write
 * the new tables and, if the log is damaged, a new log of what follows them; put both into their
 * places by renames, what was there beside them; then open the store, which plays the log, and let
 * a batch that what was lost makes impossible be one that is given up.
 *
 * A crash on the way leaves the old tables or the new ones. With the new tables and the old log, or
 * none, running it again goes on: they are a store whose log is damaged. */
#include "server/store/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/repair_parts.h"

enum { PATH_BYTES = 4300 };

static void path_of(const struct repair *repair, const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", repair->options->path, name);
}

static bool path_fault(const char *path, const char *what, struct proto_fault *fault)
{
    return proto_fault_set(fault, errno == ENOSPC ? PROTO_DISK_FULL : PROTO_IO, "path",
                           "cannot %s %s: %s", what, path, strerror(errno));
}

static struct log_options log_options_of(const struct repair *repair, const char *path)
{
    const struct disk_format *format = &repair->salvage.env.format;
    return (struct log_options){.path = path,
                                .first = repair->salvage.txn.state.seq + 1,
                                .identity = XXH3_64bits(format->seeds, sizeof format->seeds)};
}

/* Removes a folder with files alone; what is not there is removed. */
static bool folder_remove(const char *path, struct proto_fault *fault)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT || path_fault(path, "open", fault);
    }
    for (const struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        if (item->d_name[0] != '.') {
            (void)unlinkat(dirfd(folder), item->d_name, 0);
        }
    }
    closedir(folder);
    return rmdir(path) == 0 || path_fault(path, "remove", fault);
}

/* What the log has for the tables; into a new one, if there is one. */
struct log_copy {
    struct repair *repair;
    struct log *to; /* NULL: it is only looked at */
    bool tells;     /* what is given up */
};

static bool entry_take(void *context, const struct log_entry *entry, bool follows,
                       struct proto_fault *fault)
{
    struct log_copy *copy = context;
    if (!follows) {
        copy->repair->repaired->batches_lost++;
        if (copy->tells) {
            store_repair_reject_batch(copy->repair, entry,
                                      "it cannot be applied without those before it");
        }
        return true;
    }
    struct log_entry again = *entry;
    copy->repair->repaired->batches_kept++;
    return copy->to == NULL || log_append(copy->to, &again, 1, fault);
}

static bool log_read(struct repair *repair, struct log *to, struct proto_fault *fault)
{
    char path[PATH_BYTES];
    struct log_copy copy = {.repair = repair, .to = to, .tells = to != NULL || !repair->writing};
    struct log_salvaged salvaged;
    path_of(repair, "log", path);
    struct log_options options = log_options_of(repair, path);
    const struct log_salvage request = {
        .after = repair->salvage.txn.state.seq, .each = entry_take, .context = &copy};
    repair->repaired->batches_kept = repair->repaired->batches_lost = 0;
    if (!log_salvage(&options, &request, &salvaged, fault)) {
        return false;
    }
    repair->log_damaged = salvaged.damaged;
    /* Of those that cannot be read nothing is known but that they were. */
    uint64_t seen = salvaged.last + salvaged.beyond;
    if (salvaged.acknowledged > seen) {
        repair->repaired->batches_lost += salvaged.acknowledged - seen;
        if (copy.tells) {
            store_repair_reject(repair, "batches, the last", salvaged.acknowledged,
                                (struct proto_span){NULL, 0}, "they are missing from the log");
        }
    }
    return true;
}

static bool log_write(struct repair *repair, struct proto_fault *fault)
{
    char path[PATH_BYTES];
    path_of(repair, "log.repair", path);
    if (!repair->log_damaged) {
        return true;
    }
    if (!folder_remove(path, fault)) {
        return false;
    }
    struct log_options options = log_options_of(repair, path);
    struct log *log = log_open(&options, fault);
    bool good = log != NULL && log_read(repair, log, fault);
    log_close(log);
    return good;
}

static bool tables_write(struct repair *repair, const char *name, struct proto_fault *fault)
{
    const struct disk_state *from = &repair->salvage.txn.state;
    if (!disk_file_make(name, repair->salvage.env.format.created_ms, fault) ||
        !disk_env_open_file(&repair->out, name, repair->options->map_bytes, fault)) {
        return false;
    }
    repair->writing = disk_txn_write(&repair->txn, &repair->out, fault);
    bool good = repair->writing;
    if (good) {
        uint8_t *at = disk_txn_put(&repair->txn, DISK_TABLE_META, DISK_FORMAT_KEY,
                                   DISK_FORMAT_BYTES, DISK_PUT_ANY, fault);
        good = at != NULL;
        if (good) {
            disk_format_encode(&repair->salvage.env.format, at);
            struct disk_state *state = &repair->txn.state;
            *state = *from;
            memset(state->sums, 0, sizeof state->sums);
            state->accounts = state->id_entries = 0;
            state->sources = state->folds = 0;
            state->id_buckets = state->rows_slots = state->row_bytes = 0;
            state->rows_digest = 0;
            state->rows_generation++;
            state->log_begins = repair->log_damaged ? from->seq + 1 : from->log_begins;
        }
    }
    good = good && store_repair_tables(repair, fault);
    if (repair->writing && good) {
        good = disk_txn_commit(&repair->txn, fault);
    } else if (repair->writing) {
        disk_txn_abort(&repair->txn);
    }
    repair->writing = false;
    disk_env_close(&repair->out);
    if (!good) {
        (void)unlink(name);
    }
    return good;
}

/* The old tables stay under another name; then the new ones, then the new log. */
static bool files_swap(struct repair *repair, const char *made, struct proto_fault *fault)
{
    char data[PATH_BYTES];
    char kept[PATH_BYTES];
    char log[PATH_BYTES];
    char log_kept[PATH_BYTES];
    char log_made[PATH_BYTES];
    path_of(repair, "data.mdb", data);
    path_of(repair, "data.damaged", kept);
    path_of(repair, "log", log);
    path_of(repair, "log.damaged", log_kept);
    path_of(repair, "log.repair", log_made);
    if ((unlink(kept) != 0 && errno != ENOENT) || link(data, kept) != 0) {
        return path_fault(kept, "make", fault);
    }
    if (!disk_env_replace(repair->options->path, made, fault)) {
        return false;
    }
    if (!repair->log_damaged) {
        return true;
    }
    if (!folder_remove(log_kept, fault)) {
        return false;
    }
    if ((rename(log, log_kept) != 0 && errno != ENOENT) || rename(log_made, log) != 0) {
        return path_fault(log, "rename", fault);
    }
    return true;
}

static void change_ignore(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static void batch_refused(void *context, const struct log_entry *entry,
                          const struct proto_fault *why)
{
    struct repair *repair = context;
    repair->repaired->batches_lost++;
    repair->repaired->batches_kept -= repair->repaired->batches_kept > 0;
    store_repair_reject_batch(repair, entry, why->message);
}

/* Plays the log into the new tables. */
static bool store_settle(struct repair *repair, struct proto_fault *fault)
{
    const struct store_options options = {.path = repair->options->path,
                                          .map_bytes_max = repair->options->map_bytes,
                                          .now_ms = repair->options->now_ms,
                                          .now_context = repair->options->now_context,
                                          .on_change = change_ignore};
    const struct store_tuning tuning = {.on_refused = batch_refused, .refused_context = repair};
    struct store *store = store_open_tuned(&options, &tuning, fault);
    if (store == NULL) {
        return false;
    }
    store_close(store);
    return true;
}

static bool rejects_open(struct repair *repair, struct proto_fault *fault)
{
    char path[PATH_BYTES];
    struct store_repaired *repaired = repair->repaired;
    snprintf(repaired->rejects, sizeof repaired->rejects, "rejects-%" PRIu64 ".ndjson",
             repair->salvage.txn.state.seq);
    path_of(repair, repaired->rejects, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    repair->rejects = fd < 0 ? NULL : fdopen(fd, "a");
    if (repair->rejects == NULL) {
        path_fault(path, "open", fault);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    return true;
}

/* Rejects must be on disk before what they tell of is gone. */
static bool rejects_sync(struct repair *repair, struct proto_fault *fault)
{
    bool good = fflush(repair->rejects) == 0 && !ferror(repair->rejects) &&
                fsync(fileno(repair->rejects)) == 0;
    return good || path_fault(repair->repaired->rejects, "write", fault);
}

static void counts_reset(struct store_repaired *repaired)
{
    repaired->accounts = repaired->accounts_lost = 0;
    repaired->documents_lost = repaired->operations_lost = repaired->timelines_lost = 0;
    repaired->histories_lost = 0;
}

static bool repair_apply(struct repair *repair, struct proto_fault *fault)
{
    char made[PATH_BYTES];
    path_of(repair, "data.repair", made);
    counts_reset(repair->repaired);
    if (!rejects_open(repair, fault)) {
        return false;
    }
    bool good = tables_write(repair, made, fault) && log_write(repair, fault) &&
                rejects_sync(repair, fault) && files_swap(repair, made, fault);
    disk_salvage_close(&repair->salvage); /* the lock goes to the store */
    good = good && store_settle(repair, fault) && rejects_sync(repair, fault);
    bool empty = good && ftell(repair->rejects) == 0;
    good = fclose(repair->rejects) == 0 && good;
    if (empty) {
        char path[PATH_BYTES];
        path_of(repair, repair->repaired->rejects, path);
        (void)unlink(path);
        repair->repaired->rejects[0] = '\0';
    }
    return good;
}

bool store_repair(const struct store_repair_options *options, struct store_repaired *repaired,
                  struct proto_fault *fault)
{
    struct repair repair = {.options = options, .repaired = repaired};
    *repaired = (struct store_repaired){0};
    if (!disk_salvage_open(&repair.salvage, options->path, fault)) {
        return false;
    }
    const struct disk_format *format = &repair.salvage.env.format;
    bool good = format->version == DISK_FORMAT_VERSION ||
                proto_fault_set(fault, PROTO_CORRUPT, "meta",
                                "a store of format %u cannot be repaired: restore a backup",
                                format->version);
    repair.hasher.mask = UINT64_MAX;
    memcpy(repair.hasher.seeds, format->seeds, sizeof repair.hasher.seeds);
    repaired->older = repair.salvage.older;
    good = good && store_repair_tables(&repair, fault) && log_read(&repair, NULL, fault);
    repaired->sound = good && !repair.damaged && !repair.log_damaged;
    if (good && options->apply && !repaired->sound) {
        struct store_repair_options silent = *options;
        silent.on_line = NULL; /* the survey has told */
        repair.options = &silent;
        good = repair_apply(&repair, fault);
    }
    disk_salvage_close(&repair.salvage);
    store_bucket_room_fini(&repair.room);
    free(repair.edits.list);
    free(repair.told);
    return good;
}
