/* SPDX-License-Identifier: Apache-2.0 */
/* Schema and ICP versions as one immutable state that is replaced, never changed: readers hold a
 * reference and see one consistent set, whatever is put or activated meanwhile.
 *
 * A document that cannot be used costs itself alone. Without memory for one that could, a start
 * fails, for a server that knows less than its store answers wrongly; a change that is committed
 * already is tried again for a second, and then the process is given up. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/engine/definitions.h"
#include "server/engine/labels_parts.h"
#include "server/engine/scores.h"
#include "server/engine/version.h"
#include "server/tal/tal_document.h"

enum { CHANGE_TRIES = 100, CHANGE_WAIT_NS = 10000000 };

/* A copy with room for `schemas` schemas and `documents` documents, holding references of its own.
 */
static struct engine_state *state_copy(const struct engine_state *from, size_t schemas,
                                       size_t documents)
{
    struct engine_state *state = calloc(1, sizeof *state);
    if (!state) {
        return NULL;
    }
    state->references = 1;
    state->schemas = calloc(schemas > 0 ? schemas : 1, sizeof *state->schemas);
    state->versions = calloc(documents > 0 ? documents : 1, sizeof *state->versions);
    if (!state->schemas || !state->versions) {
        engine_state_release(state);
        return NULL;
    }
    for (size_t i = 0; i < from->schema_count; i++) {
        state->schemas[i] = from->schemas[i] ? feature_schema_retain(from->schemas[i]) : NULL;
    }
    for (size_t i = 0; i < from->document_count; i++) {
        state->versions[i] = engine_version_retain(from->versions[i]);
    }
    state->schema_count = schemas > from->schema_count ? schemas : from->schema_count;
    state->document_count = documents > from->document_count ? documents : from->document_count;
    state->schema = from->schema;
    state->active = from->active;
    state->active_version = from->active_version;
    state->scores = engine_scores_retain(from->scores);
    state->lists = engine_lists_retain(from->lists);
    state->definitions = engine_definitions_retain(from->definitions);
    state->segments = engine_segments_retain(from->segments);
    state->labels = engine_labels_retain(from->labels);
    return state;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A longer list of pointers; the new ones are NULL. NULL: no memory, and the list is as it was. */
static void *list_widen(void *list, size_t has, size_t count)
{
    void **wider = realloc(list, count * sizeof *wider);
    if (wider) {
        memset(wider + has, 0, (count - has) * sizeof *wider);
    }
    return wider;
}

/* While the store is opened nobody else has the state, and it grows where it is: a copy for each of
 * a thousand versions is a million references taken and given back before the first score. */
static struct engine_state *state_widen(struct engine_state *state, size_t schemas,
                                        size_t documents)
{
    if (schemas > state->schema_count) {
        void *wider = list_widen(state->schemas, state->schema_count, schemas);
        if (!wider) {
            return NULL;
        }
        state->schemas = wider;
        state->schema_count = schemas;
    }
    if (documents > state->document_count) {
        void *wider = list_widen(state->versions, state->document_count, documents);
        if (!wider) {
            return NULL;
        }
        state->versions = wider;
        state->document_count = documents;
    }
    return state;
}

static void damaged_set(const struct store_change *change, struct proto_fault *fault)
{
    proto_fault_set(fault, PROTO_CORRUPT, "", "version %" PRIu32 " is damaged", change->version);
}

/* The newest that can be read: it knows the ids of fields that the next one keeps. */
static const struct feature_schema *schema_before(const struct engine_state *state)
{
    size_t i = state->schema_count;
    while (i > 0 && !state->schemas[i - 1]) {
        i--;
    }
    return i > 0 ? state->schemas[i - 1] : NULL;
}

/* A schema that is damaged leaves none in force if it was the newest: values must not be read, and
 * least of all be written, by the fields of another one. */
static bool change_schema(struct engine_state *state, const struct store_change *change,
                          struct proto_fault *fault)
{
    struct feature_schema *schema = NULL;
    if (change->text.bytes > 0) {
        schema = feature_schema_parse(change->text, change->version, schema_before(state), fault);
    } else {
        damaged_set(change, fault);
    }
    feature_schema_release(state->schemas[change->version - 1]);
    state->schemas[change->version - 1] = schema;
    state->schema = schema;
    return schema != NULL;
}

/* While the store is opened a version is noted; one that is stored later was parsed already when it
 * was checked, and whoever stored it will ask for it. */
static bool change_icp(struct engine *engine, struct engine_state *state,
                       const struct store_change *change, struct proto_fault *fault)
{
    struct learn_document *document = NULL;
    if (change->text.bytes == 0) {
        damaged_set(change, fault);
    } else if (engine->store) {
        document = engine_version_parse(state, change->version, change->text, fault);
    }
    if (fault->code == PROTO_NO_MEMORY) {
        return false;
    }
    struct engine_version *version = fault->code == PROTO_OK
                                         ? engine_version_create(engine, change->version, document)
                                         : engine_version_broken(engine, change->version, fault);
    learn_document_release(document);
    if (!version) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a version");
    }
    engine_version_release(state->versions[change->version - 1]);
    state->versions[change->version - 1] = version;
    return fault->code == PROTO_OK;
}

