/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a list is written member by member in the order of tal_document.h, each account
 * of each of its three parts scored as it is now. An account that cannot be scored ends it. */
#include "server/listing/listing_body.h"

#include <stdio.h>
#include <time.h>

#include "server/engine/segments.h"
#include "server/feature/json_text.h"
#include "server/tal/tal_document.h"

enum { REASONS = 3, REFERENCE_STEP = (MODEL_REFERENCE_POINTS - 1) / 10, ENTRIES_PER_ASKING = 64 };

static void add_list(json_t *object, const char *name, const struct proto_span *texts, size_t count,
                     bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        *ok = json_array_append_new(list, feature_json_string(texts[i])) == 0 && *ok;
    }
    feature_json_put(object, name, list, ok);
}

/* The filter as it was given; one that names segments with what they were, so that the list can be
 * checked when they have changed. */
static json_t *part_filter(const struct engine_worker *worker, struct proto_span text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct engine_state *state = engine_worker_state(worker);
    struct filter *filter =
        text.bytes == 0 ? NULL
                        : filter_parse_scope(state->schema, FILTER_OF_ACCOUNTS, text, &fault, NULL);
    bool plain = filter != NULL || text.bytes == 0;
    filter_destroy(filter);
    filter = plain ? NULL : engine_filter_parse(state, FILTER_OF_ACCOUNTS, text, &fault);
    char *printed = filter != NULL ? filter_print(filter) : NULL;
    json_t *json = plain             ? feature_json_string(text)
                   : printed != NULL ? json_string(printed)
                                     : NULL;
    filter_destroy(filter);
    free(printed);
    return json;
}

static void add_parts(json_t *body, const struct engine_worker *worker, const char *name,
                      const char *limit, const struct listing_part *parts, size_t count,
                      const size_t *counts, bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_object();
        feature_json_put(part, "name", feature_json_string(parts[i].name), ok);
        feature_json_put(part, "filter", part_filter(worker, parts[i].filter), ok);
        feature_json_put(part, limit, json_integer((json_int_t)parts[i].limit), ok);
        feature_json_put(part, "count", json_integer((json_int_t)counts[i]), ok);
        *ok = json_array_append_new(list, part) == 0 && *ok;
    }
    feature_json_put(body, name, list, ok);
}

static void add_version(json_t *body, const char *member, const struct learn_document *document,
                        bool *ok)
{
    char digest[17];
    json_t *icp = json_object();
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)document->digest);
    const char *name = json_string_value(json_object_get(document->json, "name"));
    feature_json_put(icp, "version", json_integer((json_int_t)document->version), ok);
    feature_json_put(icp, "digest", json_string(digest), ok);
    feature_json_put(icp, "name", json_string(name ? name : ""), ok);
    feature_json_put(body, member, icp, ok);
}

static void add_icp(json_t *body, const struct learn_document *document, bool *ok)
{
    json_t *reference = json_array();
    add_version(body, "icp", document, ok);
    for (size_t i = 0; i < MODEL_REFERENCE_POINTS; i += REFERENCE_STEP) {
        feature_json_append(&reference, json_integer(document->scorecard->reference[i]));
    }
    feature_json_put(body, "reference", reference, ok);
}

static json_t *reason_json(const struct engine_reason *reason, bool *ok)
{
    char pair[2 * PROTO_FIELD_NAME_BYTES_MAX + 8];
    json_t *json = json_object();
    snprintf(pair, sizeof pair, "%s%s%s", reason->field, reason->field_b ? " × " : "",
             reason->field_b ? reason->field_b : "");
    feature_json_put(json, "field", json_string(pair), ok);
    snprintf(pair, sizeof pair, "%s%s%s", reason->value, reason->field_b ? " × " : "",
             reason->field_b ? reason->value_b : "");
    feature_json_put(json, "value", json_string(pair), ok);
    feature_json_put(json, "contribution", json_integer(reason->contribution), ok);
    return json;
}

/* What entries are made from. */
struct making {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct listing_request *request;
    const struct listing_selection *selection;
    const struct learn_document *last; /* NULL: nothing to be beside */
    json_t *entries;                   /* those under way */
};

/* What the version before says of it: nothing where it cannot say anything. */
static bool add_last(const struct making *making, struct proto_span id, json_t *json, bool *ok,
                     struct proto_fault *fault)
{
    struct engine_query query = {.name = {.id = id}, .document = making->last};
    struct engine_answer answer;
    if (!making->last) {
        return true;
    }
    if (!engine_score(making->worker, &query, &answer, fault)) {
        return false;
    }
    feature_json_put(json, "p_last", json_real(answer.p), ok);
    return true;
}

