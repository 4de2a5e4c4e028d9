/* SPDX-License-Identifier: Apache-2.0 */
/* The head is the template of score_template.h; what comes with reasons are pieces, finished pairs
 * of which numbers are patched, and fragments, finished maps of one reason each. Room for the
 * longest reply is reserved once; without it nothing is written and the writer says so. */
#include "server/rpc/score_reply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/table.h"
#include "proto/utf8.h"
#include "server/engine/labels.h"
#include "server/rpc/call.h"
#include "server/rpc/score_template.h"

enum {
    KEPT = 4,    /* versions whose fragments are kept */
    STRIDE = 32, /* copies go in steps of this size, and may read and write so much too much */
    PIECE_BYTES_MAX = 64,
    FRAGMENT_BYTES_MAX = 640, /* two names, two words of 96 bytes, three keys and a number */
};

/* A run of finished pairs of which numbers are patched. */
struct piece {
    uint8_t bytes[PIECE_BYTES_MAX];
    size_t size;
    size_t a, b, c; /* where its numbers stand */
};

/* The reasons of one version that were named so far. */
struct fragments {
    const struct learn_document *document;
    uint64_t generation; /* of the state that the document was taken from */
    uint32_t *places;    /* by entry of the tables: 0, or where its fragment stands in bytes */
    uint8_t *bytes;      /* each u16 length and the fragment; STRIDE more than are used */
    size_t used;
    size_t capacity;
};

struct rpc_score_reply {
    struct rpc_score_template head;
    struct piece id;      /* the key */
    struct piece reasons; /* intercept: a; the key of the reasons */
    struct piece rest;    /* rest: a, fit_low: b, fit_high: c; the key of what is missing */
    struct piece stale;   /* the key */
    struct piece unknown; /* the key */
    struct piece unsure;  /* key and value */
    struct piece segment; /* the key */
    struct piece name;    /* the key */
    struct fragments kept[KEPT];
    size_t kept_next;
    struct proto_writer scratch;
};

static bool piece_take(struct proto_writer *out, struct piece *piece)
{
    bool ok = proto_writer_ok(out) && out->bytes <= PIECE_BYTES_MAX;
    if (ok) {
        memcpy(piece->bytes, out->data, out->bytes);
        piece->size = out->bytes;
    }
    proto_writer_reset(out);
    return ok;
}

static bool pieces_make(struct rpc_score_reply *reply, const struct proto_op_info *op)
{
    struct proto_writer *out = &reply->scratch;
    rpc_key(out, op, PROTO_A_SCORE_ID);
    bool ok = piece_take(out, &reply->id);
    reply->reasons.a = rpc_put_wide(out, op, PROTO_A_SCORE_INTERCEPT, PROTO_MARK_I64, 8);
    rpc_key(out, op, PROTO_A_SCORE_REASONS);
    ok = piece_take(out, &reply->reasons) && ok;
    reply->rest.a = rpc_put_wide(out, op, PROTO_A_SCORE_REST, PROTO_MARK_I64, 8);
    reply->rest.b = rpc_put_wide(out, op, PROTO_A_SCORE_FIT_LOW, PROTO_MARK_F64, 8);
    reply->rest.c = rpc_put_wide(out, op, PROTO_A_SCORE_FIT_HIGH, PROTO_MARK_F64, 8);
    rpc_key(out, op, PROTO_A_SCORE_MISSING);
    ok = piece_take(out, &reply->rest) && ok;
    rpc_key(out, op, PROTO_A_SCORE_STALE);
    ok = piece_take(out, &reply->stale) && ok;
    rpc_key(out, op, PROTO_A_SCORE_UNKNOWN);
    ok = piece_take(out, &reply->unknown) && ok;
    rpc_put_flag(out, op, PROTO_A_SCORE_TAL_UNSURE, true);
    ok = piece_take(out, &reply->unsure) && ok;
    rpc_key(out, op, PROTO_A_SCORE_SEGMENT);
    ok = piece_take(out, &reply->segment) && ok;
    rpc_key(out, op, PROTO_A_SCORE_NAME);
    return piece_take(out, &reply->name) && ok;
}

