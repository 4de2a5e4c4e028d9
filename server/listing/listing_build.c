/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/engine/ingest.h"
#include "server/feature/json_text.h"
#include "server/listing/listing.h"
#include "server/tal/tal_document.h"

enum { REASONS = 3, REFERENCE_STEP = (MODEL_REFERENCE_POINTS - 1) / 10, ENTRIES_PER_ASKING = 64 };

static json_t *span_json(struct proto_span text)
{
    return json_stringn(text.bytes > 0 ? (const char *)text.data : "", text.bytes);
}

/* Members are added one by one and checked once: a NULL value makes the object incomplete, and
 * json_object_set_new says so. */
static void add(json_t *object, const char *name, json_t *value, bool *ok)
{
    *ok = json_object_set_new(object, name, value) == 0 && *ok;
}

static void add_list(json_t *object, const char *name, const struct proto_span *texts, size_t count,
                     bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        *ok = json_array_append_new(list, span_json(texts[i])) == 0 && *ok;
    }
    add(object, name, list, ok);
}

static void add_parts(json_t *body, const char *name, const char *limit,
                      const struct listing_part *parts, size_t count, const size_t *counts,
                      bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_object();
        add(part, "name", span_json(parts[i].name), ok);
        add(part, "filter", span_json(parts[i].filter), ok);
        add(part, limit, json_integer((json_int_t)parts[i].limit), ok);
        add(part, "count", json_integer((json_int_t)counts[i]), ok);
        *ok = json_array_append_new(list, part) == 0 && *ok;
    }
    add(body, name, list, ok);
}

static void add_icp(json_t *body, const struct learn_document *document, bool *ok)
{
    char digest[17];
    json_t *icp = json_object();
    json_t *reference = json_array();
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)document->digest);
    const char *name = json_string_value(json_object_get(document->json, "name"));
    add(icp, "version", json_integer((json_int_t)document->version), ok);
    add(icp, "digest", json_string(digest), ok);
    add(icp, "name", json_string(name ? name : ""), ok);
    add(body, "icp", icp, ok);
    for (size_t i = 0; i < MODEL_REFERENCE_POINTS; i += REFERENCE_STEP) {
        feature_json_append(&reference, json_integer(document->scorecard->reference[i]));
    }
    add(body, "reference", reference, ok);
}

static json_t *reason_json(const struct engine_reason *reason, bool *ok)
{
    char pair[2 * PROTO_FIELD_NAME_BYTES_MAX + 8];
    json_t *json = json_object();
    snprintf(pair, sizeof pair, "%s%s%s", reason->field, reason->field_b ? " × " : "",
             reason->field_b ? reason->field_b : "");
    add(json, "field", json_string(pair), ok);
    snprintf(pair, sizeof pair, "%s%s%s", reason->value, reason->field_b ? " × " : "",
             reason->field_b ? reason->value_b : "");
    add(json, "value", json_string(pair), ok);
    add(json, "contribution", json_integer(reason->contribution), ok);
    return json;
}

/* What one entry is made from. */
struct entry {
    struct engine_worker *worker;
    const struct listing_request *request;
    const struct listing_selection *selection;
    json_t *entries;
};

static bool add_entry(struct entry *entry, size_t rank, struct proto_fault *fault)
{
    const struct listing_pick *pick = &entry->selection->picks[rank];
    struct engine_query query = {.name = {.id = pick->account.id},
                                 .document = entry->selection->expression.document,
                                 .reasons = REASONS};
    struct engine_answer answer;
    if (!engine_score(entry->worker, &query, &answer, fault)) {
        return false;
    }
    bool ok = true;
    const char grade[2] = {answer.grade, '\0'};
    json_t *json = json_object();
    json_t *reasons = json_array();
    add(json, "rank", json_integer((json_int_t)rank + 1), &ok);
    add(json, "id", span_json(pick->account.id), &ok);
    add(json, "fit", json_real(answer.fit), &ok);
    add(json, "p", json_real(answer.p), &ok);
    add(json, "grade", json_string(grade), &ok);
    add(json, "raw", json_integer(answer.raw), &ok);
    for (size_t i = 0; i < answer.reason_count && i < REASONS; i++) {
        ok = json_array_append_new(reasons, reason_json(&answer.reasons[i], &ok)) == 0 && ok;
    }
    add(json, "reasons", reasons, &ok);
    if (pick->segment != LISTING_NONE) {
        add(json, "segment", span_json(entry->request->segments[pick->segment].name), &ok);
    }
    if (pick->owner != LISTING_NONE) {
        add(json, "owner", span_json(entry->request->owners[pick->owner].name), &ok);
    } else if (pick->why != LISTING_ASSIGNED) {
        add(json, "unassigned", json_string(listing_why_text(pick->why)), &ok);
    }
    ok = json_array_append_new(entry->entries, json) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
}

static bool add_entries(json_t *body, struct entry *entry, const struct engine_job *job,
                        struct proto_fault *fault)
{
    entry->entries = json_array();
    for (size_t i = 0; entry->entries && i < entry->selection->count; i++) {
        if ((i % ENTRIES_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) ||
            !add_entry(entry, i, fault)) {
            json_decref(entry->entries);
            return false;
        }
    }
    return json_object_set_new(body, "entries", entry->entries) == 0 ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
}

