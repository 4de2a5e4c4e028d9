/* SPDX-License-Identifier: Apache-2.0 */
/* The map is walked once, from its bytes to codes, and scored; a value that is out of the ordinary
 * is read by the ordinary reader. Whatever is wrong ends the walk, and the ordinary handler says
 * what. */
#include "server/rpc/hot/hot_lead.h"

#include <math.h>
#include <stdlib.h>

#include "proto/head.h"
#include "proto/utf8.h"
#include "server/engine/labels.h"
#include "server/feature/codebook.h"
#include "server/feature/schema_index.h"
#include "server/feature/span_text.h"
#include "server/rpc/hot/hot_parts.h"
#include "server/rpc/score_reply.h"
#include "server/rpc/values.h"

enum {
    KEYS_MAX = 256,                       /* of a lead that goes this way */
    CODES_BYTES = 64 + PROTO_COLUMNS_MAX, /* a row, whatever its padding */
};

/* What is known of one field of the schema. */
struct field_plan {
    const uint8_t *name;
    uint32_t name_bytes;
    uint32_t seen; /* number of the lead that named it last */
    enum feature_type type;
    const struct feature_codebook_plan *plan; /* NULL: the version has no column for it */
    const struct feature_field *field;
};

struct rpc_hot_lead {
    uint64_t generation;       /* of the state that all below points into; 0: none yet */
    struct field_plan *fields; /* in the order of the schema */
    size_t field_count;
    uint32_t number;            /* of this lead */
    uint16_t guesses[KEYS_MAX]; /* the field that key i of the lead before named */
    struct rpc_unknown unknown;
    struct engine_label_rows *labels; /* NULL: no segment is in force, or no memory */
    uint8_t codes[CODES_BYTES];
};

/* One lead while it is read. Functions named _take read what stands at `at` and return the place
 * behind it, NULL if that is for the ordinary handler. */
struct walk {
    struct rpc_worker *worker;
    struct rpc_hot_lead *lead;
    const struct learn_document *document;
    const struct feature_schema *schema;
    uint8_t *codes;
    const uint8_t *end;
};

struct rpc_hot_lead *rpc_hot_lead_create(struct proto_fault *fault)
{
    struct rpc_hot_lead *lead = calloc(1, sizeof *lead);
    if (!lead) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for leads");
    }
    return lead;
}

void rpc_hot_lead_destroy(struct rpc_hot_lead *lead)
{
    if (lead) {
        engine_label_rows_destroy(lead->labels);
        free(lead->fields);
        free(lead);
    }
}

/* Points at the schema and version of the state as it is now. */
static bool lead_follow(struct rpc_hot_lead *lead, const struct engine_state *state)
{
    if (lead->generation == state->generation) {
        return true;
    }
    const struct feature_schema *schema = state->schema;
    struct field_plan *fields = calloc(schema->field_count + 1, sizeof *fields);
    if (!fields) {
        return false;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct feature_field *field = &schema->fields[i];
        fields[i] = (struct field_plan){
            .name = (const uint8_t *)field->name,
            .name_bytes = (uint32_t)strlen(field->name),
            .type = field->type,
            .plan = feature_codebook_plan(state->active->codebook, field->id, field->type),
            .field = field,
        };
    }
    engine_label_rows_destroy(lead->labels);
    lead->labels = state->labels ? engine_label_rows_create(state->labels) : NULL;
    free(lead->fields);
    lead->fields = fields;
    lead->field_count = schema->field_count;
    lead->generation = state->generation;
    lead->number = 0;
    memset(lead->guesses, 0, sizeof lead->guesses);
    return true;
}

