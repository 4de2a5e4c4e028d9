/* SPDX-License-Identifier: Apache-2.0 */
/* A backup of an open store into a directory of backup_set.h: what the job of backup.h does, for
 * whoever has a store and no engine. What is consistent about it, and its errors: backup.h.
 *
 * Ownership: all borrowed for the call. Threads: any one; beside writes and folds. Cost: reads what
 * it writes, some 300 MB/s of values. */
#ifndef BACKUP_MAKE_H
#define BACKUP_MAKE_H

#include "server/backup/backup.h"
#include "server/base/log.h"
#include "server/store/store.h"

struct backup_set;

struct backup_making {
    struct store *store;
    const char *path;     /* the directory */
    bool full;            /* a base, whatever is there */
    int64_t now_ms;       /* said in the heads of files */
    struct base_log *log; /* NULL: silent */
    /* Every few hundred entries; false ends it with PROTO_CANCELLED. NULL: it goes on. */
    bool (*goes_on)(void *context, double done, const char *stage);
    void *context;
};

bool backup_make(const struct backup_making *making, struct backup_result *result,
                 struct proto_fault *fault);
/* A base alone, into a directory that is open for it (backup_set.h). */
bool backup_make_base(const struct backup_making *making, const struct backup_set *set,
                      struct backup_result *result, struct proto_fault *fault);

#endif
