/* SPDX-License-Identifier: Apache-2.0 */
/* A list is chosen, its document made and stored under a name that nobody has. Whatever fails
 * before it is stored leaves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "server/engine/ingest.h"
#include "server/listing/listing.h"
#include "server/listing/listing_body.h"
#include "server/tal/tal_document.h"

static bool list_store(struct engine_worker *worker, const struct listing_selection *selection,
                       const struct engine_operation *operation, struct proto_span text,
                       struct listing_built *built, struct proto_fault *fault)
{
    struct proto_span *ids = calloc(selection->count + 1, sizeof *ids);
    struct store_result result;
    if (!ids) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
    }
    /* Who is held out is on no list as far as a score can tell: nobody is to work it. */
    size_t worked = 0;
    for (size_t i = 0; i < selection->count; i++) {
        if (!selection->picks[i].held_out) {
            ids[worked++] = selection->picks[i].account.id;
        }
    }
    const struct store_document document = {.kind = STORE_DOCUMENT_TAL,
                                            .number = built->number,
                                            .text = text,
                                            .ids = ids,
                                            .id_count = worked};
    bool ok = engine_document_store(worker->engine, &document, operation, &result, fault);
    free(ids);
    return ok;
}

static bool name_free(const struct engine_worker *worker, struct proto_span name,
                      struct proto_fault *fault)
{
    if (name.bytes == 0 || name.bytes > PROTO_TAL_NAME_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                               "a list's name has 1 to %d bytes, not %zu", PROTO_TAL_NAME_BYTES_MAX,
                               name.bytes);
    }
    for (size_t i = 0; i < name.bytes; i++) {
        if (name.data[i] < ' ' || name.data[i] == 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                                   "a list's name holds no control characters");
        }
    }
    struct proto_fault none = {.code = PROTO_OK};
    if (engine_lists_find(worker->state->lists, name, &none) == NULL) {
        if (none.code == PROTO_NOT_FOUND) {
            return true;
        }
        *fault = none;
        return false;
    }
    return proto_fault_set(fault, PROTO_CONFLICT, "name",
                           "there is a list '%.*s' already, and a list never changes",
                           (int)name.bytes, (const char *)name.data);
}

/* A list never changes: one without accounts would be a name that is spoilt. */
static bool not_empty(const struct listing_selection *selection, struct proto_fault *fault)
{
    if (selection->count > 0 && selection->held_out == selection->count) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "hold_out",
                               "all %zu accounts would be held out: take a longer list, a smaller "
                               "share or another seed",
                               selection->count);
    }
    return selection->count > 0 ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "filter",
                           "the list would be empty: %zu accounts match, %zu are excluded",
                           (size_t)selection->matched, (size_t)selection->excluded);
}

/* What its document says of a list that the same operation built before. */
static bool built_before(struct engine_worker *worker, const struct engine_written *written,
                         struct listing_built *built, struct proto_fault *fault)
{
    const struct engine_lists *lists = worker->state->lists;
    const struct engine_list *list =
        lists && written->version - 1 < lists->count ? lists->items[written->version - 1] : NULL;
    if (!list || engine_list_given_up(list)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "operation",
                               "the list that the operation built cannot be read");
    }
    const json_t *population = json_object_get(list->head, "population");
    const char *digest = json_string_value(json_object_get(list->head, "digest"));
    const json_t *draw = json_object_get(list->head, "draw");
    const char *seed = json_string_value(json_object_get(draw, "seed"));
    *built = (struct listing_built){
        .number = list->number,
        .icp = list->icp,
        .count = (size_t)json_integer_value(json_object_get(list->head, "count")),
        .unassigned = (size_t)json_integer_value(json_object_get(list->head, "unassigned")),
        .matched = (uint64_t)json_integer_value(json_object_get(population, "matched")),
        .excluded = (uint64_t)json_integer_value(json_object_get(population, "excluded")),
        .seq = (uint64_t)json_integer_value(json_object_get(list->head, "seq")),
        .held_out = (size_t)json_integer_value(json_object_get(draw, "held_out")),
        .just_missed = (size_t)json_integer_value(json_object_get(draw, "just_missed")),
        .sample = (size_t)json_integer_value(json_object_get(draw, "sample")),
        .repeated = true,
    };
    snprintf(built->seed, sizeof built->seed, "%s", seed ? seed : "");
    snprintf(built->digest, sizeof built->digest, "%s", digest ? digest : "");
    return true;
}

