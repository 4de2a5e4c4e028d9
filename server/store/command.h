/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as bytes: what a batch is made of, what the log holds, and what the writer applies.
 *
 *    0 u8 kind (commands.def)   1 u8 flags: 1 activate; of a patch 1 create, 2 dated
 *    2 u16 reserved (0)
 *    4 u32 version
 *    8 u32 text bytes   12 u32 extra bytes   16 text, then extra; the next command follows at once
 *
 *   kind      text               extra                         version
 *   put       record             –                             –
 *   patch     record             field ids to take away, u16   –
 *             (with create one that is not there is put;
 *             dated: what is stored of a later time than a
 *             value's, or for a field to take away than the
 *             record's own, stays)
 *   delete    primary id         –                             –
 *   schema    document           –                             0: the next, which gives ids to
 *                                                              the fields; else what it gets
 *   icp       document           reason, if it is activated    0: the next
 *   activate  –                  reason                        which
 *   revert    –                  reason                        –
 *   tal       document           slots in order of rank, u32   the number it gets
 *                                (no longer written: slots mean nothing on another node)
 *   list      document           ids in order of rank, u8      the number it gets
 *                                bytes and text each
 *   operation id that the client     u64 digest of its request     –
 *             gave the operation; the last command of its batch
 *   author    who wrote the batch, as  –                           –
 *             the audit shows it; changes nothing
 *   slots     slots of deleted         –                           –
 *             accounts that the first
 *             new accounts of the
 *             batch got, u32 each; put
 *             by the writer, last of all
 *   place     record, whose times it   groups of its history       1: extra is all of it;
 *             keeps; a new account     without sequences (past.h)  0: it is not known
 *   time      i64 ms since 1970: the   –                           –
 *             commands behind it happened then
 *   drop      –                        reason                      the list that is given up
 *   event     id or key of the account the event (server/event/      0: id, 1: key
 *                                      event.h)
 *   import    id of the import that    by version: what the import   store_import_word
 *             the batch is of; changes is called; what was taken
 *             nothing                  back of it
 *   undo      record as a batch of     sequences of the import that  –
 *             an import told it        concern the account, u64 each
 *             (store_undo.h)
 *   identity  the entry                both ids as keys, u8 bytes   1: it counts for nobody: a
 *             (server/identity/        and text each; no bytes      record of it was deleted
 *             identity_entry.h)        where one is none
 *   term      the entry of a plan      –                          number, or 0
 *             with its hash
 *   metric    definition of a metric     –                         the number it gets
 *   challenge document           –                           the number it gets; 0: the next
 *   segment   document           –                           the number it gets; 0: the next
 *   position  where in a shared  –                           code of the error that the rest of
 *             log the batch stands                           the batch was refused with, or 0
 *             (position.h); first of all
 *
 * Ownership: a batch owns its bytes; decoded commands borrow. Errors: PROTO_CORRUPT for bytes that
 * are not commands, PROTO_TOO_LARGE for a batch that outgrows its limit. Threads: one thread a
 * batch. */
#ifndef STORE_COMMAND_H
#define STORE_COMMAND_H

#include "server/disk/layout.h"
#include "server/store/store.h"

#define STORE_COMMAND_HEADER_BYTES 16
/* A batch is one value in the log and is held in memory whole: four of the largest frames. */
#define STORE_BATCH_BYTES_MAX (4u * (size_t)PROTO_FRAME_BYTES_MAX)
#define STORE_REASON_BYTES_MAX 4096u /* a reason is a sentence or two */

enum store_command_kind {
    STORE_COMMAND_PUT = 1,
    STORE_COMMAND_PATCH,
    STORE_COMMAND_DELETE,
    STORE_COMMAND_SCHEMA,
    STORE_COMMAND_ICP,
    STORE_COMMAND_ACTIVATE,
    STORE_COMMAND_REVERT,
    STORE_COMMAND_TAL,
    STORE_COMMAND_LIST,
    STORE_COMMAND_OPERATION,
    STORE_COMMAND_AUTHOR,
    STORE_COMMAND_SLOTS,
    STORE_COMMAND_PLACE,
    STORE_COMMAND_TIME,
    STORE_COMMAND_DROP,
    STORE_COMMAND_EVENT,
    STORE_COMMAND_IMPORT,
    STORE_COMMAND_UNDO,
    STORE_COMMAND_IDENTITY,
    STORE_COMMAND_TERM,
    STORE_COMMAND_METRIC,
    STORE_COMMAND_CHALLENGE,
    STORE_COMMAND_SEGMENT,
    STORE_COMMAND_POSITION,
    STORE_COMMAND_LAST = STORE_COMMAND_POSITION,
};

struct store_command {
    enum store_command_kind kind;
    bool activate;
    unsigned patch; /* flags of a patch, enum store_patch_flag */
    uint32_t version;
    struct proto_span text;
    struct proto_span extra;
};

struct store_batch {
    uint8_t *data;
    size_t bytes;
    size_t capacity;
    uint32_t commands;
    bool adds;                                    /* more than deletions, and no switches alone */
    bool timed;                                   /* it is one of the log again: */
    int64_t time_ms;                              /* and has the time that it had */
    uint8_t operation[PROTO_OPERATION_BYTES_MAX]; /* its id, if it has one */
    uint8_t operation_bytes;
    uint64_t operation_digest;
    int64_t deadline_ms; /* by the store's clock; 0: none */
    uint64_t shared_seq; /* of an entry of a shared log (position.h); 0: it is none */
};

/* The writer: says which slots the batch took. */
bool store_batch_slots(struct store_batch *batch, struct proto_span slots,
                       struct proto_fault *fault);
/* Makes room for that, so that what borrows from the batch stays where it is; returns for how many:
 * at most `most`, one a command, and none where there is no room. */
size_t store_batch_slots_room(struct store_batch *batch, size_t most);

/* Reads the command at *at and moves on; false at the end (fault untouched) or for bytes that are
 * no command (*at then stays before the end). */
bool store_command_next(struct proto_span bytes, size_t *at, struct store_command *command,
                        struct proto_fault *fault);

#endif