/* Rank, if it has one, id, score and reasons; NULL with *fault. */
static json_t *entry_make(const struct making *making, size_t rank, struct proto_span id,
                          struct proto_fault *fault)
{
    struct engine_query query = {
        .name = {.id = id}, .document = making->selection->expression.document, .reasons = REASONS};
    struct engine_answer answer;
    if (!engine_score(making->worker, &query, &answer, fault)) {
        return NULL;
    }
    bool ok = true;
    const char grade[2] = {answer.grade, '\0'};
    json_t *json = json_object();
    json_t *reasons = json_array();
    if (rank > 0) {
        feature_json_put(json, "rank", json_integer((json_int_t)rank), &ok);
    }
    feature_json_put(json, "id", feature_json_string(id), &ok);
    feature_json_put(json, "fit", json_real(answer.fit), &ok);
    feature_json_put(json, "p", json_real(answer.p), &ok);
    feature_json_put(json, "grade", json_string(grade), &ok);
    feature_json_put(json, "raw", json_integer(answer.raw), &ok);
    for (size_t i = 0; i < answer.reason_count && i < REASONS; i++) {
        ok = json_array_append_new(reasons, reason_json(&answer.reasons[i], &ok)) == 0 && ok;
    }
    feature_json_put(json, "reasons", reasons, &ok);
    bool known = add_last(making, id, json, &ok, fault);
    if (known && ok) {
        return json;
    }
    json_decref(json);
    if (known) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
    }
    return NULL;
}

static bool entry_append(const struct making *making, json_t *json, bool ok,
                         struct proto_fault *fault)
{
    ok = json_array_append_new(making->entries, json) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
}

static bool member_add(const struct making *making, size_t i, struct proto_fault *fault)
{
    const struct listing_pick *pick = &making->selection->picks[i];
    const struct listing_request *request = making->request;
    json_t *json = entry_make(making, i + 1, pick->account.id, fault);
    bool ok = true;
    if (!json) {
        return false;
    }
    if (pick->segment != LISTING_NONE) {
        feature_json_put(json, "segment",
                         feature_json_string(request->segments[pick->segment].name), &ok);
    }
    if (pick->owner != LISTING_NONE) {
        feature_json_put(json, "owner", feature_json_string(request->owners[pick->owner].name),
                         &ok);
    } else if (pick->why != LISTING_ASSIGNED) {
        feature_json_put(json, "unassigned", json_string(listing_why_text(pick->why)), &ok);
    }
    if (pick->held_out) {
        feature_json_put(json, "held_out", json_true(), &ok);
    }
    return entry_append(making, json, ok, fault);
}

static bool missed_add(const struct making *making, size_t i, struct proto_fault *fault)
{
    const struct listing_selection *selection = making->selection;
    json_t *json = entry_make(making, selection->count + i + 1, selection->missed[i].id, fault);
    return json && entry_append(making, json, true, fault);
}

static bool drawn_add(const struct making *making, size_t i, struct proto_fault *fault)
{
    struct feature_record record;
    uint32_t slot = making->selection->sample.items[i].slot;
    json_t *json = NULL;
    if (engine_record(making->worker, slot, &record, fault)) {
        json = entry_make(making, 0, record.id, fault);
    }
    return json && entry_append(making, json, true, fault);
}

static bool entries_add(json_t *body, struct making *making, const char *name, size_t count,
                        bool (*one_add)(const struct making *making, size_t i,
                                        struct proto_fault *fault),
                        struct proto_fault *fault)
{
    making->entries = json_array();
    for (size_t i = 0; making->entries && i < count; i++) {
        if ((i % ENTRIES_PER_ASKING == 0 && !engine_scan_goes_on(making->job, fault)) ||
            !one_add(making, i, fault)) {
            json_decref(making->entries);
            return false;
        }
    }
    return json_object_set_new(body, name, making->entries) == 0 ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
}

static void add_draw(json_t *body, const struct making *making, bool *ok)
{
    char below[17];
    const struct listing_request *request = making->request;
    const struct listing_selection *selection = making->selection;
    json_t *draw = json_object();
    snprintf(below, sizeof below, "%016llx",
             (unsigned long long)listing_draw_bound(request->hold_out));
    feature_json_put(draw, "seed", feature_json_string(request->seed), ok);
    feature_json_put(draw, "hold_out", json_real(request->hold_out), ok);
    feature_json_put(draw, "below", json_string(below), ok);
    feature_json_put(draw, "held_out", json_integer((json_int_t)selection->held_out), ok);
    feature_json_put(draw, "just_missed", json_integer((json_int_t)selection->missed_count), ok);
    feature_json_put(draw, "sample", json_integer((json_int_t)selection->sample.count), ok);
    feature_json_put(body, "draw", draw, ok);
}