/* 16 hexadecimal digits that nobody can foresee, where none were given. */
static bool seed_draw(struct listing_request *request, char seed[PROTO_SEED_BYTES_MAX + 1],
                      struct proto_fault *fault)
{
    uint64_t number = 0;
    if (request->seed.bytes == 0) {
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            return proto_fault_set(fault, PROTO_IO, "seed", "the system gives no random numbers");
        }
        (void)snprintf(seed, PROTO_SEED_BYTES_MAX + 1, "%016llx", (unsigned long long)number);
        request->seed = proto_span_text(seed);
    } else {
        memcpy(seed, request->seed.data, request->seed.bytes);
        seed[request->seed.bytes] = '\0';
    }
    for (size_t i = 0; i < request->seed.bytes; i++) {
        if ((unsigned char)seed[i] <= ' ' || (unsigned char)seed[i] >= 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "seed",
                                   "a seed holds letters, digits and signs without blanks");
        }
    }
    return true;
}

bool listing_build(struct engine_worker *worker, const struct engine_job *job,
                   const struct listing_request *wanted, struct listing_built *built,
                   struct proto_fault *fault)
{
    struct listing_request seeded = *wanted;
    const struct listing_request *request = &seeded;
    char seed[PROTO_SEED_BYTES_MAX + 1];
    struct listing_selection selection = {0};
    struct engine_written before;
    size_t bytes = 0;
    char *text = NULL;
    if (!engine_operation_find(worker->engine, &request->operation, &before, fault)) {
        return false;
    }
    if (before.repeated) {
        return engine_worker_refresh(worker, fault) && built_before(worker, &before, built, fault);
    }
    bool ok = name_free(worker, request->name, fault) && seed_draw(&seeded, seed, fault) &&
              listing_select(worker, job, request, &selection, fault) &&
              not_empty(&selection, fault);
    json_t *body = ok ? listing_body(worker, job, request, &selection, fault) : NULL;
    if (body) {
        text = tal_document_print(body, &bytes, fault);
        json_decref(body);
    }
    ok = text != NULL;
    if (ok) {
        struct proto_span span = {(const uint8_t *)text, bytes};
        *built = (struct listing_built){
            .number = (uint32_t)(worker->state->lists ? worker->state->lists->count : 0) + 1,
            .icp = selection.expression.document->version,
            .count = selection.count,
            .unassigned = selection.unassigned,
            .matched = selection.matched,
            .excluded = selection.excluded,
            .seq = store_view_seq(worker->view),
            .held_out = selection.held_out,
            .just_missed = selection.missed_count,
            .sample = selection.sample.count,
        };
        snprintf(built->seed, sizeof built->seed, "%s", seed);
        tal_document_digest(span, built->digest);
        ok = list_store(worker, &selection, &request->operation, span, built, fault);
    }
    free(text);
    listing_selection_fini(&selection);
    return ok;
}

json_t *listing_open(struct engine_worker *worker, struct proto_span name, struct proto_span *text,
                     struct proto_fault *fault)
{
    const struct engine_list *list = engine_lists_find(worker->state->lists, name, fault);
    struct store_change change;
    if (!list) {
        return NULL;
    }
    if (!store_document_get(worker->view, STORE_DOCUMENT_TAL, list->number, &change, fault)) {
        return NULL;
    }
    if (text) {
        *text = change.text;
    }
    return tal_document_open(change.text, fault);
}
