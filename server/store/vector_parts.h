/* SPDX-License-Identifier: Apache-2.0 */
/* The folder's side of vector_blocks.h. Threads: the folder's, but for what is said. */
#ifndef STORE_VECTOR_PARTS_H
#define STORE_VECTOR_PARTS_H

#include <pthread.h>

#include "server/disk/txn.h"
#include "server/store/vector_blocks.h"

#define STORE_VECTOR_HEAD_KEY 0
#define STORE_VECTOR_TOUCH (UINT64_C(1) << 63)

static inline uint64_t store_vector_key(uint32_t generation, unsigned kind, uint32_t number)
{
    return (uint64_t)generation << 40 | (uint64_t)kind << 32 | number;
}

/* What the folder knows of the table. */
struct store_vectors {
    bool keeping;        /* slots of commits */
    bool dropping;       /* something old may be left */
    uint32_t generation; /* in force; 0: none */
    uint32_t writing;    /* begun, not published; 0: none */
    uint64_t seq;        /* of the generation in force */
};

enum store_vectors_step { STORE_VECTORS_BEGIN, STORE_VECTORS_PUT, STORE_VECTORS_PUBLISH };

/* A turn waits in its caller. */
struct store_turn_waiter {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool ready;
};

/* A request to the folder. */
struct store_vectors_turn {
    struct store_vectors_turn *next;
    struct store_turn_waiter *waiter;
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
/* Within a fold: keeps the slots that it changed. */
bool store_vectors_touch(struct disk_txn *txn, const uint32_t *slots, size_t count,
                         struct proto_fault *fault);
void store_vectors_take_turn(struct store *store, struct store_vectors_turn *turn);
/* One slice of dropping; true if there is more. */
bool store_slice_vectors(struct store *store);
/* folder.c: hands the turn to the folder and waits. Any thread. */
bool store_turn_wait(struct store *store, struct store_vectors_turn *turn,
                     struct proto_fault *fault);

#endif
