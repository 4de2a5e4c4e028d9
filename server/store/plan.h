/* SPDX-License-Identifier: Apache-2.0 */
/* Works out what a batch changes, before anything is changed. A plan starts from what the
 * sight shows, follows the commands of one batch in order, and ends with the accounts, texts
 * and documents that the batch leaves behind: so a batch that is refused has touched nothing, and
 * an account that a batch names ten times is written once. store_apply (apply.h) takes a finished
 * plan.
 *
 * Ownership: a plan is kept by the writer and reset for each batch; it borrows from the batch and
 * from what the sight shows. Errors: PROTO_CONFLICT, PROTO_NOT_FOUND, PROTO_LIMIT
 * and others, with the position in fault->field ("accounts[3].keys[1]"); PROTO_CORRUPT;
 * PROTO_NO_MEMORY. Threads: the writer. Cost: about a µs an account beside reading what is stored.
 */
#ifndef STORE_PLAN_H
#define STORE_PLAN_H

#include "server/store/patch.h"
#include "server/store/reuse.h"

/* An account that the batch touches, as it will be. */
struct store_plan_account {
    uint32_t slot;
    uint32_t created_s;
    uint32_t changed_s;
    bool changed;
    struct proto_span record;  /* empty: deleted */
    bool fresh;                /* the batch makes it */
    uint64_t begun;            /* sequence that made it, if it is not */
    bool past_had;             /* it has history that is stored */
    bool past_anew;            /* which does not count any more */
    struct proto_span past;    /* what the batch adds to its history: groups without sequence */
    bool retold;               /* its timeline is another, though nothing was told of it itself */
    uint32_t entry;            /* newest identity entry that names it; 0: none */
    uint32_t fold;             /* the account that it is a source record of; STORE_NO_SLOT: none */
    struct proto_span members; /* of a fold: its source records, u32 each */
    uint32_t cell;
};

/* An id or key whose owner the batch asked for or changes. */
struct store_plan_text {
    uint64_t hash;
    struct proto_span text;
    enum store_kind kind;
    uint32_t was; /* slot, or STORE_NO_SLOT */
    uint32_t now;
    uint32_t cell;
};

/* An event that is new, or the end of what a slot's deleted account had. */
struct store_plan_event {
    uint32_t slot;
    bool cut;
    bool dropped; /* its account was deleted further on */
    uint64_t hash;
    int64_t known_ms;
    struct proto_span bytes; /* as the command has it */
    uint32_t cell;
};

struct store_plan_document {
    enum store_document_kind kind;
    uint32_t number;
    struct disk_sealed sealed;
    struct proto_span slots; /* of a list: of its accounts, u32 each; held */
    bool again;              /* one of the number is stored already */
};

/* Open addressing over positions in one of the lists; a cell holds position + 1. */
struct store_plan_cells {
    uint32_t *at;
    size_t count; /* a power of two */
};

struct store_plan {
    struct store_reuse *reuse; /* where slots of deleted accounts come from; NULL: the batch is one
                                  of the log again, and says itself which it had */
    size_t reuse_most;         /* slots that the batch may take there */
    const struct store_sight *sight;
    const struct store_hasher *hasher;
    uint32_t events_max; /* of one account */
    int64_t now_ms;
    struct disk_state next; /* counters as they will be; sums and entries are the matter of apply */
    struct store_plan_account *accounts;
    size_t account_count, account_room;
    struct store_plan_text *texts;
    size_t text_count, text_room;
    struct store_plan_document *documents;
    size_t document_count, document_room;
    uint8_t **kept; /* records that the plan made; texts point into them too */
    size_t kept_count, kept_room;
    uint8_t **held; /* what on_change is told of beside documents, until the group is told */
    size_t held_count, held_room;
    struct store_plan_event *events;
    size_t event_count, event_room;
    struct store_plan_cells event_cells;
    struct store_plan_cells account_cells;
    struct store_plan_cells text_cells;
    struct store_patch_room patch_room;
    uint8_t *past_room; /* entries of a group that is being made */
    size_t past_room_bytes;
    uint32_t *again; /* slots of deleted accounts that its new accounts got */
    size_t again_count, again_room;
    struct proto_span given; /* the same, as the log has them */
    size_t given_at;
    bool relist;    /* who is an account changed among those of lists: they are to be told again */
    uint32_t count; /* accounts put, patched or deleted; events and identity entries that are new */
    uint32_t created;
    struct proto_span operation; /* id, empty if the batch has none */
    uint64_t operation_digest;
};