static void add_how(json_t *body, struct engine_worker *worker,
                    const struct listing_request *request,
                    const struct listing_selection *selection, bool *ok)
{
    char *filter = selection->expression.filter ? filter_print(selection->expression.filter) : NULL;
    json_t *quota = json_null();
    json_t *population = json_object();
    add(body, "seq", json_integer((json_int_t)store_view_seq(worker->view)), ok);
    add(body, "filter", json_string(filter ? filter : ""), ok);
    *ok = *ok && (filter || !selection->expression.filter);
    free(filter);
    add(body, "k", json_integer((json_int_t)request->k), ok);
    if (request->quota_field.bytes > 0) {
        quota = json_object();
        add(quota, "field", span_json(request->quota_field), ok);
        add(quota, "per_value", json_integer((json_int_t)request->quota), ok);
    }
    add(body, "quota", quota, ok);
    add_parts(body, "segments", "quota", request->segments, request->segment_count,
              selection->segment_counts, ok);
    add_parts(body, "owners", "capacity", request->owners, request->owner_count,
              selection->owner_counts, ok);
    add(population, "accounts", json_integer((json_int_t)store_view_accounts(worker->view)), ok);
    add(population, "matched", json_integer((json_int_t)selection->matched), ok);
    add(population, "excluded", json_integer((json_int_t)selection->excluded), ok);
    add(body, "population", population, ok);
    add(body, "count", json_integer((json_int_t)selection->count), ok);
    add(body, "unassigned", json_integer((json_int_t)selection->unassigned), ok);
}

/* The body of the document; NULL with *fault. */
static json_t *body_make(struct engine_worker *worker, const struct engine_job *job,
                         const struct listing_request *request,
                         const struct listing_selection *selection, struct proto_fault *fault)
{
    char created[32];
    bool ok = true;
    time_t now_s = (time_t)(engine_now_ms(worker->engine) / 1000);
    struct tm utc;
    struct entry entry = {worker, request, selection, NULL};
    json_t *body = json_object();
    json_t *exclude = json_object();
    gmtime_r(&now_s, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    add(body, "format", json_integer(TAL_FORMAT), &ok);
    add(body, "name", span_json(request->name), &ok);
    add(body, "note", span_json(request->note), &ok);
    add(body, "created", json_string(created), &ok);
    add_icp(body, selection->expression.document, &ok);
    add_how(body, worker, request, selection, &ok);
    if (ok && !add_entries(body, &entry, job, fault)) {
        json_decref(exclude);
        json_decref(body);
        return NULL;
    }
    add_list(exclude, "ids", request->ids, request->id_count, &ok);
    add_list(exclude, "keys", request->keys, request->key_count, &ok);
    add_list(exclude, "domains", request->domains, request->domain_count, &ok);
    add(body, "exclude", exclude, &ok);
    if (!ok) {
        json_decref(body);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return NULL;
    }
    return body;
}

static bool list_store(struct engine_worker *worker, const struct listing_selection *selection,
                       const struct engine_operation *operation, struct proto_span text,
                       struct listing_built *built, struct proto_fault *fault)
{
    struct proto_span *ids = calloc(selection->count + 1, sizeof *ids);
    struct store_batch *batch = store_batch_create();
    struct store_result result;
    if (!ids || !batch) {
        free(ids);
        store_batch_destroy(batch);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
    }
    for (size_t i = 0; i < selection->count; i++) {
        ids[i] = selection->picks[i].account.id;
    }
    struct store_document document = {.kind = STORE_DOCUMENT_TAL,
                                      .number = built->number,
                                      .text = text,
                                      .ids = ids,
                                      .id_count = selection->count};
    bool ok = store_batch_document(batch, &document, fault) &&
              engine_operation_add(batch, operation, fault);
    free(ids);
    if (!ok) {
        store_batch_destroy(batch);
        return false;
    }
    if (!store_submit_wait(engine_store(worker->engine), batch, &result)) {
        *fault = result.fault;
        return false;
    }
    return true;
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
    *built = (struct listing_built){
        .number = list->number,
        .icp = list->icp,
        .count = (size_t)json_integer_value(json_object_get(list->head, "count")),
        .unassigned = (size_t)json_integer_value(json_object_get(list->head, "unassigned")),
        .matched = (uint64_t)json_integer_value(json_object_get(population, "matched")),
        .excluded = (uint64_t)json_integer_value(json_object_get(population, "excluded")),
        .seq = (uint64_t)json_integer_value(json_object_get(list->head, "seq")),
        .repeated = true,
    };
    snprintf(built->digest, sizeof built->digest, "%s", digest ? digest : "");
    return true;
}

bool listing_build(struct engine_worker *worker, const struct engine_job *job,
                   const struct listing_request *request, struct listing_built *built,
                   struct proto_fault *fault)
{
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
    bool ok = name_free(worker, request->name, fault) &&
              listing_select(worker, job, request, &selection, fault) &&
              not_empty(&selection, fault);
    json_t *body = ok ? body_make(worker, job, request, &selection, fault) : NULL;
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
        };
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