struct rpc_score_reply *rpc_score_reply_create(struct proto_fault *fault)
{
    const struct proto_op_info *op = proto_op_find(PROTO_OP_SCORE);
    struct rpc_score_reply *reply = calloc(1, sizeof *reply);
    if (reply) {
        proto_writer_init(&reply->scratch);
    }
    if (!reply || !rpc_score_template_init(&reply->head) || !pieces_make(reply, op)) {
        rpc_score_reply_destroy(reply);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for replies");
        return NULL;
    }
    return reply;
}

static void fragments_fini(struct fragments *fragments)
{
    free(fragments->places);
    free(fragments->bytes);
    *fragments = (struct fragments){0};
}

void rpc_score_reply_destroy(struct rpc_score_reply *reply)
{
    if (reply) {
        for (size_t i = 0; i < KEPT; i++) {
            fragments_fini(&reply->kept[i]);
        }
        proto_writer_fini(&reply->scratch);
        free(reply);
    }
}

/* Those of the document, empty ones if it is new here. A document of the same generation of the
 * state is the same one: the state keeps it alive. */
static struct fragments *fragments_of(struct rpc_score_reply *reply,
                                      const struct learn_document *document, uint64_t generation)
{
    for (size_t i = 0; i < KEPT; i++) {
        struct fragments *fragments = &reply->kept[i];
        if (fragments->document == document && fragments->generation == generation) {
            return fragments;
        }
    }
    struct fragments *fragments = &reply->kept[reply->kept_next++ % KEPT];
    size_t entries = document->scorecard->table_count;
    fragments_fini(fragments);
    fragments->document = document;
    fragments->generation = generation;
    /* What a column of trees adds differs from row to row: there is nothing to keep. */
    if (entries <= RPC_FRAGMENTS_ENTRIES_MAX && !document->scorecard->trees) {
        fragments->places = calloc(entries + 1, sizeof *fragments->places); /* NULL: none is kept */
    }
    return fragments;
}

static void text_pair_write(struct proto_writer *out, const char *key, const char *a, const char *b)
{
    char pair[2 * PROTO_FIELD_NAME_BYTES_MAX + 8]; /* words are shorter than names */
    proto_write_text(out, key);
    if (b) {
        snprintf(pair, sizeof pair, "%s × %s", a, b);
    }
    proto_write_text(out, b ? pair : a);
}

/* Encodes one reason in the scratch writer. */
static struct proto_span reason_encode(struct rpc_score_reply *reply,
                                       const struct learn_document *document,
                                       const struct model_part *part)
{
    struct proto_writer *out = &reply->scratch;
    struct engine_reason reason = {.field = "", .contribution = part->contribution};
    engine_reason_fill(document, part, &reason);
    proto_writer_reset(out);
    proto_write_map(out, 3);
    text_pair_write(out, "field", reason.field, reason.field_b);
    text_pair_write(out, "value", reason.value, reason.field_b ? reason.value_b : NULL);
    proto_write_text(out, "contribution");
    proto_write_int(out, reason.contribution);
    assert(!proto_writer_ok(out) || out->bytes <= FRAGMENT_BYTES_MAX);
    return proto_writer_ok(out) ? proto_writer_span(out) : (struct proto_span){0};
}

/* Keeps a fragment if there is room and memory. */
static void fragment_keep(struct fragments *fragments, uint32_t entry, struct proto_span encoded)
{
    size_t needed = fragments->used + sizeof(uint16_t) + encoded.bytes + STRIDE;
    if (!fragments->places || needed > RPC_FRAGMENTS_BYTES_MAX) {
        return;
    }
    if (needed > fragments->capacity) {
        size_t capacity = needed < 2048 ? 4096 : 2 * needed;
        capacity = capacity > RPC_FRAGMENTS_BYTES_MAX ? RPC_FRAGMENTS_BYTES_MAX : capacity;
        uint8_t *larger = realloc(fragments->bytes, capacity);
        if (!larger) {
            return;
        }
        /* Copies read STRIDE bytes at a time, beyond what is used. */
        memset(larger + fragments->used, 0, capacity - fragments->used);
        fragments->bytes = larger;
        fragments->capacity = capacity;
    }
    fragments->used = fragments->used == 0 ? 1 : fragments->used; /* 0 means none */
    uint16_t bytes = (uint16_t)encoded.bytes;
    uint8_t *at = fragments->bytes + fragments->used;
    memcpy(at, &bytes, sizeof bytes);
    memcpy(at + sizeof bytes, encoded.data, encoded.bytes);
    fragments->places[entry] = (uint32_t)fragments->used;
    fragments->used += sizeof bytes + encoded.bytes;
}

