/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share: the store itself, its writer, its folder and its views. The
 * contract is store.h.
 *
 *   callers ── store_submit ──▶ queue ──▶ writer (writer_thread.c, commit.c) ──▶ log, one sync
 *                                           │ then: overlay, index, moment
 *                                           ▼ sealed generations
 *                                         folder (folder_thread.c, fold.c, slice.c) ──▶ LMDB
 *   views ◀── snapshot of LMDB, overlay, index, stamps
 *
 * Order of events at a commit, which every promise to readers rests on: stamps of changed blocks
 * are set and changes linked into the overlay, under a sequence that nobody sees yet; on_commit
 * hears BEGIN; the log is appended to; the index takes the changes and becomes stable; the moment
 * moves on; on_commit hears DONE; on_change and on_done are called. At a fold: stamps of written
 * blocks are set; LMDB commits; `folded` moves on; the writer lets go of what was folded and no
 * view looks into. Threads: members say whose they are. */
#ifndef STORE_STORE_PARTS_H
#define STORE_STORE_PARTS_H

#include <pthread.h>

#include "server/log/commit_log.h"
#include "server/store/apply.h"
#include "server/store/command.h"
#include "server/store/hold.h"
#include "server/store/index.h"
#include "server/store/moment.h"
#include "server/store/operation.h"
#include "server/store/position.h"
#include "server/store/room.h"
#include "server/store/vector_parts.h"

/* An encoder in use, by the writer and by the folder. */
struct store_held_encoder {
    struct store_encoder encoder;
    _Atomic int references;
};

/* A submission: a batch, a change of encoder, or a wish that all be folded. Linked into the queue.
 */
struct store_ticket {
    struct store_ticket *next;
    struct store_batch *batch;          /* NULL: not a batch */
    size_t bytes;                       /* of it, when it was submitted */
    struct store_held_encoder *encoder; /* NULL: not that either */
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
    bool poked; /* something beside a ticket wants the writer's attention */
};

/* For tests and a repair: what no caller of the store may set. */
struct store_tuning {
    uint64_t hash_mask;   /* 0: all ones */
    size_t segment_bytes; /* of the log; 0: its own default */
    uint32_t events_max;  /* of one account; 0: PROTO_ACCOUNT_EVENTS_MAX */
    uint32_t piece_bytes; /* of a history, that are written anew; 0: STORE_PIECE_BYTES_LEAST */
    size_t hold_bytes;    /* that may wait for another process at least; 0: STORE_HOLD_LEAST */
    bool abandon;         /* closing folds nothing, as if the process had been killed */
    /* A repair's: a batch of the log that does not fit what is stored is told of and passed over.
     * NULL: it refuses the opening. */
    void (*on_refused)(void *context, const struct log_entry *entry, const struct proto_fault *why);
    void *refused_context;
};

/* The writer thread's own; nobody else looks at it while that runs. */
struct store_writer {
    struct disk_state state; /* counters of the last commit; sums and rows are the folder's */
    struct disk_state next;  /* of the group under way */
    struct disk_txn base;    /* the tables, for plans */
    struct store_generation *active;
    struct store_generation **sealed; /* folded or not, oldest first */
    size_t sealed_count, sealed_room;
    size_t sealed_bytes;
    struct store_plan plan;
    struct store_reuse reuse;
    struct store_links links;
    struct store_edits edits;
    struct store_row_maker rows;
    struct store_held_encoder *encoder;
    struct log_entry *entries; /* of the group under way */
    size_t entry_count, entry_room;
    struct store_change *changes; /* of the commit under way */
    size_t change_count, change_room;
    uint32_t *touched; /* slots that the commit under way changes, for on_commit */
    size_t touched_count, touched_room;
    size_t slots_said;         /* batches of the group under way that say which slots they took */
    struct store_view *filler; /* what the first index is filled from */
    uint32_t filled;           /* buckets of table id that are in it */
    bool filling;
    uint64_t begun_ns;     /* first commit of the active generation */
    uint64_t committed_ns; /* last commit */
    int64_t time_ms;       /* its time, by the clock of the options */
    uint64_t told_tables;  /* transaction of LMDB that on_commit was told of */
    struct store_stats own;
};

/* The folder: all that is written to LMDB after the opening. */
struct store_folder {
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows, to the blank line */
    pthread_cond_t wake;
    pthread_cond_t folded;              /* a fold has ended, well or not */
    unsigned urgent;                    /* how many wait for one */
    struct store_generation *first_due; /* sealed, to be folded in this order */
    struct store_generation *last_due;
    struct store_vectors_turn *first_turn;
    struct store_vectors_turn *last_turn;
    struct store_held_encoder *given; /* NULL: nothing new */
    bool encoder_given;
    bool closing;
    struct proto_fault fault; /* of the last fold; PROTO_OK: it went well */

