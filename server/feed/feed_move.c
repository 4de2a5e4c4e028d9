/* SPDX-License-Identifier: Apache-2.0 */
/* An account as it was known at two sequences, scored by the versions that were active then and
 * labelled by the segments that were in force. Where what it was is not kept it is told as it is:
 * too much is no harm, too little is. */
#include "server/feed/feed_move.h"

#include <string.h>

#include "server/engine/before.h"

/* How an account stood at a sequence. */
struct stood {
    bool there, unkept;
    char grade; /* 0: nothing scored it */
    double fit;
    struct proto_span segment; /* borrowed from the labels; empty: none */
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a page of changes");
}

static struct feed_move *move_add(struct feed_between *between)
{
    struct feed_page *page = between->page;
    if (page->count == page->room) {
        size_t room = page->room * 2 + 256;
        struct feed_move *grown = base_arena_array(between->arena, room, sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        if (page->count > 0) {
            memcpy(grown, page->moves, page->count * sizeof *grown);
        }
        page->moves = grown;
        page->room = room;
    }
    page->moves[page->count] = (struct feed_move){.before = 0};
    return &page->moves[page->count++];
}

static struct proto_span kept(struct base_arena *arena, struct proto_span text)
{
    uint8_t *copy = base_arena_take(arena, text.bytes + 1);
    if (copy == NULL || text.bytes == 0) {
        return (struct proto_span){copy, 0};
    }
    memcpy(copy, text.data, text.bytes);
    return (struct proto_span){copy, text.bytes};
}

/* Id and keys of the account. */
static bool named(struct feed_between *between, const struct feature_record *record,
                  struct feed_move *move, struct proto_fault *fault)
{
    struct proto_span *keys = base_arena_array(between->arena, record->key_count + 1, sizeof *keys);
    size_t at = 0;
    struct proto_span key;
    move->id = kept(between->arena, record->id);
    while (keys != NULL && move->key_count < record->key_count &&
           feature_record_key_next(record, &at, &key)) {
        keys[move->key_count++] = kept(between->arena, key);
    }
    move->keys = keys;
    return (keys != NULL && base_arena_ok(between->arena)) || no_memory(fault);
}

/* The label of values as they were; one that is not kept and would have to be is as for a score. */
static bool segment_of(struct feed_between *between, const struct engine_labels *labels,
                       const struct engine_past_value *was, struct stood *stood,
                       struct proto_fault *fault)
{
    size_t slots = between->worker->state->schema->id_count;
    struct feature_value *values =
        base_arena_array(between->scratch, slots + 1, sizeof(struct feature_value));
    if (values == NULL) {
        return no_memory(fault);
    }
    for (size_t id = 0; id < slots; id++) {
        values[id] = was[id].value;
        stood->unkept |= was[id].unkept && engine_labels_reads(labels, (uint16_t)id);
    }
    uint8_t label = engine_labels_match(labels, values, slots);
    if (label >= ENGINE_LABEL_FIRST) {
        stood->segment = engine_labels_name(labels, label);
    }
    return true;
}

/* With the version that was active then and the segments that were in force. */
static bool stood_at(struct feed_between *between, uint32_t slot,
                     const struct feature_record *record, uint64_t seq, bool now,
                     struct stood *stood, struct proto_fault *fault)
{
    const struct learn_document *document = now ? between->now : between->before;
    const struct engine_labels *labels = now ? between->labels_now : between->labels_before;
    struct engine_worker *worker = between->worker;
    struct engine_moment moment = engine_moment_now();
    struct engine_past_value *values = NULL;
    struct engine_answer answer;
    enum engine_was was = ENGINE_WAS_KNOWN;
    *stood = (struct stood){.there = false};
    moment.seq = seq;
    if (!engine_account_was(worker, slot, &moment, record,
                            worker->state->schema != NULL ? worker->state->schema->id_count : 0,
                            between->scratch, &values, &was, fault)) {
        return false;
    }
    stood->there = was == ENGINE_WAS_KNOWN || was == ENGINE_WAS_UNKNOWN;
    stood->unkept = was == ENGINE_WAS_NOT_KEPT;
    if (was == ENGINE_WAS_KNOWN && labels != NULL &&
        !segment_of(between, labels, values, stood, fault)) {
        return false;
    }
    if (was != ENGINE_WAS_KNOWN || document == NULL) {
        return true;
    }
    const struct engine_query query = {.name.id = record->id,
                                       .document = document,
                                       .bare = true,
                                       .was = values,
                                       .was_ms = engine_now_ms(worker->engine)};
    struct proto_fault why = {.code = PROTO_OK};
    if (!engine_score(worker, &query, &answer, &why)) {
        bool unkept = why.code == PROTO_NOT_FOUND; /* a value of then is not kept */
        stood->unkept |= unkept;
        *fault = why;
        return unkept;
    }
    stood->grade = answer.grade;
    stood->fit = answer.fit;
    return true;
}

/* What the account is now, on a move of its own; NULL with *fault. */
static struct feed_move *move_of(struct feed_between *between, const struct feature_record *record,
                                 enum feed_what what, const struct stood *now,
                                 struct proto_fault *fault)
{
    struct feed_move *move = move_add(between);
    if (move == NULL) {
        (void)no_memory(fault);
        return NULL;
    }
    move->what = what;
    move->now = now->grade;
    move->fit = now->fit;
    if (what != FEED_GRADE) {
        move->segment = kept(between->arena, now->segment);
    }
    return named(between, record, move, fault) ? move : NULL;
}

static bool changes_tell(struct feed_between *between, const struct feature_record *record,
                         const struct stood *before, const struct stood *now,
                         struct proto_fault *fault)
{
    if (before->grade != now->grade) {
        struct feed_move *move = move_of(between, record, FEED_GRADE, now, fault);
        if (move == NULL) {
            return false;
        }
        move->before = before->grade;
        move->fit_before = before->fit;
    }
    if (!proto_span_equal(before->segment, now->segment)) {
        struct feed_move *move = move_of(between, record, FEED_SEGMENT, now, fault);
        if (move == NULL) {
            return false;
        }
        move->segment_before = kept(between->arena, before->segment);
    }
    return base_arena_ok(between->arena) || no_memory(fault);
}

bool feed_compare(struct feed_between *between, uint32_t slot, struct proto_fault *fault)
{
    struct feature_record record;
    struct stood before;
    struct stood now;
    base_arena_reset(between->scratch);
    if (!engine_record(between->worker, slot, &record, fault) ||
        !stood_at(between, slot, &record, between->since, false, &before, fault) ||
        !stood_at(between, slot, &record, between->next, true, &now, fault)) {
        return false;
    }
    bool whole = before.unkept || now.unkept;
    bool fresh = now.there && !before.there && !whole;
    if (!now.there && !now.unkept) {
        return true; /* it came behind this page */
    }
    if (!whole && !fresh) {
        return changes_tell(between, &record, &before, &now, fault);
    }
    return (!now.unkept || stood_at(between, slot, &record, UINT64_MAX, true, &now, fault)) &&
           move_of(between, &record, whole ? FEED_IS : FEED_NEW, &now, fault) != NULL;
}

bool feed_tell(struct feed_between *between, uint32_t slot, struct proto_fault *fault)
{
    struct feature_record record;
    struct stood now;
    base_arena_reset(between->scratch);
    return engine_record(between->worker, slot, &record, fault) &&
           stood_at(between, slot, &record, UINT64_MAX, true, &now, fault) &&
           move_of(between, &record, FEED_IS, &now, fault) != NULL;
}

bool feed_gone(struct feed_between *between, struct proto_span id, struct proto_fault *fault)
{
    struct feed_move *move = move_add(between);
    if (move == NULL) {
        return no_memory(fault);
    }
    move->what = FEED_GONE;
    move->id = id;
    return true;
}

bool feed_listed(struct feed_between *between, uint32_t slot, enum feed_what what, const char *list,
                 struct proto_fault *fault)
{
    struct feature_record record;
    struct proto_fault why = {.code = PROTO_OK};
    if (!engine_record(between->worker, slot, &record, &why)) {
        *fault = why;
        return why.code == PROTO_NOT_FOUND; /* it was deleted since */
    }
    struct feed_move *move = move_add(between);
    if (move == NULL) {
        return no_memory(fault);
    }
    move->what = what;
    move->list = kept(between->arena, proto_span_text(list));
    return named(between, &record, move, fault);
}
