/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the scores of the active version, and the labels of accounts: follows commits on the writer
 * thread, and fills in the rest on a thread of its own. */
#include <stdlib.h>
#include <time.h>

#include "server/base/thread.h"
#include "server/engine/labels_parts.h"
#include "server/engine/scores.h"
#include "server/engine/worker.h"

enum {
    CHUNK_BLOCKS = 16, /* rows worked out under one hold of the lock: some 30 µs */
    WAKE_ROWS = 1024,  /* rows that the thread is woken for at once */
    LOOK_SECONDS = 1,  /* fewer than that wait so long */
};

struct engine_scores_keeper {
    struct engine *engine;
    /* Held by the writer from BEGIN to DONE and by the thread while it works out a chunk, so that
     * no commit falls between reading a row and storing its score. Guards all that follows. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct store_view *view;      /* the writer's, at rest between commits; NULL: not open */
    uint64_t committed;           /* last commit told of */
    struct engine_scores *scores; /* of the active version; NULL: none */
    struct engine_labels *labels; /* NULL: no segment is in force */
    bool waiting;                 /* the start of the server goes first */
    bool stopping;
    bool started;
    pthread_t thread;
};

/* The score's place, with its segment if there is memory. */
static _Atomic uint32_t *place_make(struct engine_scores *scores, uint32_t slot)
{
    _Atomic(_Atomic uint32_t *) *segment = &scores->segments[slot / ENGINE_SCORES_SEGMENT];
    if (!atomic_load_explicit(segment, memory_order_relaxed)) {
        _Atomic uint32_t *pages = base_pages_take(BASE_HUGE_BYTES);
        if (!pages) {
            return NULL;
        }
        atomic_store_explicit(segment, pages, memory_order_release);
    }
    return engine_scores_place(scores, slot);
}

static void score_set(struct engine_scores *scores, uint32_t slot, int64_t raw)
{
    _Atomic uint32_t *place = place_make(scores, slot);
    bool fits = raw > INT32_MIN && raw <= INT32_MAX;
    if (place) {
        atomic_store_explicit(place, fits ? (uint32_t)(raw - INT32_MIN) : 0, memory_order_release);
    }
}

static void filled_raise(struct engine_scores *scores, uint64_t txn)
{
    if (atomic_load_explicit(&scores->filled, memory_order_relaxed) < txn) {
        atomic_store_explicit(&scores->filled, txn, memory_order_release);
    }
}

static bool rows_fit(const struct store_view *view, const struct engine_scores *scores)
{
    return store_view_rows_digest(view) == scores->document->codebook->digest;
}

static void commit_begin(struct engine_scores *scores, const struct store_commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        _Atomic uint32_t *place = engine_scores_place(scores, commit->slots[i]);
        if (place) {
            atomic_store_explicit(place, 0, memory_order_release);
        }
    }
}

/* A row that cannot be read is left to whoever asks for it, who tells what is wrong. */
static void commit_end(struct engine_scores_keeper *keeper, const struct store_commit *commit)
{
    struct engine_scores *scores = keeper->scores;
    struct store_view *view = keeper->view;
    struct proto_fault fault = {0};
    if (!store_view_refresh(view, &fault)) {
        return;
    }
    if (keeper->labels) {
        engine_labels_renew(keeper->labels, view, commit);
    }
    if (scores && rows_fit(view, scores)) {
        filled_raise(scores, store_view_seq(view));
        for (size_t i = 0; i < commit->count; i++) {
            const uint8_t *row = store_row(view, commit->slots[i], &fault);
            if (row) {
                score_set(scores, commit->slots[i], model_raw(scores->document->scorecard, row));
            }
        }
        if (store_view_rows_slots(view) >= atomic_load(&scores->next) + WAKE_ROWS) {
            pthread_cond_signal(&keeper->wake);
        }
    }
    store_view_rest(view);
}

void engine_scores_keeper_commit(void *context, const struct store_commit *commit)
{
    struct engine_scores_keeper *keeper = context;
    if (commit->phase == STORE_COMMIT_BEGIN) {
        pthread_mutex_lock(&keeper->lock);
        if (keeper->scores) {
            commit_begin(keeper->scores, commit);
        }
        if (keeper->labels) {
            engine_labels_forget(keeper->labels, commit);
        }
        return;
    }
    if (commit->phase == STORE_COMMIT_DONE) {
        keeper->committed = commit->seq;
    }
    if ((keeper->scores || keeper->labels) && keeper->view) {
        commit_end(keeper, commit);
    }
    pthread_mutex_unlock(&keeper->lock);
}

void engine_scores_keeper_follow(struct engine_scores_keeper *keeper, struct engine_scores *scores)
{
    pthread_mutex_lock(&keeper->lock);
    struct engine_scores *before = keeper->scores;
    if (before) {
        atomic_store_explicit(&before->closed, keeper->committed, memory_order_release);
    }
    keeper->scores = engine_scores_retain(scores);
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    engine_scores_release(before);
}