    struct disk_state state; /* of the tables */
    struct store_held_encoder *encoder;
    bool encoder_set; /* by the engine, since the store was opened */
    struct store_row_maker maker;
    struct store_row_writer rows;
    struct store_bucket_room bucket_room;
    struct store_edits edits;
    struct store_vectors vectors;
    bool dropping;           /* rows of older generations may be left */
    uint64_t pause_until_ns; /* nothing before: the last try failed */
    uint64_t turn_after_ns;  /* no turn of vectors before */
    uint64_t housekept_ns;
    uint64_t oldest; /* snapshot that was seen to be the oldest */
    struct store_hold hold;
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
    struct store_stats published; /* by writer and folder, each its own */
    struct store_position position;
    _Atomic uint64_t corrupt_found;
};

struct store {
    struct store_options options;
    struct store_tuning tuning;
    struct disk_env env;
    struct log *log;
    struct store_hasher hasher;
    struct store_operations operations;
    struct store_queue queue;
    pthread_t thread;
    struct store_writer writer;
    struct store_folder folder;
    /* What readers share with them. */
    struct store_index index;
    struct store_stamps stamps;   /* sequences of commits */
    struct store_stamps written;  /* transactions of LMDB */
    struct store_tolds tolds;     /* sequences of what was told of slots */
    _Atomic uint64_t writing;     /* last transaction of LMDB whose stamps are set */
    _Atomic uint64_t tables;      /* last transaction of LMDB that is there to be seen */
    _Atomic uint64_t folded;      /* sequence up to which the tables hold everything */
    _Atomic uint64_t turn;        /* commits and transactions of LMDB so far */
    _Atomic size_t overlay_bytes; /* of all generations */
    _Atomic bool starting;        /* options.starting, until store_started */
    struct store_room room;
    _Atomic uint64_t old_since_ns; /* when the oldest snapshot was seen to be old; 0: it is not */
    struct store_moments moments;
    struct store_views views;
    struct store_figures figures;
};

/* store.c */
struct store *store_open_tuned(const struct store_options *options,
                               const struct store_tuning *tuning, struct proto_fault *fault);
/* Counts what was found damaged, and tells the log. */
void store_damage(struct store *store, const struct proto_fault *fault);
uint64_t store_clock_ns(void); /* monotonic, for budgets and figures */

/* encoder.c: counted references. Without memory the encoder is released at once. */
struct store_held_encoder *store_encoder_hold(const struct store_encoder *encoder);
struct store_held_encoder *store_encoder_share(struct store_held_encoder *held);
void store_encoder_drop(struct store_held_encoder *held); /* NULL is fine */

/* queue.c */
bool store_queue_init(struct store_queue *queue);
void store_queue_fini(struct store_queue *queue);
/* Takes what waits, up to `bytes` or an encoder, which comes alone. With `wait_ms` ≥ 0 waits so
 * long for something to come. NULL: nothing came; *closed: and nothing will. */
struct store_ticket *store_queue_take(struct store_queue *queue, size_t bytes, int wait_ms,
                                      bool *closed);
/* Has the writer seal what is committed, and waits for that; result->seq is the last of it. */
bool store_queue_seal(struct store *store, struct store_result *result);
/* Has the writer look around. Any thread. */
void store_queue_poke(struct store_queue *queue);

/* writer_thread.c */
void *store_writer_run(void *store);
/* From what the writer has; the writer, or before it runs. */
void store_publish_stats(struct store *store);

/* commit.c: one append to the log for a list of batches; fills every result. */
void store_commit(struct store *store, struct store_ticket *list);
/* A slice of the search for slots of deleted accounts; true if there is more to do. */
bool store_slice_slots(struct store *store);
/* Tells on_commit that the tables have changed, though no account has. */
void store_commit_nothing(struct store *store);
/* One entry of the log that is not in the tables, at opening. */
bool store_replay(struct store *store, const struct log_entry *entry, struct proto_fault *fault);

/* generation.c: the overlay's generations, from the first to the last breath. The writer, or the
 * opener before it runs. */
/* Begins the first one. */
bool store_generations_begin(struct store *store, struct proto_fault *fault);
/* Seals the active one, if it has anything, and hands it to the folder. */
bool store_generation_seal(struct store *store, struct proto_fault *fault);
/* Seals what has grown large enough, or has waited long enough. */
void store_generation_look(struct store *store);
/* Milliseconds until that is due; -1: never. */
int store_generation_wait_ms(const struct store *store);
/* Rows of this codebook from now on. */
void store_generation_encoder(struct store *store, struct store_held_encoder *encoder);
/* After a fold: moves the writer's snapshot on, frees what no view looks into. */
void store_reclaim(struct store *store);
void store_generations_end(struct store *store);
/* overlay_bound.c. Whether a batch may be taken: PROTO_BUSY, or why nothing can be folded. Any
 * thread. */
bool store_overlay_admits(struct store *store, const struct store_batch *batch,
                          struct proto_fault *fault);
/* Memory of what the tables have not, as far as it is more than empty generations take. */
size_t store_overlay_unfolded(const struct store *store);
/* How long the next group, of so many bytes, is held back because the overlay fills. */
uint64_t store_overlay_delay_ns(const struct store *store, size_t group_bytes);

