/* SPDX-License-Identifier: Apache-2.0 */
/* Batches are submitted without waiting for each, so that they share commits; each answer must be a
 * success with the sequence that the batch had. The first one that is not is kept, nothing more is
 * submitted, and the play fails with it. */
#include "server/backup/backup_play.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/base/clock.h"

struct backup_player {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    uint64_t waiting;         /* submitted and not answered */
    uint64_t next;            /* sequence of the next answer */
    struct proto_fault fault; /* the first; code PROTO_OK */
};

static int64_t now_ms(void *context)
{
    struct base_clock clock = base_clock_system();
    (void)context;
    return clock.now_ms(clock.context);
}

static void on_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

struct backup_player *backup_player_open(const char *path, size_t map_bytes,
                                         struct proto_fault *fault)
{
    struct backup_player *player = calloc(1, sizeof *player);
    if (player == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to play batches");
        return NULL;
    }
    const struct store_options options = {
        .path = path, .map_bytes_max = map_bytes, .now_ms = now_ms, .on_change = on_change};
    player->store = store_open(&options, fault);
    if (player->store == NULL) {
        free(player);
        return NULL;
    }
    pthread_mutex_init(&player->lock, NULL);
    pthread_cond_init(&player->fewer, NULL);
    return player;
}

static void on_done(void *context, const struct store_result *result)
{
    struct backup_player *player = context;
    pthread_mutex_lock(&player->lock);
    if (player->fault.code == PROTO_OK) {
        if (result->fault.code != PROTO_OK) {
            proto_fault_set(&player->fault, PROTO_CORRUPT, "",
                            "batch %llu cannot be played again: %s",
                            (unsigned long long)player->next, result->fault.message);
        } else if (result->seq != player->next) {
            proto_fault_set(&player->fault, PROTO_CORRUPT, "", "batch %llu became %llu",
                            (unsigned long long)player->next, (unsigned long long)result->seq);
        }
    }
    player->next++;
    player->waiting--;
    pthread_cond_signal(&player->fewer);
    pthread_mutex_unlock(&player->lock);
}

/* Waits until at most so many are unanswered; false with *fault if one of them failed. */
static bool await(struct backup_player *player, uint64_t most, struct proto_fault *fault)
{
    pthread_mutex_lock(&player->lock);
    while (player->waiting > most) {
        pthread_cond_wait(&player->fewer, &player->lock);
    }
    bool good = player->fault.code == PROTO_OK;
    if (!good) {
        *fault = player->fault;
    }
    pthread_mutex_unlock(&player->lock);
    return good;
}

/* Waits for half of what waits whenever the queue is full. */
static bool batch_submit(struct backup_player *player, const struct store_logged *logged,
                         struct proto_fault *fault)
{
    struct store_batch *batch = store_batch_again(logged);
    if (batch == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a batch");
    }
    for (;;) {
        pthread_mutex_lock(&player->lock);
        uint64_t waiting = player->waiting++;
        pthread_mutex_unlock(&player->lock);
        if (store_submit(player->store, batch, on_done, player, fault)) {
            return true;
        }
        pthread_mutex_lock(&player->lock);
        player->waiting--;
        pthread_mutex_unlock(&player->lock);
        if (fault->code != PROTO_BUSY || !await(player, waiting / 2, fault)) {
            store_batch_destroy(batch);
            return false;
        }
        fault->code = PROTO_OK;
    }
}

static bool one(struct backup_player *player, const struct store_logged *logged,
                struct backup_restored *restored, struct proto_fault *fault)
{
    if (logged->seq != restored->seq + 1) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "batch %llu follows batch %llu",
                               (unsigned long long)logged->seq, (unsigned long long)restored->seq);
    }
    pthread_mutex_lock(&player->lock);
    if (player->waiting == 0) {
        player->next = logged->seq;
    }
    pthread_mutex_unlock(&player->lock);
    if (!batch_submit(player, logged, fault)) {
        return false;
    }
    restored->seq = logged->seq;
    restored->time_ms = logged->time_ms;
    restored->batches++;
    return true;
}

bool backup_play(struct backup_player *player, int folder, const char *name,
                 const struct backup_moment *until, struct backup_restored *restored,
                 struct proto_fault *fault)
{
    struct backup_record record;
    struct backup_reader *reader = backup_reader_open(folder, name, fault);
    if (reader == NULL) {
        return false;
    }
    enum backup_got got;
    bool good = true;
    bool over = false;
    while (good && (got = backup_reader_next(reader, &record, fault)) != BACKUP_GOT_END) {
        if (got == BACKUP_GOT_BATCH) {
            over |= record.logged.seq > until->seq || record.logged.time_ms > until->time_ms;
            good = over || one(player, &record.logged, restored, fault);
        } else {
            good = got == BACKUP_GOT_FAULT
                       ? false
                       : proto_fault_set(fault, PROTO_CORRUPT, "", "a log holds an entry");
        }
    }
    backup_reader_close(reader);
    return await(player, 0, fault) && good;
}

bool backup_player_close(struct backup_player *player, struct proto_fault *fault)
{
    bool good = await(player, 0, fault);
    store_close(player->store);
    pthread_mutex_destroy(&player->lock);
    pthread_cond_destroy(&player->fewer);
    free(player);
    return good;
}