/* Copies in steps of a fixed size, which cost less than one of any size. */
static uint8_t *copy(uint8_t *at, const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += STRIDE) {
        memcpy(at + i, from + i, STRIDE);
    }
    return at + bytes;
}

static uint8_t *reason_put(struct rpc_score_reply *reply, struct fragments *fragments,
                           const struct model_part *part, uint8_t *at)
{
    uint32_t place = fragments->places ? fragments->places[part->entry] : 0;
    if (place == 0) {
        struct proto_span encoded = reason_encode(reply, fragments->document, part);
        if (encoded.bytes == 0) {
            return NULL;
        }
        fragment_keep(fragments, part->entry, encoded);
        memcpy(at, encoded.data, encoded.bytes);
        return at + encoded.bytes;
    }
    uint16_t bytes;
    memcpy(&bytes, fragments->bytes + place, sizeof bytes);
    return copy(at, fragments->bytes + place + sizeof bytes, bytes);
}

static uint8_t *size_put(uint8_t *at, size_t count, uint8_t few, uint8_t mark)
{
    if (count <= PROTO_FIX_COUNT_MAX) {
        *at = (uint8_t)(few | count);
        return at + 1;
    }
    *at = mark;
    at[1] = (uint8_t)(count >> 8);
    at[2] = (uint8_t)count;
    return at + 3;
}

static uint8_t *array_put(uint8_t *at, size_t count)
{
    return size_put(at, count, PROTO_MARK_FIXARRAY, PROTO_MARK_ARRAY16);
}

/* A text of at most 255 bytes. */
static uint8_t *text_put(uint8_t *at, struct proto_span text)
{
    if (text.bytes <= PROTO_FIXSTR_BYTES_MAX) {
        *at++ = (uint8_t)(PROTO_MARK_FIXSTR | text.bytes);
    } else {
        *at++ = PROTO_MARK_STR8;
        *at++ = (uint8_t)text.bytes;
    }
    memcpy(at, text.data, text.bytes);
    return at + text.bytes;
}

static uint8_t *texts_put(uint8_t *at, const struct proto_span *texts, size_t count)
{
    at = array_put(at, count);
    for (size_t i = 0; i < count; i++) {
        at = text_put(at, texts[i]);
    }
    return at;
}

static size_t texts_room(const struct proto_span *texts, size_t count)
{
    size_t room = 3;
    for (size_t i = 0; i < count; i++) {
        room += 2 + texts[i].bytes;
    }
    return room;
}

/* A name of a stranger: cut where the name of a field must end, between characters. */
static struct proto_span name_cut(struct proto_span name)
{
    return (struct proto_span){name.data,
                               proto_utf8_cut(name.data, name.bytes, PROTO_FIELD_NAME_BYTES_MAX)};
}

static size_t room_for(const struct engine_query *query, const struct engine_answer *answer,
                       const struct rpc_score_beside *beside)
{
    const struct rpc_unknown *unknown = beside ? beside->unknown : NULL;
    size_t room = 3 + RPC_SCORE_TEMPLATE_BYTES + STRIDE + 2 * PIECE_BYTES_MAX + 2 +
                  PROTO_SEGMENT_NAME_BYTES_MAX;
    if (query->reasons > 0) {
        room += 4 * (size_t)PIECE_BYTES_MAX + 2 + PROTO_ID_BYTES_MAX + 3 +
                answer->part_count * FRAGMENT_BYTES_MAX +
                texts_room(answer->missing, answer->missing_count) +
                texts_room(answer->stale, answer->stale_count);
    }
    if (unknown && unknown->count > 0) {
        room += PIECE_BYTES_MAX + 3 + unknown->count * (2 + PROTO_FIELD_NAME_BYTES_MAX);
    }
    return room;
}

