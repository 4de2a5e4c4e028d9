/* SPDX-License-Identifier: Apache-2.0 */
/* The store: a log, LMDB tables that follow it, one writer thread and any number of read views.
 *
 * Writing. Callers build a batch of commands and submit it. The writer takes every batch that waits
 * (up to a bound), works out what each changes, appends all of them to the log with one sync (group
 * commit), and only then calls each batch's on_done: what is acknowledged is on disk. A batch is
 * all or nothing; a batch that is refused leaves the others of its commit untouched. This is the
 * only write path: requests, bulk import and, later, replication.
 *
 * Folding. What is committed lies in memory, in the overlay, until a thread folds a long stretch of
 * it into the tables, in the order of slots and in one transaction; after a crash it is read from
 * the log again. The overlay is bounded: near overlay_bytes_max groups are held back, at it batches
 * are refused as busy.
 *
 * Reading. A view is a snapshot, owned by one thread and refreshed in place. store_view_refresh
 * costs an atomic load when nothing was committed since, 230 ns when something was folded. A view
 * sees the tables as they were folded and over them the overlay up to its sequence. Whoever has
 * seen an acknowledgement and then refreshes, sees the write. Views are not held idle:
 * store_view_rest lets go of the snapshot so that the file does not grow.
 *
 * Rows. For the active codebook the store keeps one row of bin codes per account (table `row`),
 * encoded as the account is written. When the codebook changes, the folder encodes the rows anew in
 * the background, in slices between folds; view->rows_slots says up to which slot rows of
 * view->rows_digest are complete.
 *
 * Durability: fdatasync of the log before an acknowledgement (server/log), LMDB's default at a
 * fold; never WRITEMAP, NOSYNC, NOMETASYNC, DUPSORT, cursor deletes. Faults: PROTO_LOCKED (another
 * process), PROTO_DISK_FULL, PROTO_IO, PROTO_CORRUPT, PROTO_BUSY (queue full), PROTO_CONFLICT,
 * PROTO_NOT_FOUND, PROTO_LIMIT, PROTO_DEADLINE, PROTO_NO_MEMORY. Disk format: docs/disk-format.md.
 * Source: LMDB 0.9 (symas.com/lmdb), XXH3. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "server/base/log.h"
#include "server/event/event.h"
#include "server/feature/record.h"
#include "server/identity/identity_entry.h"

#define STORE_NO_SLOT UINT32_MAX
/* From store_find_many alone, which has no fault to give: what is stored there is damaged, and
 * whether the account exists cannot be said. store_record and store_row of it give PROTO_CORRUPT.
 */
#define STORE_BAD_SLOT (UINT32_MAX - 1)
#define STORE_ROW_HEADER_BYTES 16

struct store;
struct store_view;
struct store_batch;

/* Turns values into a row; from the engine, for the active codebook. */
struct store_encoder {
    void *context;
    uint64_t digest; /* of the codebook; 0: none, no rows are kept */
    size_t
        code_bytes; /* codes to keep, ≤ PROTO_COLUMNS_MAX; a row is 16 + these, rounded up to 64 */
    size_t value_slots; /* field ids that encode() wants */
    /* Bytes that encode() writes, if more than code_bytes (a padded row): the first code_bytes are
     * kept. So 48 columns fit one cache line whatever the encoder's padding. 0: code_bytes. */
    size_t encode_bytes;
    void (*encode)(void *context, const struct feature_value *values, size_t slots, uint8_t *codes);
    /* Called on the writer thread when the store will not use this encoder any more. */
    void (*release)(void *context);
};

/* Small documents that change seldom: schema and ICP versions, and what is active. Told to the
 * engine at open (all, in order) and after each commit that changes them, on the writer thread,
 * before the batch's on_done. */
enum store_document_kind {
#define X(NAME, TABLE, counter, most, told, what) STORE_DOCUMENT_##NAME,
#include "server/store/document.def"
#undef X
};
enum {
    STORE_DOCUMENT_COUNT = 0
#define X(NAME, TABLE, counter, most, told, what) +1 /* NOLINT(bugprone-macro-parentheses) */
#include "server/store/document.def"
#undef X
};
struct store_change {
    enum store_document_kind kind;
    uint32_t version;       /* number of the document: schema or ICP version, number of a list; of a
                               SWITCH the version now active */
    uint32_t previous;      /* SWITCH: the version before, 0 if none */
    int64_t time_ms;        /* when it was stored */
    struct proto_span text; /* document, or reason of a SWITCH; borrowed for the call. Empty if what
                               is stored is damaged, or was given up */
    bool given_up;          /* TAL: it was damaged, and its number alone is left */
    struct proto_span ids;  /* TAL: of its accounts in order of rank, u8 bytes and text each; empty
                               of a list from before lists had ids */
    struct proto_span
        slots; /* TAL: of those of its accounts that are stored, in order of rank, u32
                  each, not aligned; not told by store_document_get of one that has ids */
};