/* Members are worked out anew; while the store is opened that is left to engine_registry_ready.
 */
static bool lists_replace(struct engine_state *state, struct engine_list *list, size_t room,
                          bool members, struct proto_fault *fault)
{
    uint32_t active = state->active ? state->active->version : 0;
    struct engine_lists *lists = engine_lists_make(state->lists, list, room, members, active);
    if (!lists) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the lists");
    }
    engine_lists_release(state->lists);
    state->lists = lists;
    return true;
}

static size_t lists_count(const struct engine_state *state)
{
    return state->lists ? state->lists->count : 0;
}

static bool change_list(struct engine_state *state, const struct store_change *change, bool members,
                        struct proto_fault *fault)
{
    struct engine_list *list = NULL;
    size_t room = larger(lists_count(state), change->version);
    /* Without a text it is damaged, unless it was given up: its number stays taken. */
    json_t *head = change->text.bytes > 0 ? tal_document_head(change->text, fault) : NULL;
    if (head || change->given_up) {
        list = head ? engine_list_create(change->version, head, change->slots)
                    : engine_list_create_given_up(change->version);
        if (!list) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list");
        }
    } else if (change->text.bytes == 0) {
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "it is damaged");
    }
    bool good = list != NULL;
    return lists_replace(state, list, room, members, fault) && good;
}

/* Which versions a name has depends on all that came before, one that is damaged too. */
static bool change_definition(struct engine_state *state, const struct store_change *change,
                              struct proto_fault *fault)
{
    struct engine_definition *definition = NULL;
    if (change->text.bytes > 0) {
        definition = engine_definition_read(change->version, change->time_ms, change->text, fault);
    } else {
        damaged_set(change, fault);
    }
    if (fault->code == PROTO_NO_MEMORY) {
        return false;
    }
    bool good = definition != NULL;
    struct engine_definitions *set =
        engine_definitions_with(state->definitions, change->version, definition);
    if (set == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a definition");
    }
    engine_definitions_release(state->definitions);
    state->definitions = set;
    return good;
}

/* One that is damaged leaves those before it unsure. */
static bool change_segment(struct engine_state *state, const struct store_change *change,
                           struct proto_fault *fault)
{
    struct engine_segment *segment = NULL;
    if (change->text.bytes > 0 || change->given_up) {
        segment = engine_segment_read(change->version, change->time_ms, change->text, fault);
    } else {
        damaged_set(change, fault);
    }
    if (fault->code == PROTO_NO_MEMORY) {
        return false;
    }
    bool good = segment != NULL;
    struct engine_segments *set = engine_segments_with(state->segments, change->version, segment);
    if (set == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
    }
    engine_segments_release(state->segments);
    state->segments = set;
    return good;
}

/* Opens the active version and what depends on it. */
static bool active_open(struct engine_state *state, bool members, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    uint32_t version = state->active_version;
    state->active = NULL;
    if (version > 0 && version <= state->document_count) {
        state->active = engine_version_open(state->versions[version - 1], state, &why);
    }
    /* Without memory for them rows are read. */
    engine_scores_release(state->scores);
    state->scores = state->active ? engine_scores_create(state->active) : NULL;
    if (state->lists && !lists_replace(state, NULL, lists_count(state), members, fault)) {
        /* Lists of another version must not pass for those of this one. */
        engine_lists_release(state->lists);
        state->lists = NULL;
        return false;
    }
    return state->active || version == 0 ||
           proto_fault_set(fault, why.code == PROTO_OK ? PROTO_NO_ICP : why.code, "icp",
                           "version %" PRIu32 " cannot be used: %s", version, why.message);
}