void engine_scores_keeper_label(struct engine_scores_keeper *keeper, struct engine_labels *labels)
{
    pthread_mutex_lock(&keeper->lock);
    struct engine_labels *before = keeper->labels;
    if (before) {
        atomic_store_explicit(&before->closed, keeper->committed, memory_order_release);
    }
    keeper->labels = engine_labels_retain(labels);
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    engine_labels_release(before);
}

static void rows_score(struct engine_scores *scores, const struct store_rows *rows)
{
    for (uint64_t left = rows->living & ~rows->damaged; left != 0; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        score_set(scores, rows->slot + at,
                  model_raw(scores->document->scorecard, rows->codes + at * rows->stride));
    }
}

/* Works out a chunk of rows; false if there is nothing to do at the moment. */
static bool chunk_fill(struct store_view *view, struct engine_scores *scores)
{
    struct proto_fault fault = {0};
    uint32_t next = atomic_load(&scores->next);
    uint32_t from = next;
    if (!store_view_refresh(view, &fault)) {
        return false;
    }
    if (rows_fit(view, scores)) {
        filled_raise(scores, store_view_seq(view));
        for (int i = 0; i < CHUNK_BLOCKS && next < store_view_rows_slots(view); i++) {
            struct store_rows rows = {.slot = next,
                                      .count = STORE_ROWS_MAX - next % STORE_ROWS_MAX};
            /* A block that is damaged is passed over: its accounts are served one by one. */
            if (store_rows(view, next, &rows, &fault)) {
                rows_score(scores, &rows);
            }
            next = rows.slot + rows.count;
        }
        atomic_store(&scores->next, next);
    }
    store_view_rest(view);
    return next != from;
}

static void wait_for_rows(struct engine_scores_keeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_SECONDS;
    pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
}

static void *keeper_run(void *context)
{
    struct engine_scores_keeper *keeper = context;
    struct proto_fault fault = {0};
    struct store_view *view = store_view_open(engine_store(keeper->engine), &fault);
    if (!view) {
        base_log(engine_log(keeper->engine), BASE_LOG_WARN, "engine",
                 "scores are not kept in memory", BASE_FIELDS(base_field_error(fault.code)));
        return NULL;
    }
    store_view_rest(view);
    pthread_mutex_lock(&keeper->lock);
    while (keeper->waiting && !keeper->stopping) {
        pthread_cond_wait(&keeper->wake, &keeper->lock);
    }
    while (!keeper->stopping) {
        bool worked = keeper->scores && chunk_fill(view, keeper->scores);
        worked = (keeper->labels && engine_labels_fill(keeper->labels, view)) || worked;
        if (!worked) {
            wait_for_rows(keeper);
            continue;
        }
        /* The writer may wait. */
        pthread_mutex_unlock(&keeper->lock);
        pthread_mutex_lock(&keeper->lock);
    }
    pthread_mutex_unlock(&keeper->lock);
    store_view_close(view);
    return NULL;
}

struct engine_scores_keeper *engine_scores_keeper_create(struct engine *engine,
                                                         struct proto_fault *fault)
{
    struct engine_scores_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the scores");
        return NULL;
    }
    keeper->engine = engine;
    pthread_mutex_init(&keeper->lock, NULL);
    /* The wall clock may be set back, and a wait by it would take as long as that. */
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &steady);
    pthread_condattr_destroy(&steady);
    return keeper;
}

bool engine_scores_keeper_start(struct engine_scores_keeper *keeper, bool waits,
                                struct proto_fault *fault)
{
    struct store_view *view = store_view_open(engine_store(keeper->engine), fault);
    if (!view) {
        return false;
    }
    store_view_rest(view);
    struct engine_state *state = engine_state_get(keeper->engine);
    engine_scores_keeper_follow(keeper, state->scores);
    engine_scores_keeper_label(keeper, state->labels);
    engine_state_release(state);
    pthread_mutex_lock(&keeper->lock);
    keeper->view = view;
    keeper->waiting = waits;
    pthread_mutex_unlock(&keeper->lock);
    keeper->started = base_thread_start(&keeper->thread, keeper_run, keeper) == 0;
    return keeper->started ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no thread for the scores");
}

void engine_scores_keeper_go(struct engine_scores_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->waiting = false;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
}

void engine_scores_keeper_stop(struct engine_scores_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    struct store_view *view = keeper->view;
    keeper->view = NULL;
    keeper->stopping = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    if (keeper->started) {
        pthread_join(keeper->thread, NULL);
        keeper->started = false;
    }
    store_view_close(view);
}

void engine_scores_keeper_destroy(struct engine_scores_keeper *keeper)
{
    if (!keeper) {
        return;
    }
    engine_scores_release(keeper->scores);
    engine_labels_release(keeper->labels);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
