/* SPDX-License-Identifier: Apache-2.0 */
/* A block of rows is gone through segment by segment: whoever is sure to be in one is done, whoever
 * may be in it is looked at, and what is left goes on to the next. What cannot be read stays
 * unknown, and whoever asks for it says why. */
#include "server/engine/labels_parts.h"

#include <stdlib.h>

#include "server/engine/worker.h"

enum {
    CHUNK_BLOCKS = 4
}; /* rows worked out under one hold of the lock; each may need its record */

struct engine_label_rows {
    struct engine_labels *held; /* whose filters these are; NULL of the labels' own */
    size_t count;
    size_t stride;
    struct filter_rows *list[]; /* NULL where a segment labels nobody */
};

void engine_label_rows_destroy(struct engine_label_rows *rows)
{
    struct engine_labels *held = rows ? rows->held : NULL;
    for (size_t i = 0; rows && i < rows->count; i++) {
        filter_rows_destroy(rows->list[i]);
    }
    free(rows);
    engine_labels_release(held);
}

static struct engine_label_rows *rows_make(const struct engine_labels *labels)
{
    const struct filter_facts none = {.context = NULL};
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = sizeof(struct engine_label_rows) + labels->count * sizeof(struct filter_rows *);
    struct engine_label_rows *rows = labels->document ? calloc(1, bytes) : NULL;
    if (!rows) {
        return NULL;
    }
    rows->stride = labels->document->codebook->row_bytes;
    for (rows->count = 0; rows->count < labels->count; rows->count++) {
        struct filter *filter = labels->filters[rows->count];
        struct filter_rows **one = &rows->list[rows->count];
        *one =
            filter ? filter_rows_compile(filter, labels->document->codebook, &none, &fault) : NULL;
        if (filter && !*one) {
            engine_label_rows_destroy(rows);
            return NULL;
        }
    }
    return rows;
}

struct engine_label_rows *engine_label_rows_create(struct engine_labels *labels)
{
    struct engine_label_rows *rows = rows_make(labels);
    if (rows) {
        rows->held = engine_labels_retain(labels);
    }
    return rows;
}

uint8_t engine_label_rows_match(struct engine_label_rows *rows, const uint8_t *codes)
{
    static const int64_t no_score = 0;
    const struct filter_block block = {
        .codes = codes, .stride = rows->stride, .count = 1, .raws = &no_score};
    for (size_t i = 0; i < rows->count; i++) {
        struct filter_verdict verdict = {0, 0};
        if (rows->list[i]) {
            verdict = filter_rows_block(rows->list[i], &block);
        }
        if (verdict.maybe != 0 || verdict.sure != 0) {
            return verdict.sure != 0 ? (uint8_t)(ENGINE_LABEL_FIRST + i) : ENGINE_LABEL_UNKNOWN;
        }
    }
    return ENGINE_LABEL_NONE;
}

static void labels_free(struct engine_labels *labels)
{
    for (size_t i = 0; i < ENGINE_LABELS_BLOCKS; i++) {
        base_pages_give((void *)(uintptr_t)atomic_load(&labels->blocks[i]), BASE_HUGE_BYTES);
    }
    engine_label_rows_destroy(labels->rows);
    for (size_t i = 0; labels->filters && i < labels->count; i++) {
        filter_destroy(labels->filters[i]);
    }
    free((void *)labels->filters);
    free(labels->values);
    learn_document_release(labels->document);
    feature_schema_release(labels->schema);
    engine_segments_release(labels->segments);
    free(labels);
}

/* False: no memory. A filter that the schema cannot read is left out. */
static bool filters_open(struct engine_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        labels->filters[i] =
            filter_parse(labels->schema, labels->segments->names.items[i].text, &fault, NULL);
        if (fault.code == PROTO_NO_MEMORY) {
            return false;
        }
    }
    labels->rows = rows_make(labels);
    return labels->rows || !labels->document;
}

