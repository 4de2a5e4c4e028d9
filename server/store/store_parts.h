/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: the store itself, its writer and its views. The contract is
 * store.h.
 *
 *   callers ── store_submit ──▶ queue ──▶ writer thread (writer.c, commit.c, slice.c) ──▶ LMDB
 *   views ◀── snapshot of LMDB, index, stamps ─────────────────────────────────────────────┘
 *
 * Order of events at a commit, which every promise to readers rests on: stamps of changed blocks
 * are set; on_commit hears BEGIN; LMDB commits; the index takes the changes and becomes stable;
 * `committed` moves on; on_commit hears DONE; on_change and on_done are called. Threads: members
 * say whose they are. */
#ifndef STORE_STORE_PARTS_H
#define STORE_STORE_PARTS_H

#include <pthread.h>

#include "server/store/apply.h"
#include "server/store/command.h"
#include "server/store/index.h"
#include "server/store/operation.h"
#include "server/store/vector_parts.h"

/* A submission: a batch, a turn of vectors, or a change of encoder. Linked into the queue. */
struct store_ticket {
    struct store_ticket *next;
    struct store_batch *batch;       /* NULL: not a batch */
    struct store_vectors_turn *turn; /* NULL: not that either, but an encoder */
    struct store_encoder encoder;
    void (*on_done)(void *context, const struct store_result *result);
    void *context;
    struct store_result result;
    bool refused;
    bool repeated;
};

struct store_queue {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    struct store_ticket *first;
    struct store_ticket *last;
    size_t bytes; /* waiting and being committed */
    uint64_t count;
    bool closing;
};

/* For tests: what no caller of the store may set. */
struct store_tuning {
    uint64_t hash_mask; /* 0: all ones */
};

/* The writer thread's own; nobody else looks at it while that runs. */
struct store_writer {
    struct disk_state state; /* as committed */
    struct store_plan plan;
    struct store_bucket_room bucket_room;
    struct store_edits edits;
    struct store_row_writer rows;
    struct store_encoder encoder;
    bool encoder_set;             /* by the engine, since the store was opened */
    struct store_change *changes; /* of the commit under way */
    size_t change_count, change_room;
    uint32_t *touched; /* slots that the commit under way changes, for on_commit */
    size_t touched_count, touched_room;
    struct store_vectors vectors;
    uint32_t filled; /* buckets of table id that are in the first index */
    bool filling;
    bool dropping;           /* rows of older generations may be left */
    uint64_t pause_until_ns; /* no slices before: the last one failed */
    uint64_t housekept_ns;
    struct store_stats own;
};

/* All views that are open. */
struct store_views {
    pthread_mutex_t mutex;
    struct store_view *first;
    uint64_t count;
};

struct store_figures {
    pthread_mutex_t mutex;
    struct store_stats published; /* by the writer */
    _Atomic uint64_t corrupt_found;
};

struct store {
    struct store_options options;
    struct disk_env env;
    struct store_hasher hasher;
    struct store_operations operations;
    struct store_queue queue;
    pthread_t thread;
    struct store_writer writer;
    /* What readers share with the writer. */
    struct store_index index;
    struct store_stamps stamps;
    _Atomic uint64_t committing; /* last transaction whose stamps are set */
    _Atomic uint64_t committed;  /* last transaction that is durable, indexed and to be seen */
    struct store_views views;
    struct store_figures figures;
};

/* store.c */
struct store *store_open_tuned(const struct store_options *options,
                               const struct store_tuning *tuning, struct proto_fault *fault);
/* Counts what was found damaged, and tells the log. */
void store_damage(struct store *store, const struct proto_fault *fault);
uint64_t store_clock_ns(void); /* monotonic, for budgets and figures */

/* queue.c */
bool store_queue_init(struct store_queue *queue);
void store_queue_fini(struct store_queue *queue);
/* Takes what waits, up to `bytes` or an encoder, which comes alone. With `wait_ms` ≥ 0 waits so
 * long for something to come. NULL: nothing came; *closed: and nothing will. */
struct store_ticket *store_queue_take(struct store_queue *queue, size_t bytes, int wait_ms,
                                      bool *closed);
bool store_queue_waits(struct store_queue *queue);

/* writer_thread.c */
void *store_writer_run(void *store);
/* From what the writer has; the writer, or before it runs. */
void store_publish_stats(struct store *store);

/* commit.c: one transaction for a list of batches; fills every result. */
void store_commit(struct store *store, struct store_ticket *list);
/* Commits a transaction of the writer and lets readers see it. */
bool store_commit_txn(struct store *store, struct disk_txn *txn, struct proto_fault *fault);

/* slice.c: work between commits; each returns true if there is more of it to do. */
void store_encoder_switch(struct store *store, const struct store_encoder *encoder);
/* Encodes rows above the mark within a transaction, until time is up or, if `yield`, a batch waits.
 */
bool store_rows_advance(struct store *store, struct disk_txn *txn, uint64_t budget_ns, bool yield,
                        struct proto_fault *fault);
bool store_slice_index(struct store *store);
bool store_slice_rows(struct store *store);
bool store_slice_drop(struct store *store);
/* Tables of the index that no view holds are freed. */
void store_reclaim(struct store *store);

/* A view; view.c. */
struct store_block_place {
    const uint8_t *block;
    uint64_t txn; /* of the view when it was found; 0: nothing here */
};

struct store_view {
    struct store *store;
    struct disk_txn txn;
    bool active;
    const struct store_index_table *table;
    _Atomic uint64_t epoch; /* UINT64_MAX while it rests */
    struct store_block_place *places;
    size_t place_count;
    struct store_view *next;
    struct store_view *previous;
};

/* Block of rows, from the view's places or from LMDB; NULL with *fault. */
const uint8_t *store_view_block(struct store_view *view, uint32_t block, struct proto_fault *fault);

#endif
