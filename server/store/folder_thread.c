/* SPDX-License-Identifier: Apache-2.0 */
/* The folder thread: folds generations as they are sealed, in order; between folds it writes
 * look-alike vectors, encodes rows for another codebook, drops what is old, and looks for readers
 * that died. What fails is tried again after a pause, and why the last fold failed is kept for
 * whoever is refused meanwhile. When the store closes it folds what is left and ends; what it
 * cannot fold stays in the log. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server/disk/trunk.h"
#include "server/store/store_parts.h"

enum {
    HOUSEKEEPING_MS = 5000,
    PAUSE_MS = 1000, /* between tries of what failed */
    NICE = 5,        /* folding can wait for scores; it must not starve */
    /* Look-alike vectors are written no faster: a generation of them is hundreds of megabytes,
     * which the log's syncs would wait behind. */
    VECTOR_BYTES_PER_SECOND = 32 << 20,
};

static void turn_take(struct store *store, struct store_vectors_turn *turn)
{
    struct store_turn_waiter *waiter = turn->waiter;
    uint64_t bytes = 0;
    for (size_t i = 0; i < turn->count; i++) {
        bytes += turn->blocks[i].bytes.bytes;
    }
    if (store_hold_admits(store, &turn->fault)) {
        store_vectors_take_turn(store, turn);
    }
    store->folder.turn_after_ns = store_clock_ns() + bytes * 1000000000 / VECTOR_BYTES_PER_SECOND;
    pthread_mutex_lock(&waiter->mutex);
    waiter->ready = true;
    pthread_cond_signal(&waiter->done);
    pthread_mutex_unlock(&waiter->mutex);
}