/* A commit as the writer thread tells of it: STORE_COMMIT_BEGIN before any view can see it, then
 * STORE_COMMIT_DONE when views see it and before any on_done, or STORE_COMMIT_FAILED. Commits that
 * change no account (rows encoded in the background) are told of too, with count 0 and the sequence
 * before. */
enum store_commit_phase { STORE_COMMIT_BEGIN, STORE_COMMIT_DONE, STORE_COMMIT_FAILED };
struct store_commit {
    enum store_commit_phase phase;
    uint64_t seq;          /* last log sequence in it; store_view_seq of a view that sees it */
    const uint32_t *slots; /* of the accounts put, patched or deleted, some perhaps twice */
    size_t count;
};

struct store_options {
    const char *path;         /* directory, created if absent (mode 0700) */
    size_t map_bytes_max;     /* bytes of pages in use; 0: 64 GiB (address space, not memory) */
    size_t queue_bytes_max;   /* submitted and not yet committed; 0: 256 MiB */
    size_t commit_bytes_max;  /* bytes of batches in one commit; 0: 32 MiB */
    size_t log_bytes_max;     /* log kept for audit; older entries are dropped; 0: 256 MiB */
    size_t fold_bytes;        /* committed changes in memory that are folded at once; 0: 256 MiB */
    size_t overlay_bytes_max; /* such changes in all, in memory; 0: 768 MiB */
    unsigned readers_max;     /* views in all; 0: 126 */
    bool must_exist;          /* no new store is made where there is none */
    bool starting;            /* what can wait, waits for store_started: the index, free slots */
    uint64_t view_ms_max;     /* age of a snapshot at which who reads it is to end; 0: any */
    int64_t (*now_ms)(void *context); /* clock, required */
    void *now_context;
    void (*on_change)(void *context, const struct store_change *change); /* required */
    void *change_context;
    /* On the writer thread, twice a commit; must not block. NULL: nobody wants to know. */
    void (*on_commit)(void *context, const struct store_commit *commit);
    void *commit_context;
    /* The store can only be used again by a new start, in which nothing acknowledged is missing;
     * what is in flight may or may not be done. From any thread, and before any answer that says
     * more than is known: meant to end the process. NULL: every call gives PROTO_IO from then on.
     */
    void (*on_lost)(void *context, const struct proto_fault *fault);
    void *lost_context;
    struct base_log *log; /* NULL: silent. Written to from any thread that uses the store */
};

/* Opens, or creates where nothing of a store is there; checks format version, file size and
 * checksums of what it reads; tells every document through on_change; starts the writer. */
struct store *store_open(const struct store_options *options, struct proto_fault *fault);
/* The start is over: what options.starting held back begins. Without that option nothing waits, and
 * this does nothing. Any thread. */
void store_started(struct store *store);
/* Commits what was submitted, stops the writer, closes. Views must be closed before. */
void store_close(struct store *store);
/* Another limit of the tables, from now on; lower than what they take, nothing is taken that adds.
 * Returns what it is now: less than `bytes` where the range of addresses that was taken at the
 * start ends (room.h). Any thread. */
size_t store_map_bytes_set(struct store *store, size_t bytes);
/* Takes effect in the order of submissions. The store begins to encode rows at once. */
void store_set_encoder(struct store *store, const struct store_encoder *encoder);

struct store_result {
    struct proto_fault fault; /* code PROTO_OK on success */
    uint64_t seq;             /* log sequence of the batch */
    uint32_t count;           /* accounts put, patched or deleted; events that were new */
    uint32_t created;
    uint32_t version;  /* schema or ICP version that was stored or made active */
    uint32_t previous; /* version that was active before */
    bool repeated;     /* it was applied before, under its operation id: what came of it then */
    bool settled;      /* of an entry of a shared log (position.h): it is behind the store, applied,
                          refused or repeated, and is not to be given again */
};

