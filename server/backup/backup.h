/* SPDX-License-Identifier: Apache-2.0 */
/* Backup of a running server, as a job: into a directory of backup_set.h goes a base (everything),
 * or, where a chain is there that this server continues, the batches since its end.
 *
 * Consistent and beside everything else: a base is one snapshot; scores and writes go on. While it
 * is read, pages that commits free are not used again, so the file of the store can grow by what is
 * written in that time. Every value is checked as it is read: a damaged store gives no backup, but
 * a fault that names what is damaged.
 *
 * Ownership: *request is copied; result is borrowed until on_done has run. Errors: those of the
 * store and of backup_set.h; PROTO_CONFLICT where the directory belongs to another store, or to a
 * history that this one does not continue; PROTO_CANCELLED. Threads: any; the job runs on the lane
 * of jobs. */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include "server/engine/engine.h"

#define BACKUP_NAME_BYTES 64 /* of a file */

struct backup_result {
    const char *kind;             /* "base", "log", or "none": nothing was new */
    char file[BACKUP_NAME_BYTES]; /* the last that was written; "" if none */
    uint64_t seq;                 /* the chain reaches up to here */
    uint64_t entries, batches;    /* of that file */
    uint64_t bytes;               /* of all files that were written */
};

struct backup_request {
    const char *path; /* the directory */
    bool full;        /* a base, whatever is there */
    int64_t deadline_ms;
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
    struct backup_result *result;
};

/* Queues the job; 0 with *fault, and then no callback runs. */
uint64_t backup_start(struct engine *engine, const struct backup_request *request,
                      struct proto_fault *fault);

#endif
