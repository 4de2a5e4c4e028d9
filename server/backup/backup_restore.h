/* SPDX-License-Identifier: Apache-2.0 */
/* A store from a directory of backups: the newest base that is not beyond the moment, then the
 * batches up to it, each with the time that it had. Everything is checked on the way: each file's
 * digest, each value's check, counts and digests of all tables, that each batch gets the sequence
 * that it had.
 *
 * What is made lies in PATH/restore.part until it is whole; the files then move to their places,
 * the one without which there is no store last. A restore that was cut off is begun anew.
 *
 * A file that is damaged, or missing, within what was asked for is never passed over: the restore
 * is refused, and says up to where one is possible.
 *
 * Ownership: borrows. Errors: PROTO_CONFLICT where there is a store already; PROTO_NOT_FOUND where
 * the backups do not reach the moment; those of files and store. Threads: one; nobody else may use
 * PATH. Cost: some 100 MB/s of records for a base; batches as fast as they were written, or faster.
 */
#ifndef BACKUP_RESTORE_H
#define BACKUP_RESTORE_H

#include "server/backup/backup_set.h"

struct backup_restore_options {
    const char *backups; /* directory */
    const char *path;    /* where the store goes; made if absent */
    size_t map_bytes;
    struct backup_moment until;
    void (*on_step)(void *context, const char *text); /* NULL: silent */
    void *step_context;
};

/* What the store reaches then. */
struct backup_restored {
    uint64_t seq;
    int64_t time_ms; /* of its last batch, 0 if not known */
    uint64_t entries, batches;
};

bool backup_restore(const struct backup_restore_options *options, struct backup_restored *restored,
                    struct proto_fault *fault);
/* Reads every file of a directory whole, as a restore would; on_file is told of each, with its
 * fault (code PROTO_OK: it is good). False if any is bad, or none is there. */
bool backup_verify(const char *backups,
                   void (*on_file)(void *context, const struct backup_item *item), void *context,
                   struct proto_fault *fault);

#endif
