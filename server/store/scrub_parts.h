/* SPDX-License-Identifier: Apache-2.0 */
/* What scrub.c (the walk over tables and log, its rate, its snapshots) and scrub_value.c (what one
 * value must be) share. For the folder's own use; the contract is store.h.
 * Ownership: a value of whoever scrubs. Errors: damage is told and counted, and the walk goes on.
 * Threads: one. */
#ifndef STORE_SCRUB_PARTS_H
#define STORE_SCRUB_PARTS_H

#include "server/store/store_parts.h"

struct store_scrub_run {
    const struct store *store;
    struct disk_txn txn;
    struct store_sight sight; /* of the tables alone */
    void (*on_bad)(void *context, const char *what);
    void *context;
    uint64_t bad;
    const struct store_scrub_request *request;
    uint64_t bytes;    /* read so far */
    uint64_t told;     /* of them, when the progress was last told */
    uint64_t begun_ns; /* the whole */
    uint64_t taken_ns; /* the snapshot */
    uint64_t values;   /* seen so far, of `all` */
    uint64_t all;
    bool moved; /* the tables changed within the table under way, or before compare_counts */
    bool moved_once;
    bool stopped;
    struct proto_fault failed; /* what is of the moment, not of what is stored */
    /* Of the table under way. */
    uint64_t next;     /* the key that must come next, where keys are dense */
    uint64_t entries;  /* ids and keys */
    uint64_t accounts; /* living */
    uint64_t sources;  /* living source records of folds */
    uint64_t folds;
};

/* One more that is damaged, in words. */
void store_scrub_bad(struct store_scrub_run *scrub, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What keeps the scrub from reading is damage as long as it is the store's; memory is not. */
void store_scrub_unread(struct store_scrub_run *scrub, const char *what,
                        const struct proto_fault *fault);
/* One value of a table, behind those before it. */
void store_scrub_value(struct store_scrub_run *scrub, enum disk_table table, uint64_t key,
                       struct proto_span value);

#endif