void store_plan_init(struct store_plan *plan, const struct store_hasher *hasher);
void store_plan_fini(struct store_plan *plan);
/* `state`: the counters as of what the sight shows. */
bool store_plan_batch(struct store_plan *plan, const struct store_sight *sight,
                      const struct disk_state *state, struct proto_span commands, int64_t now_ms,
                      struct proto_fault *fault);

/* The account of a slot that is stored, as the plan has it so far; until the next is loaded or
 * added. NULL with *fault. */
struct store_plan_account *store_plan_account_load(struct store_plan *plan, uint32_t slot,
                                                   struct proto_fault *fault);
/* The text with its owner. owner: the slot that is known to own it in the table, STORE_NO_SLOT if
 * that has to be looked up; plan.c. */
struct store_plan_text *store_plan_text_load(struct store_plan *plan, enum store_kind kind,
                                             struct proto_span text, uint32_t owner,
                                             struct proto_fault *fault);
struct store_command;
/* Opens the record of a command, and whose id it is so far. NULL with *fault. */
struct store_plan_text *store_plan_named(struct store_plan *plan,
                                         const struct store_command *command,
                                         struct feature_record *parts, struct proto_fault *fault);
/* Gives the account another record, or none (an empty span). Texts of the plan may point into the
 * one that goes: it is the batch's, the transaction's or kept. */
bool store_plan_set(struct store_plan *plan, uint32_t slot, struct proto_span record,
                    struct proto_fault *fault);
/* An id that does not exist is passed over: deleting twice is the same as once. */
bool store_plan_delete(struct store_plan *plan, const struct store_command *command,
                       struct proto_fault *fault);
/* plan_undo.c. An account that is gone is passed over. */
bool store_plan_undo(struct store_plan *plan, const struct store_command *command,
                     struct proto_fault *fault);
/* plan_slot.c. A slot for a new account: a free one, or next.slots, which the caller counts;
 * STORE_NO_SLOT with *fault. */
uint32_t store_plan_slot(struct store_plan *plan, struct proto_fault *fault);
/* Finds what the log says of the batch's slots, if it is one of the log. */
bool store_plan_given(struct store_plan *plan, struct proto_span commands,
                      struct proto_fault *fault);
/* The document of a command, under the next number of its kind; plan_document.c. */
bool store_plan_document(struct store_plan *plan, enum store_document_kind kind,
                         const struct store_command *command, struct proto_fault *fault);
/* The number that a document gets: the next of its kind, which must be the one that is wanted
 * unless that is 0. */
bool store_plan_document_number(const struct store_plan *plan, enum store_document_kind kind,
                                uint32_t wanted, uint32_t *number, struct proto_fault *fault);
/* A document of that number, which may be there already; of this moment. NULL with *fault. */
struct store_plan_document *store_plan_document_put(struct store_plan *plan,
                                                    enum store_document_kind kind, uint32_t number,
                                                    const struct disk_sealed *sealed,
                                                    struct proto_fault *fault);
/* A list of the command's number as one that was given up, in the place of what is stored. */
bool store_plan_drop(struct store_plan *plan, const struct store_command *command,
                     struct proto_fault *fault);
/* Switching to what is active already changes nothing, so that a repeated request does no harm. */
bool store_plan_switch(struct store_plan *plan, uint32_t version, struct proto_span reason,
                       struct proto_fault *fault);

/* plan_event.c. The event of a command, unless the account has it; PROTO_NOT_FOUND, PROTO_CONFLICT,
 * PROTO_LIMIT with the member in fault->field. */
bool store_plan_event(struct store_plan *plan, const struct store_command *command,
                      struct proto_fault *fault);