/* Equality of texts of one length, most of which are short: loads that overlap, no loop. */
static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    if (bytes >= 8 && bytes <= 16) {
        uint64_t x[2];
        uint64_t y[2];
        memcpy(&x[0], a, 8);
        memcpy(&x[1], a + bytes - 8, 8);
        memcpy(&y[0], b, 8);
        memcpy(&y[1], b + bytes - 8, 8);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (bytes >= 4 && bytes < 8) {
        uint32_t x[2];
        uint32_t y[2];
        memcpy(&x[0], a, 4);
        memcpy(&x[1], a + bytes - 4, 4);
        memcpy(&y[0], b, 4);
        memcpy(&y[1], b + bytes - 4, 4);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    return memcmp(a, b, bytes) == 0;
}

/* A text that is there whole; whether it is UTF-8 is not looked at. */
static inline const uint8_t *text_take(const struct walk *walk, const uint8_t *at,
                                       struct proto_span *text)
{
    size_t left = (size_t)(walk->end - at);
    if (left > 0 &&
        (*at & ~PROTO_FIXSTR_BYTES_MAX) == PROTO_MARK_FIXSTR) { /* fixstr: most of them */
        *text = (struct proto_span){at + 1, *at & (unsigned)PROTO_FIXSTR_BYTES_MAX};
        return text->bytes < left ? text->data + text->bytes : NULL;
    }
    struct proto_head head;
    if (left == 0 || !proto_head_read(at, left, &head) || head.kind != PROTO_KIND_STR ||
        head.size > left - head.bytes) {
        return NULL;
    }
    *text = (struct proto_span){at + head.bytes, head.size};
    return text->data + text->bytes;
}

/* A value that the ordinary reader reads. */
static const uint8_t *value_take(const struct walk *walk, const uint8_t *at,
                                 const struct field_plan *field)
{
    struct proto_fault fault = {0};
    struct proto_reader reader;
    struct feature_value value = {.present = false};
    struct rpc_values values = {.schema = walk->schema, .arena = &walk->worker->arena};
    proto_reader_init(&reader, (struct proto_span){at, (size_t)(walk->end - at)}, &fault);
    if (!rpc_value_read(&values, field->field, &reader, &value, &fault) ||
        !proto_reader_ok(&reader)) {
        return NULL;
    }
    if (value.present && field->plan) {
        feature_codebook_encode_value(walk->document->codebook, field->plan, &value, walk->codes);
    }
    return reader.at;
}

/* A finite number of any width. */
static inline const uint8_t *finite_take(const struct walk *walk, const uint8_t *at, double *number)
{
    size_t left = (size_t)(walk->end - at);
    if (*at == PROTO_MARK_F64 && left > 8) { /* f64: what most clients send */
        uint64_t bits = proto_head_load(at + 1, 8);
        memcpy(number, &bits, sizeof *number);
        at += 9;
    } else {
        struct proto_head head;
        if (!proto_head_read(at, left, &head) ||
            (head.kind != PROTO_KIND_INT && head.kind != PROTO_KIND_FLOAT)) {
            return NULL;
        }
        *number = head.kind == PROTO_KIND_FLOAT ? head.number
                  : head.negative               ? (double)(int64_t)head.bits
                                                : (double)head.bits;
        at += head.bytes;
    }
    return isfinite(*number) ? at : NULL;
}

static const uint8_t *number_take(const struct walk *walk, const uint8_t *at,
                                  const struct field_plan *field)
{
    double number;
    const uint8_t *behind = finite_take(walk, at, &number);
    if (!behind) {
        return value_take(walk, at, field);
    }
    if (field->plan) {
        feature_codebook_encode_number(walk->document->codebook, field->plan, number, walk->codes);
    }
    return behind;
}

static const uint8_t *category_take(const struct walk *walk, const uint8_t *at,
                                    const struct field_plan *field)
{
    struct proto_span text;
    const uint8_t *behind = text_take(walk, at, &text);
    if (behind && text.bytes > 0 && feature_text_is_trim(text) && field->plan &&
        !feature_missing_word_possible(walk->schema->index, text) &&
        feature_codebook_encode_category(field->plan, text, walk->codes)) {
        return behind; /* what equals a known category is a text in order */
    }
    return value_take(walk, at, field);
}

static const uint8_t *tags_take(const struct walk *walk, const uint8_t *at,
                                const struct field_plan *field)
{
    struct proto_head head;
    if (!field->plan || !proto_head_read(at, (size_t)(walk->end - at), &head) ||
        head.kind != PROTO_KIND_ARRAY || head.size > PROTO_TAGS_MAX) {
        return value_take(walk, at, field);
    }
    const uint8_t *behind = at + head.bytes;
    feature_codebook_encode_no_tags(field->plan, walk->codes);
    for (uint32_t i = 0; behind && i < head.size; i++) {
        struct proto_span tag;
        behind = text_take(walk, behind, &tag);
        if (behind && !feature_codebook_encode_tag(field->plan, tag, walk->codes)) {
            return value_take(walk, at, field); /* not known: the ordinary reader checks it */
        }
    }
    return behind;
}

static const uint8_t *flag_take(const struct walk *walk, const uint8_t *at,
                                const struct field_plan *field)
{
    if ((*at & 0xfe) != PROTO_MARK_FALSE) {
        return value_take(walk, at, field);
    }
    if (field->plan) {
        feature_codebook_encode_flag(field->plan, *at & 1, walk->codes);
    }
    return at + 1;
}

static inline const uint8_t *field_take(const struct walk *walk, const uint8_t *at,
                                        const struct field_plan *field)
{
    if (at == walk->end) {
        return NULL;
    }
    if (*at == PROTO_MARK_NIL) { /* nil: missing, as if it were not named */
        return at + 1;
    }
    switch (field->type) {
    case FEATURE_NUMBER:
        return number_take(walk, at, field);
    case FEATURE_CATEGORY:
        return category_take(walk, at, field);
    case FEATURE_TAGS:
        return tags_take(walk, at, field);
    case FEATURE_FLAG:
        return flag_take(walk, at, field);
    case FEATURE_VECTOR:
    case FEATURE_DATE:
        break;
    }
    return value_take(walk, at, field);
}

/* A name that the schema does not know: told in the reply, its value passed over. */
static const uint8_t *unknown_take(const struct walk *walk, const uint8_t *at,
                                   struct proto_span name)
{
    struct rpc_unknown *unknown = &walk->lead->unknown;
    if (unknown->count == PROTO_UNKNOWN_MAX || !proto_utf8_valid(name)) {
        return NULL;
    }
    for (size_t i = 0; i < unknown->count; i++) {
        if (proto_span_equal(unknown->names[i], name)) {
            return NULL;
        }
    }
    unknown->names[unknown->count++] = name;
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, (struct proto_span){at, (size_t)(walk->end - at)}, &fault);
    reader.depth = 2; /* within the payload and its values */
    (void)proto_read_any(&reader);
    return proto_reader_ok(&reader) ? reader.at : NULL;
}

