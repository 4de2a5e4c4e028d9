/* SPDX-License-Identifier: Apache-2.0 */
/* A store of format 1 kept its log in a table. Its entries are appended to a log of segments, as
 * many as follow each other without a gap up to the last; then one transaction empties the table
 * and raises the format. A crash before that leaves a store of format 1, whose half-made log is
 * thrown away by the next try. The tables themselves are as they were. */
#include "server/store/upgrade.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/disk/seal.h"

enum {
    GROUP_ENTRIES = 256,
    GROUP_BYTES = 8 << 20,
};

/* Throws away what an earlier try has left: nothing but segments can be there. */
static bool folder_clear(const char *path, struct proto_fault *fault)
{
    char name[4200];
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT || proto_fault_set(fault, PROTO_IO, "path", "cannot open %s: %s",
                                                  path, strerror(errno));
    }
    bool good = true;
    for (struct dirent *entry = readdir(folder); entry != NULL && good; entry = readdir(folder)) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        good = entry->d_name[0] == '.' || unlink(name) == 0;
    }
    int code = errno;
    closedir(folder);
    return good ||
           proto_fault_set(fault, PROTO_IO, "path", "cannot clear %s: %s", path, strerror(code));
}

static bool entry_get(const struct disk_txn *txn, uint64_t seq, struct disk_sealed *sealed)
{
    struct proto_span value;
    struct proto_fault ignored;
    return disk_txn_get(txn, DISK_TABLE_LOG, seq, &value, &ignored) == DISK_GOT_ONE &&
           disk_unseal(DISK_TABLE_LOG, seq, value, sealed, &ignored);
}

/* The first of the entries that lead up to the last without a gap or damage. */
static uint64_t first_kept(const struct disk_txn *txn)
{
    struct disk_sealed sealed;
    uint64_t first = txn->state.seq + 1;
    while (first > txn->state.log_begins && first > 1 && entry_get(txn, first - 1, &sealed)) {
        first--;
    }
    return first;
}

static bool entries_copy(const struct disk_txn *txn, struct log *log, uint64_t seq,
                         struct proto_fault *fault)
{
    struct log_entry entries[GROUP_ENTRIES];
    while (seq <= txn->state.seq) {
        size_t count = 0;
        size_t bytes = 0;
        struct disk_sealed sealed;
        for (; count < GROUP_ENTRIES && bytes < GROUP_BYTES && seq <= txn->state.seq; seq++) {
            if (!entry_get(txn, seq, &sealed)) {
                return proto_fault_set(fault, PROTO_IO, "log", "entry %llu cannot be read again",
                                       (unsigned long long)seq);
            }
            entries[count++] = (struct log_entry){
                .time_ms = sealed.time_ms, .commands = sealed.a, .payload = sealed.text};
            bytes += sealed.text.bytes;
        }
        if (!log_append(log, entries, count, fault)) {
            return false;
        }
    }
    return true;
}

static bool format_raise(struct disk_env *env, uint64_t begins, struct proto_fault *fault)
{
    struct disk_txn txn;
    struct disk_format format = env->format;
    format.version = DISK_FORMAT_VERSION;
    if (!disk_txn_write(&txn, env, fault)) {
        return false;
    }
    uint8_t *at = NULL;
    if (disk_txn_empty(&txn, DISK_TABLE_LOG, fault)) {
        at = disk_txn_put(&txn, DISK_TABLE_META, DISK_FORMAT_KEY, DISK_FORMAT_BYTES, DISK_PUT_ANY,
                          fault);
    }
    if (at == NULL) {
        disk_txn_abort(&txn);
        return false;
    }
    disk_format_encode(&format, at);
    txn.state.log_begins = begins;
    txn.state.log_bytes = 0;
    if (!disk_txn_commit(&txn, fault)) {
        return false;
    }
    env->format = format;
    return true;
}

bool store_upgrade(struct disk_env *env, const struct log_options *options,
                   struct proto_fault *fault)
{
    struct disk_txn txn;
    struct log_options fresh = *options;
    if (!folder_clear(options->path, fault) || !disk_txn_read(&txn, env, fault)) {
        return false;
    }
    fresh.first = first_kept(&txn);
    fresh.head_min = 0;
    struct log *log = log_open(&fresh, fault);
    bool good = log != NULL && entries_copy(&txn, log, fresh.first, fault);
    log_close(log);
    disk_txn_abort(&txn);
    return good && format_raise(env, fresh.first, fault);
}