/* While the store is opened the version is only noted: engine_registry_ready opens it. */
static bool change_active(struct engine *engine, struct engine_state *state,
                          const struct store_change *change, struct proto_fault *fault)
{
    state->active_version = change->version;
    return !engine->store || active_open(state, true, fault);
}

/* After segments, schema or the active version have changed. */
static bool labels_open(struct engine_state *state, struct proto_fault *fault)
{
    struct engine_labels *labels;
    if (!engine_labels_create(state, &labels, fault)) {
        return false;
    }
    engine_labels_release(state->labels);
    state->labels = labels;
    return true;
}

/* Whether labels depend on documents of this kind. */
static bool is_labelling(enum store_document_kind kind)
{
    return kind == STORE_DOCUMENT_SEGMENT || kind == STORE_DOCUMENT_SCHEMA ||
           kind == STORE_DOCUMENT_SWITCH;
}

static bool kind_apply(struct engine *engine, struct engine_state *state,
                       const struct store_change *change, struct proto_fault *fault)
{
    switch (change->kind) {
    case STORE_DOCUMENT_SCHEMA:
        return change_schema(state, change, fault);
    case STORE_DOCUMENT_ICP:
        return change_icp(engine, state, change, fault);
    case STORE_DOCUMENT_SWITCH:
        return change_active(engine, state, change, fault);
    case STORE_DOCUMENT_TAL:
        return change_list(state, change, engine->store != NULL, fault);
    case STORE_DOCUMENT_METRIC:
        return change_definition(state, change, fault);
    case STORE_DOCUMENT_SEGMENT:
        return change_segment(state, change, fault);
    case STORE_DOCUMENT_IDENTITY:
    case STORE_DOCUMENT_TERM:
    case STORE_DOCUMENT_CHALLENGE:
        return true;
    }
    return false;
}

/* While the store is opened labels are left to engine_registry_ready. */
static bool state_apply(struct engine *engine, struct engine_state *state,
                        const struct store_change *change, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    bool good = kind_apply(engine, state, change, fault);
    if (!engine->store || !is_labelling(change->kind) || fault->code == PROTO_NO_MEMORY) {
        return good;
    }
    if (!labels_open(state, &why)) {
        *fault = why;
        return false;
    }
    return good;
}

/* Takes the place of what all have seen so far. */
static void state_publish(struct engine *engine, struct engine_state *state)
{
    struct engine_state *old = engine->state;
    state->generation = old->generation + 1;
    pthread_mutex_lock(&engine->state_lock);
    engine->state = state;
    pthread_mutex_unlock(&engine->state_lock);
    atomic_store_explicit(&engine->generation, state->generation, memory_order_release);
    if (old != state) {
        engine_state_release(old);
    }
}

bool engine_registry_ready(struct engine *engine, struct proto_fault *fault)
{
    const struct engine_state *old = engine->state;
    struct proto_fault why = {.code = PROTO_OK};
    if (old->active_version == 0 && !old->lists && !old->segments) {
        return true;
    }
    struct engine_state *state = state_copy(old, old->schema_count, old->document_count);
    struct proto_fault memory = {.code = PROTO_OK};
    if (!state || (!active_open(state, true, &why) && why.code == PROTO_NO_MEMORY) ||
        !labels_open(state, &memory)) {
        engine_state_release(state);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the active version");
    }
    if (why.code != PROTO_OK) {
        base_log(engine_log(engine), BASE_LOG_ERROR, "engine", "the active version cannot be used",
                 BASE_FIELDS(base_field_uint("version", state->active_version),
                             base_field_error(why.code)));
    }
    state_publish(engine, state);
    return true;
}

/* The state with the change in it: another one, or while the store is opened the same. NULL: no
 * memory. *fault of a state that is there: the version that it speaks of is unusable. */
