/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of look-alike vectors, kept so that a start need not build them, and what has changed
 * since. The store knows nothing of their content: the engine gives and takes them.
 *
 * A generation of blocks is a set of vectors as of one log sequence. It is written in many
 * transactions between other work, and becomes the one in force in a single one, publish; blocks of
 * others are then dropped in slices. From the first `begin` on, every fold also keeps which slots
 * it changed, in the same transaction, until a generation that has seen it is published. So whoever
 * opens the generation in force and brings the slots that changed since up to date, has the set as
 * of now, whatever was killed when (docs/decisions/lookalike-store.md).
 *
 *   table `vector`   0                                   → head, sealed: a = generation,
 *                                                          text = u64 seq, then the engine's text
 *                    generation << 40 | kind << 32 | n   → u64 check, 56 bytes zero, block
 *                    1 << 63 | seq                       → sealed: a = slots, text = u32 slots
 *
 * A block begins 80 bytes behind a page's begin, so 16 past a cache line, as server/similar wants
 * it. Ownership: as stated. Errors: PROTO_CORRUPT, PROTO_DISK_FULL, PROTO_IO, PROTO_NO_MEMORY,
 * PROTO_SHUTTING_DOWN. Threads: writing from any thread, which waits for the folder; reading with a
 * view. Cost: writing a generation is bound by the disk. */
#ifndef STORE_VECTOR_BLOCKS_H
#define STORE_VECTOR_BLOCKS_H

#include "server/store/store.h"

#define STORE_VECTOR_HEADER_BYTES 64
#define STORE_VECTOR_KINDS 16 /* kinds are below */

struct store_vector_block {
    unsigned kind;
    uint32_t number;
    struct proto_span bytes;
};

/* A number for a new generation, above all that are stored. Commits after this keep their slots. */
bool store_vectors_begin(struct store *store, uint32_t *generation, struct proto_fault *fault);
/* In one transaction: a few megabytes at a time, so that other writes pass in between. */
bool store_vectors_put(struct store *store, uint32_t generation,
                       const struct store_vector_block *blocks, size_t count,
                       struct proto_fault *fault);
/* The generation comes into force: it has seen every change up to `seq`. */
bool store_vectors_publish(struct store *store, uint32_t generation, uint64_t seq,
                           struct proto_span text, struct proto_fault *fault);

struct store_vectors_head {
    uint32_t generation; /* 0: there is none */
    uint64_t seq;
    struct proto_span text;
};
/* Spans are valid as a record of the view is. */
bool store_vectors_head(struct store_view *view, struct store_vectors_head *head,
                        struct proto_fault *fault);
/* One block, checked; empty if there is none. */
bool store_vectors_block(struct store_view *view, uint32_t generation, unsigned kind,
                         uint32_t number, struct proto_span *block, struct proto_fault *fault);
/* Slots changed by commits after `seq`, each commit's in turn, some more than once. each() returns
 * false to end with PROTO_NO_MEMORY. */
bool store_vectors_touched(struct store_view *view, uint64_t seq,
                           bool (*each)(void *context, const uint32_t *slots, size_t count),
                           void *context, struct proto_fault *fault);

#endif
