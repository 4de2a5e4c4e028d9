/* SPDX-License-Identifier: Apache-2.0 */
/* What is committed and not yet in the tables: versions of accounts, owners of ids and keys, and
 * documents, each with the log sequence that made it.
 *
 *   newest generation (active) ──older──▶ sealed ──older──▶ sealed, being folded ──▶ …
 *      slots: slot → cell → version ─older─▶ version …          newest first
 *      texts: (kind, hash, text) → cell → owner ─older─▶ owner …
 *      papers: document ─older─▶ document …
 *      told: slot → cell (the same) → event ─older─▶ event …; and (slot, hash) → event, for the
 *            writer alone
 *
 * A generation holds the sequences begin + 1 … end; it takes changes until it is sealed, is folded
 * into the tables as a whole, and is freed as a whole when no view can look into it any more. A
 * reader at sequence S takes the newest version whose sequence is at most S, and follows `older` no
 * further than it needs: a generation whose begin is at or before what the reader's tables hold is
 * the last one.
 *
 * Changes are linked before they are committed, with sequences that no reader has reached yet; what
 * could not be committed is unlinked again (store_overlay_undo). Linked memory is never changed or
 * moved: whoever still walks it is right.
 *
 * Shapes: memory in chunks of 1 MiB; tables of pointers to cells (cells.h). Ownership: the
 * generation owns all; spans given are copied. Errors: PROTO_NO_MEMORY. Threads: one writer,
 * readers without locks (release on linking, acquire on looking up). Cost: some 150 ns a change
 * beside copying; a look-up two cache misses. */
#ifndef STORE_OVERLAY_H
#define STORE_OVERLAY_H

#include "server/disk/state.h"
#include "server/store/cells.h"
#include "server/store/hasher.h"
#include "server/store/store.h"

/* An account as of one sequence. */
struct store_version {
    struct store_version *older;
    uint64_t seq;
    uint64_t digest;         /* codebook of the row */
    struct proto_span value; /* as in table `account` (store_account.h) */
    const uint8_t *row;      /* as in a block of rows; NULL: none was encoded */
    size_t row_bytes;
    struct proto_span past; /* what it adds to the history of the account (past.h) */
    bool past_had;          /* something older is there */
    bool past_anew;         /* and does not count any more: the account began, or ended, here */
};

/* Whom an id or key names from one sequence on. */
struct store_owner {
    struct store_owner *older;
    uint64_t seq;
    uint32_t slot; /* STORE_NO_SLOT: nobody */
};

/* A document: a sealed value of one of the tables of documents. */
struct store_paper {
    struct store_paper *older;
    uint64_t seq;
    enum disk_table table;
    uint64_t key;
    bool again; /* the tables, or an older one, have a value of that key */
    struct proto_span value;
};

/* An event of an account, or the end of all that were told of the slot before: its account was
 * deleted. */
struct store_happening {
    struct store_happening *older; /* of the slot */
    uint64_t seq;
    int64_t known_ms;
    uint64_t hash; /* event_hash */
    uint32_t slot;
    bool cut;
    bool dead;               /* the writer's: it was taken back */
    struct proto_span event; /* as event_encode has it; empty of a cut */
};

struct store_slot_cell {
    uint32_t slot;
    uint32_t told_count; /* the writer's: events since the last cut */
    uint64_t cut_seq;    /* the writer's: of the last cut; 0: there is none */
    _Atomic(struct store_version *) newest;
    _Atomic(struct store_happening *) told;
};

struct store_text_cell {
    uint64_t hash;
    struct proto_span text;
    enum store_kind kind;
    uint32_t before; /* owner when the generation began */
    _Atomic(struct store_owner *) newest;
};

struct store_chunk;

struct store_generation {
    struct store_generation *older;
    _Atomic bool folded;          /* and the folder will not look at it again */
    struct store_generation *due; /* the folder's: the next to be folded */
    uint64_t begin;
    uint64_t end;            /* last sequence; set when it is sealed */
    int64_t time_ms;         /* of its last commit; set when it is sealed */
    struct disk_state after; /* counters at its end; set when it is sealed */
    _Atomic uint64_t digest; /* codebook of its rows; 0: it has none */
    _Atomic uint32_t least;  /* lowest slot that was changed; STORE_NO_SLOT: none was */
    _Atomic(struct store_cells *) slots;
    _Atomic(struct store_cells *) texts;
    _Atomic(struct store_paper *) papers;
    _Atomic(struct store_cells *) tolds; /* NULL: no event was told */
    size_t told_count;                   /* the writer's, cuts included */
    size_t slot_count, text_count;       /* the writer's; fixed once it is sealed */
    struct store_chunk *chunks;
    size_t bytes; /* of memory */
};