static void encoder_take(struct store *store, struct store_held_encoder *given)
{
    struct store_folder *folder = &store->folder;
    struct proto_fault fault;
    const struct store_encoder *encoder = given->encoder.digest == 0 ? NULL : &given->encoder;
    folder->encoder_set = true;
    if (!store_row_maker_set(&folder->maker, encoder, &fault)) {
        base_log(
            store->options.log, BASE_LOG_ERROR, "store", "no rows are kept",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    }
    store_encoder_drop(folder->encoder);
    folder->encoder = given;
}

static void log_trim_to(struct store *store)
{
    struct proto_fault fault;
    if (!log_trim(store->log, atomic_load(&store->folded), store->options.log_bytes_max, &fault)) {
        base_log(
            store->options.log, BASE_LOG_WARN, "store", "the oldest of the log cannot be dropped",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
    }
}

static void fold_one(struct store *store, struct store_generation *generation)
{
    struct store_folder *folder = &store->folder;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t begun = store_clock_ns();
    /* Before the file grows for want of pages that a dead reader keeps. */
    folder->own.readers_cleared += disk_env_clear_readers(&store->env);
    bool held = !store_hold_admits(store, &fault); /* which tells by itself */
    bool good = !held && store_fold(store, generation, &fault);
    if (!good && fault.code == PROTO_DISK_FULL && log_room_give(store->log)) {
        good = store_fold(store, generation, &fault);
    }
    if (!good && !held) {
        base_log(
            store->options.log, BASE_LOG_ERROR, "store", "a fold failed and is tried again",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
        if (fault.code == PROTO_CORRUPT) {
            store_damage(store, &fault);
        }
    }
    if (!good) {
        folder->pause_until_ns = store_clock_ns() + (uint64_t)PAUSE_MS * 1000000;
    }
    pthread_mutex_lock(&folder->mutex);
    if (good) {
        folder->first_due = generation->due;
        if (folder->first_due == NULL) {
            folder->last_due = NULL;
        }
    }
    folder->fault = good ? (struct proto_fault){.code = PROTO_OK} : fault;
    pthread_cond_broadcast(&folder->folded);
    pthread_mutex_unlock(&folder->mutex);
    if (!good) {
        return;
    }
    atomic_store_explicit(&generation->folded, true, memory_order_release);
    folder->own.folds++;
    folder->own.fold_ns_last = store_clock_ns() - begun;
    folder->own.fold_ns_sum += folder->own.fold_ns_last;
    log_trim_to(store);
    store_queue_poke(&store->queue);
}

static void folder_publish(struct store *store)
{
    struct store_folder *folder = &store->folder;
    struct store_stats *published = &store->figures.published;
    pthread_mutex_lock(&store->figures.mutex);
    published->rows_done = folder->state.rows_slots;
    published->rows_total = folder->state.rows_digest == 0 ? 0 : folder->state.slots;
    published->file_bytes = disk_env_pages(&store->env) * DISK_PAGE_BYTES;
    published->map_bytes = atomic_load_explicit(&store->room.limit, memory_order_relaxed);
    published->room_bytes = store_room_left(&store->room, store_overlay_unfolded(store));
    published->free_pages = folder->own.free_pages;
    published->readers_cleared = folder->own.readers_cleared;
    published->view_process = (uint64_t)folder->hold.process;
    published->folds_held = folder->hold.held;
    published->folded = folder->state.seq;
    published->folds = folder->own.folds;
    published->fold_ns_last = folder->own.fold_ns_last;
    published->fold_ns_sum = folder->own.fold_ns_sum;
    pthread_mutex_unlock(&store->figures.mutex);
}

/* A snapshot is old from when it is first seen that it is not the newest any more. */
static void oldest_look(struct store *store)
{
    struct store_folder *folder = &store->folder;
    uint64_t oldest = disk_env_oldest(&store->env);
    if (oldest >= atomic_load(&store->tables)) {
        atomic_store(&store->old_since_ns, 0);
    } else if (oldest != folder->oldest || atomic_load(&store->old_since_ns) == 0) {
        atomic_store(&store->old_since_ns, store_clock_ns());
    }
    folder->oldest = oldest;
}

static void housekeep(struct store *store)
{
    struct store_folder *folder = &store->folder;
    uint64_t now = store_clock_ns();
    oldest_look(store);
    if (now - folder->housekept_ns < (uint64_t)HOUSEKEEPING_MS * 1000000) {
        return;
    }
    folder->housekept_ns = now;
    log_room_look(store->log);
    unsigned dead = disk_env_clear_readers(&store->env);
    if (dead > 0) {
        base_log(store->options.log, BASE_LOG_INFO, "store", "let go of readers that had died",
                 BASE_FIELDS(base_field_uint("readers", dead)));
    }
    folder->own.readers_cleared += dead;
    /* A file that only grows has a view that never rests. */
    folder->own.free_pages = disk_trunk_free(&store->env);
}

/* One slice of each kind of work that is left; true if there is more of any. */
static bool slices(struct store *store)
{
    struct proto_fault held;
    if (!store_hold_admits(store, &held)) {
        return false; /* the look a little later begins them again */
    }
    bool more = store_slice_rows(store);
    more |= store_slice_drop(store);
    more |= store_slice_vectors(store);
    return more;
}

/* Rows that a start found in the log alone were encoded by nobody: they wait for the encoder, which
 * comes soon if one comes, rather than have all rows encoded again. */
static bool due_can_wait(const struct store *store, const struct store_generation *due)
{
    const struct store_folder *folder = &store->folder;
    return !folder->encoder_set && !folder->closing && folder->urgent == 0 &&
           folder->state.rows_digest != 0 &&
           atomic_load_explicit(&due->digest, memory_order_relaxed) != folder->state.rows_digest &&
           atomic_load_explicit(&store->overlay_bytes, memory_order_relaxed) <
               store->options.overlay_bytes_max / 2;
}

/* What there is to do next, in order of urgency. */
struct work {
    struct store_held_encoder *encoder;
    struct store_vectors_turn *turn;
    struct store_generation *due;
    bool closing;
};

static void wait_ms(struct store_folder *folder, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&folder->wake, &folder->mutex, &until);
}

/* How long the first turn has to wait still; UINT64_MAX: there is none. */
static uint64_t turn_wait_ns(const struct store_folder *folder)
{
    uint64_t now = store_clock_ns();
    if (folder->first_turn == NULL) {
        return UINT64_MAX;
    }
    return folder->closing || now >= folder->turn_after_ns ? 0 : folder->turn_after_ns - now;
}

static int wait_of(bool paused, uint64_t turn_ns)
{
    uint64_t turn_ms = turn_ns / 1000000 + 1;
    int ms = paused ? PAUSE_MS : HOUSEKEEPING_MS;
    return turn_ms < (uint64_t)ms ? (int)turn_ms : ms;
}

static struct work work_take(struct store *store, bool more)
{
    struct store_folder *folder = &store->folder;
    struct work work = {0};
    pthread_mutex_lock(&folder->mutex);
    bool paused = folder->urgent == 0 && store_clock_ns() < folder->pause_until_ns;
    uint64_t turn_ns = turn_wait_ns(folder);
    bool idle = turn_ns > 0 && !folder->encoder_given && !folder->closing &&
                (paused ||
                 (!more && (folder->first_due == NULL || due_can_wait(store, folder->first_due))));
    if (idle) {
        wait_ms(folder, wait_of(paused, turn_ns));
    }
    paused = folder->urgent == 0 && store_clock_ns() < folder->pause_until_ns;
    if (folder->encoder_given) {
        work.encoder = folder->given;
        folder->given = NULL;
        folder->encoder_given = false;
    }
    work.turn = turn_wait_ns(folder) == 0 ? folder->first_turn : NULL;
    if (work.turn != NULL) {
        folder->first_turn = work.turn->next;
    }
    work.closing = folder->closing;
    if (folder->first_due != NULL && (work.closing || !paused) &&
        (work.encoder != NULL || !due_can_wait(store, folder->first_due))) {
        work.due = folder->first_due;
    }
    pthread_mutex_unlock(&folder->mutex);
    return work;
}

static void *folder_run(void *context)
{
    struct store *store = context;
    struct store_folder *folder = &store->folder;
    bool more = true;
    (void)pthread_setname_np(pthread_self(), "folder");
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    for (;;) {
        struct work work = work_take(store, more);
        if (work.encoder != NULL) {
            encoder_take(store, work.encoder);
        }
        if (work.due != NULL && !(work.closing && store->tuning.abandon)) {
            fold_one(store, work.due);
        }
        if (work.turn != NULL) {
            turn_take(store, work.turn);
        }
        if (work.closing && work.turn == NULL && work.encoder == NULL &&
            (work.due == NULL || folder->fault.code != PROTO_OK || store->tuning.abandon)) {
            break;
        }
        more = !work.closing && store_clock_ns() >= folder->pause_until_ns && slices(store);
        if (!work.closing) {
            housekeep(store);
        }
        folder_publish(store);
    }
    folder_publish(store);
    return NULL;
}

bool store_folder_start(struct store *store, struct proto_fault *fault)
{
    store->folder.dropping = true;
    folder_publish(store);
    return store_thread_start(&store->folder.thread, folder_run, store, fault);
}

void store_folder_stop(struct store *store)
{
    struct store_folder *folder = &store->folder;
    pthread_mutex_lock(&folder->mutex);
    folder->closing = true;
    pthread_cond_signal(&folder->wake);
    pthread_mutex_unlock(&folder->mutex);
    pthread_join(folder->thread, NULL);
}
