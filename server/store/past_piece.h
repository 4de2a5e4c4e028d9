/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of an account's history: a value of the table `history`. A fold that has something to add
 * puts it into a piece of its own, behind all that the table has, and touches none of before; only
 * a newest piece that is small is written anew with what comes (past_table.h).
 *
 *    key: run · 2^32 + slot; runs count folds (disk_state.history_runs). Those of builds from
 * before there were pieces have run 0 0 u64 check (table check)   8 u32 flags: 1 lost, 2 gone, 4
 * older pieces are listed 12 u32 groups   16 u64 sequence and 24 i64 known time of the newest group
 * that is gone 32 with 4: number of older pieces, then for each, the newest first, how many runs it
 * is older than the one before it in the list, and the bytes of its groups (numbers:
 *      server/event/event_number.h); then
 *      groups, oldest first (past.h)
 *
 * The account's entry in table `account` names the run of its newest piece, which lists all others:
 * one that a damaged page hides, or an older one in its place, is damage and not an answer. Lost,
 * gone and the list are those of the newest piece; in the others they are what was so then.
 *
 * Ownership: groups borrow from the value. Errors: PROTO_CORRUPT. Threads: pure. Cost: one XXH3 of
 * the value. */
#ifndef STORE_PAST_PIECE_H
#define STORE_PAST_PIECE_H

#include "server/store/past.h"

#define STORE_PIECE_HEADER_BYTES 32u
/* A newest piece whose groups come to no more than that with what is added is written anew. Two
 * that follow each other are larger together, so that there are never many. */
#define STORE_PIECE_BYTES_LEAST 512u
#define STORE_PIECES_MAX (2 * PROTO_HISTORY_BYTES_MAX / STORE_PIECE_BYTES_LEAST + 2)
#define STORE_PIECE_LIST_BYTES_MAX (3u + (STORE_PIECES_MAX + 1) * 8u)
#define STORE_PIECE_GROUPS_BYTES_MAX (PROTO_HISTORY_BYTES_MAX + STORE_PIECE_BYTES_LEAST)
#define STORE_PIECE_VALUE_BYTES_MAX                                                                \
    (STORE_PIECE_HEADER_BYTES + STORE_PIECE_LIST_BYTES_MAX + STORE_PIECE_GROUPS_BYTES_MAX)

struct store_piece_place {
    uint32_t run;
    uint32_t bytes; /* of its groups */
};

struct store_piece {
    bool lost, gone;
    uint64_t gone_seq;
    int64_t gone_known_ms;
    uint32_t run;
    uint32_t group_count;
    struct proto_span groups;
    uint32_t older_count;
    struct store_piece_place older[STORE_PIECES_MAX + 1]; /* newest first; one more on the way */
};

static inline uint64_t store_piece_key(uint32_t slot, uint32_t run)
{
    return (uint64_t)run << 32 | slot;
}

/* `out` has room for STORE_PIECE_VALUE_BYTES_MAX; returns the bytes. */
size_t store_piece_encode(const struct store_piece *piece, uint32_t slot, uint8_t *out);
bool store_piece_open(uint64_t key, struct proto_span value, struct store_piece *piece,
                      struct proto_fault *fault);
/* A piece of all groups of a history, in `groups`, which has room for STORE_PIECE_GROUPS_BYTES_MAX.
 */
void store_piece_fill(struct store_piece *piece, const struct store_history *history,
                      uint8_t *groups);

#endif