/* A batch is built by one thread; its commands are encoded as they are added (the bytes that go
 * into the log). */
struct store_batch *store_batch_create(void);
void store_batch_destroy(struct store_batch *batch);
/* The record is encoded within the batch; created/changed stamps are set by the store. Errors:
 * those of feature_record_encode. */
bool store_batch_put_record(struct store_batch *batch, const struct feature_record *record,
                            struct proto_fault *fault);
enum store_patch_flag {
    STORE_PATCH_CREATE = 1, /* an account that is not there is made of the record */
    STORE_PATCH_DATED = 2,  /* what is stored of a later time stays; changed_s of the record is the
                               time of what it takes away */
};
/* Values and keys of `record` are laid over the stored account; removed lists field ids to take
 * away. flags: store_patch_flag. */
bool store_batch_patch_record(struct store_batch *batch, const struct feature_record *record,
                              const uint16_t *removed, size_t removed_count, unsigned flags,
                              struct proto_fault *fault);
/* The same of records that are encoded already: they are checked whole. */
bool store_batch_put(struct store_batch *batch, struct proto_span record,
                     struct proto_fault *fault);
/* An account that comes from elsewhere and keeps the times that its record says: PROTO_CONFLICT if
 * its id is stored already. groups: of what its values were before (server/store/past.h), without
 * sequences, oldest first; NULL: that is not known, and reads will say so. */
bool store_batch_place(struct store_batch *batch, struct proto_span record,
                       const struct proto_span *groups, struct proto_fault *fault);
/* The commands behind this one are stored with that time instead of the batch's. */
bool store_batch_time(struct store_batch *batch, int64_t time_ms, struct proto_fault *fault);
bool store_batch_patch(struct store_batch *batch, struct proto_span record, const uint16_t *removed,
                       size_t removed_count, struct proto_fault *fault);
bool store_batch_delete(struct store_batch *batch, struct proto_span id, struct proto_fault *fault);
/* An event of the account with that id (or key), which passed event_check. One that the account has
 * already, by source and id, changes nothing; PROTO_CONFLICT if it told something else. */
bool store_batch_event(struct store_batch *batch, struct proto_span account, bool key,
                       const struct event *event, struct proto_fault *fault);
/* An identity entry: what it says of act, ids, author, reason and, of an undo, `what`. keys: what
 * its ids are as keys, for where they are nobody's ids; empty where one cannot be a key. Its number
 * is the writer's to give. PROTO_NOT_FOUND, PROTO_CONFLICT, PROTO_LIMIT with the member in
 * fault->field. */
bool store_batch_identity(struct store_batch *batch, const struct identity_entry *entry,
                          const struct proto_span keys[2], struct proto_fault *fault);
/* One of an import that counts for nobody: a record that it named was deleted. */
bool store_batch_identity_gone(struct store_batch *batch, const struct identity_entry *entry,
                               struct proto_fault *fault);
/* A document of any kind but SWITCH, which activate and revert make, and IDENTITY. Numbers are
 * given by the writer; `number` is 0, or the one that it must get: PROTO_CONFLICT if another came
 * first. A schema of number 0 is parsed and printed again with the ids that the versions before it
 * leave to its fields; one that was made for its number is stored as it is. Names of lists are the
 * caller's matter: whoever gets the next number has seen the names of all before. */
struct store_document {
    enum store_document_kind kind;
    uint32_t number;
    struct proto_span text;
    bool activate;                /* ICP: make it the active one in the same step */
    struct proto_span reason;     /* for that */
    const struct proto_span *ids; /* TAL: its accounts in order of rank */
    size_t id_count;
};
bool store_batch_document(struct store_batch *batch, const struct store_document *document,
                          struct proto_fault *fault);
bool store_batch_activate(struct store_batch *batch, uint32_t version, struct proto_span reason,
                          struct proto_fault *fault);
/* Goes back to the version that was active before the current one; a second revert comes back. */
bool store_batch_revert(struct store_batch *batch, struct proto_span reason,
                        struct proto_fault *fault);

/* Gives up a list, whatever is stored of it: its number stays taken, all else is gone. Whether it
 * is damaged is for the caller to know. PROTO_NOT_FOUND where there is none of that number. */