bool engine_labels_create(const struct engine_state *state, struct engine_labels **made,
                          struct proto_fault *fault)
{
    const struct filter_names *names = engine_segments_names(state->segments);
    *made = NULL;
    if (names->count == 0 || state->schema == NULL) {
        return true;
    }
    struct engine_labels *labels = calloc(1, sizeof *labels);
    if (labels == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for labels");
    }
    atomic_init(&labels->references, 1);
    atomic_init(&labels->closed, UINT64_MAX);
    labels->segments = engine_segments_retain(state->segments);
    labels->schema = feature_schema_retain(state->schema);
    labels->document = state->active ? learn_document_retain(state->active) : NULL;
    labels->count = names->count < ENGINE_LABELS_MAX ? names->count : ENGINE_LABELS_MAX;
    labels->filters = calloc(labels->count, sizeof(struct filter *));
    labels->values = calloc(labels->schema->id_count + 1, sizeof *labels->values);
    if (!labels->filters || !labels->values || !filters_open(labels)) {
        labels_free(labels);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for labels");
    }
    *made = labels;
    return true;
}

bool engine_labels_of_values(const struct engine_state *state, struct engine_segments *segments,
                             struct engine_labels **labels, struct proto_fault *fault)
{
    const struct engine_state bare = {.schema = state->schema, .segments = segments};
    return engine_labels_create(&bare, labels, fault);
}

bool engine_labels_reads(const struct engine_labels *labels, uint16_t field_id)
{
    bool reads = false;
    for (size_t i = 0; i < labels->count && !reads; i++) {
        reads = labels->filters[i] && filter_reads(labels->filters[i], field_id);
    }
    return reads;
}

struct engine_labels *engine_labels_retain(struct engine_labels *labels)
{
    if (labels) {
        atomic_fetch_add_explicit(&labels->references, 1, memory_order_relaxed);
    }
    return labels;
}

void engine_labels_release(struct engine_labels *labels)
{
    if (labels && atomic_fetch_sub_explicit(&labels->references, 1, memory_order_acq_rel) == 1) {
        labels_free(labels);
    }
}

uint8_t engine_labels_match(const struct engine_labels *labels, const struct feature_value *values,
                            size_t slots)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (labels->filters[i] && filter_match(labels->filters[i], values, slots)) {
            return (uint8_t)(ENGINE_LABEL_FIRST + i);
        }
    }
    return ENGINE_LABEL_NONE;
}

struct proto_span engine_labels_name(const struct engine_labels *labels, uint8_t label)
{
    return labels->segments->names.items[label - ENGINE_LABEL_FIRST].name;
}

size_t engine_labels_count(const struct engine_labels *labels)
{
    return labels->count;
}

struct engine_label_window engine_label_window(const struct engine_worker *worker)
{
    return (struct engine_label_window){worker->state->labels->blocks};
}

bool engine_label_window_holds(const struct engine_worker *worker)
{
    const struct engine_labels *labels = worker->state->labels;
    uint64_t seq = store_view_seq(worker->view);
    return atomic_load_explicit(&labels->filled, memory_order_acquire) <= seq &&
           atomic_load_explicit(&labels->closed, memory_order_acquire) >= seq;
}

enum { GROUP = 64 };

static void group_read(const struct engine_labels *labels, const struct store_view *view,
                       const uint32_t *slots, size_t count, uint8_t *found)
{
    for (size_t i = 0; i < count; i++) {
        found[i] = engine_labels_load(labels, slots[i]);
    }
    /* Asked after they were loaded: whether all come from commits that the view sees. */
    if (atomic_load_explicit(&labels->filled, memory_order_acquire) <= store_view_seq(view)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool known = found[i] != ENGINE_LABEL_UNKNOWN && store_view_is_latest(view, slots[i]);
        found[i] = known ? found[i] : ENGINE_LABEL_UNKNOWN;
    }
}

void engine_labels_read(const struct engine_labels *labels, const struct store_view *view,
                        const uint32_t *slots, size_t count, uint8_t *found)
{
    if (atomic_load_explicit(&labels->closed, memory_order_acquire) < store_view_seq(view)) {
        memset(found, ENGINE_LABEL_UNKNOWN, count);
        return;
    }
    for (size_t at = 0; at < count; at += GROUP) {
        size_t group = count - at < GROUP ? count - at : GROUP;
        group_read(labels, view, slots + at, group, found + at);
    }
}

static void label_set(struct engine_labels *labels, uint32_t slot, uint8_t label)
{
    _Atomic(_Atomic uint8_t *) *at = &labels->blocks[slot / ENGINE_LABELS_BLOCK];
    _Atomic uint8_t *block = atomic_load_explicit(at, memory_order_relaxed);
    if (!block) {
        block = base_pages_take(BASE_HUGE_BYTES);
        if (!block) {
            return;
        }
        atomic_store_explicit(at, block, memory_order_release);
    }
    atomic_store_explicit(&block[slot % ENGINE_LABELS_BLOCK], label, memory_order_release);
}