/* index_fill.c: the first index, in slices between commits; true if there is more to do. */
void store_index_fill_begin(struct store *store);
bool store_slice_index(struct store *store);

/* folder.c and, to start and stop it, folder_thread.c */
bool store_folder_init(struct store_folder *folder);
void store_folder_fini(struct store_folder *folder);
bool store_folder_start(struct store *store, struct proto_fault *fault);
/* Folds what is sealed, and ends. */
void store_folder_stop(struct store *store);
/* Takes a sealed generation, which stays the writer's to free. */
void store_folder_take(struct store_folder *folder, struct store_generation *generation);
void store_folder_encoder(struct store_folder *folder, struct store_held_encoder *encoder);
/* Waits until the tables hold everything up to `seq`; false if a fold fails. Any thread but the
 * writer and the folder. */
bool store_folder_wait(struct store *store, uint64_t seq, struct proto_fault *fault);
/* Something waits that should come before background work. */
bool store_folder_waits(struct store_folder *folder);
/* hold.c: whether a transaction of LMDB may make the file longer, before each of them: PROTO_BUSY
 * that names the process whose snapshot forbids it. The folder. */
bool store_hold_admits(struct store *store, struct proto_fault *fault);
/* Commits a transaction of LMDB and lets readers see it. */
bool store_tables_commit(struct store *store, struct disk_txn *txn, struct proto_fault *fault);
/* base_thread_start, whose refusal is a fault. */
bool store_thread_start(pthread_t *thread, void *(*run)(void *), void *context,
                        struct proto_fault *fault);

/* fold.c: one generation into the tables, in one transaction. */
bool store_fold(struct store *store, const struct store_generation *generation,
                struct proto_fault *fault);

/* fold_past.c: what its accounts, ascending, were before, likewise; runs: of the newest piece of
 * each, for store_account_put. Before those are put. */
bool store_fold_pasts(struct store *store, struct disk_txn *txn, struct store_slot_cell **slots,
                      size_t count, uint32_t slots_before, uint32_t *runs,
                      struct proto_fault *fault);

/* fold_event.c: what it has of events, into the transaction of its fold. */
bool store_fold_events(struct store *store, struct disk_txn *txn,
                       const struct store_generation *generation, uint32_t slots_before,
                       struct proto_fault *fault);

/* slice.c: the folder's work between folds; each returns true if there is more of it to do. */
bool store_slice_rows(struct store *store);
bool store_slice_drop(struct store *store);
/* fold_wait.c: has everything folded that was committed before the call, and waits for it. */
bool store_fold_wait(struct store *store, struct proto_fault *fault);

/* A view; view.c. */
struct store_block_place {
    const uint8_t *block;
    uint64_t txn; /* of the view's snapshot when it was found; 0: nothing here */
};

struct store_view {
    struct store *store;
    struct disk_txn txn;      /* the tables */
    struct disk_state state;  /* counters of the last commit that it sees */
    struct store_sight sight; /* both */
    uint64_t turn;            /* when it was refreshed */
    uint64_t taken_ns;        /* when the snapshot was taken */
    uint32_t rows_slots;      /* rows are complete below it */
    bool active;
    bool own; /* the store's, not a caller's */
    const struct store_index_table *table;
    _Atomic uint64_t epoch; /* of the index; UINT64_MAX while it rests */
    _Atomic uint64_t low;   /* generations that end above it are looked into; UINT64_MAX: none */
    _Atomic uint64_t high;  /* but not those that begin above this */
    _Atomic uint64_t kept;  /* slots are remembered as of this sequence; UINT64_MAX: none is */
    struct store_block_place *places;
    size_t place_count;
    uint8_t *scratch; /* a block with rows of the overlay */
    size_t scratch_bytes;
    struct store_view *next;
    struct store_view *previous;
};

/* The sequence up to which every view has seen what was committed; the writer. */
uint64_t store_views_seen(struct store *store);
/* Whether a snapshot is not too old, store_view_young for one that is no view's. */
bool store_snapshot_young(const struct store *store, const struct disk_txn *txn, uint64_t taken_ns,
                          struct proto_fault *fault);
/* One that does not count as a caller's. */
struct store_view *store_view_open_own(struct store *store, struct proto_fault *fault);
/* Whether the overlay may have something of the block that the tables have not. */
static inline bool store_view_overlaid(const struct store_view *view, uint32_t slot)
{
    return store_stamp(&view->store->stamps, slot / STORE_BLOCK_ROWS) > view->txn.state.seq;
}
/* Block of rows of the tables, from the view's places or from LMDB; NULL with *fault. */
const uint8_t *store_view_block(struct store_view *view, uint32_t block, struct proto_fault *fault);
/* Row of a version as the view may use it; NULL: it has none of the view's codebook. */
static inline const uint8_t *store_view_row_of(const struct store_view *view,
                                               const struct store_version *version)
{
    const struct disk_state *state = &view->txn.state;
    bool fits = version->digest == state->rows_digest && version->row_bytes == state->row_bytes;
    return fits ? version->row : NULL;
}

#endif