bool store_batch_drop(struct store_batch *batch, uint32_t number, struct proto_span reason,
                      struct proto_fault *fault);

/* Who writes, for the audit: a name that a client gave itself and where it came from. It changes
 * nothing; at most STORE_AUTHOR_BYTES_MAX bytes. Before the operation, behind all else. */
#define STORE_AUTHOR_BYTES_MAX 255u
bool store_batch_author(struct store_batch *batch, struct proto_span author,
                        struct proto_fault *fault);
/* Of which import the batch is, for the log; behind what it does, before the author. It changes
 * nothing. more: of BEGUN what the import is called, of UNDONE and UNDO what
 * server/engine/undo_job.h says. */
enum store_import_word {
    STORE_IMPORT_PART,   /* the batch is a part of it */
    STORE_IMPORT_BEGUN,  /* it begins, under this name */
    STORE_IMPORT_DONE,   /* all of it is stored */
    STORE_IMPORT_UNDO,   /* the batch takes one of its batches back */
    STORE_IMPORT_UNDONE, /* all of it that could be is taken back */
    STORE_IMPORT_WORDS,
};
bool store_batch_import(struct store_batch *batch, struct proto_span id,
                        enum store_import_word word, struct proto_span more,
                        struct proto_fault *fault);
/* Takes back what a batch of an import told of an account, as server/store/store_undo.h says: told
 * is the record of then, seqs are those of the import that concern the account, with
 * STORE_UNDO_BACK those that took something of it back, or were taken back before, or took that
 * back. Among them, with STORE_UNDO_STAMP, stamps of values whose last telling is not the import's:
 * somebody else's or, with STORE_UNDO_BACK, of an import that was taken back before. */
#define STORE_UNDO_BACK (UINT64_C(1) << 63)
#define STORE_UNDO_STAMP (UINT64_C(1) << 62)
bool store_batch_undo(struct store_batch *batch, struct proto_span told, const uint64_t *seqs,
                      size_t count, struct proto_fault *fault);
/* The id that the client gave the operation, and a digest of its request; the last to be added,
 * once. A batch whose id was applied before changes nothing and is answered as that one was,
 * `repeated`; PROTO_CONFLICT if its digest was another. A batch of nothing else asks:
 * PROTO_NOT_FOUND if the id was not applied. How long ids are remembered: PROTO_OPERATION_SECONDS,
 * PROTO_OPERATIONS_MAX. */
bool store_batch_operation(struct store_batch *batch, struct proto_span id, uint64_t digest,
                           struct proto_fault *fault);
/* The moment, by options.now_ms, at which the batch is refused with PROTO_DEADLINE if its turn has
 * not come; 0: none. */
void store_batch_deadline(struct store_batch *batch, int64_t deadline_ms);

/* Takes the batch. on_done runs on the writer thread, once, after the commit (or with a fault); it
 * must not block. False with *fault (PROTO_BUSY, PROTO_SHUTTING_DOWN): the batch is still the
 * caller's. A fault of one command names it by position: field "accounts[i]…". */
bool store_submit(struct store *store, struct store_batch *batch,
                  void (*on_done)(void *context, const struct store_result *result), void *context,
                  struct proto_fault *fault);
/* store_submit and wait; takes the batch in any case. False with result->fault. */
bool store_submit_wait(struct store *store, struct store_batch *batch, struct store_result *result);

/* Views. */
struct store_view *store_view_open(struct store *store, struct proto_fault *fault);
void store_view_close(struct store_view *view);
/* On a fault the view is at rest: nothing may be read through it before a refresh succeeds. */
bool store_view_refresh(struct store_view *view, struct proto_fault *fault);
void store_view_rest(struct store_view *view);
/* False with PROTO_LIMIT: its snapshot is older than view_ms_max and not the newest, and pages that
 * were freed since cannot be used again. To be asked now and then by work that does not refresh. */
bool store_view_young(const struct store_view *view, struct proto_fault *fault);
uint64_t store_view_seq(const struct store_view *view); /* last log sequence that it sees */
/* The last that every view sees which is refreshed from here on. Any thread; one load. */
uint64_t store_seq(const struct store *store);
uint32_t
store_view_slots(const struct store_view *view); /* slots are 0 … slots-1, deleted ones included */
uint64_t store_view_accounts(const struct store_view *view); /* living accounts */
/* Rows of which codebook, and complete up to which slot (exclusive). */
uint64_t store_view_rows_digest(const struct store_view *view);
uint32_t store_view_rows_slots(const struct store_view *view);

