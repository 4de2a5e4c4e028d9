/* SPDX-License-Identifier: Apache-2.0 */
/* Table `history`: the pieces of what values of an account were before (past_piece.h). Which is the
 * newest piece of a slot says its entry in table `account`, so that one that a damaged page hides
 * is damage and not an account that never changed; that piece lists the others.
 *
 * What a fold adds stands behind all that the table has, in the order of slots: it costs the pages
 * that it fills. A small newest piece is written anew in its place instead, which costs its page. A
 * piece of which nothing is kept any more goes at once, so that nothing outlives its account.
 *
 * Ownership: groups borrow from overlay and transaction. Errors: PROTO_CORRUPT, those of the
 * tables. Threads: the transaction's owner. Cost of reading: a look-up for each piece, of which
 * there are at most STORE_PIECES_MAX, and a probe of each generation. */
#ifndef STORE_PAST_TABLE_H
#define STORE_PAST_TABLE_H

#include "server/store/past_piece.h"
#include "server/store/sight.h"
#include "server/store/store_account.h"

#define STORE_NO_RUN UINT32_MAX

/* Room to work in; some 35 kB. */
struct store_past_writer {
    uint32_t least; /* a newest piece up to that is written anew: STORE_PIECE_BYTES_LEAST */
    struct store_piece before, piece;
    uint8_t groups[STORE_PIECE_GROUPS_BYTES_MAX];
    uint8_t value[STORE_PIECE_VALUE_BYTES_MAX];
};

/* Adds what all pieces have, of which the newest is of that run: to be trimmed. */
bool store_past_table_get(const struct disk_txn *txn, uint32_t slot, uint32_t run,
                          struct store_history *history, struct proto_fault *fault);
/* Puts groups, which it trims, behind what the slot has, of which the newest piece is of run
 * `before`, STORE_NO_RUN if it has none, and keeps the sums; *run is that of its newest piece then.
 * New pieces are of the run of the transaction's state. PROTO_CORRUPT: that piece cannot be read,
 * and nothing was changed. */
bool store_past_table_add(struct disk_txn *txn, struct store_past_writer *writer, uint32_t slot,
                          uint32_t before, struct store_history *news, uint32_t *run,
                          struct proto_fault *fault);
/* Takes all pieces away. What lies behind a damaged page cannot be: then an empty one says that
 * nothing was. */
bool store_past_table_clear(struct disk_txn *txn, struct store_past_writer *writer, uint32_t slot,
                            uint32_t run, struct proto_fault *fault);

/* What the sight shows of a living account, trimmed; to be given back with store_history_fini, also
 * after a fault. */
bool store_history_read(const struct store_sight *sight, uint32_t slot,
                        struct store_history *history, struct proto_fault *fault);

#endif
