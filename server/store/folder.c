/* SPDX-License-Identifier: Apache-2.0 */
/* What others ask of the folder: to take a generation, an encoder, a turn of vectors, to have
 * folded up to a sequence; and what its own work ends with, a transaction that readers see. Whoever
 * waits for a fold hears why one failed, or that the store is closing. */
#include <stdlib.h>
#include <time.h>

#include "server/base/thread.h"
#include "server/store/store_parts.h"

bool store_thread_start(pthread_t *thread, void *(*run)(void *), void *context,
                        struct proto_fault *fault)
{
    int code = base_thread_start(thread, run, context);
    return code == 0 || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for the store: %s",
                                        strerror(code));
}

bool store_folder_init(struct store_folder *folder)
{
    pthread_condattr_t clock;
    if (pthread_condattr_init(&clock) != 0) {
        return false;
    }
    bool good = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
                pthread_mutex_init(&folder->mutex, NULL) == 0;
    if (good && pthread_cond_init(&folder->wake, &clock) != 0) {
        pthread_mutex_destroy(&folder->mutex);
        good = false;
    }
    if (good) {
        pthread_cond_init(&folder->folded, NULL);
    }
    pthread_condattr_destroy(&clock);
    return good;
}

void store_folder_fini(struct store_folder *folder)
{
    store_row_maker_fini(&folder->maker);
    store_row_writer_fini(&folder->rows);
    store_bucket_room_fini(&folder->bucket_room);
    store_encoder_drop(folder->encoder);
    store_encoder_drop(folder->given);
    free(folder->edits.list);
    pthread_cond_destroy(&folder->wake);
    pthread_cond_destroy(&folder->folded);
    pthread_mutex_destroy(&folder->mutex);
}

void store_folder_take(struct store_folder *folder, struct store_generation *generation)
{
    pthread_mutex_lock(&folder->mutex);
    generation->due = NULL;
    if (folder->first_due == NULL) {
        folder->first_due = generation;
    } else {
        folder->last_due->due = generation;
    }
    folder->last_due = generation;
    pthread_cond_signal(&folder->wake);
    pthread_mutex_unlock(&folder->mutex);
}

void store_folder_encoder(struct store_folder *folder, struct store_held_encoder *encoder)
{
    pthread_mutex_lock(&folder->mutex);
    struct store_held_encoder *passed_over = folder->given;
    folder->given = store_encoder_share(encoder);
    folder->encoder_given = true;
    pthread_cond_signal(&folder->wake);
    pthread_mutex_unlock(&folder->mutex);
    store_encoder_drop(passed_over);
}

bool store_folder_waits(struct store_folder *folder)
{
    pthread_mutex_lock(&folder->mutex);
    bool waits = folder->first_due != NULL || folder->first_turn != NULL || folder->encoder_given ||
                 folder->closing;
    pthread_mutex_unlock(&folder->mutex);
    return waits;
}

bool store_tables_commit(struct store *store, struct disk_txn *txn, struct proto_fault *fault)
{
    uint64_t number = disk_txn_number(txn);
    atomic_store(&store->writing, number);
    if (!disk_txn_commit(txn, fault)) {
        return false;
    }
    store->folder.state = txn->state;
    store_room_measure(&store->room, &store->env, &txn->state);
    atomic_store(&store->tables, number);
    atomic_fetch_add(&store->turn, 1);
    store_queue_poke(&store->queue);
    return true;
}

bool store_turn_wait(struct store *store, struct store_vectors_turn *turn,
                     struct proto_fault *fault)
{
    struct store_folder *folder = &store->folder;
    struct store_turn_waiter waiter = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                       .done = PTHREAD_COND_INITIALIZER};
    turn->waiter = &waiter;
    turn->next = NULL;
    pthread_mutex_lock(&folder->mutex);
    bool taken = !folder->closing;
    if (taken) {
        if (folder->first_turn == NULL) {
            folder->first_turn = turn;
        } else {
            folder->last_turn->next = turn;
        }
        folder->last_turn = turn;
        pthread_cond_signal(&folder->wake);
    }
    pthread_mutex_unlock(&folder->mutex);
    if (!taken) {
        return proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the store is closing");
    }
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.ready) {
        pthread_cond_wait(&waiter.done, &waiter.mutex);
    }
    pthread_mutex_unlock(&waiter.mutex);
    pthread_cond_destroy(&waiter.done);
    pthread_mutex_destroy(&waiter.mutex);
    if (turn->fault.code != PROTO_OK) {
        *fault = turn->fault;
    }
    return turn->fault.code == PROTO_OK;
}

bool store_folder_wait(struct store *store, uint64_t seq, struct proto_fault *fault)
{
    struct store_folder *folder = &store->folder;
    pthread_mutex_lock(&folder->mutex);
    folder->urgent++;
    folder->fault = (struct proto_fault){.code = PROTO_OK}; /* it is tried anew */
    pthread_cond_signal(&folder->wake);
    while (atomic_load(&store->folded) < seq && folder->fault.code == PROTO_OK &&
           !folder->closing) {
        pthread_cond_wait(&folder->folded, &folder->mutex);
    }
    folder->urgent--;
    bool good = atomic_load(&store->folded) >= seq;
    if (!good && folder->fault.code != PROTO_OK) {
        *fault = folder->fault;
    } else if (!good) {
        proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the store is closing");
    }
    pthread_mutex_unlock(&folder->mutex);
    return good;
}
