/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of backups: bases, and logs that follow each other. Names say what a file holds:
 *
 *   base-SSSSSSSSSSSSSSSSSSSS.icpb                        the store at sequence S (20 digits)
 *   log-AAAAAAAAAAAAAAAAAAAA-SSSSSSSSSSSSSSSSSSSS.icpb    the batches after A up to S
 *
 * A chain is a base and the logs that continue it: each begins where the one before ends, of the
 * same store, and knows the batch before its first by its link, so that logs of a history that was
 * given up (a restore to an earlier moment) do not fit.
 *
 * Ownership: close frees. Errors: PROTO_NOT_FOUND, PROTO_IO, PROTO_LOCKED (another backup is being
 * written there), PROTO_NO_MEMORY. Threads: one. Cost: two reads a file. */
#ifndef BACKUP_SET_H
#define BACKUP_SET_H

#include "server/backup/backup.h"
#include "server/backup/backup_file.h"

#define BACKUP_FILES_MAX 100000 /* more are no backup that anybody could want to restore from */

struct backup_item {
    char name[BACKUP_NAME_BYTES];
    uint64_t seq; /* up to where it reaches, as its name says, also where it is damaged */
    struct backup_head head;
    struct backup_foot foot;
    struct proto_fault fault; /* code PROTO_OK, or why it cannot be used */
};

struct backup_set {
    int folder;
    struct backup_item *items; /* in the order of their names: bases, then logs */
    size_t count;
};

/* write: makes the directory if it is not there, sees that its name is on disk, and locks it
 * against a second writer. */
bool backup_set_open(struct backup_set *set, const char *path, bool write,
                     struct proto_fault *fault);
void backup_set_close(struct backup_set *set);

/* Up to where: both bounds count. */
struct backup_moment {
    uint64_t seq;    /* UINT64_MAX: no bound */
    int64_t time_ms; /* INT64_MAX: no bound; batches of a later time are left out */
};

struct backup_chain {
    const struct backup_item **items; /* a base, then logs; NULL: there is no base */
    size_t count;
};

/* The newest base that is not beyond the moment, and what continues it up to the moment. A chain
 * without a base is empty, and no fault. */
bool backup_chain_find(const struct backup_set *set, const struct backup_moment *until,
                       struct backup_chain *chain, struct proto_fault *fault);
void backup_chain_fini(struct backup_chain *chain);

void backup_base_name(char name[BACKUP_NAME_BYTES], uint64_t seq);
void backup_log_name(char name[BACKUP_NAME_BYTES], uint64_t after, uint64_t seq);

#endif