static struct engine_state *change_take(struct engine *engine, const struct store_change *change,
                                        struct proto_fault *fault)
{
    bool opening = engine->store == NULL;
    struct engine_state *old = engine->state;
    size_t schemas = old->schema_count;
    size_t documents = old->document_count;
    if (change->kind == STORE_DOCUMENT_SCHEMA) {
        schemas = larger(schemas, change->version);
    } else if (change->kind == STORE_DOCUMENT_ICP) {
        documents = larger(documents, change->version);
    }
    struct engine_state *state =
        opening ? state_widen(old, schemas, documents) : state_copy(old, schemas, documents);
    if (!state) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema or ICP version");
        return NULL;
    }
    bool good = state_apply(engine, state, change, fault);
    if (!good && fault->code != PROTO_NO_MEMORY) {
        /* Where memory ran out in the middle of a document, it may seem malformed: once more. */
        *fault = (struct proto_fault){0};
        good = state_apply(engine, state, change, fault);
    }
    if (!good && fault->code == PROTO_NO_MEMORY) {
        if (!opening) {
            engine_state_release(state);
        }
        return NULL;
    }
    return state;
}

/* The store has the change already: without it every answer may be wrong. */
static struct engine_state *change_insist(struct engine *engine, const struct store_change *change,
                                          struct proto_fault *fault)
{
    struct engine_state *state = change_take(engine, change, fault);
    for (int i = 0; !state && i < CHANGE_TRIES; i++) {
        nanosleep(&(struct timespec){.tv_nsec = CHANGE_WAIT_NS}, NULL);
        *fault = (struct proto_fault){0};
        state = change_take(engine, change, fault);
    }
    return state;
}

static const char *kind_name(enum store_document_kind kind)
{
    static const char *const names[] = {
#define X(NAME, TABLE, counter, most, told, what) [STORE_DOCUMENT_##NAME] = (what),
#include "server/store/document.def"
#undef X
    };
    return names[kind];
}

void engine_registry_change(void *context, const struct store_change *change)
{
    struct engine *engine = context;
    /* Only this function replaces the state, and the store calls it from one thread at a time. */
    struct proto_fault fault = {0};
    bool opening = engine->store == NULL;
    bool apart = change->kind == STORE_DOCUMENT_IDENTITY || change->kind == STORE_DOCUMENT_TERM ||
                 change->kind == STORE_DOCUMENT_CHALLENGE;
    if (apart) {
        return; /* what an entry changes of accounts is told by the commit; plans and challenges are
                   read when they are asked for */
    }
    if (opening && engine->opening.code != PROTO_OK) {
        return; /* the opening has failed already */
    }
    struct engine_state *state =
        opening ? change_take(engine, change, &fault) : change_insist(engine, change, &fault);
    if (!state && opening) {
        engine->opening = fault;
        return;
    }
    if (!state) {
        engine_lost(engine, &fault);
        return;
    }
    if (fault.code != PROTO_OK) {
        /* The documents were checked before they were stored, so this is a store from elsewhere or
         * a fault of ours: the version stays unusable, everything else goes on. */
        base_log(engine_log(engine), BASE_LOG_ERROR, "engine", "a document cannot be used",
                 BASE_FIELDS(base_field_text("kind", kind_name(change->kind)),
                             base_field_uint("version", change->version),
                             base_field_error(fault.code)));
    }
    state_publish(engine, state);
    if (is_labelling(change->kind) && engine->store) {
        engine_scores_keeper_label(engine->scores, state->labels);
    }
    if (change->kind == STORE_DOCUMENT_SWITCH && engine->store) {
        engine_scores_keeper_follow(engine->scores, state->scores);
        engine_registry_encoder(engine);
    }
}

static void encode_codes(void *context, const struct feature_value *values, size_t slots,
                         uint8_t *codes)
{
    const struct learn_document *document = context;
    feature_codebook_encode(document->codebook, values, slots, codes);
}

static void release_document(void *context)
{
    learn_document_release(context);
}

void engine_registry_encoder(struct engine *engine)
{
    struct engine_state *state = engine_state_get(engine);
    if (state->active) {
        struct store_encoder encoder = {
            .context = learn_document_retain(state->active),
            .digest = state->active->codebook->digest,
            .code_bytes = state->active->codebook->column_count,
            .encode_bytes = state->active->codebook->row_bytes,
            .value_slots = state->schema ? state->schema->id_count : 0,
            .encode = encode_codes,
            .release = release_document,
        };
        store_set_encoder(engine->store, &encoder);
    }
    engine_state_release(state);
}