static uint8_t *head_put(const struct rpc_score_reply *reply, struct engine_worker *worker,
                         const struct engine_query *query, const struct engine_answer *answer,
                         uint8_t *at)
{
    bool tal = answer->found && engine_state_on_tal(engine_worker_state(worker), answer->slot);
    const struct rpc_score_template *head = &reply->head;
    memcpy(at, head->bytes, RPC_SCORE_TEMPLATE_BYTES);
    rpc_score_template_state(head, at, query->document->version, engine_worker_seq(worker));
    at[head->found] = (uint8_t)(PROTO_MARK_FALSE + answer->found);
    rpc_score_template_answer(head, at, answer, tal);
    return at + head->size;
}

static uint8_t *piece_put(uint8_t *at, const struct piece *piece)
{
    memcpy(at, piece->bytes, PIECE_BYTES_MAX);
    return at + piece->size;
}

static uint8_t *reasons_put(struct rpc_score_reply *reply, struct engine_worker *worker,
                            const struct engine_query *query, const struct engine_answer *answer,
                            uint8_t *at)
{
    struct fragments *fragments =
        fragments_of(reply, query->document, engine_worker_state(worker)->generation);
    if (answer->found) {
        at = text_put(piece_put(at, &reply->id), answer->id);
    }
    uint8_t *piece = at;
    at = array_put(piece_put(at, &reply->reasons), answer->part_count);
    proto_patch_u64(piece + reply->reasons.a, (uint64_t)query->document->scorecard->intercept);
    for (size_t i = 0; at && i < answer->part_count; i++) {
        at = reason_put(reply, fragments, &answer->parts[i], at);
    }
    if (!at) {
        return NULL;
    }
    piece = at;
    at = piece_put(at, &reply->rest);
    proto_patch_u64(piece + reply->rest.a, (uint64_t)answer->rest);
    proto_patch_f64(piece + reply->rest.b, answer->fit_low);
    proto_patch_f64(piece + reply->rest.c, answer->fit_high);
    at = texts_put(at, answer->missing, answer->missing_count);
    return texts_put(piece_put(at, &reply->stale), answer->stale, answer->stale_count);
}

/* It is on no list that can be read, and one cannot be. */
static bool tal_unsure(struct engine_worker *worker, const struct engine_answer *answer)
{
    const struct engine_state *state = engine_worker_state(worker);
    return answer->found && engine_state_tal_unsure(state) &&
           !engine_state_on_tal(state, answer->slot);
}

void rpc_score_reply_write(struct rpc_score_reply *reply, struct engine_worker *worker,
                           const struct engine_query *query, const struct engine_answer *answer,
                           const struct rpc_score_beside *beside, struct proto_writer *out)
{
    uint8_t *start = proto_writer_reserve(out, room_for(query, answer, beside));
    if (!start) {
        return;
    }
    const struct rpc_unknown *unknown = beside ? beside->unknown : NULL;
    bool strangers = unknown && unknown->count > 0;
    bool named = beside && beside->named;
    bool unsure = tal_unsure(worker, answer);
    bool labelled = answer->label >= ENGINE_LABEL_FIRST;
    size_t pairs = (size_t)RPC_SCORE_MEMBERS + labelled + unsure +
                   (query->reasons > 0 ? 7U + answer->found : 0U) + strangers + named;
    uint8_t *at = size_put(start, pairs, PROTO_MARK_FIXMAP, PROTO_MARK_MAP16);
    at = head_put(reply, worker, query, answer, at);
    if (labelled) {
        at = text_put(piece_put(at, &reply->segment),
                      engine_labels_name(engine_worker_state(worker)->labels, answer->label));
    }
    if (query->reasons > 0) {
        at = reasons_put(reply, worker, query, answer, at);
        if (!at) {
            out->failed = true;
            return;
        }
    }
    if (unsure) {
        at = piece_put(at, &reply->unsure);
    }
    if (strangers) {
        at = array_put(piece_put(at, &reply->unknown), unknown->count);
        for (size_t i = 0; i < unknown->count; i++) {
            at = text_put(at, name_cut(unknown->names[i]));
        }
    }
    out->bytes += (size_t)(at - start);
    if (named) {
        proto_write_raw(out, (struct proto_span){reply->name.bytes, reply->name.size});
        proto_write_str(out, beside->name);
    }
}