/* The field of pair i that has this name; NULL if none has. */
static struct field_plan *field_of(const struct walk *walk, size_t i, struct proto_span name)
{
    struct rpc_hot_lead *lead = walk->lead;
    struct field_plan *guess = &lead->fields[lead->guesses[i]];
    if (guess->name_bytes == name.bytes && same_bytes(guess->name, name.data, name.bytes)) {
        return guess;
    }
    const struct feature_field *found = feature_schema_find(walk->schema, name);
    if (!found) {
        return NULL;
    }
    lead->guesses[i] = (uint16_t)(found - walk->schema->fields);
    return &lead->fields[lead->guesses[i]];
}

/* The pairs of the values. */
static const uint8_t *pairs_take(const struct walk *walk, const uint8_t *at, size_t count)
{
    uint32_t number = walk->lead->number;
    for (size_t i = 0; i < count; i++) {
        struct proto_span name;
        at = text_take(walk, at, &name);
        if (!at) {
            return NULL;
        }
        struct field_plan *field = field_of(walk, i, name);
        if (field && field->seen == number) {
            return NULL; /* named twice */
        }
        if (field) {
            field->seen = number;
        }
        at = field ? field_take(walk, at, field) : unknown_take(walk, at, name);
        if (!at) {
            return NULL;
        }
    }
    return at;
}

/* The whole payload; *reasons as asked for. */
static bool payload_take(const struct walk *walk, struct proto_span payload, uint8_t *reasons)
{
    const size_t key = sizeof(PROTO_KEY_SCORE_REASONS);
    /* Map and "values": rpc_hot_lead_run has seen them. */
    const uint8_t *at = payload.data + 1 + sizeof(PROTO_KEY_SCORE_VALUES);
    struct proto_head head;
    if (!proto_head_read(at, (size_t)(walk->end - at), &head) || head.kind != PROTO_KIND_MAP ||
        head.size > KEYS_MAX) {
        return false;
    }
    at = pairs_take(walk, at + head.bytes, head.size);
    *reasons = 0;
    if (!at || payload.data[0] == (PROTO_MARK_FIXMAP | 1)) {
        return at == walk->end;
    }
    size_t left = (size_t)(walk->end - at);
    if (left != key + 1 || !PROTO_KEY_IS(at, left, SCORE_REASONS)) {
        return false;
    }
    *reasons = at[key];
    return *reasons <= PROTO_FIXINT_MAX;
}

