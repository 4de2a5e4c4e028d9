/* SPDX-License-Identifier: Apache-2.0 */
/* A column is found by what it was made for, brought up to the worker's view, and handed out. To
 * bring it up: the slots that commits have named since are worked out again one by one; where they
 * are too many, or were not noted from the beginning, all are. A slot is forgotten only when the
 * view has seen its commit, so that none is lost between two questions. What cannot be read ends
 * the question and leaves the column to be worked out whole the next time. */
#include "server/dispute/dispute_column.h"

#include <pthread.h>
#include <stdlib.h>
#include <xxhash.h>

#include "server/dispute/dispute_words.h"
#include "server/engine/labels.h"
#include "server/engine/segments.h"
#include "server/engine/walk.h"

enum {
    NOTED_MAX = 1 << 16, /* changes of one column; beyond, it is worked out whole */
    SLOTS_PER_ASKING = 4096,
};

struct noted {
    uint64_t seq;
    uint32_t slot;
};

struct column {
    bool used;
    uint64_t key;
    uint64_t asked; /* when, by questions */
    uint32_t *cells;
    double *p; /* of scores: dispute_cells; else NULL */
    size_t count, capacity;
    bool whole; /* cells are those of some view, but for what is noted */
    struct dispute_words words;
    /* Guarded by the lock of all. */
    struct noted *noted;
    size_t noted_count, noted_capacity;
    bool lost; /* changes up to lost_seq were not all noted */
    uint64_t lost_seq;
};

struct dispute {
    struct engine *engine;
    pthread_mutex_t lock; /* held by the writer for a few ns a changed account */
    uint64_t begun;       /* newest commit that was told of */
    uint64_t questions;
    struct column columns[DISPUTE_COLUMNS];
};

static bool noted_grow(struct column *column, size_t more)
{
    size_t wanted = column->noted_count + more;
    if (wanted <= column->noted_capacity) {
        return true;
    }
    size_t capacity = wanted < 1024 ? 1024 : 2 * wanted;
    struct noted *larger =
        wanted <= NOTED_MAX ? realloc(column->noted, capacity * sizeof *larger) : NULL;
    if (larger) {
        column->noted = larger;
        column->noted_capacity = capacity;
    }
    return larger != NULL;
}

/* With the lock held. */
static void column_note(struct column *column, const struct store_commit *commit)
{
    if (column->lost || !noted_grow(column, commit->count)) {
        column->lost = true;
        column->lost_seq = commit->seq;
        column->noted_count = 0;
        return;
    }
    for (size_t i = 0; i < commit->count; i++) {
        column->noted[column->noted_count++] = (struct noted){commit->seq, commit->slots[i]};
    }
}

/* Before a view can see it, so that what a view has seen was noted. */
static void note(void *context, const struct store_commit *commit)
{
    struct dispute *dispute = context;
    if (commit->phase != STORE_COMMIT_BEGIN) {
        return;
    }
    pthread_mutex_lock(&dispute->lock);
    dispute->begun = commit->seq > dispute->begun ? commit->seq : dispute->begun;
    for (size_t i = 0; i < DISPUTE_COLUMNS; i++) {
        if (dispute->columns[i].used) {
            column_note(&dispute->columns[i], commit);
        }
    }
    pthread_mutex_unlock(&dispute->lock);
}

struct dispute *dispute_create(struct engine *engine, struct proto_fault *fault)
{
    struct dispute *dispute = calloc(1, sizeof *dispute);
    if (!dispute) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for disputes");
        return NULL;
    }
    dispute->engine = engine;
    pthread_mutex_init(&dispute->lock, NULL);
    const struct engine_follower follower = {.context = dispute, .on_commit = note};
    if (!engine_follow(engine, &follower, fault)) {
        pthread_mutex_destroy(&dispute->lock);
        free(dispute);
        return NULL;
    }
    return dispute;
}

static void column_empty(struct column *column)
{
    free(column->cells);
    free(column->p);
    free(column->noted);
    dispute_words_fini(&column->words);
    *column = (struct column){0};
}

