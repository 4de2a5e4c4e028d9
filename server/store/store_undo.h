/* SPDX-License-Identifier: Apache-2.0 */
/* What an account becomes when one import is taken back: pure, so that a dry run counts what the
 * writer does (plan_undo.c). A value that the import told and that stands as it was told becomes
 * what it would be without the import: by the history, or nothing where the import made the
 * account. One that somebody changed or told again since stays, and so does a key that the account
 * was made with, unless the account goes; a key that was added is taken away. An account that the
 * import made goes when nothing is left of it but that.
 *
 * Changes by imports that were taken back already, and by the taking back of them, are looked
 * through, so that the order of undos is of no matter. A telling that repeats a value leaves no
 * change behind, only its source and time beside the value: by those it is known whether who
 * repeated it was taken back.
 *
 * Ownership: an ask borrows; *undone.record is malloc'd and the caller's. Errors: PROTO_NO_MEMORY,
 * PROTO_CORRUPT, limits of a record. Threads: pure. Cost: a pass over the values and the history of
 * the account. */
#ifndef STORE_STORE_STORE_UNDO_H
#define STORE_STORE_STORE_UNDO_H

#include "server/feature/record.h"
#include "server/store/past.h"

/* Who brought a change, or told a value last. */
enum store_whose {
    STORE_WHOSE_OTHER,
    STORE_WHOSE_IMPORT, /* that is taken back */
    STORE_WHOSE_UNDO,   /* an earlier step of taking it back */
    STORE_WHOSE_GONE,   /* another import that was taken back, or the taking back of it */
};

/* An account's id, a source and a time as one number, below STORE_UNDO_STAMP. */
uint64_t store_undo_stamp(struct proto_span id, struct proto_span source, int64_t time_ms);

struct store_undo {
    struct proto_span now;  /* the record as it is */
    struct proto_span told; /* the record as a batch of the import told it */
    const struct store_history *history;
    uint64_t begun; /* sequence that made the account; 0: not known */
    bool events;    /* something happened to the account */
    bool forecast;  /* other batches of the import are still to be taken back */
    enum store_whose (*whose)(const void *context, uint64_t seq);
    /* Who told a value last, by its stamp; as far as is known. */
    enum store_whose (*teller)(void *context, uint64_t stamp);
    /* Whether nobody has a key. */
    bool (*key_free)(void *context, struct proto_span key);
    void *context;
};

struct store_undone {
    bool remove;     /* the account goes; there is no record */
    uint8_t *record; /* NULL: it stays as it is */
    size_t bytes;
    uint32_t values, keys; /* that are taken back */
    uint32_t changed;      /* values that stay: changed or told again since */
    uint32_t again;        /* values that were so before: there is nothing to take back */
    uint32_t late;         /* values that stand in the history alone, and stay there */
    uint32_t not_kept;     /* values that stay: what they were is not kept */
    uint32_t keys_lost;    /* keys that the import took away and somebody else has now */
    bool stays;            /* the import made the account, and it stays */
};

bool store_undo(const struct store_undo *ask, struct store_undone *undone,
                struct proto_fault *fault);

#endif