/* Whether a payload begins as {"values": does, the map having one pair or two. */
static bool lead_form(struct proto_span payload)
{
    return payload.bytes > 1 + sizeof(PROTO_KEY_SCORE_VALUES) &&
           (payload.data[0] == (PROTO_MARK_FIXMAP | 1) ||
            payload.data[0] == (PROTO_MARK_FIXMAP | 2)) &&
           PROTO_KEY_IS(payload.data + 1, payload.bytes - 1, SCORE_VALUES);
}

size_t rpc_hot_lead_run(const struct proto_frame *frames, size_t count, size_t most)
{
    size_t run = 0;
    while (run < count && run < most && frames[run].header.code == PROTO_OP_SCORE &&
           frames[run].header.flags == 0 && frames[run].payload.bytes <= PROTO_LOOP_BYTES_MAX &&
           lead_form(frames[run].payload)) {
        run++;
    }
    return run;
}

/* Reads the whole lead into codes. */
static bool lead_read(struct rpc_worker *worker, struct proto_span payload, uint8_t *reasons)
{
    const struct engine_state *state = engine_worker_state(worker->engine);
    struct rpc_hot_lead *lead = worker->hot->lead;
    if (!state->schema || state->schema->field_count == 0 || !lead_follow(lead, state) ||
        ++lead->number == 0) {
        lead->generation = 0; /* after 2^32 leads the marks are made anew */
        return false;
    }
    struct walk walk = {.worker = worker,
                        .lead = lead,
                        .document = state->active,
                        .schema = state->schema,
                        .codes = lead->codes,
                        .end = payload.data + payload.bytes};
    base_arena_reset(&worker->arena);
    memset(lead->codes, 0, state->active->codebook->row_bytes);
    lead->unknown.count = 0;
    return payload_take(&walk, payload, reasons);
}

/* Scores the codes and appends the map of the reply; false if there is no score. */
static bool lead_write(struct rpc_worker *worker, unsigned reasons, struct proto_writer *out)
{
    struct engine_answer answer;
    struct proto_fault fault = {0};
    struct engine_query query = {
        .document = engine_worker_state(worker->engine)->active, .reasons = reasons, .bare = true};
    if (!engine_score_row(worker->engine, &query, ENGINE_NO_SLOT, worker->hot->lead->codes, &answer,
                          &fault)) {
        return false;
    }
    if (engine_worker_state(worker->engine)->labels) {
        struct engine_label_rows *labels = worker->hot->lead->labels;
        answer.label = labels ? engine_label_rows_match(labels, worker->hot->lead->codes)
                              : ENGINE_LABEL_UNKNOWN;
        if (answer.label == ENGINE_LABEL_UNKNOWN) {
            return false; /* the values themselves decide */
        }
    }
    const struct rpc_score_beside beside = {.unknown = &worker->hot->lead->unknown};
    rpc_score_reply_write(worker->score_reply, worker->engine, &query, &answer, &beside, out);
    return true;
}

bool rpc_hot_lead_serve(struct rpc_worker *worker, const struct proto_frame *frame,
                        struct proto_writer *out)
{
    uint8_t reasons;
    if (!lead_read(worker, frame->payload, &reasons)) {
        return false;
    }
    proto_writer_frame_begin(out);
    bool written = lead_write(worker, reasons, out);
    if (written) {
        proto_writer_frame_end(out, PROTO_OK, PROTO_FLAG_REPLY, frame->header.request_id);
    }
    if (!written || !proto_writer_ok(out)) {
        proto_writer_frame_cancel(out);
        return false;
    }
    return true;
}

bool rpc_hot_lead_entry(struct rpc_worker *worker, struct proto_span payload, unsigned reasons,
                        struct proto_writer *out)
{
    uint8_t own;
    return lead_form(payload) && payload.data[0] == (PROTO_MARK_FIXMAP | 1) &&
           lead_read(worker, payload, &own) && lead_write(worker, reasons, out);
}