void dispute_destroy(struct dispute *dispute)
{
    if (!dispute) {
        return;
    }
    engine_unfollow(dispute->engine, dispute);
    for (size_t i = 0; i < DISPUTE_COLUMNS; i++) {
        column_empty(&dispute->columns[i]);
    }
    pthread_mutex_destroy(&dispute->lock);
    free(dispute);
}

static uint64_t text_hash(struct proto_span text)
{
    return XXH3_64bits(text.bytes > 0 ? text.data : (const uint8_t *)"", text.bytes);
}

static uint64_t wish_key(const struct engine_worker *worker, const struct dispute_wish *wish)
{
    /* A text that names a segment means what the segment does. */
    bool names_segments =
        wish->filter || (wish->kind == DISPUTE_VALUE && wish->field_id == DISPUTE_LABEL);
    uint64_t parts[9] = {
        wish->kind,
        wish->document ? wish->document->version : 0,
        wish->document ? wish->document->digest : 0,
        wish->field_id,
        worker->state->schema ? worker->state->schema->version : 0,
        wish->column,
        text_hash(wish->text),
        text_hash(wish->where_text),
        names_segments && worker->state->segments ? worker->state->segments->count : 0,
    };
    return XXH3_64bits(parts, sizeof parts);
}

static bool is_held(const struct column *column, const struct dispute_cells *held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (held[i].column == column) {
            return true;
        }
    }
    return false;
}

/* The column of that key, or one that begins anew in place of the one asked for longest ago. */
static struct column *column_find(struct dispute *dispute, uint64_t key,
                                  const struct dispute_cells *held, size_t held_count)
{
    struct column *oldest = NULL;
    for (size_t i = 0; i < DISPUTE_COLUMNS; i++) {
        struct column *column = &dispute->columns[i];
        if (column->used && column->key == key) {
            return column;
        }
        bool older = !oldest || !column->used || (oldest->used && column->asked < oldest->asked);
        if (!is_held(column, held, held_count) && older) {
            oldest = column;
        }
    }
    pthread_mutex_lock(&dispute->lock);
    column_empty(oldest);
    oldest->used = true;
    oldest->key = key;
    oldest->lost = true; /* a commit may be under way that the view has not seen */
    oldest->lost_seq = dispute->begun;
    pthread_mutex_unlock(&dispute->lock);
    return oldest;
}

static uint32_t cell_of(int64_t raw)
{
    int64_t most = INT32_MAX;
    raw = raw > most ? most : raw <= INT32_MIN ? (int64_t)INT32_MIN + 1 : raw;
    return (uint32_t)(raw - INT32_MIN);
}

/* The label of the account whose values stand in the worker's scratch, as a value. */
static struct feature_value label_of(const struct engine_worker *worker)
{
    const struct engine_labels *labels = worker->state->labels;
    struct feature_value value = {.type = FEATURE_CATEGORY};
    uint8_t label = labels ? engine_labels_match(labels, worker->values, worker->value_slots)
                           : ENGINE_LABEL_NONE;
    value.present = label >= ENGINE_LABEL_FIRST;
    if (value.present) {
        value.text = engine_labels_name(labels, label);
    }
    return value;
}

static bool is_blank(const struct engine_worker *worker, const struct filter *label)
{
    size_t count = 0;
    const uint16_t *fields = filter_fields(label, &count);
    bool told = filter_tells_missing(label);
    for (size_t i = 0; !told && i < count; i++) {
        told = worker->values[fields[i]].present;
    }
    return !told && count > 0;
}

/* As learning reads it (learn/sample.h). */
static uint32_t outcome_of(const struct engine_worker *worker, const struct dispute_wish *wish)
{
    size_t slots = worker->state->schema->id_count;
    if (wish->where && !filter_match(wish->where, worker->values, slots)) {
        return 1;
    }
    if (is_blank(worker, wish->filter)) {
        return DISPUTE_BLANK;
    }
    return filter_match(wish->filter, worker->values, slots) ? DISPUTE_POSITIVE : DISPUTE_NEGATIVE;
}

static uint32_t cell_of_codes(const struct dispute_wish *wish, const uint8_t *codes)
{
    return wish->kind == DISPUTE_WORTH ? cell_of(learn_value_sum(wish->document->value, codes))
                                       : DISPUTE_BIN_FIRST + (uint32_t)codes[wish->column];
}

