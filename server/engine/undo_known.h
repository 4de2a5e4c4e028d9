/* SPDX-License-Identifier: Apache-2.0 */
/* What an undo of an import knows of others' hands: which batches are the import's, which are of
 * imports that were taken back before (or took those back), and who of them told which accounts,
 * with which source and time, so that a value that was told again can be laid at somebody's door.
 *
 * Ownership: borrows the batches; lists are its own, engine_undo_known_fini, also after a fault.
 * Errors: PROTO_LIMIT beyond ENGINE_UNDO_STAMPS_MAX tellings, PROTO_CORRUPT, PROTO_NO_MEMORY, those
 * of reading the log. Threads: one. Cost: the log read once, 8 bytes for each account that was told
 * in those batches. */
#ifndef ENGINE_UNDO_KNOWN_H
#define ENGINE_UNDO_KNOWN_H

#include "server/engine/imports.h"
#include "server/store/store_undo.h"

#define ENGINE_UNDO_STAMPS_MAX (UINT64_C(1) << 26) /* half a GiB of them */

struct engine_undo_stamps {
    uint64_t *list; /* ascending */
    size_t count, room;
};

struct engine_undo_known {
    const struct engine_import_batches *batches;
    struct engine_undo_stamps own, gone;
    uint64_t *said; /* what a command must know of one account, for store_batch_undo */
    size_t said_count, said_room;
    struct proto_fault fault; /* of keeping it */
};

/* goes_on as of engine_imports_read. */
bool engine_undo_known_read(struct engine *engine, const struct engine_imports *imports,
                            bool (*goes_on)(void *context, struct proto_fault *fault),
                            void *context, struct engine_undo_known *known,
                            struct proto_fault *fault);
void engine_undo_known_fini(struct engine_undo_known *known);

/* Callbacks of struct store_undo; the context of both is the known, of teller not a const one: what
 * it was asked is what a command must know. */
enum store_whose engine_undo_whose(const struct engine_undo_known *known, uint64_t seq);
enum store_whose engine_undo_teller(struct engine_undo_known *known, uint64_t stamp);
/* Another account is asked about. */
void engine_undo_known_turn(struct engine_undo_known *known);
/* Adds the sequences that the account's history names to what was asked. */
bool engine_undo_known_history(struct engine_undo_known *known, const struct store_history *history,
                               uint64_t begun, struct proto_fault *fault);

#endif