/* A slot names one account as long as the account lives; deleted, it may be given to another once
 * every view has seen that. Whoever remembers slots, as of `seq`, from one refresh to another, says
 * so, and no slot whose account is deleted after that is given again until the view is closed or
 * says UINT64_MAX. Any thread. */
void store_view_keep_slots(struct store_view *view, uint64_t seq);

/* Slot of a primary id, or of a key; STORE_NO_SLOT if there is none (fault untouched) or on a
 * fault. */
uint32_t store_find_id(struct store_view *view, struct proto_span id, struct proto_fault *fault);
uint32_t store_find_key(struct store_view *view, struct proto_span key, struct proto_fault *fault);
/* Record of a slot, checked against its checksum; false with PROTO_NOT_FOUND for a deleted slot,
 * PROTO_CORRUPT. Valid until the view is refreshed, rested or closed. */
bool store_record(struct store_view *view, uint32_t slot, struct proto_span *record,
                  struct proto_fault *fault);
/* What stands behind an account: itself, or, of a fold, its source records; and of a source record
 * whose fold it is part of. Of any slot that holds a record. */
struct store_source {
    struct proto_span record; /* valid as of store_record */
    uint32_t fold;            /* STORE_NO_SLOT: it is part of none */
    uint32_t entry;           /* newest identity entry that names it; 0: none does */
    uint64_t begun;           /* sequence that made it; 0: not known */
    uint32_t count;           /* source records of a fold; 0: it is none */
    uint32_t members[PROTO_IDENTITY_SOURCES_MAX];
};
bool store_source(struct store_view *view, uint32_t slot, struct store_source *source,
                  struct proto_fault *fault);
/* Records that are source records of folds, which store_view_accounts does not count; identity
 * entries so far. */
uint64_t store_view_sources(const struct store_view *view);
uint64_t store_view_folds(const struct store_view *view); /* accounts that they are parts of */
/* All records that were put: accounts without folds, and source records. */
uint64_t store_view_records(const struct store_view *view);
uint32_t store_view_entries(const struct store_view *view);
/* Documents of that kind so far; they are numbered from 1. */
uint32_t store_view_documents(const struct store_view *view, enum store_document_kind kind);
/* The slot of the record with that id, which may be a source record of another account;
 * STORE_NO_SLOT as store_find_id. */
uint32_t store_find_source(struct store_view *view, struct proto_span id,
                           struct proto_fault *fault);
/* An identity entry; PROTO_NOT_FOUND, PROTO_CORRUPT. */
struct store_identity_entry {
    struct identity_entry entry; /* act IDENTITY_NO_ACT: it was damaged and given up */
    struct proto_span text;      /* as it is stored; valid as a record is */
    int64_t time_ms;
    bool counts; /* the records that it names are those that have its ids now */
    bool joined; /* and they are one account */
};
bool store_identity_entry(struct store_view *view, uint32_t number,
                          struct store_identity_entry *identity, struct proto_fault *fault);
/* Codes of a slot (code_bytes long, followed by zero padding up to a multiple of 64 less 16),
 * checked; NULL with *fault left alone if there is no row of the current codebook yet or the slot
 * is deleted, PROTO_CORRUPT with *fault. */
const uint8_t *store_row(struct store_view *view, uint32_t slot, struct proto_fault *fault);
/* Many at once, for the hot path: hashes, prefetches in groups, looks up. slots[i] = STORE_NO_SLOT
 * if unknown; rows[i] as store_row. */
void store_find_many(struct store_view *view, const struct proto_span *ids, size_t count,
                     uint32_t *slots, const uint8_t **rows);
/* The slots alone, from the index in memory: a slot is certain; STORE_NO_SLOT says only that the
 * index cannot tell (no such account, texts that share a hash, a commit that this view does not
 * see): ask store_find_many. */
void store_find_slots(const struct store_view *view, const struct proto_span *ids, size_t count,
                      uint32_t *slots);
/* Begins the load of what the look-up of an id will need (step 0), or gives the slot that it will
 * probably find (step 1), so that the caller can do likewise; a hint without consequence. */
