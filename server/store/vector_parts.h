/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's side of vector_blocks.h. Threads: the writer's, but for what is said. */
#ifndef STORE_VECTOR_PARTS_H
#define STORE_VECTOR_PARTS_H

#include "server/disk/txn.h"
#include "server/store/vector_blocks.h"

#define STORE_VECTOR_HEAD_KEY 0
#define STORE_VECTOR_TOUCH (UINT64_C(1) << 63)

static inline uint64_t store_vector_key(uint32_t generation, unsigned kind, uint32_t number)
{
    return (uint64_t)generation << 40 | (uint64_t)kind << 32 | number;
}

/* What the writer knows of the table. */
struct store_vectors {
    bool keeping;        /* slots of commits */
    bool dropping;       /* something old may be left */
    uint32_t generation; /* in force; 0: none */
    uint32_t writing;    /* begun, not published; 0: none */
    uint64_t seq;        /* of the generation in force */
};

enum store_vectors_step { STORE_VECTORS_BEGIN, STORE_VECTORS_PUT, STORE_VECTORS_PUBLISH };

/* A request to the writer, in the queue of batches. */
struct store_vectors_turn {
    enum store_vectors_step step;
    uint32_t generation;
    const struct store_vector_block *blocks;
    size_t count;
    uint64_t seq;
    struct proto_span text;
    struct proto_fault fault;
};

struct store;

/* At opening. */
bool store_vectors_load(struct store *store, const struct disk_txn *txn, struct proto_fault *fault);
/* Within a commit of batches: keeps the slots that it changed. */
bool store_vectors_touch(struct store *store, struct disk_txn *txn, struct proto_fault *fault);
void store_vectors_take_turn(struct store *store, struct store_vectors_turn *turn);
/* One slice of dropping; true if there is more. */
bool store_slice_vectors(struct store *store);
/* queue.c: hands the turn to the writer and waits. Any thread. */
bool store_turn_wait(struct store *store, struct store_vectors_turn *turn,
                     struct proto_fault *fault);

#endif