/* One slot from its record. */
static bool cell_make(struct engine_worker *worker, const struct dispute_wish *wish,
                      struct column *column, uint32_t slot, struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    uint32_t *cell = &column->cells[slot];
    int64_t raw = 0;
    *cell = 0;
    if (column->p) {
        column->p[slot] = (double)NAN;
    }
    if (!engine_values(worker, slot, NULL, &local)) {
        if (local.code != PROTO_NOT_FOUND) {
            *fault = local;
        }
        return local.code == PROTO_NOT_FOUND;
    }
    switch (wish->kind) {
    case DISPUTE_SCORE:
        if (!engine_values_raw(worker, wish->document, &raw, fault)) {
            return false;
        }
        *cell = cell_of(raw);
        return true;
    case DISPUTE_MATCH:
        *cell = filter_match(wish->filter, worker->values, worker->state->schema->id_count)
                    ? DISPUTE_MATCHES
                    : 1;
        return true;
    case DISPUTE_OUTCOME:
        *cell = outcome_of(worker, wish);
        return true;
    case DISPUTE_BIN:
    case DISPUTE_WORTH:
        if (!engine_values_raw(worker, wish->document, &raw, fault)) {
            return false;
        }
        *cell = cell_of_codes(wish, worker->codes);
        return true;
    case DISPUTE_VALUE:
        if (wish->field_id == DISPUTE_LABEL) {
            struct feature_value label = label_of(worker);
            return dispute_words_place(&column->words, &label, cell, fault);
        }
        return dispute_words_place(&column->words, &worker->values[wish->field_id], cell, fault);
    }
    return true;
}

struct filling {
    struct column *column;
    enum dispute_kind kind;
};

static bool fill_one(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    const struct filling *filling = context;
    (void)fault;
    filling->column->cells[slot] =
        filling->kind == DISPUTE_SCORE ? cell_of(raw) : (uint32_t)DISPUTE_MATCHES;
    return true;
}

/* What codes say of a block of rows, and by records those that are damaged. */
static bool codes_take(struct engine_worker *worker, const struct dispute_wish *wish,
                       struct column *column, const struct store_rows *rows,
                       struct proto_fault *fault)
{
    for (unsigned i = 0; i < rows->count && rows->slot + i < column->count; i++) {
        if ((rows->damaged >> i & 1) != 0) {
            if (!cell_make(worker, wish, column, rows->slot + i, fault)) {
                return false;
            }
        } else if ((rows->living >> i & 1) != 0) {
            column->cells[rows->slot + i] = cell_of_codes(wish, rows->codes + i * rows->stride);
        }
    }
    return true;
}

/* Slots by records, and what codes say by rows of the version that they were encoded with. */
static bool slots_fill(struct engine_worker *worker, const struct engine_job *job,
                       const struct dispute_wish *wish, struct column *column,
                       struct proto_fault *fault)
{
    bool coded = wish->kind == DISPUTE_BIN || wish->kind == DISPUTE_WORTH;
    bool by_rows = coded && engine_rows_usable(worker, wish->document);
    uint32_t asked = 0;
    for (uint32_t slot = 0; slot < column->count;) {
        struct store_rows rows;
        struct proto_fault none = {.code = PROTO_OK};
        if (slot >= asked && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        asked = slot >= asked ? slot + SLOTS_PER_ASKING : asked;
        bool block = by_rows && store_rows(worker->view, slot, &rows, &none);
        if (block ? !codes_take(worker, wish, column, &rows, fault)
                  : !cell_make(worker, wish, column, slot, fault)) {
            return false;
        }
        slot = block ? rows.slot + rows.count : slot + 1;
    }
    return true;
}

/* Scores and matches by a walk, which reads rows where they say it; anything else slot by slot. */
static bool column_fill(struct engine_worker *worker, const struct engine_job *job,
                        const struct dispute_wish *wish, struct column *column,
                        struct proto_fault *fault)
{
    memset(column->cells, 0, column->count * sizeof *column->cells);
    for (size_t slot = 0; column->p && slot < column->count; slot++) {
        column->p[slot] = (double)NAN;
    }
    if (wish->kind == DISPUTE_SCORE || wish->kind == DISPUTE_MATCH) {
        struct filling filling = {column, wish->kind};
        struct engine_walk walk = {.worker = worker,
                                   .job = job,
                                   .filter = wish->filter,
                                   .document = wish->document,
                                   .context = &filling,
                                   .each = fill_one};
        return engine_walk(&walk, fault);
    }
    return slots_fill(worker, job, wish, column, fault);
}

static bool column_grow(struct column *column, bool scores, size_t slots, struct proto_fault *fault)
{
    if (slots > column->capacity) {
        size_t capacity = slots + slots / 8 + 1024;
        uint32_t *larger = realloc(column->cells, capacity * sizeof *larger);
        column->cells = larger ? larger : column->cells;
        double *p = scores && larger ? realloc(column->p, capacity * sizeof *p) : NULL;
        column->p = p ? p : column->p;
        if (!larger || (scores && !p)) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a column of %zu",
                                   slots);
        }
        column->capacity = capacity;
    }
    for (; column->count < slots; column->count++) {
        column->cells[column->count] = 0;
        if (column->p) {
            column->p[column->count] = (double)NAN;
        }
    }
    column->count = slots;
    return true;
}

