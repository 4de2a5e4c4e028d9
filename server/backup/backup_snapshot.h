/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of snapshots: the newest few bases (backup_set.h) of one history, from which further
 * stores are made. Whoever shares it looks whether a new one is due, writes it, and removes the
 * oldest; a lock lets one at a time do so. What is damaged at its ends is neither counted nor
 * removed. Nothing of a backup is needed here: batches are kept elsewhere, by a shared log.
 *
 * Ownership: borrows. Errors: those of backup.h; PROTO_LOCKED where another writes there. Threads:
 * any one, beside writes and folds. Cost: a listing where nothing is due, or a base. */
#ifndef BACKUP_SNAPSHOT_H
#define BACKUP_SNAPSHOT_H

#include "server/backup/backup_make.h"

struct backup_snapshot_rule {
    uint64_t every; /* sequences between two */
    size_t kept;    /* the newest, so many; 1 at least */
};

struct backup_snapshots {
    size_t count;            /* that are kept, whole as far as their ends say */
    uint64_t oldest, newest; /* their sequences; 0 where there is none */
    bool made;               /* one was written */
    uint64_t bytes;          /* of it */
};

/* making->full does not matter. */
bool backup_snapshot(const struct backup_making *making, const struct backup_snapshot_rule *rule,
                     struct backup_snapshots *found, struct proto_fault *fault);

#endif