/* The version that was asked for; without one that before the builder's, if it can be used. */
static bool last_find(struct making *making, struct proto_fault *fault)
{
    const struct learn_document *document = making->selection->expression.document;
    uint64_t version = making->request->last_icp;
    struct proto_fault local = {.code = PROTO_OK};
    if (version == 0 && document->version > 1) {
        making->last = engine_state_document(making->worker->state, document->version - 1, &local);
        if (!making->last && (local.code == PROTO_NO_MEMORY || local.code == PROTO_CORRUPT)) {
            *fault = local;
            return false;
        }
    } else if (version > 0) {
        making->last = engine_state_document(making->worker->state, version, fault);
        return making->last != NULL || proto_fault_within(fault, "last_icp");
    }
    return true;
}

static void add_how(json_t *body, struct engine_worker *worker,
                    const struct listing_request *request,
                    const struct listing_selection *selection, bool *ok)
{
    char *filter = selection->expression.filter ? filter_print(selection->expression.filter) : NULL;
    json_t *quota = json_null();
    json_t *population = json_object();
    feature_json_put(body, "seq", json_integer((json_int_t)store_view_seq(worker->view)), ok);
    feature_json_put(body, "filter", json_string(filter ? filter : ""), ok);
    *ok = *ok && (filter || !selection->expression.filter);
    free(filter);
    feature_json_put(body, "k", json_integer((json_int_t)request->k), ok);
    if (request->quota_field.bytes > 0) {
        quota = json_object();
        feature_json_put(quota, "field", feature_json_string(request->quota_field), ok);
        feature_json_put(quota, "per_value", json_integer((json_int_t)request->quota), ok);
    }
    feature_json_put(body, "quota", quota, ok);
    add_parts(body, worker, "segments", "quota", request->segments, request->segment_count,
              selection->segment_counts, ok);
    add_parts(body, worker, "owners", "capacity", request->owners, request->owner_count,
              selection->owner_counts, ok);
    feature_json_put(population, "accounts",
                     json_integer((json_int_t)store_view_accounts(worker->view)), ok);
    feature_json_put(population, "matched", json_integer((json_int_t)selection->matched), ok);
    feature_json_put(population, "excluded", json_integer((json_int_t)selection->excluded), ok);
    feature_json_put(body, "population", population, ok);
    feature_json_put(body, "count", json_integer((json_int_t)selection->count), ok);
    feature_json_put(body, "unassigned", json_integer((json_int_t)selection->unassigned), ok);
}

static void add_what(json_t *body, const struct making *making, bool *ok)
{
    char created[32];
    const struct listing_request *request = making->request;
    time_t now_s = (time_t)(engine_now_ms(making->worker->engine) / 1000);
    struct tm utc;
    gmtime_r(&now_s, &utc);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    feature_json_put(body, "format", json_integer(TAL_FORMAT), ok);
    feature_json_put(body, "name", feature_json_string(request->name), ok);
    feature_json_put(body, "note", feature_json_string(request->note), ok);
    feature_json_put(body, "created", json_string(created), ok);
    add_icp(body, making->selection->expression.document, ok);
    add_how(body, making->worker, request, making->selection, ok);
    add_draw(body, making, ok);
    if (making->last) {
        add_version(body, "last", making->last, ok);
    } else {
        feature_json_put(body, "last", json_null(), ok);
    }
}

json_t *listing_body(struct engine_worker *worker, const struct engine_job *job,
                     const struct listing_request *request,
                     const struct listing_selection *selection, struct proto_fault *fault)
{
    bool ok = true;
    struct making making = {worker, job, request, selection, NULL, NULL};
    if (!last_find(&making, fault)) {
        return NULL;
    }
    json_t *body = json_object();
    add_what(body, &making, &ok);
    if (ok &&
        (!entries_add(body, &making, "entries", selection->count, member_add, fault) ||
         !entries_add(body, &making, "just_missed", selection->missed_count, missed_add, fault) ||
         !entries_add(body, &making, "sample", selection->sample.count, drawn_add, fault))) {
        json_decref(body);
        return NULL;
    }
    json_t *exclude = json_object();
    add_list(exclude, "ids", request->ids, request->id_count, &ok);
    add_list(exclude, "keys", request->keys, request->key_count, &ok);
    add_list(exclude, "domains", request->domains, request->domain_count, &ok);
    feature_json_put(body, "exclude", exclude, &ok);
    if (!ok) {
        json_decref(body);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return NULL;
    }
    return body;
}