/* The account of the slot is deleted: so are its events, those of the batch too. */
bool store_plan_event_cut(struct store_plan *plan, uint32_t slot, struct proto_fault *fault);

/* plan_fold.c. The slot of the source record that the text names: that of an account, or, of a
 * fold, of the source record that has it. STORE_NO_SLOT stays; so does *slot on a fault. */
bool store_plan_source(struct store_plan *plan, enum store_kind kind, struct proto_span text,
                       uint32_t *slot, struct proto_fault *fault);
/* Works the record of a fold out anew; PROTO_LIMIT, PROTO_TOO_LARGE where it would be too large. */
bool store_plan_fold(struct store_plan *plan, uint32_t slot, struct proto_fault *fault);
/* The source record of the slot, if it is one, has changed. */
bool store_plan_refold(struct store_plan *plan, uint32_t slot, struct proto_fault *fault);
/* plan_identity.c. An identity entry: whom it names is found, and which records are one account is
 * worked out anew for all that links and merges reach from there. PROTO_NOT_FOUND, PROTO_CONFLICT,
 * PROTO_LIMIT with the member in fault->field. */
bool store_plan_identity(struct store_plan *plan, const struct store_command *command,
                         struct proto_fault *fault);
/* plan_regroup.c. Which records are one account, worked out anew for all that is reached from the
 * source records of the slots, u32 each. number: of the entry that is new; 0: none is, one of their
 * account has gone. */
bool store_plan_regroup(struct store_plan *plan, struct proto_span slots, uint32_t number,
                        struct proto_fault *fault);

/* plan_past.c. What becomes of the account's values when its record becomes `now`, by a patch or
 * (NULL) a put; before that is so. */
bool store_plan_past(struct store_plan *plan, struct store_plan_account *account,
                     struct proto_span now, const struct store_command *patch,
                     struct proto_fault *fault);
/* What it was before that time is not known. */
bool store_plan_past_mark(struct store_plan *plan, struct store_plan_account *account,
                          int64_t known_ms, struct proto_fault *fault);

/* The document of a schema as the next version, with ids for its fields; document_schema.c. The
 * text lives until the plan is reset. PROTO_BAD_SCHEMA and what else feature_schema_parse says;
 * PROTO_CORRUPT if the version before cannot be read. */
bool store_plan_schema(struct store_plan *plan, struct proto_span given,
                       struct proto_span *numbered, struct proto_fault *fault);

/* The lists; plan_list.c. NULL with *fault if memory is out. */
void store_plan_reset(struct store_plan *plan);
struct store_plan_account *store_plan_account_find(struct store_plan *plan, uint32_t slot);
struct store_plan_account *store_plan_account_add(struct store_plan *plan, uint32_t slot,
                                                  struct proto_fault *fault);
struct store_plan_text *store_plan_text_find(struct store_plan *plan, enum store_kind kind,
                                             uint64_t hash, struct proto_span text);
struct store_plan_text *store_plan_text_add(struct store_plan *plan, enum store_kind kind,
                                            uint64_t hash, struct proto_span text,
                                            struct proto_fault *fault);
/* The next event of the batch with slot and hash; *cell: UINT32_MAX for the first, then as it was
 * left. NULL: there is none. */
struct store_plan_event *store_plan_event_find(struct store_plan *plan, uint32_t slot,
                                               uint64_t hash, uint32_t *cell);
struct store_plan_event *store_plan_event_add(struct store_plan *plan, uint32_t slot, uint64_t hash,
                                              struct proto_fault *fault);
struct store_plan_document *store_plan_document_add(struct store_plan *plan,
                                                    struct proto_fault *fault);
/* Takes a malloc'ed record or document until the reset; frees it at once if it fails. */
bool store_plan_keep(struct store_plan *plan, uint8_t *record, struct proto_fault *fault);
/* The same until the next group begins. */
bool store_plan_hold(struct store_plan *plan, uint8_t *told, struct proto_fault *fault);
/* A group of batches begins: what was held goes. */
void store_plan_turn(struct store_plan *plan);

#endif