/* Forgets what the view has seen; returns how much of what is noted was there. */
static void noted_forget(struct dispute *dispute, struct column *column, uint64_t seq)
{
    size_t left = 0;
    pthread_mutex_lock(&dispute->lock);
    for (size_t i = 0; i < column->noted_count; i++) {
        if (column->noted[i].seq > seq) {
            column->noted[left++] = column->noted[i];
        }
    }
    column->noted_count = left;
    if (column->lost && column->lost_seq <= seq) {
        column->lost = false;
    }
    pthread_mutex_unlock(&dispute->lock);
}

/* The slots that are noted, copied; NULL with *all set if they are not all known. */
static uint32_t *noted_copy(struct dispute *dispute, struct column *column, size_t *count,
                            bool *all)
{
    pthread_mutex_lock(&dispute->lock);
    *count = column->noted_count;
    *all = column->lost || !column->whole;
    uint32_t *slots = *all ? NULL : malloc((*count + 1) * sizeof *slots);
    for (size_t i = 0; slots && i < *count; i++) {
        slots[i] = column->noted[i].slot;
    }
    pthread_mutex_unlock(&dispute->lock);
    return slots;
}

static bool column_follow(struct dispute *dispute, struct engine_worker *worker,
                          const struct engine_job *job, const struct dispute_wish *wish,
                          struct column *column, struct proto_fault *fault)
{
    uint64_t seq = engine_worker_seq(worker);
    size_t count;
    bool all;
    if (!column_grow(column, wish->kind == DISPUTE_SCORE, store_view_slots(worker->view), fault)) {
        return false;
    }
    uint32_t *slots = noted_copy(dispute, column, &count, &all);
    bool ok = true;
    column->whole = false;
    if (!slots) { /* also where there was no memory for a copy */
        ok = column_fill(worker, job, wish, column, fault);
    }
    for (size_t i = 0; ok && slots && i < count; i++) {
        /* A slot that the view does not have yet stays noted. */
        ok = slots[i] >= column->count || cell_make(worker, wish, column, slots[i], fault);
    }
    free(slots);
    if (ok) {
        column->whole = true;
        noted_forget(dispute, column, seq);
    }
    return ok;
}

bool dispute_column(struct dispute *dispute, struct engine_worker *worker,
                    const struct engine_job *job, const struct dispute_wish *wish,
                    const struct dispute_cells *held, size_t held_count,
                    struct dispute_cells *cells, struct proto_fault *fault)
{
    struct column *column = column_find(dispute, wish_key(worker, wish), held, held_count);
    column->asked = ++dispute->questions;
    if (!column_follow(dispute, worker, job, wish, column, fault)) {
        return false;
    }
    *cells = (struct dispute_cells){.cells = column->cells,
                                    .count = column->count,
                                    .p = column->p,
                                    .words = dispute_words_list(&column->words),
                                    .word_count = column->words.count,
                                    .column = column};
    return true;
}