uint32_t store_peek(const struct store_view *view, struct proto_span id, unsigned step);
/* Whether no commit that this view does not see has written the row of the slot or one near it. May
 * be asked while the writer commits: the answer speaks of commits whose BEGIN was not yet told. */
bool store_view_is_latest(const struct store_view *view, uint32_t slot);

/* Rows of neighbouring slots as they lie in the map, for scans. Bit i of the masks speaks of slot
 * `slot` + i; codes of row i stand at codes + i · stride. */
#define STORE_ROWS_MAX 63
struct store_rows {
    const uint8_t *codes;
    size_t stride;
    uint32_t slot;
    unsigned count;   /* 1 … STORE_ROWS_MAX */
    uint64_t living;  /* rows of accounts */
    uint64_t damaged; /* rows that do not match their checksum: read the record instead */
};
/* The rows from `slot` to the end of its block, each checked; false, fault untouched, if there is
 * no row of the slot yet, and with *fault if the block cannot be read. Valid as a record is, and no
 * longer than to the next call. Cost: some 8 ns a row. */
bool store_rows(struct store_view *view, uint32_t slot, struct store_rows *rows,
                struct proto_fault *fault);

/* Every event of an account, of a fold those of all its source records, each once though several
 * have it, in the order in which they became known; ends early where each() says
 * false. What it is shown is valid for the call. False with *fault: PROTO_CORRUPT where anything of
 * the timeline is damaged or was lost, PROTO_NO_MEMORY. Cost: two look-ups, some 40 ns an event. */
bool store_timeline(struct store_view *view, uint32_t slot,
                    bool (*each)(void *context, const struct event *event), void *context,
                    struct proto_fault *fault);
/* The sequence of the newest commit that told anything of the slot since the store was opened, or
 * emptied its timeline, also of one that the view does not see yet; 0: none. What was worked out of
 * the timeline at a sequence not below it is as it was. Any thread. */
uint64_t store_view_told(const struct store_view *view, uint32_t slot);

/* What the values of an account were before, as the view sees it; to be given back with
 * store_history_fini, also after a fault; groups are valid as a record is. begun: the sequence that
 * made the account, 0 if that is not known. False with *fault: PROTO_CORRUPT where it is damaged or
 * was lost, PROTO_NO_MEMORY. Cost: two look-ups, some 20 ns a change. */
struct store_history;
bool store_history(struct store_view *view, uint32_t slot, struct store_history *history,
                   uint64_t *begun, struct proto_fault *fault);
/* Of accounts that were there before there was history nothing is known before that sequence, and
 * that time; 0: of all that are there. */
uint64_t store_history_since(const struct store_view *view, int64_t *known_ms);

/* A stored document as it was told; false with *fault (PROTO_NOT_FOUND, PROTO_CORRUPT). Valid as a
 * record is. */
bool store_document_get(struct store_view *view, enum store_document_kind kind, uint32_t number,
                        struct store_change *change, struct proto_fault *fault);
/* Switches of the active version, oldest first. */
bool store_switches(struct store_view *view,
                    void (*each)(void *context, const struct store_change *change), void *context,
                    struct proto_fault *fault);

struct store_stats {
#define X(name, kind, unit, help) uint64_t name;
#include "server/store/store_figure.def"
#undef X
};
void store_stats(struct store *store, struct store_stats *stats);

/* Reads everything once and checks every checksum, count and digest; on_bad is told of each fault,
 * by table and key or page, and by account where it is known: for people with the right to see it,
 * not for a log. Runs on the caller's thread with a view of its own. Returns the number of faults.
 *
 * Paced: no more than so many bytes a second (0: as fast as it goes; the log in steps of a
 * segment), on_progress asked some twenty times a second, false ends it with PROTO_CANCELLED. With
 * on_progress no snapshot is held for more than some seconds.
 *
 * *fault: what kept it from its end, PROTO_NO_MEMORY or PROTO_CANCELLED, else PROTO_OK; what the
 * disk does not give is a fault that is found. */
struct store_scrub_request {
    void (*on_bad)(void *context, const char *what);
    bool (*on_progress)(void *context, double done, const char *stage);
    void *context;
    uint64_t bytes_per_second;
};
uint64_t store_scrub_paced(struct store *store, const struct store_scrub_request *request,
                           struct proto_fault *fault);
uint64_t store_scrub(struct store *store, void (*on_bad)(void *context, const char *what),
                     void *context, struct proto_fault *fault);

#endif