void engine_labels_forget(struct engine_labels *labels, const struct store_commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        if (engine_labels_load(labels, commit->slots[i]) != ENGINE_LABEL_UNKNOWN) {
            label_set(labels, commit->slots[i], ENGINE_LABEL_UNKNOWN);
        }
    }
}

static bool rows_fit(const struct engine_labels *labels, const struct store_view *view)
{
    return labels->document && store_view_rows_digest(view) == labels->document->codebook->digest;
}

static void filled_raise(struct engine_labels *labels, uint64_t seq)
{
    if (atomic_load_explicit(&labels->filled, memory_order_relaxed) < seq) {
        atomic_store_explicit(&labels->filled, seq, memory_order_release);
    }
}

/* The label of an account by its record. */
static uint8_t record_label(struct engine_labels *labels, struct store_view *view, uint32_t slot)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record;
    struct proto_span bytes;
    if (!store_record(view, slot, &bytes, &fault) ||
        !feature_record_open(bytes, false, &record, &fault)) {
        return ENGINE_LABEL_UNKNOWN;
    }
    feature_record_values(&record, labels->values, labels->schema->id_count);
    return engine_labels_match(labels, labels->values, labels->schema->id_count);
}

static void block_label(struct engine_labels *labels, struct store_view *view,
                        const struct filter_block *block, uint64_t left)
{
    uint64_t look = 0;
    for (size_t i = 0; i < labels->count && left != 0; i++) {
        if (!labels->rows->list[i]) {
            continue;
        }
        struct filter_verdict verdict = filter_rows_block(labels->rows->list[i], block);
        look |= left & verdict.maybe & ~verdict.sure;
        left &= ~look;
        for (uint64_t in = left & verdict.sure; in != 0; in &= in - 1) {
            label_set(labels, block->slot + (unsigned)__builtin_ctzll(in),
                      (uint8_t)(ENGINE_LABEL_FIRST + i));
        }
        left &= ~verdict.sure;
    }
    for (; left != 0; left &= left - 1) {
        label_set(labels, block->slot + (unsigned)__builtin_ctzll(left), ENGINE_LABEL_NONE);
    }
    for (; look != 0; look &= look - 1) {
        uint32_t slot = block->slot + (unsigned)__builtin_ctzll(look);
        label_set(labels, slot, record_label(labels, view, slot));
    }
}

void engine_labels_renew(struct engine_labels *labels, struct store_view *view,
                         const struct store_commit *commit)
{
    static const int64_t no_score = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!rows_fit(labels, view)) {
        return;
    }
    filled_raise(labels, store_view_seq(view));
    for (size_t i = 0; i < commit->count; i++) {
        const uint8_t *row = store_row(view, commit->slots[i], &fault);
        if (row) {
            const struct filter_block block = {.codes = row,
                                               .stride = labels->document->codebook->row_bytes,
                                               .count = 1,
                                               .slot = commit->slots[i],
                                               .raws = &no_score};
            block_label(labels, view, &block, 1);
        }
    }
}

bool engine_labels_fill(struct engine_labels *labels, struct store_view *view)
{
    static const int64_t no_scores[STORE_ROWS_MAX] = {0};
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t next = atomic_load(&labels->next);
    uint32_t from = next;
    if (!labels->document || !store_view_refresh(view, &fault)) {
        return false;
    }
    if (rows_fit(labels, view)) {
        filled_raise(labels, store_view_seq(view));
        for (int i = 0; i < CHUNK_BLOCKS && next < store_view_rows_slots(view); i++) {
            struct store_rows rows = {.slot = next,
                                      .count = STORE_ROWS_MAX - next % STORE_ROWS_MAX};
            if (store_rows(view, next, &rows, &fault)) {
                const struct filter_block block = {rows.codes, rows.stride, rows.count, rows.slot,
                                                   no_scores};
                block_label(labels, view, &block, rows.living & ~rows.damaged);
            }
            next = rows.slot + rows.count;
        }
        atomic_store(&labels->next, next);
    }
    store_view_rest(view);
    return next != from;
}