/* The next one that may have changes which tables that hold everything up to `folded` have not. */
static inline const struct store_generation *
store_generation_older(const struct store_generation *generation, uint64_t folded)
{
    return generation->begin <= folded ? NULL : generation->older;
}

struct store_generation *store_generation_create(uint64_t begin, uint64_t digest,
                                                 struct store_generation *older,
                                                 struct proto_fault *fault);
void store_generation_destroy(struct store_generation *generation);

/* The newest version of a slot at or before `seq` in this generation; NULL: it has none. */
const struct store_version *store_generation_version(const struct store_generation *generation,
                                                     uint32_t slot, uint64_t seq);
const struct store_owner *store_generation_owner(const struct store_generation *generation,
                                                 enum store_kind kind, uint64_t hash,
                                                 struct proto_span text, uint64_t seq);
const struct store_paper *store_generation_paper(const struct store_generation *generation,
                                                 enum disk_table table, uint64_t key, uint64_t seq);

/* The newest that was told of a slot, whatever its sequence; NULL: nothing was. */
const struct store_happening *store_generation_told(const struct store_generation *generation,
                                                    uint32_t slot);
/* The event that is known by source and id, since the last cut; NULL: it was not told here. Adds
 * the events since the last cut to *count; *cut: there is one, and nothing older counts. The
 * writer.
 */
const struct store_happening *store_generation_told_find(const struct store_generation *generation,
                                                         uint32_t slot, const struct event *event,
                                                         uint64_t hash, uint32_t *count, bool *cut);

/* Slots with a version after `after` and up to `seq`, in no order; false as soon as each() says so.
 */
bool store_generation_each(const struct store_generation *generation, uint64_t after, uint64_t seq,
                           bool (*each)(void *context, const uint32_t *slots, size_t count),
                           void *context);

/* The links of a group that is not committed yet, so that they can be taken back. */
enum store_link_kind { STORE_LINK_VERSION, STORE_LINK_OWNER, STORE_LINK_PAPER, STORE_LINK_TOLD };
struct store_link {
    enum store_link_kind kind;
    void *cell;
};
struct store_links {
    struct store_link *list;
    size_t count, room;
};

/* The writer. Room for a version whose value and row the caller fills; linked by the next call. */
struct store_version *store_overlay_version(struct store_generation *generation, size_t value_bytes,
                                            size_t row_bytes, uint8_t **value, uint8_t **row,
                                            struct proto_fault *fault);
/* A copy of what it adds to the history. */
bool store_overlay_past(struct store_generation *generation, struct store_version *version,
                        struct proto_span past, struct proto_fault *fault);
bool store_overlay_link(struct store_generation *generation, uint32_t slot,
                        struct store_version *version, struct store_links *links,
                        struct proto_fault *fault);
/* From `seq` on the text names `now`; `was` is whom it names before. */
bool store_overlay_own(struct store_generation *generation, enum store_kind kind, uint64_t hash,
                       struct proto_span text, uint32_t was, uint32_t now, uint64_t seq,
                       struct store_links *links, struct proto_fault *fault);
/* Room for a sealed value of `bytes` bytes, which the caller fills before the commit. */
struct store_paper *store_overlay_paper(struct store_generation *generation, enum disk_table table,
                                        uint64_t key, size_t bytes, uint64_t seq, uint8_t **value,
                                        struct store_links *links, struct proto_fault *fault);
/* An event of the slot, as event_encode has it; empty: all before is gone. */
bool store_overlay_tell(struct store_generation *generation, const struct store_happening *told,
                        struct store_links *links, struct proto_fault *fault);
/* Takes back all links that are listed, and forgets them. */
void store_overlay_undo(struct store_generation *generation, struct store_links *links);

/* Cells of the tables in no order, for the folder: `list` has room for slot_count or text_count. */
size_t store_generation_slots(const struct store_generation *generation,
                              struct store_slot_cell **list);
size_t store_generation_texts(const struct store_generation *generation,
                              struct store_text_cell **list);
/* The slots of which something was told; room for slot_count. */
size_t store_generation_tolds(const struct store_generation *generation,
                              struct store_slot_cell **list);

#endif
